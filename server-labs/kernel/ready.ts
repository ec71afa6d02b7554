// Ready list. Concludes whether a watched descriptor is on it, which the kernel does not say. What a descriptor is ready
// for follows from its state and its queues, or from poll(2) while the program waits at a boundary. The list is empty while
// the program sleeps in epoll_wait(2) on it: else it would not sleep.
import { epollEvents, flagNames, type KernelInterest, type ReadyState, type TcpState } from "../protocol.ts";

/** "maybe": both are possible. */
export type Tri = "yes" | "no" | "maybe";

/** What a descriptor is ready for at this moment. */
export interface Readiness {
  readable: Tri;
  writable: Tri;
  /** The peer sends no more: EPOLLRDHUP. */
  peerDone: Tri;
  /** Both directions are over: EPOLLHUP, which is always watched, as EPOLLERR is. */
  hungUp: Tri;
  urgent: Tri;
}

const IN = 0x1;
const PRI = 0x2;
const OUT = 0x4;
const ERR = 0x8;
const HUP = 0x10;
const RDHUP = 0x2000;
const EXCLUSIVE = 2 ** 28;
const WAKEUP = 2 ** 29;
const ONESHOT = 2 ** 30;
const ET = 2 ** 31;

export const unknownReadiness: Readiness = all("maybe");

/** @param queued connections in its accept queue */
export function listenerReadiness(queued: number): Readiness {
  return { ...all("no"), readable: queued > 0 ? "yes" : "no" };
}

/** See tcp_poll() of the kernel: what each state says for certain, and no more. */
export function connectionReadiness(state: TcpState, recvQ: number, sendQ: number): Readiness {
  if (state === "SYN_SENT" || state === "SYN_RECV" || state === "NEW_SYN_RECV") return all("no");
  // Reset, timed out, or never connected.
  if (state === "CLOSE" || state === "TIME_WAIT") {
    return { readable: "yes", writable: "yes", peerDone: "yes", hungUp: "yes", urgent: "no" };
  }
  const peerDone = state === "CLOSE_WAIT" || state === "LAST_ACK" || state === "CLOSING";
  const weDone = !(state === "ESTABLISHED" || state === "CLOSE_WAIT");
  // After shutdown(SHUT_RDWR) the end is readable in FIN_WAIT, after SHUT_WR it is not: the state is the same.
  const shut = weDone && !peerDone;
  return {
    readable: recvQ > 0 || peerDone ? "yes" : shut ? "maybe" : "no",
    // An empty queue has room. How full is too full depends on a buffer whose size the kernel does not show.
    writable: weDone || sendQ === 0 ? "yes" : "maybe",
    peerDone: peerDone ? "yes" : shut ? "maybe" : "no",
    hungUp: peerDone && weDone ? "yes" : shut ? "maybe" : "no",
    urgent: "maybe",
  };
}

/** What poll(2) has answered. */
export function polledReadiness(revents: number): Readiness {
  const bit = (mask: number): Tri => ((revents & mask) !== 0 ? "yes" : "no");
  return {
    readable: bit(IN),
    writable: bit(OUT),
    peerDone: bit(RDHUP),
    hungUp: bit(HUP | ERR),
    urgent: bit(PRI),
  };
}

/** Is it ready for anything that this registration waits for? */
export function isReady(events: number, at: Readiness): Tri {
  // /proc no longer shows the events of a disarmed one; a program would want to know that it could be read.
  const mask = isDisarmed(events) ? IN | RDHUP : events;
  const answers: Tri[] = [at.hungUp];
  if (mask & IN) answers.push(at.readable);
  if (mask & OUT) answers.push(at.writable);
  if (mask & RDHUP) answers.push(at.peerDone);
  if (mask & PRI) answers.push(at.urgent);
  return answers.includes("yes") ? "yes" : answers.includes("maybe") ? "maybe" : "no";
}

/**
 * What is known of the ready list of the instance: "empty"; "only": something is on it, and it can only be this one;
 * "some": something is on it; "unknown".
 */
export type ReadyList = "empty" | "only" | "some" | "unknown";

/**
 * What has happened to this descriptor since it was known not to be on the list: "arrived": something came, and so it was
 * put there, and epoll_wait has not reported it; "nothing" came, and the program did nothing with it; null: not known.
 */
export type Since = "arrived" | "nothing" | null;

/** @param ready isReady() of it */
export function onReadyList(events: number, ready: Tri, list: ReadyList, since: Since = null): ReadyState {
  if (ready === "no") return "no";
  if (isDisarmed(events)) return ready === "yes" ? "silent" : "unknown";
  if (!isEdge(events)) {
    // Level-triggered: it stays on the list for as long as it is ready. With an empty list, it is not ready; or it has
    // become so just now, and the program is being woken.
    if (ready === "yes") return "listed";
    return list === "empty" ? "no" : list === "only" ? "listed" : "unknown";
  }
  if (ready === "maybe") return list === "only" ? "listed" : "unknown";
  if (list === "empty") return "silent";
  if (list === "only") return "listed";
  return since === "arrived" ? "listed" : since === "nothing" ? "silent" : "unknown";
}

/** The flags that the program asked for, without those that the kernel adds by itself. */
export function eventNames(events: number): string[] {
  return flagNames(epollEvents, (events & ~(ERR | HUP)) >>> 0);
}

export function triggerOf(events: number): KernelInterest["trigger"] {
  if (isDisarmed(events)) return "disarmed";
  if (events & ONESHOT) return "oneshot";
  return isEdge(events) ? "edge" : "level";
}

export const isEdge = (events: number): boolean => (events & ET) !== 0;

/** After epoll_wait has reported a ONESHOT, it has no events, not even those that the kernel adds: epoll_ctl(2). */
function isDisarmed(events: number): boolean {
  return (events & ONESHOT) !== 0 && (events & ~(EXCLUSIVE | WAKEUP | ONESHOT | ET)) === 0;
}

function all(answer: Tri): Readiness {
  return { readable: answer, writable: answer, peerDone: answer, hungUp: answer, urgent: answer };
}

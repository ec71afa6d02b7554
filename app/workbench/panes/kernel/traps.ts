// Traps. Bytes or clients that wait in the kernel and that epoll will not report, and other words of the Kernel pane.
import type {
  KernelConnection,
  KernelEpoll,
  KernelInterest,
  KernelListener,
  TaskSample,
  TcpState,
} from "../../../../server-labs/protocol.ts";
import { number } from "../../format.ts";

/** A registration of a descriptor, and in which instance. */
export interface WatchedDescriptor extends KernelInterest {
  epoll: number;
  /** The names of the tasks that wait for it, as far as they are shown one by one. */
  tasks?: readonly string[];
}

/** fd → the names of the tasks that wait for it. */
export function waitersOf(sample: TaskSample | undefined): Map<number, string[]> {
  const found = new Map<number, string[]>();
  for (const { name, on } of sample?.tasks ?? [])
    if (on && "fd" in on) found.set(on.fd, [...(found.get(on.fd) ?? []), name]);
  return found;
}

/** fd → its registrations. A registration whose descriptor was closed is of no descriptor: the number is another file. */
export function watchedOf(
  epolls: readonly KernelEpoll[],
  waiters: ReadonlyMap<number, readonly string[]> = new Map(),
): Map<number, WatchedDescriptor[]> {
  const found = new Map<number, WatchedDescriptor[]>();
  for (const { fd: epoll, interest } of epolls)
    for (const one of interest)
      if (!one.closed) {
        const tasks = waiters.get(one.fd);
        found.set(one.fd, [...(found.get(one.fd) ?? []), { ...one, epoll, ...(tasks ? { tasks } : {}) }]);
      }
  return found;
}

export const bytes = (n: number): string => `${number(n)} byte${n === 1 ? "" : "s"}`;

const peerLeft = new Set<TcpState>(["CLOSE_WAIT", "LAST_ACK", "CLOSING"]);

/** The sentence when epoll will not report what is in a connection; else null. */
export function connectionTrap(
  { state, recvQ }: KernelConnection,
  watched: readonly WatchedDescriptor[],
): string | null {
  const silent = watched.find(({ ready }) => ready === "silent");
  if (!silent || watched.some(({ ready }) => ready === "listed")) return null;
  if (recvQ > 0)
    return `${bytes(recvQ)} ${recvQ === 1 ? "waits" : "wait"} here. ${never(silent, "them", "more arrive")}`;
  if (peerLeft.has(state)) return `The client has closed. ${never(silent, "it", "something else happens")}`;
  if (state === "CLOSE") return `The connection was reset. ${never(silent, "it", "something else happens")}`;
  // Writable, and epoll has reported it long ago: that is as it should be.
  return null;
}

export function listenerTrap(
  { queued }: KernelListener,
  watched: readonly WatchedDescriptor[],
): string | null {
  const silent = watched.find(({ ready }) => ready === "silent");
  if (!silent || queued === 0 || watched.some(({ ready }) => ready === "listed")) return null;
  const who = queued === 1 ? "1 client waits" : `${number(queued)} clients wait`;
  return `${who} here. ${never(silent, queued === 1 ? "it" : "them", "another one comes")}`;
}

function never({ trigger }: WatchedDescriptor, what: string, until: string): string {
  return trigger === "disarmed"
    ? `EPOLLONESHOT: epoll has reported once, and will not report ${what} until epoll_ctl arms it again.`
    : `Edge-triggered: epoll has reported ${what} once and will not again until ${until}.`;
}

/** What the author may have meant so, and may have forgotten; else null. */
export function connectionNote(
  { state, recvQ }: KernelConnection,
  watched: readonly WatchedDescriptor[],
  epolls: readonly KernelEpoll[],
): string | null {
  const complete = epolls.every(({ interest, registered }) => interest.length === registered);
  if (recvQ > 0 && epolls.length > 0 && complete && watched.length === 0)
    return `${bytes(recvQ)} ${recvQ === 1 ? "waits" : "wait"} here, and no epoll instance watches this descriptor.`;
  if (state === "CLOSE_WAIT") return "The client has sent FIN; the program still holds the descriptor.";
  if (state === "CLOSE") return "Reset, or timed out; the program still holds the descriptor.";
  return null;
}

export const stateWords: Record<TcpState, string> = {
  ESTABLISHED: "open both ways",
  SYN_SENT: "connecting",
  SYN_RECV: "half open: the handshake is not done",
  NEW_SYN_RECV: "half open: the handshake is not done",
  FIN_WAIT1: "the program has sent FIN; not yet acknowledged",
  FIN_WAIT2: "the program has sent FIN, the client has not",
  TIME_WAIT: "closed; the kernel waits for late packets",
  CLOSE: "reset or timed out",
  CLOSE_WAIT: "the client has sent FIN, the program has not",
  LAST_ACK: "both have sent FIN; not yet acknowledged",
  CLOSING: "both have sent FIN at once",
  LISTEN: "listens",
};

export const triggerWords: Record<KernelInterest["trigger"], { short: string; long: string }> = {
  level: { short: "LT", long: "level-triggered" },
  edge: { short: "ET", long: "edge-triggered" },
  oneshot: { short: "ONESHOT", long: "once" },
  disarmed: { short: "ONESHOT, disarmed", long: "once, and disarmed" },
};

/** The events that a registration waits for, without its trigger. */
export const eventWords = (events: readonly string[]): string =>
  events.filter(name => name !== "EPOLLET" && name !== "EPOLLONESHOT").join(" ");

export const readyWords: Record<KernelInterest["ready"], string> = {
  no: "not ready",
  listed: "on the ready list",
  silent: "ready, but not on the ready list",
  unknown: "not known now",
};

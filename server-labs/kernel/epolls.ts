// Epoll instances. What each watches, and what can be concluded of its ready list.
import { type ClosedDescriptor, type KernelEpoll, type KernelInterest, kernelLimits } from "../protocol.ts";
import type { Inside } from "./calls.ts";
import {
  connectionReadiness,
  eventNames,
  isEdge,
  isReady,
  listenerReadiness,
  onReadyList,
  polledReadiness,
  type Readiness,
  type ReadyList,
  type Since,
  type Tri,
  triggerOf,
  unknownReadiness,
} from "./ready.ts";
import type { WatchedFile } from "./registrations.ts";
import type { HeldSocket } from "./sockets.ts";

/** One end of a connection, or a listener, as this sample found it. */
export interface End {
  readiness: Readiness;
  /** Changes when something has arrived: state and what is to be read. */
  arrival: string;
  /** Changes when anything has. */
  all: string;
  /** Of a listener: clients in its accept queue. */
  queued?: number;
}

/**
 * The ends of sockets, by what /proc/<pid>/fd calls them: a descriptor's number is another socket as soon as it is closed.
 * @param held sockets as the kernel's tables have them
 * @param gone links of connections of which only the descriptor is left
 */
export function endsOf(
  held: readonly Pick<HeldSocket, "link" | "row">[],
  gone: readonly string[],
): Map<string, End> {
  const ends = new Map<string, End>();
  for (const { link, row } of held) {
    const { state, recvQueue, sendQueue } = row;
    const readiness =
      state === "LISTEN" ? listenerReadiness(recvQueue) : connectionReadiness(state, recvQueue, sendQueue);
    const arrival = `${state} ${recvQueue}`;
    ends.set(link, {
      readiness,
      arrival,
      all: `${arrival} ${sendQueue}`,
      ...(state === "LISTEN" ? { queued: recvQueue } : {}),
    });
  }
  for (const link of gone)
    ends.set(link, { readiness: connectionReadiness("CLOSE", 0, 0), arrival: "CLOSE", all: "CLOSE" });
  return ends;
}

/** What was so when an instance's ready list was last known to be empty: the program slept in epoll_wait on it, or poll(2) said so. */
export interface Slept {
  inside: Inside;
  ends: ReadonlyMap<string, End>;
  /** How many were accepted there since; null when another call was about this descriptor, or not every call is known. */
  accepted(fd: number): number | null;
}

/** What is known of the moment. */
export interface Moment {
  /** The call that the program was in all the time; null when it was in no call, or made others meanwhile. */
  inside: Inside | null;
  /** It slept in it all the time. */
  asleep: boolean;
  /** poll(2)'s answers at a boundary, by descriptors as they are now. */
  peeked: ReadonlyMap<number, number> | null;
  slept: Slept | null;
}

const POLLIN = 1;
const IN_OR_RDHUP = 0x2001;

/**
 * One instance.
 * @param ends by what /proc/<pid>/fd calls a file; one that is not in there is not known
 * @param first descriptors whose registrations are shown before others
 * @param closedOf what is known of a file whose descriptor was closed
 */
export function concludeEpoll(
  fd: number,
  registered: readonly WatchedFile[],
  ends: ReadonlyMap<string, End>,
  first: ReadonlySet<number>,
  moment: Moment,
  closedOf: (file: WatchedFile) => ClosedDescriptor,
): KernelEpoll {
  const items = registered.map(registration => {
    const at = readinessOf(registration, ends, moment.peeked);
    const since = sinceOf(registration, fd, ends, moment);
    return {
      ...registration,
      since: isEdge(registration.events) ? since : null,
      ready: isReady(registration.events, at),
    };
  });
  const list = listOf(fd, items, moment);
  const interest: KernelInterest[] = [];
  let some = false;
  let perhaps = false;
  for (const item of items) {
    const can = list === "only" && item.since === "nothing" ? "some" : list;
    const ready = onReadyList(item.events, item.ready, can, item.since);
    if (ready === "listed") some = true;
    if (ready === "unknown") perhaps = true;
    const { fd: of, events, closed } = item;
    const more = closed ? { closed: closedOf(item) } : {};
    interest.push({ fd: of, events: eventNames(events), trigger: triggerOf(events), ready, ...more });
  }
  // The order in which the kernel keeps them is not visible.
  interest.sort((a, b) => a.fd - b.fd);
  const isFirst = (one: KernelInterest) => one.closed !== undefined || first.has(one.fd);
  const shown =
    interest.length <= kernelLimits.interest
      ? interest
      : [...interest.filter(isFirst), ...interest.filter(one => !isFirst(one))].slice(
          0,
          kernelLimits.interest,
        );
  const ready =
    some || list === "some" || list === "only" ? true : list === "empty" || !perhaps ? false : null;
  return { fd, interest: shown, registered: registered.length, ready };
}

function readinessOf(
  { fd, link, closed }: WatchedFile,
  ends: ReadonlyMap<string, End>,
  peeked: Moment["peeked"],
): Readiness {
  const seen = (link === null ? undefined : ends.get(link)?.readiness) ?? unknownReadiness;
  // poll(2) was asked of the number: its answer is about this file only where the number is known to be this file.
  const revents = closed || link === null ? undefined : peeked?.get(fd);
  if (revents === undefined) return seen;
  const polled = polledReadiness(revents);
  // poll(2) reports the peer's end and urgent data only when they are asked for: its "no" may mean nothing.
  const ask = (polled: Tri, known: Tri): Tri => (polled === "yes" ? "yes" : known);
  return { ...polled, peerDone: ask(polled.peerDone, seen.peerDone), urgent: ask(polled.urgent, "no") };
}

function listOf(fd: number, items: readonly { ready: Tri; since: Since }[], moment: Moment): ReadyList {
  const { inside, asleep, peeked } = moment;
  const answer = peeked?.get(fd);
  if (answer !== undefined) {
    if ((answer & POLLIN) === 0) return "empty";
    return items.filter(item => item.ready !== "no" && item.since !== "nothing").length === 1
      ? "only"
      : "some";
  }
  return asleep && inside?.name === "epoll_wait" && inside.args[0] === fd ? "empty" : "unknown";
}

/**
 * The program was asleep on this instance. If it is still in that call (stopped, or only just being woken), an arrival
 * has put the descriptor on the list. If it has left the call, epoll_wait may have reported it; where nothing has
 * arrived since, and no call was about it, its state is unchanged. An accept queue has no new client when it is
 * shorter by exactly the accepted clients: a client leaves it only by accept.
 */
function sinceOf(item: WatchedFile, fd: number, ends: ReadonlyMap<string, End>, moment: Moment): Since {
  const { inside, asleep, slept } = moment;
  if (asleep || !slept || slept.inside.name !== "epoll_wait" || slept.inside.args[0] !== fd) return null;
  const now = ends.get(item.link ?? "");
  const then = slept.ends.get(item.link ?? "");
  if (!now || !then) return null;
  const there = inside === slept.inside;
  // Calls are known by numbers, and another process may make some on a file that it shares.
  const accepted = item.closed ? null : slept.accepted(item.fd);
  if (!there && accepted !== null && then.queued !== undefined && now.queued !== undefined)
    return now.queued + accepted === then.queued ? "nothing" : null;
  if (now.arrival !== then.arrival) return there && item.events & IN_OR_RDHUP ? "arrived" : null;
  return now.all === then.all && (there || accepted === 0) ? "nothing" : null;
}

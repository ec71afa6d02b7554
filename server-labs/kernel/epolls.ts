// The epoll instances of a program: what each watches, and what can be concluded of its ready list.
import type { KernelEpoll, KernelInterest } from "../protocol.ts";
import { kernelLimits } from "../protocol.ts";
import type { Inside } from "./calls.ts";
import type { Registration } from "./descriptors.ts";
import {
  eventNames,
  isEdge,
  isReady,
  onReadyList,
  polledReadiness,
  type Readiness,
  type ReadyList,
  type Since,
  type Tri,
  triggerOf,
  unknownReadiness,
} from "./ready.ts";

/** One end of something, as it was seen in this look. */
export interface End {
  readiness: Readiness;
  /** Changes when something has arrived: state and what is to be read. */
  arrival: string;
  /** Changes when anything has. */
  all: string;
  /** Of a listener: clients in its accept queue. */
  queued?: number;
}

/** What was so when an instance's ready list was last known to be empty: the program slept in epoll_wait on it, or poll(2) said so. */
export interface Slept {
  inside: Inside;
  ends: ReadonlyMap<number, End>;
  /** How many were accepted there since; null when another call was about this descriptor, or not every call is known. */
  accepted(fd: number): number | null;
}

/** What is known of the moment. */
export interface Moment {
  /** The call that the program was in all the time; null when there is none, or it made others meanwhile. */
  inside: Inside | null;
  /** It slept in it all the time. */
  asleep: boolean;
  /** poll(2)'s answers at a boundary. */
  peeked: ReadonlyMap<number, number> | null;
  slept: Slept | null;
}

const POLLIN = 1;
const IN_OR_RDHUP = 0x2001;

/**
 * One instance.
 * @param ends by descriptor; one that is not in there is not known
 * @param first descriptors whose registrations are shown before others
 */
export function concludeEpoll(
  fd: number,
  registered: readonly Registration[],
  ends: ReadonlyMap<number, End>,
  first: ReadonlySet<number>,
  moment: Moment,
): KernelEpoll {
  const items = registered.map(registration => {
    const at = readinessOf(registration.fd, ends, moment.peeked);
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
    const { fd: of, events } = item;
    interest.push({ fd: of, events: eventNames(events), trigger: triggerOf(events), ready });
  }
  // The kernel keeps them in an order that nobody else knows.
  interest.sort((a, b) => a.fd - b.fd);
  const shown =
    interest.length <= kernelLimits.interest
      ? interest
      : [...interest.filter(i => first.has(i.fd)), ...interest.filter(i => !first.has(i.fd))].slice(
          0,
          kernelLimits.interest,
        );
  const ready =
    some || list === "some" || list === "only" ? true : list === "empty" || !perhaps ? false : null;
  return { fd, interest: shown, registered: registered.length, ready };
}

function readinessOf(fd: number, ends: ReadonlyMap<number, End>, peeked: Moment["peeked"]): Readiness {
  const seen = ends.get(fd)?.readiness ?? unknownReadiness;
  const revents = peeked?.get(fd);
  if (revents === undefined) return seen;
  const polled = polledReadiness(revents);
  // poll(2) tells of the peer's end and of urgent data only who asks for it: a "no" of its may be none.
  const ask = (told: Tri, known: Tri): Tri => (told === "yes" ? "yes" : known);
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
 * The program was asleep on this instance. In that very call it may still be: stopped, or only just being woken; then an
 * arrival has put the descriptor on the list. Later it may have been told of it; but where nothing has arrived since, and
 * no call was about it, it is as it was. In an accept queue nobody has arrived when it has become shorter by those who
 * were accepted: nobody leaves it in another way.
 */
function sinceOf(item: Registration, fd: number, ends: ReadonlyMap<number, End>, moment: Moment): Since {
  const { inside, asleep, slept } = moment;
  if (asleep || !slept || slept.inside.name !== "epoll_wait" || slept.inside.args[0] !== fd) return null;
  const now = ends.get(item.fd);
  const then = slept.ends.get(item.fd);
  if (!now || !then) return null;
  const there = inside === slept.inside;
  const accepted = slept.accepted(item.fd);
  if (!there && accepted !== null && then.queued !== undefined && now.queued !== undefined)
    return now.queued + accepted === then.queued ? "nothing" : null;
  if (now.arrival !== then.arrival) return there && item.events & IN_OR_RDHUP ? "arrived" : null;
  return now.all === then.all && (there || accepted === 0) ? "nothing" : null;
}

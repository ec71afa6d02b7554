// Descriptor table. What each descriptor of a program is, as its system calls show: kind, both ends, backlog, accepted.
// A number alone says nothing, and is another connection as soon as it is closed and opened again. Where calls
// were lost, no name is given until a later call shows again what the descriptor is.
import {
  type CallRecord,
  callIndex,
  type DescriptorKind,
  type KnownDescriptor,
  rowsByIndex,
} from "../protocol/calls.ts";
import { formatEndpoint } from "../protocol/endpoint.ts";
import {
  addressOf,
  argumentOf,
  callOf,
  descriptorOf,
  descriptorsInSet,
  hasReturned,
  type Known,
  pairOf,
  resultOf,
  stateOfRecord,
} from "./decode.ts";

/** A descriptor on which listen(2) has succeeded. */
export interface Listener {
  fd: number;
  host: string;
  /** 0: the kernel chose one, and the program has not asked which. */
  port: number;
}

/** Gets what changes in the table, at the call that changes it. */
export interface DescriptorEvents {
  /** The program has made this descriptor with a call of its own. */
  opened?(fd: number): void;
  /** It listens; or getsockname has returned the port of a listener for which the kernel chose one. */
  listening?(listener: Listener): void;
}

interface Entry {
  is: DescriptorKind;
  /** It is known still: no call was lost since. */
  era: number;
  local: { host: string; port: number } | null;
  peer: string | null;
  listens: boolean;
  backlog: number | null;
  accepted: number;
}

/** A student's program may open and listen without end; of more than this nothing is known. */
export const mostDescriptors = 65_536;
const mostListeners = 1024;

const LISTEN = callIndex("listen");
const FCNTL = callIndex("fcntl");
/** Which calls leave a descriptor different from what it was, or show what it is. */
const changes = rowsByIndex.map(
  ({ opens, opensTwo, closes, shows, address }, call) =>
    !!(opens || opensTwo || closes || shows || address) || call === FCNTL,
);

export class DescriptorTable {
  /** How many calls the table has followed. */
  seen = 0;
  /** Descriptors whose flags may have changed since the reader of this set emptied it. Full: any of them may. */
  readonly flagged = new Set<number>();
  readonly #events: DescriptorEvents;
  readonly #entries = new Map<number, Entry>();
  readonly #listeners = new Set<number>();
  /** Counts the times that calls were lost. */
  #era = 0;
  /** fd → the newest call about it, as `seen` counts. */
  #touched = new Float64Array(256);

  constructor(events: DescriptorEvents = {}) {
    this.#events = events;
  }

  /** Follows one record of the trace, in order. A call that was seen entered comes again when it has returned. */
  see(record: Buffer): void {
    this.seen++;
    const call = callOf(record);
    const { opens, opensTwo, copies, closes, shows } = rowsByIndex[call]!;
    // What accept4 does to its listener is counted, and is no touch.
    if (!opens) this.#touch(descriptorOf(record));
    if (!changes[call] || !hasReturned(record)) return;
    const fd = argumentOf(record, 0);
    if (closes) {
      // Whatever close(2) returns, the descriptor is gone.
      this.#remove(fd);
      return;
    }
    if (stateOfRecord(record) === "failed") return;
    if (opensTwo) this.#openTwo(record, opensTwo);
    const result = resultOf(record);
    const opened = opens && result >= 0 ? this.#open(result, opens) : undefined;
    if (copies && opened) this.#copy(this.#sure(fd), opened);
    if (shows) this.#show(fd, shows, opened !== undefined);
    this.#learn(call, record, opened ?? this.#entries.get(fd));
    if (opened) this.#events.opened?.(result);
  }

  /** Follows a call that only moved bytes. */
  moved(fd: number): void {
    this.seen++;
    this.#touch(fd);
  }

  /** Calls were lost: any number may be another descriptor by now. */
  lose(): void {
    this.#era++;
  }

  /** Follows one record, as see() does. @returns what is known of the descriptors that it speaks of */
  follow(record: Buffer): Known {
    // What a close ends is known before it, what an accept4 gives after it.
    const closes = rowsByIndex[callOf(record)]!.closes;
    if (!closes) this.see(record);
    const [who, peer] = [this.#who(record), this.#peer(record)];
    if (closes) this.see(record);
    return who ? { who, peer } : { peer };
  }

  /** The same, with the peer alone: a checker follows half a million calls a second. */
  followPeer(record: Buffer): Known {
    const closes = rowsByIndex[callOf(record)]!.closes;
    if (!closes) this.see(record);
    const peer = this.#peer(record);
    if (closes) this.see(record);
    return { peer };
  }

  /** The peer that this descriptor is connected to; null where it is not known, as after lost calls. */
  peerOf(fd: number): string | null {
    return this.#sure(fd)?.peer ?? null;
  }

  /** What listen(2) was given; null where it is not known, as after lost calls. */
  backlogOf(fd: number): number | null {
    return this.#sure(fd)?.backlog ?? null;
  }

  /** How many connections were accepted on this listener. */
  acceptedOn(fd: number): number {
    return this.#entries.get(fd)?.accepted ?? 0;
  }

  /** The same for every listener. */
  accepted(): Map<number, number> {
    return new Map([...this.#listeners].map(fd => [fd, this.acceptedOn(fd)]));
  }

  /** Has no call but accept4 been about this descriptor since so many were seen? Where it is not known, no. */
  untouched(fd: number, since: number): boolean {
    return fd < mostDescriptors && (this.#touched[fd] ?? 0) <= since;
  }

  #who(record: Buffer): CallRecord["who"] {
    let who: CallRecord["who"];
    if (this.#entries.size === 0) return who;
    for (const fd of descriptorsOf(record)) {
      const entry = this.#sure(fd);
      if (!entry) continue;
      const known: KnownDescriptor = { is: entry.is };
      if (entry.peer !== null) known.peer = entry.peer;
      who ??= {};
      who[fd] = known;
    }
    return who;
  }

  #peer(record: Buffer): string | null {
    const opened = rowsByIndex[callOf(record)]!.opens && hasReturned(record);
    return this.#sure(opened ? resultOf(record) : descriptorOf(record))?.peer ?? null;
  }

  /** What this number is, if no call that could have changed it was lost. */
  #sure(fd: number): Entry | undefined {
    const entry = this.#entries.get(fd);
    return entry?.era === this.#era ? entry : undefined;
  }

  #open(fd: number, is: DescriptorKind): Entry | undefined {
    this.#remove(fd);
    this.#touch(fd);
    return this.#add(fd, is) ?? blank(is);
  }

  #openTwo(record: Buffer, is: DescriptorKind): void {
    for (const fd of pairOf(record) ?? []) {
      if (fd < 0) continue;
      this.#open(fd, is);
      this.#events.opened?.(fd);
    }
  }

  #copy(from: Entry | undefined, to: Entry): void {
    if (from) Object.assign(to, from, { era: to.era, accepted: 0 });
  }

  #show(fd: number, is: DescriptorKind, accepted: boolean): void {
    const entry = this.#entries.get(fd) ?? this.#add(fd, is);
    if (!entry) return;
    if (entry.is !== is) entry.peer = null;
    // Calls were lost: the number may be another one of the same kind, with another address and backlog.
    if (entry.era !== this.#era) Object.assign(entry, blank(is), { accepted: entry.accepted });
    entry.is = is;
    entry.era = this.#era;
    if (is !== "listener") return;
    if (accepted) entry.accepted++;
    if (this.#listeners.size < mostListeners) this.#listeners.add(fd);
  }

  #learn(call: number, record: Buffer, entry: Entry | undefined): void {
    const fd = argumentOf(record, 0);
    if (call === FCNTL) this.#flag(fd);
    const { address: side } = rowsByIndex[call]!;
    if (call !== LISTEN && side === undefined) return;
    const address = addressOf(record);
    if (side === "peer") {
      if (entry && address) entry.peer = formatEndpoint(address.host, address.port);
      return;
    }
    const known = entry ?? (side === "local" && address ? this.#add(fd, "socket") : undefined);
    if (!known) return;
    const portBefore = known.local?.port;
    if (side === "local" && address) known.local = address;
    if (call === LISTEN) {
      known.backlog = argumentOf(record, 1);
      known.listens = true;
    }
    const isNews = call === LISTEN || (portBefore === 0 && known.local?.port !== 0);
    // A listen without bind: the kernel takes any address and port. See listen(2), ip(7).
    if (isNews && known.listens && this.#listeners.has(fd))
      this.#events.listening?.({ fd, ...(known.local ?? { host: "0.0.0.0", port: 0 }) });
  }

  #add(fd: number, is: DescriptorKind): Entry | undefined {
    if (fd < 0 || this.#entries.size >= mostDescriptors) return undefined;
    const entry = { ...blank(is), era: this.#era };
    this.#entries.set(fd, entry);
    return entry;
  }

  #remove(fd: number): void {
    this.#entries.delete(fd);
    this.#listeners.delete(fd);
    this.#flag(fd);
  }

  #flag(fd: number): void {
    if (this.flagged.size < mostDescriptors) this.flagged.add(fd);
  }

  #touch(fd: number): void {
    if (fd < 0 || fd >= mostDescriptors) return;
    if (fd >= this.#touched.length) {
      const larger = new Float64Array(2 ** Math.ceil(Math.log2(fd + 1)));
      larger.set(this.#touched);
      this.#touched = larger;
    }
    this.#touched[fd] = this.seen;
  }
}

/** An entry of which only the kind is known. */
function blank(is: DescriptorKind): Entry {
  return { is, era: -1, local: null, peer: null, listens: false, backlog: null, accepted: 0 };
}

/** The descriptors that a call speaks of: its arguments, the one that it opened, those in its set. */
function descriptorsOf(record: Buffer): number[] {
  const { parameters, opens, opensTwo } = rowsByIndex[callOf(record)]!;
  const found: number[] = [];
  for (let i = 0; i < parameters.length; i++)
    if (parameters[i]!.is === "fd") found.push(argumentOf(record, i));
  const returned = hasReturned(record);
  if (opens && returned && resultOf(record) >= 0) found.push(resultOf(record));
  if (opensTwo && returned) found.push(...(pairOf(record) ?? []));
  // An epoll_wait that has not returned has no set; a poll has one from the start.
  const set = returned || parameters[0]!.is === "polls" ? descriptorsInSet(record) : [];
  return set.length === 0 ? found : found.concat(set);
}

// What the kernel's own files do not say and the calls do: what came of them, the backlog that listen(2) was given, who
// was accepted, which call has not returned. It sees every record that is not lost, a million in a second if need be.
import { constants } from "node:os";
import { addressOf, nameOf } from "../strace.ts";
import { callsThatOpen, layout, type TracedCall, tracedCalls } from "../trace-layout.ts";

const at = layout.record;
const { EAGAIN, EINPROGRESS, EALREADY } = constants.errno;
const index = (name: TracedCall) => tracedCalls.indexOf(name);
const POLL = index("poll");
const EPOLL_WAIT = index("epoll_wait");
const EPOLL_CTL = index("epoll_ctl");
const ACCEPT = index("accept4");
const makers = new Set(callsThatOpen.map(index));
const noted = new Set([...makers, ...(["listen", "connect", "close", "fcntl"] as const).map(index)]);
/** A program may make more of everything than anybody looks at; what is over this is not known. */
export const mostNoted = 65_536;

/** A call that has not returned. Two are the same if they are the same object. */
export interface Inside {
  name: string;
  args: readonly number[];
}

export class KernelCalls {
  /** By what came of them; one that has not returned counts as waiting. */
  readonly counts = { ready: 0, waiting: 0, failed: 0 };
  /** The newest call, if it has not returned. */
  inside: Inside | null = null;
  /** How many records were seen. */
  seen = 0;
  /** fd → which of them was the last that was about it. */
  #touched = new Float64Array(256);
  /** Listener → how many were accepted there. */
  readonly accepted = new Map<number, number>();
  /** fd → what listen(2) was given. */
  readonly backlogs = new Map<number, number>();
  /** fd → who was accepted there, or connected to: "127.0.0.1:51322". */
  readonly peers = new Map<number, string>();
  /** Descriptors whose flags may have changed since they were looked at; whoever looks empties it. Full: any may. */
  readonly flagged = new Set<number>();
  readonly #made: (fd: number) => void;

  /** @param made told of each descriptor that the program makes */
  constructor(made: (fd: number) => void) {
    this.#made = made;
  }

  /** @param again a call that was seen before it returned, and has now */
  see(record: Buffer, again: boolean): void {
    if (again) this.counts.waiting--;
    this.seen++;
    const call = record.readUInt16LE(at.call);
    if (call !== ACCEPT) this.#touch(record.readInt32LE(call === EPOLL_CTL ? at.args + 8 : at.args));
    const inside = record.readDoubleLE(at.took) === -1;
    const result = record.readInt32LE(at.result);
    this.counts[inside ? "waiting" : this.#state(call, result, record.readInt32LE(at.errno))]++;
    if (inside) {
      const args = [0, 1, 2].map(i => record.readInt32LE(at.args + 4 * i));
      this.inside = { name: nameOf(record), args };
    } else {
      this.inside = null;
      if (noted.has(call) && result >= 0) this.#note(call, record, result);
    }
  }

  /** A call that only moved octets, and has returned: told by what came of it alone. */
  moved(fd: number, result: number, errno: number): void {
    this.seen++;
    this.#touch(fd);
    this.counts[result === -1 && errno !== 0 ? stateOf(errno) : "ready"]++;
    this.inside = null;
  }

  /** Has no call but accept4 been about this descriptor since so many were seen? Where it is not known, no. */
  untouched(fd: number, since: number): boolean {
    return fd < mostNoted && (this.#touched[fd] ?? 0) <= since;
  }

  #touch(fd: number): void {
    if (fd < 0 || fd >= mostNoted) return;
    if (fd >= this.#touched.length) {
      const larger = new Float64Array(2 ** Math.ceil(Math.log2(fd + 1)));
      larger.set(this.#touched);
      this.#touched = larger;
    }
    this.#touched[fd] = this.seen;
  }

  #state(call: number, result: number, errno: number): "ready" | "waiting" | "failed" {
    if (result === -1 && errno !== 0) return stateOf(errno);
    return result === 0 && (call === POLL || call === EPOLL_WAIT) ? "waiting" : "ready";
  }

  #note(call: number, record: Buffer, result: number): void {
    const fd = record.readInt32LE(at.args);
    if (makers.has(call)) {
      this.#forget(result);
      this.#touch(result);
      this.#made(result);
    }
    const name = tracedCalls[call];
    if (name === "close") this.#forget(fd);
    else if (name === "listen") keep(this.backlogs, fd, record.readInt32LE(at.args + 4));
    else if (name === "fcntl") this.#flag(fd);
    else if (name === "accept4" || name === "connect") {
      if (name === "accept4") keep(this.accepted, fd, (this.accepted.get(fd) ?? 0) + 1);
      const peer = addressOf(record);
      if (!peer) return;
      const host = peer.host.includes(":") ? `[${peer.host}]` : peer.host;
      keep(this.peers, name === "accept4" ? result : fd, `${host}:${peer.port}`);
    }
  }

  #forget(fd: number): void {
    this.backlogs.delete(fd);
    this.peers.delete(fd);
    this.#flag(fd);
  }

  #flag(fd: number): void {
    if (this.flagged.size < mostNoted) this.flagged.add(fd);
  }
}

function stateOf(errno: number): "waiting" | "failed" {
  return errno === EAGAIN || errno === EINPROGRESS || errno === EALREADY ? "waiting" : "failed";
}

function keep<T>(map: Map<number, T>, fd: number, value: T): void {
  if (map.has(fd) || map.size < mostNoted) map.set(fd, value);
}

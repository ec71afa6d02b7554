// The connections of a program one by one: both ends, what is in them, and whether a call on it may sleep. Also those that
// the kernel has forgotten and the program has not.
import type { KernelConnection } from "../protocol.ts";
import { type KernelCalls, mostNoted } from "./calls.ts";
import { isNonblocking, type Links, socketInode } from "./descriptors.ts";
import type { Held, Sockets } from "./sockets.ts";
import { endpoint } from "./tables.ts";

/** Of /proc/<pid>/fdinfo, how many are read at a time: each takes a turn of the thread pool. */
const atOnce = 32;

export class Connections {
  readonly #calls: KernelCalls;
  readonly #sockets: Sockets;
  /** By the socket's link: to find it out costs a file. */
  #nonblocking = new Map<string, boolean>();
  #lost = 0;
  /** Of sockets, when they were last in the tables: a reset takes them out, and the descriptor stays. */
  #ends = new Map<string, { local: string; peer: string }>();

  constructor(calls: KernelCalls, sockets: Sockets) {
    this.#calls = calls;
    this.#sockets = sockets;
  }

  /** Connections that the kernel no longer lists, while the program has them open: reset, or timed out. */
  gone(links: Links, connected: readonly Held[]): KernelConnection[] {
    const before = this.#ends;
    this.#ends = new Map(
      connected.map(({ link, row, table }) => [
        link,
        { local: endpoint(table.local(row)), peer: endpoint(table.remote(row)) },
      ]),
    );
    const gone: KernelConnection[] = [];
    for (const [fd, link] of links) {
      const inode = socketInode(link);
      if (inode === 0 || this.#sockets.holds(inode)) continue;
      const known = before.get(link);
      const peer = known?.peer ?? this.#calls.peers.get(fd);
      if (peer === undefined) continue;
      const local = known?.local ?? "";
      if (known) this.#ends.set(link, known);
      const nonblocking = this.#nonblocking.get(link) ?? false;
      gone.push({ fd, local, peer, state: "CLOSE", recvQ: 0, sendQ: 0, other: null, nonblocking });
    }
    return gone;
  }

  /** @param lost calls of which nothing is known: any of them may have changed a flag */
  async shown(pid: number, shown: readonly Held[], lost: number): Promise<KernelConnection[]> {
    await this.#learnNonblocking(pid, shown, lost);
    const others = this.#sockets.others(shown);
    return shown.map(held => {
      const { fd, link, row } = held;
      const { local, peer } = this.#ends.get(link)!;
      const { state, recvQueue: recvQ, sendQueue: sendQ } = row;
      const nonblocking = this.#nonblocking.get(link) ?? false;
      return { fd, local, peer, state, recvQ, sendQ, other: others.get(held) ?? null, nonblocking };
    });
  }

  /** A flag stays as it is until the program makes a call that may change it, or calls that nobody has read. */
  async #learnNonblocking(pid: number, shown: readonly Held[], lost: number): Promise<void> {
    const { flagged } = this.#calls;
    const forget = lost !== this.#lost || flagged.size >= mostNoted;
    const known = new Map<string, boolean>();
    const unknown: Held[] = [];
    for (const held of shown) {
      const before = forget || flagged.has(held.fd) ? undefined : this.#nonblocking.get(held.link);
      if (before === undefined) unknown.push(held);
      else known.set(held.link, before);
    }
    flagged.clear();
    this.#lost = lost;
    for (let i = 0; i < unknown.length; i += atOnce) {
      const slice = unknown.slice(i, i + atOnce);
      const answers = await Promise.all(slice.map(({ fd }) => isNonblocking(pid, fd)));
      for (const [k, answer] of answers.entries()) if (answer !== null) known.set(slice[k]!.link, answer);
    }
    // Those that the kernel has forgotten cannot be asked about where it lists them, and have it still.
    for (const [link, before] of this.#nonblocking)
      if (!known.has(link) && this.#ends.has(link)) known.set(link, before);
    this.#nonblocking = known;
  }
}

/** Those with something in a queue first, or that their peer has left: the others look alike. */
export function ranked(connected: readonly Held[]): Held[] {
  const rank = ({ row }: Held) =>
    row.recvQueue > 0 || row.sendQueue > 0 || row.state !== "ESTABLISHED" ? 0 : 1;
  return [...connected].sort((a, b) => rank(a) - rank(b) || a.fd - b.fd);
}

export function sum(
  left: readonly Held[],
  gone: number,
): { connections: number; recvQ: number; sendQ: number } {
  const total = { connections: left.length + gone, recvQ: 0, sendQ: 0 };
  for (const { row } of left) {
    total.recvQ += row.recvQueue;
    total.sendQ += row.sendQueue;
  }
  return total;
}

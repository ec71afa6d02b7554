// Connections. Each connection of a program: both ends, their queues, and whether a call on it may block. Also connections
// that the kernel has dropped and the program has not closed.
import type { KernelConnection } from "../protocol.ts";
import { type DescriptorTable, mostDescriptors } from "../trace.ts";
import { isNonblocking, type Links, socketInode } from "./descriptors.ts";
import type { HeldSocket, Sockets } from "./sockets.ts";
import { endpoint } from "./tables.ts";
import { giveTurn } from "./turns.ts";

/**
 * Files of /proc/<pid>/fdinfo that are read without giving other work a turn; and how many are read again at each look,
 * in turn: the flag belongs to the open file, and a child that shares it, or Node itself, may change it unseen.
 */
const atOnce = 32;

export class Connections {
  readonly #table: DescriptorTable;
  readonly #sockets: Sockets;
  /** By the socket's link; to find it out costs reading a file. */
  #nonblocking = new Map<string, boolean>();
  /** The descriptor whose flag was read again last. */
  #cursor = -1;
  #lost = 0;
  /** Of sockets, when they were last in the tables: a reset takes them out, and the descriptor stays. */
  #ends = new Map<string, { local: string; peer: string }>();

  constructor(table: DescriptorTable, sockets: Sockets) {
    this.#table = table;
    this.#sockets = sockets;
  }

  /** A connection, as the trace has it, that the tables do not have and that was not gone before. */
  isNews(fd: number, link: string): boolean {
    const inode = socketInode(link);
    if (inode === 0 || this.#sockets.holds(inode) || this.#ends.has(link)) return false;
    return this.#table.peerOf(fd) !== null;
  }

  /** Connections that the kernel no longer lists, while the program has them open: reset, or timed out. */
  gone(links: Links, connected: readonly HeldSocket[]): KernelConnection[] {
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
      const peer = known?.peer ?? this.#table.peerOf(fd);
      if (peer === null) continue;
      const local = known?.local ?? "";
      this.#ends.set(link, { local, peer });
      const nonblocking = this.#nonblocking.get(link) ?? null;
      gone.push({ fd, local, peer, state: "CLOSE", recvQ: 0, sendQ: 0, other: null, nonblocking });
    }
    return gone;
  }

  /** @param lost calls that the trace has lost: any of them may have changed a flag */
  async shown(pid: number, shown: readonly HeldSocket[], lost: number): Promise<KernelConnection[]> {
    await this.#learnNonblocking(pid, shown, lost);
    const others = this.#sockets.others(shown);
    return shown.map(held => {
      const { fd, link, row } = held;
      const { local, peer } = this.#ends.get(link)!;
      const { state, recvQueue: recvQ, sendQueue: sendQ } = row;
      const nonblocking = this.#nonblocking.get(link) ?? null;
      return { fd, local, peer, state, recvQ, sendQ, other: others.get(held) ?? null, nonblocking };
    });
  }

  /**
   * A flag is read anew when the program has made a call that may change it; the others in turn, more of them when calls
   * were lost: such a call is among those that the program keeps. To read all of 200 was most of what a look cost.
   */
  async #learnNonblocking(pid: number, shown: readonly HeldSocket[], lost: number): Promise<void> {
    const { flagged } = this.#table;
    const forget = flagged.size >= mostDescriptors;
    const again = lost === this.#lost ? atOnce : 2 * atOnce;
    const known = new Map<string, boolean>();
    const unknown: HeldSocket[] = [];
    for (const held of shown) {
      const before = forget || flagged.has(held.fd) ? undefined : this.#nonblocking.get(held.link);
      if (before === undefined) unknown.push(held);
      else known.set(held.link, before);
    }
    flagged.clear();
    this.#lost = lost;
    const later = shown.filter(({ fd, link }) => fd > this.#cursor && known.has(link)).slice(0, again);
    this.#cursor = later.at(-1)?.fd ?? -1;
    unknown.push(...later);
    for (let i = 0; i < unknown.length; i += atOnce) {
      const slice = unknown.slice(i, i + atOnce);
      if (i > 0) await giveTurn();
      for (const { fd, link } of slice) {
        const answer = isNonblocking(pid, fd);
        if (answer !== null) known.set(link, answer);
      }
    }
    // Connections that the kernel has dropped keep what was known of them.
    for (const [link, before] of this.#nonblocking)
      if (!known.has(link) && this.#ends.has(link)) known.set(link, before);
    this.#nonblocking = known;
  }
}

/** Those with something in a queue first, or that their peer has left: the others look alike. */
export function ranked(connected: readonly HeldSocket[]): HeldSocket[] {
  const rank = ({ row }: HeldSocket) =>
    row.recvQueue > 0 || row.sendQueue > 0 || row.state !== "ESTABLISHED" ? 0 : 1;
  return [...connected].sort((a, b) => rank(a) - rank(b) || a.fd - b.fd);
}

export function sum(
  left: readonly HeldSocket[],
  gone: number,
): { connections: number; recvQ: number; sendQ: number } {
  const total = { connections: left.length + gone, recvQ: 0, sendQ: 0 };
  for (const { row } of left) {
    total.recvQ += row.recvQueue;
    total.sendQ += row.sendQueue;
  }
  return total;
}

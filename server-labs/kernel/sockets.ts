// The TCP sockets of a program: its descriptors joined with the kernel's tables, and both with the peer's own row, which
// is the one with the two addresses changed over, when the peer is on this machine.
import type { KernelConnection, KernelListener } from "../protocol.ts";
import { kernelLimits } from "../protocol.ts";
import { type Links, socketInode } from "./descriptors.ts";
import { Bytes, endpoint, isWildcard, type TcpRow, TcpTable } from "./tables.ts";

/** A descriptor of the program that is a TCP socket. */
export interface Held {
  fd: number;
  /** What /proc/<pid>/fd calls it: "socket:[4711]". */
  link: string;
  row: TcpRow;
  table: TcpTable;
}

export class Sockets {
  readonly #bytes = { 4: new Bytes(), 6: new Bytes() };
  #tables: TcpTable[] = [];
  #byInode = new Map<number, { row: TcpRow; table: TcpTable }>();

  /** How many the kernel listed, of every process of this network. */
  get size(): number {
    return this.#tables.reduce((sum, { rows }) => sum + rows.length, 0);
  }

  /** Reads the table anew; that of IPv4 first, which forgets what was read before. */
  async read(pid: number, version: 4 | 6): Promise<void> {
    const file = version === 4 ? "tcp" : "tcp6";
    const table = new TcpTable(await this.#bytes[version].read(`/proc/${pid}/net/${file}`), version);
    if (version === 4) {
      this.#tables = [];
      this.#byInode.clear();
    }
    this.#tables.push(table);
    for (const row of table.rows) if (row.inode !== 0) this.#byInode.set(row.inode, { row, table });
  }

  holds(inode: number): boolean {
    return this.#byInode.has(inode);
  }

  held(links: Links): Held[] {
    const found: Held[] = [];
    for (const [fd, link] of links) {
      const socket = this.#byInode.get(socketInode(link));
      if (socket) found.push({ fd, link, ...socket });
    }
    return found;
  }

  /** @param backlog what listen(2) was given, cut to net.core.somaxconn */
  listener({ fd, row, table }: Held, backlog: number | null): KernelListener {
    const local = table.local(row);
    const waiting: KernelListener["waiting"] = [];
    for (const other of this.#tables) {
      for (const candidate of other.rows) {
        if (waiting.length >= kernelLimits.waiting) break;
        // Nobody holds it and it is not closing: accept(2) will give it to somebody.
        const established = candidate.state === "ESTABLISHED" || candidate.state === "CLOSE_WAIT";
        if (!established || candidate.inode !== 0 || candidate.localPort !== row.localPort) continue;
        if (!isWildcard(local) && other.local(candidate) !== local) continue;
        const peer = endpoint(other.remote(candidate));
        waiting.push({ peer, state: candidate.state, recvQ: candidate.recvQueue });
      }
    }
    // Of the order in which they came the tables tell nothing; ports are mostly given out one after the other.
    waiting.sort((a, b) => portOf(a.peer) - portOf(b.peer));
    return { fd, address: endpoint(local), queued: row.recvQueue, backlog, waiting };
  }

  /** The other end of each, where it is on this machine. */
  others(of: readonly Held[]): Map<Held, NonNullable<KernelConnection["other"]>> {
    const wanted = new Map<string, Held>();
    const ports = new Set<number>();
    for (const held of of) {
      wanted.set(`${held.table.remote(held.row)} ${held.table.local(held.row)}`, held);
      ports.add(held.row.remotePort);
    }
    const found = new Map<Held, NonNullable<KernelConnection["other"]>>();
    for (const table of this.#tables) {
      for (const row of table.rows) {
        // A number first: to make texts of ten thousand addresses is what a look would cost.
        if (!ports.has(row.localPort)) continue;
        const held = wanted.get(`${table.local(row)} ${table.remote(row)}`);
        if (held) found.set(held, { state: row.state, recvQ: row.recvQueue, sendQ: row.sendQueue });
      }
    }
    return found;
  }
}

const portOf = (peer: string): number => Number(peer.slice(peer.lastIndexOf(":") + 1));

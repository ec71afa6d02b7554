// Sockets. The TCP sockets of a program: its descriptors joined with the kernel's tables, and with the peer's row, which
// has the two addresses exchanged, when the peer is on this machine.
import { type KernelConnection, type KernelListener, kernelLimits, parseEndpoint } from "../protocol.ts";
import { type Links, socketInode } from "./descriptors.ts";
import { Bytes, endpoint, isWildcard, type TcpRow, TcpTable } from "./tables.ts";

/** A descriptor of the program that is a TCP socket. */
export interface HeldSocket {
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

  /** The socket with this link, of whatever process of this network. */
  of(link: string): { row: TcpRow; table: TcpTable } | undefined {
    return this.#byInode.get(socketInode(link));
  }

  held(links: Links): HeldSocket[] {
    const found: HeldSocket[] = [];
    for (const [fd, link] of links) {
      const socket = this.#byInode.get(socketInode(link));
      if (socket) found.push({ fd, link, ...socket });
    }
    return found;
  }

  /** @param backlog what listen(2) was given, cut to net.core.somaxconn */
  listener({ fd, row, table }: HeldSocket, backlog: number | null): KernelListener {
    const local = table.local(row);
    const waiting: KernelListener["waiting"] = [];
    for (const other of this.#tables) {
      for (const candidate of other.rows) {
        if (waiting.length >= kernelLimits.waiting) break;
        // No process holds it and it is not closing: accept(2) will return it.
        const established = candidate.state === "ESTABLISHED" || candidate.state === "CLOSE_WAIT";
        if (!established || candidate.inode !== 0 || candidate.localPort !== row.localPort) continue;
        if (!isWildcard(local) && other.local(candidate) !== local) continue;
        if (this.#isOfAnother(row, local, other.local(candidate))) continue;
        const peer = endpoint(other.remote(candidate));
        waiting.push({ peer, state: candidate.state, recvQ: candidate.recvQueue });
      }
    }
    // The tables do not have the order in which they came; ports are mostly given out one after the other.
    waiting.sort((a, b) => portOf(a.peer) - portOf(b.peer));
    return { fd, address: endpoint(local), queued: row.recvQueue, backlog, waiting };
  }

  /** Two listeners have this port: the one whose address is exact gets the client; of two alike it cannot be known which. */
  #isOfAnother(listener: TcpRow, local: string, client: string): boolean {
    return this.#tables.some(table =>
      table.rows.some(row => {
        if (row.state !== "LISTEN" || row.localPort !== listener.localPort || row.inode === listener.inode)
          return false;
        const address = table.local(row);
        return address === local || (isWildcard(local) && address === client);
      }),
    );
  }

  /** The other end of each, where it is on this machine. */
  others(of: readonly HeldSocket[]): Map<HeldSocket, NonNullable<KernelConnection["other"]>> {
    const wanted = new Map<string, HeldSocket>();
    const ports = new Set<number>();
    for (const held of of) {
      wanted.set(`${held.table.remote(held.row)} ${held.table.local(held.row)}`, held);
      ports.add(held.row.remotePort);
    }
    const found = new Map<HeldSocket, NonNullable<KernelConnection["other"]>>();
    for (const table of this.#tables) {
      for (const row of table.rows) {
        // The port first: to make texts of ten thousand addresses would be the cost of a sample.
        if (!ports.has(row.localPort)) continue;
        const held = wanted.get(`${table.local(row)} ${table.remote(row)}`);
        if (held) found.set(held, { state: row.state, recvQ: row.recvQueue, sendQ: row.sendQueue });
      }
    }
    return found;
  }
}

const portOf = (peer: string): number => parseEndpoint(peer)?.port ?? 0;

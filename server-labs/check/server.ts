// The server under test, as its clients know it: whom it has let in, what it has read of whom, whose connection it
// still holds. All of it is looked up in the kernel, and nothing is believed that the server says.
import type { TcpSocket } from "../kernel/tables.ts";
import type { Client } from "./client.ts";
import { connection, listeners } from "./connections.ts";
import { count } from "./journal.ts";
import { Observed } from "./observed.ts";
import { every, patience, type Within } from "./wait.ts";

/** Between two looks into /proc, in milliseconds. */
const procEveryMs = 5;

export class Server extends Observed {
  /** How many connections wait in its accept queue. */
  get waiting(): number {
    const listener = listeners().find(row => row.localPort === this.port);
    return listener?.recvQueue ?? 0;
  }

  /** The server's end of this client's connection; null when there is none (any more). */
  endOf(client: Client): TcpSocket | null {
    return connection(this.port, client.port);
  }

  /** Waits until the server has accepted all these clients; how many it has accepted. */
  async accepts(clients: readonly Client[], { within = patience }: Within = {}): Promise<number> {
    // Who waits in the accept queue belongs to no process, and has no inode.
    const accepted = () => clients.filter(client => (this.endOf(client)?.inode ?? 0) !== 0).length;
    await this.#does(() => accepted() === clients.length, within);
    const found = accepted();
    if (found < clients.length)
      this.journal.note(`the server has accepted ${found} of ${count(clients.length, "client")}`);
    return found;
  }

  /** The server has read everything that this client has sent. */
  hasRead(client: Client): boolean {
    const row = this.endOf(client);
    return row !== null && row.inode !== 0 && row.recvQueue === 0 && client.unsent === 0;
  }

  /** How many octets of this client the server itself has read: what lies in the kernel, on either side, does not count. */
  readOf(client: Client): number {
    const mine = connection(client.port, this.port);
    return client.sentBytes - (mine?.sendQueue ?? 0) - (this.endOf(client)?.recvQueue ?? 0);
  }

  /** Waits until the server has read everything that this client has sent. */
  async reads(client: Client, { within = patience }: Within = {}): Promise<boolean> {
    const all = await this.#does(() => this.hasRead(client), within);
    this.journal.note(`the server has ${all ? "read all" : "not read all"} that ${client.name} sent`);
    return all;
  }

  /** Waits until the kernels have no more room for what it sends to these, who do not read: it stands still. */
  async fills(clients: readonly Client[]): Promise<number> {
    const queued = () => clients.reduce((sum, client) => sum + (this.endOf(client)?.sendQueue ?? 0), 0);
    await this.#does(() => queued() > 0, patience);
    return this.settles(queued, { over: 50 });
  }

  /** Waits until the server has given back its end of these clients' connections; how many it has. */
  async releases(clients: readonly Client[], { within = patience }: Within = {}): Promise<number> {
    const released = () => clients.filter(client => !isHeld(this.endOf(client))).length;
    await this.#does(() => released() === clients.length, within);
    return released();
  }

  /** Waits until it holds exactly so many sockets; how many it holds then. */
  async holds(sockets: number, { within = patience }: Within = {}): Promise<number> {
    await this.#does(() => this.sockets === sockets, within);
    return this.sockets;
  }

  /** Waits for something that the server should do; in vain, if it is stuck in a call that nobody will end. */
  async #does(probe: () => boolean, within: number): Promise<boolean> {
    const look = every(procEveryMs, probe);
    const tired = this.tired();
    const done = await this.waits.until(
      () => look() || (this.stuck() && "stuck") || (tired() && "tired"),
      within,
    );
    return done === true;
  }
}

/** The server still holds its end: its own descriptor of it is open, or what it has not closed waits for that. */
function isHeld(end: TcpSocket | null): boolean {
  return end !== null && (end.state === "CLOSE_WAIT" || end.inode !== 0);
}

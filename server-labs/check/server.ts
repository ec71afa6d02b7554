// The server under test, as a check sees it: what it prints, which calls it makes, what the kernel knows of it;
// and what a check may do to it.
import type { TcpSocket } from "../kernel/tables.ts";
import { type Call, type Calls, clock } from "./calls.ts";
import { type Client, patience, type Within } from "./client.ts";
import { connection, listeners } from "./connections.ts";
import { Unobserved } from "./failure.ts";
import { type Idle, idleness, type Settling, settled } from "./idle.ts";
import { count, type Journal } from "./journal.ts";
import { limitDescriptors } from "./limit.ts";
import { Output } from "./output.ts";
import { OwnTime } from "./own-time.ts";
import { cpuMs, descriptors, memory, processState, sleeps, socketInodes } from "./proc.ts";
import type { Program } from "./program.ts";
import { listening } from "./start.ts";
import { every, type Waiting } from "./wait.ts";
import { Watch } from "./watch.ts";

/** Between two looks into /proc, in milliseconds. */
const procEveryMs = 5;
/**
 * Asleep in a call for so long, a server will not come out of it by itself. What is sent on one machine is there at
 * once, unless TCP holds it back: a delayed ACK takes 200 ms at most (TCP_DELACK_MAX).
 */
const stuckMs = 400;

/** Milliseconds on a processor that a server may take for one thing that is asked of it: far more than any needs. */
const tiredMs = 1500;
const tiredEveryMs = 50;
export class Server {
  readonly port: number;
  /** What it prints, on both streams. */
  readonly output: Output;
  readonly #program: Program;
  readonly #waiting: Waiting;
  readonly #journal: Journal;

  constructor(program: Program, waiting: Waiting, journal: Journal) {
    this.port = program.port;
    this.output = new Output(program, waiting);
    this.#program = program;
    this.#waiting = waiting;
    this.#journal = journal;
  }

  // ------------------------------------------------------------------------------------- its life

  /** Its process; of a command, everything that it started. */
  get pids(): number[] {
    return this.#program.pids();
  }

  get alive(): boolean {
    return !this.#program.ended;
  }

  /** How it ended, in words: "exited with 1", "ended by SIGSEGV"; "" while it lives. */
  get end(): string {
    return this.#program.end;
  }

  /** SIGSTOP: from now on connections and bytes arrive in the kernel, and the server sees none of it. */
  async stop(): Promise<void> {
    this.#program.stop();
    await this.#waiting.until(() => this.#program.stopped, patience);
    this.#journal.note("the server is stopped (SIGSTOP)");
  }

  /** SIGCONT: it goes on, and finds everything that has come meanwhile in one wake-up. */
  continue(): void {
    this.#journal.note("the server goes on (SIGCONT)");
    this.#program.continue();
  }

  /** Ends it (SIGKILL), and starts it again at once, on the same port; false when it does not listen there again. */
  async restart(): Promise<boolean> {
    this.#journal.note("the server is ended (SIGKILL), and started again on the same port");
    await this.#program.restart();
    const { outcome } = await listening(this.#program);
    return outcome === "listens";
  }

  /**
   * Lets it open only so many more descriptors, from now on. A server that listens may still open its epoll instance:
   * let it serve somebody first. setrlimit(2), RLIMIT_NOFILE.
   */
  leaveDescriptors(more: number): void {
    for (const pid of this.pids) limitDescriptors(pid, more);
    this.#journal.note(`the server may open ${count(more, "more descriptor")}`);
  }

  // ------------------------------------------------------------------------- what the kernel knows

  /** How many connections wait in its accept queue. */
  get waiting(): number {
    const listener = listeners().find(row => row.localPort === this.port);
    return listener?.recvQueue ?? 0;
  }

  /** How many sockets it holds, the listener among them. */
  get sockets(): number {
    return this.pids.reduce((sum, pid) => sum + socketInodes(pid).size, 0);
  }

  /** How many descriptors it holds, of every kind. */
  get descriptors(): number {
    return this.pids.reduce((sum, pid) => sum + descriptors(pid).size, 0);
  }

  /** Octets of memory that are its own: grows with what it keeps, and with garbage that is not yet collected. */
  get memory(): number {
    return this.pids.reduce((sum, pid) => sum + (memory(pid) ?? 0), 0);
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
      this.#journal.note(`the server has accepted ${found} of ${count(clients.length, "client")}`);
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
    this.#journal.note(`the server has ${all ? "read all" : "not read all"} that ${client.name} sent`);
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

  /** The share of one processor that it takes meanwhile: 0 asleep, 1 without a pause. */
  async cpu({ during }: { during: () => Promise<unknown> }): Promise<number> {
    const used = () => this.pids.reduce((sum, pid) => sum + (cpuMs(pid) ?? 0), 0);
    const [before, began] = [used(), clock()];
    await during();
    return (used() - before) / (clock() - began);
  }

  /** Counts its own time (own-time.ts) from now on. */
  ownTime(): OwnTime {
    return new OwnTime(() => this.pids);
  }

  /**
   * Lets time pass in which nobody says anything, and tells what the server does meanwhile.
   * @param ms milliseconds of its own time: a busy machine makes this last longer, and changes no result
   */
  async idle(ms = 200): Promise<Idle> {
    const { idle, said } = await idleness(this, this.#waiting, ms);
    this.#journal.note(said);
    return idle;
  }

  /** Waits until this number changes no more, though the server has had its time and sleeps, and returns it. */
  async settles(number: () => number, options: Settling = {}): Promise<number> {
    return settled(this, this.#waiting, number, { enoughWorkMs: tiredMs, ...options });
  }

  /** How often it has gone to sleep so far, whatever in: exact, on a busy machine too. */
  get sleeps(): number {
    return this.pids.reduce((sum, pid) => sum + sleeps(pid), 0);
  }

  /** All of it sleeps in this moment: it waits for something, and not for a processor or a disk. */
  get asleep(): boolean {
    return this.pids.every(pid => processState(pid) === "S");
  }

  /** Lets time pass in which nobody says anything. For what must not happen, which has no event to wait for. */
  async quiet(ms = 500): Promise<void> {
    await this.#waiting.pass(ms);
  }

  // ----------------------------------------------------------------------------- its system calls

  /** Its calls can be seen. */
  get traced(): boolean {
    return this.#program.tracing?.alive ?? false;
  }

  /** The calls that it makes meanwhile. @throws Unobserved when they cannot be seen */
  async trace({ during }: { during: () => Promise<unknown> }): Promise<Calls> {
    const watch = this.watch();
    await during();
    return watch.calls;
  }

  /** Watches its calls from now on. @throws Unobserved when they cannot be seen */
  watch(): Watch {
    const { tracing } = this.#program;
    if (!tracing?.alive) {
      throw new Unobserved(
        "This check looks at the system calls of the server, and those of this program cannot be seen.",
      );
    }
    tracing.turn();
    return new Watch(tracing, this.#waiting);
  }

  /**
   * The call in which the server has been for so long, and that only somebody else can end: a blocking recv,
   * accept, send; null when there is none, or it cannot be seen. To sleep for a while is not to be stuck.
   */
  stuck(ms = stuckMs): Call | null {
    const inside = this.#program.tracing?.inside;
    if (!inside || clock() - inside.at < ms || inside.name === "nanosleep") return null;
    // Runnable is not stuck: somebody has woken it already, and the processor has not had time for it.
    if (processState(this.#program.pid) !== "S") return null;
    const timeout =
      inside.name === "poll" ? inside.args[2]! : inside.name === "epoll_wait" ? inside.args[3]! : -1;
    return timeout < 0 ? inside : null;
  }

  /** The call in which the server is now; null when it is in its own code, or cannot be seen. */
  get inside(): Call | null {
    return this.#program.tracing?.inside ?? null;
  }

  /** Tells whether since it was first asked the server has run for so long that it will not come to what one waits for. */
  tired(): () => boolean {
    let before: number | null = null;
    const look = every(tiredEveryMs, () => {
      before ??= this.#ran;
      return this.#ran - before > tiredMs;
    });
    return () => look() ?? false;
  }

  get #ran(): number {
    return this.pids.reduce((sum, pid) => sum + (cpuMs(pid) ?? 0), 0);
  }

  /** Waits for something that the server should do; in vain, if it is stuck in a call that nobody will end. */
  async #does(probe: () => boolean, within: number): Promise<boolean> {
    const look = every(procEveryMs, probe);
    const tired = this.tired();
    return (
      (await this.#waiting.until(
        () => look() || (this.stuck() && "stuck") || (tired() && "tired"),
        within,
      )) === true
    );
  }
}

/** The server still holds its end: its own descriptor of it is open, or what it has not closed waits for that. */
function isHeld(end: TcpSocket | null): boolean {
  return end !== null && (end.state === "CLOSE_WAIT" || end.inode !== 0);
}

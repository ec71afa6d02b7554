// Server. The server under test as a check sees it: its process, what it takes of the machine, its system calls, and
// what it has done for each client. Everything is read from the kernel and the trace; no word of the server is believed.

import {
  type Client,
  defaultWaitMs,
  type Journal,
  listeners,
  type Poller,
  socketByPorts,
  throttle,
  type Within,
} from "../clients.ts";
import { freePort, isNonblocking, socketInode, type TcpSocket } from "../kernel.ts";
import { clock } from "../lib/clock.ts";
import { type CallRecord, count, timeoutMs } from "../protocol.ts";
import { CallWatch } from "./call-watch.ts";
import type { Calls } from "./calls.ts";
import { type DescriptorLimitOptions, limitDescriptors } from "./descriptor-limit.ts";
import type { MemoryUse } from "./memory-meter.ts";
import { CheckFailure, Unobserved } from "./outcome.ts";
import {
  exhaustion,
  type Idleness,
  measureIdleness,
  OwnTime,
  type SettleOptions,
  settled,
} from "./own-time.ts";
import {
  memory,
  openDescriptors,
  runState,
  socketInodes,
  threads,
  voluntarySwitches,
  waitsForThread,
} from "./proc.ts";
import { ServerOutput } from "./server-output.ts";
import type { ServerProcess } from "./server-process.ts";
import { untilListening } from "./start.ts";

/**
 * A server that sleeps in one call for so long will not leave it by itself, in milliseconds. What is sent on one machine
 * arrives at once, unless TCP delays it: a delayed ACK takes 200 ms at most (TCP_DELACK_MAX).
 */
const stuckMs = 400;
/** Milliseconds between two looks at the kernel's sockets. */
const lookEveryMs = 5;
/** So often a check tries to stop a server while it sleeps: one that polls without a sleep never does. */
const mostStops = 20;

export class Server {
  /** What it prints, on both streams. */
  readonly output: ServerOutput;
  readonly #poller: Poller;
  readonly #journal: Journal;
  /** How long each thread has waited for a processor, by its id, as it was seen last: the thread may have ended. */
  readonly #waited = new Map<string, number>();
  readonly #process: ServerProcess;
  /** Inodes of the server's sockets: a client's port is another client's as soon as the connection is over. */
  readonly #inodes = new WeakMap<Pick<Client, "port">, number>();

  constructor(process: ServerProcess, poller: Poller, journal: Journal) {
    this.output = new ServerOutput(process.output, poller);
    this.#process = process;
    this.#poller = poller;
    this.#journal = journal;
  }

  // ---------------------------------------------------------------------------------- its process

  get port(): number {
    return this.#process.port;
  }

  /** Its process; of a command, all processes that the command started. */
  get pids(): number[] {
    return this.#process.pids();
  }

  get alive(): boolean {
    return !this.#process.ended;
  }

  /** How it ended: "exited with 1", "ended by SIGSEGV"; "" while it lives. */
  get end(): string {
    return this.#process.end;
  }

  /** How it ended, and the last lines that it printed; nothing while it runs. */
  lastWords(): string[] {
    if (this.alive) return [];
    return [`the server ${this.end}`, ...this.#process.output.lastLines(10)];
  }

  /** Stops it (SIGSTOP): from now on connections and bytes arrive in the kernel, and the server sees nothing of it. */
  async stop(): Promise<void> {
    this.#process.stop();
    await this.#poller.until(() => this.#process.stopped, defaultWaitMs);
    this.#journal.note("the server is stopped (SIGSTOP)");
  }

  /**
   * Stops it between two of its turns, in a call in which it sleeps: what comes meanwhile it meets in its next turn, and not
   * in the middle of one. Where its calls cannot be seen, or it never sleeps, this is stop().
   */
  async stopBetweenTurns(): Promise<void> {
    for (let tries = 0; tries < mostStops; tries++) {
      await this.stop();
      const inside = this.currentCall;
      if (!this.traced || (inside !== null && (timeoutMs(inside) ?? 0) > 0)) return;
      const { sleepCount } = this;
      this.continue();
      await this.#poller.until(() => this.sleepCount > sleepCount, 20);
    }
    await this.stop();
  }

  /** Continues it (SIGCONT): it finds everything that has arrived meanwhile in one wake-up. */
  continue(): void {
    this.#journal.note("the server goes on (SIGCONT)");
    this.#process.continue();
  }

  /** Asks it to end (SIGTERM), as **Stop** and `kill` do. From now on its end is no failure: `ends` waits for it. */
  terminate(): void {
    this.#journal.note("the server is asked to end (SIGTERM)");
    this.#process.terminate();
  }

  /**
   * Waits until it has ended.
   * @returns the status that it has exited with, or the signal that has ended it; null: it still runs
   */
  async ends({ within = defaultWaitMs }: Within = {}): Promise<{
    status: number | null;
    signal: string | null;
  } | null> {
    await this.#poller.until(() => this.#process.ended, within);
    this.#journal.note(this.#process.ended ? `the server ${this.#process.end}` : "the server still runs");
    return this.#process.ending;
  }

  /** A socket listens on its port. */
  get listens(): boolean {
    return listeners().some(row => row.localPort === this.port);
  }

  /** Ends it (SIGKILL), and starts it again at once on the same port. @returns false when it does not listen again */
  async restart(): Promise<boolean> {
    this.#journal.note("the server is ended (SIGKILL), and started again on the same port");
    await this.#process.restart();
    const { state } = await untilListening(this.#process);
    return state === "listens";
  }

  /** Ends it (SIGKILL), and starts it again without a past, on another port. @throws CheckFailure when it does not listen */
  async startAfresh(): Promise<void> {
    await this.#process.restart(await freePort());
    const { state } = await untilListening(this.#process);
    if (state !== "listens") throw new CheckFailure("The server was started again, and did not listen.");
  }

  /**
   * Lets it open `more` more descriptors, and then no others: setrlimit(2), RLIMIT_NOFILE. A server that listens may not
   * have opened its epoll instance yet, so let it serve a client first.
   * @param options `forNow`: a later call may raise the limit again
   */
  limitDescriptors(more: number, options?: DescriptorLimitOptions): void {
    for (const pid of this.pids) limitDescriptors(pid, more, options);
    this.#journal.note(`the server may open ${count(more, "more descriptor")}`);
  }

  // ----------------------------------------------------------------- what it takes of the machine

  /** How many sockets it holds, the listener among them. */
  get sockets(): number {
    return this.pids.reduce((sum, pid) => sum + socketInodes(pid).size, 0);
  }

  /** How many descriptors it holds that are no sockets. Counted in one listing: sockets come and go between two. */
  get files(): number {
    const links = this.pids.flatMap(pid => [...openDescriptors(pid).values()]);
    return links.filter(link => socketInode(link) === 0).length;
  }

  /** How many descriptors it holds, of every kind. */
  get descriptors(): number {
    return this.pids.reduce((sum, pid) => sum + openDescriptors(pid).size, 0);
  }

  /** The ids of the threads that its processes have together: a process for each client adds some ten, as Node has them. */
  get threads(): ReadonlySet<string> {
    return new Set(threads(this.pids).keys());
  }

  /** Bytes of memory that are its own: what it keeps, and garbage that V8 has not collected yet. */
  get memory(): number {
    return this.pids.reduce((sum, pid) => sum + (memory(pid) ?? 0), 0);
  }

  /**
   * Waits until its memory no longer changes; all checks share the machine's memory, so the wait ends at `enough` MB.
   * @returns how many MB it has taken more than `before`, a value of `memory`
   */
  async growth(before: number, enough: number): Promise<number> {
    const grown = await this.settles(() => (this.memory - before) / (1024 * 1024), { slack: 1, enough });
    this.#journal.note(`the server uses ${Math.round(grown)} MB of memory more`);
    return Math.round(grown);
  }

  /**
   * Asks how much memory its program uses without garbage.
   * @returns a probe, whose answer comes with the server's next system call; null where a program cannot be asked
   */
  askMemoryUse(): (() => MemoryUse | null) | null {
    return this.traced ? (this.#process.meter?.ask() ?? null) : null;
  }

  /** Counts its own time (own-time.ts) from now on. */
  ownTime(): OwnTime {
    return new OwnTime(() => this.pids);
  }

  /**
   * Lets time pass in which no client sends anything, and measures what the server does meanwhile.
   * @param ms milliseconds of the server's own time: on a busy machine this lasts longer, with the same result
   */
  async idle(ms = 200): Promise<Idleness> {
    const watch = this.traced ? this.watch() : null;
    const measured = await measureIdleness({ pids: () => this.pids, watch }, this.#poller, ms);
    this.#journal.note(measured.sentence);
    return measured.idleness;
  }

  /** Waits until this number no longer changes, though the server has had its time and sleeps. @returns the number */
  settles(number: () => number, options: SettleOptions = {}): Promise<number> {
    return settled(() => this.pids, this.#poller, number, options);
  }

  /** Makes a probe: true when the server has run for so long since the probe's first call that waiting is useless. */
  exhaustion(): () => boolean {
    return exhaustion(() => this.pids);
  }

  /**
   * Milliseconds so far in which it or this process could have run, and no processor was free. V8 has threads of its own,
   * which hold up no client: only a server with workers is asked for all its threads.
   */
  get delayedMs(): number {
    const pids = [process.pid, ...this.pids];
    const mains = new Set(pids.map(String));
    for (const [id, { waited }] of threads(pids))
      if (this.#process.hasWorkers || mains.has(id)) this.#waited.set(id, waited);
    return [...this.#waited.values()].reduce((sum, waited) => sum + waited, 0);
  }

  /** How often it has gone to sleep so far, in any call: exact, on a busy machine too. */
  get sleepCount(): number {
    return this.pids.reduce((sum, pid) => sum + voluntarySwitches(pid), 0);
  }

  /** All its processes sleep now: they wait for an event, and not for a processor or a disk. */
  get asleep(): boolean {
    return this.pids.every(pid => runState(pid) === "S");
  }

  /** Lets `ms` milliseconds pass: for what must not happen, which has no event. */
  async wait(ms = 500): Promise<void> {
    await this.#poller.wait(ms);
  }

  // ----------------------------------------------------------------------------- its system calls

  /** It may serve in child processes and threads, whose calls are not traced. */
  get hasWorkers(): boolean {
    return this.#process.hasWorkers;
  }

  /** Its system calls can be seen. */
  get traced(): boolean {
    return this.#process.tracing?.alive ?? false;
  }

  /** The calls that it makes meanwhile. @throws Unobserved when they cannot be seen */
  async trace({ during }: { during: () => Promise<unknown> }): Promise<Calls> {
    const watch = this.watch();
    await during();
    return watch.calls;
  }

  /** Watches its calls from now on. @throws Unobserved when they cannot be seen */
  watch(): CallWatch {
    const { tracing } = this.#process;
    if (!tracing?.alive) {
      throw new Unobserved(
        "This check looks at the system calls of the server, and the calls of this program cannot be seen.",
      );
    }
    tracing.turn();
    return new CallWatch(tracing, this.#poller);
  }

  /**
   * The call in which the server has slept for `ms` milliseconds, and that only an event from outside can end: a
   * blocking recv, accept or send. Null when the server is in no such call, or /proc does not show it. A sleep
   * with a time limit does not count, and neither does that of a main thread whose workers may serve.
   */
  stuck(ms = stuckMs): CallRecord | null {
    if (this.#process.hasWorkers) return null;
    const inside = this.#process.tracing?.inside;
    if (!inside || clock() - inside.at < ms || inside.call === "nanosleep") return null;
    // A runnable server is not stuck: its event has come, and the processor has not had time for it.
    // Neither is one that waits for a thread of its own, between its call and the record that the call is over.
    if (runState(this.#process.pid) !== "S" || waitsForThread(this.#process.pid)) return null;
    const limit = timeoutMs(inside);
    return limit === null || limit === Number.POSITIVE_INFINITY ? inside : null;
  }

  /** The call that the server is in now; null when it is in its own code, or its calls cannot be seen. */
  get currentCall(): CallRecord | null {
    return this.#process.tracing?.inside ?? null;
  }

  // ------------------------------------------------------------------ what it has done for clients

  /** How many connections wait in its accept queue. */
  get acceptQueueLength(): number {
    const there = listeners().filter(row => row.localPort === this.port);
    if (there.length < 2) return there[0]?.recvQueue ?? 0;
    // Several processes or addresses: those of other programs do not count.
    const own = new Set(this.pids.flatMap(pid => [...socketInodes(pid)]));
    return there.reduce((sum, row) => sum + (own.has(row.inode) ? row.recvQueue : 0), 0);
  }

  /** The server's socket of this client's connection; null when the server has no such socket (any more). */
  socketOf(client: Pick<Client, "port">): TcpSocket | null {
    const row = socketByPorts(this.port, client.port);
    if (row === null) return null;
    const known = this.#inodes.get(client);
    if (known === undefined && row.inode !== 0) this.#inodes.set(client, row.inode);
    // Open, and not the socket that the server had accepted: another client has the port now.
    const isOpen = row.inode !== 0 || row.state === "ESTABLISHED" || row.state === "CLOSE_WAIT";
    return known !== undefined && isOpen && row.inode !== known ? null : row;
  }

  /** Waits until the server has accepted all these clients. @returns how many it has accepted */
  async accepts(clients: readonly Client[], { within = defaultWaitMs }: Within = {}): Promise<number> {
    // A connection in the accept queue belongs to no process yet, and has no inode.
    const accepted = () => clients.filter(client => (this.socketOf(client)?.inode ?? 0) !== 0).length;
    await this.#until(() => accepted() === clients.length, within);
    const found = accepted();
    if (found < clients.length)
      this.#journal.note(`the server has accepted ${found} of ${count(clients.length, "client")}`);
    return found;
  }

  /** Calls on the server's socket of this client, or on its listener, may sleep: O_NONBLOCK is not set. */
  isBlocking(socket: Client | "listener"): boolean {
    const inodes =
      socket === "listener"
        ? listeners()
            .filter(row => row.localPort === this.port)
            .map(row => row.inode)
        : [this.socketOf(socket)?.inode ?? 0];
    const isIt = (link: string) => socketInode(link) !== 0 && inodes.includes(socketInode(link));
    return this.pids.some(pid =>
      [...openDescriptors(pid)].some(([fd, link]) => isIt(link) && isNonblocking(pid, fd) === false),
    );
  }

  /** The server has read everything that this client has sent. */
  hasRead(client: Client): boolean {
    const row = this.socketOf(client);
    return (
      row !== null && row.inode !== 0 && row.recvQueue === 0 && client.unsent === 0 && client.notSent === 0
    );
  }

  /** How many bytes of this client the server itself has read: bytes in the kernel, on either side, do not count. */
  bytesReadFrom(client: Client): number {
    const mine = socketByPorts(client.port, this.port);
    return client.sentBytes - (mine?.sendQueue ?? 0) - (this.socketOf(client)?.recvQueue ?? 0);
  }

  /** Waits until the server has read everything that this client has sent. */
  async reads(client: Client, { within = defaultWaitMs }: Within = {}): Promise<boolean> {
    const all = await this.#until(() => this.hasRead(client), within);
    this.#journal.note(`the server has ${all ? "read all" : "not read all"} that ${client.name} sent`);
    return all;
  }

  /** Waits until the kernel has no more room for what the server sends to these clients, which do not read. */
  async fills(clients: readonly Client[]): Promise<number> {
    const queueOf = (client: Client) => this.socketOf(client)?.sendQueue ?? 0;
    const queued = () => clients.reduce((sum, client) => sum + queueOf(client), 0);
    await this.#until(() => clients.every(client => queueOf(client) > 0), defaultWaitMs);
    return this.settles(queued, { over: 50 });
  }

  /** Waits until the server has closed its sockets of these clients' connections. @returns how many it has closed */
  async releases(clients: readonly Client[], { within = defaultWaitMs }: Within = {}): Promise<number> {
    const released = () => {
      const gone = clients.filter(client => !isHeld(this.socketOf(client)));
      // TIME_WAIT has no inode: the socket behind it may be open, with bytes that the server has not read.
      const open = new Set(gone.length > 0 ? this.pids.flatMap(pid => [...socketInodes(pid)]) : []);
      return gone.filter(client => !open.has(this.#inodes.get(client) ?? 0)).length;
    };
    await this.#until(() => released() === clients.length, within);
    return released();
  }

  /** Waits until the server holds exactly so many sockets. @returns how many it holds then */
  async holds(sockets: number, { within = defaultWaitMs }: Within = {}): Promise<number> {
    await this.#until(() => this.sockets === sockets, within);
    return this.sockets;
  }

  /** Waits until the server has done something; not to the end when the server is stuck, or has run too long in vain. */
  async #until(probe: () => boolean, within: number): Promise<boolean> {
    const look = throttle(lookEveryMs, probe);
    const exhausted = this.exhaustion();
    // A server that did its work between the two looks sleeps again, and seems stuck: so the probe has the last word.
    const done = await this.#poller.until(
      () => look() || (this.stuck() && (probe() || "stuck")) || (exhausted() && "exhausted"),
      within,
    );
    return done === true;
  }
}

/** The server still holds its socket: the descriptor is open, or the connection waits in CLOSE_WAIT for the close. */
function isHeld(socket: TcpSocket | null): boolean {
  return socket !== null && (socket.state === "CLOSE_WAIT" || socket.inode !== 0);
}

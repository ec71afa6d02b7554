// The program under test as a process, whoever its clients are: its life, what it takes of the machine, its calls.
import { type Call, type Calls, clock } from "./calls.ts";
import { Unobserved } from "./failure.ts";
import { type Idle, idleness, type Settling, settled, tired } from "./idle.ts";
import { count, type Journal } from "./journal.ts";
import { limitDescriptors } from "./limit.ts";
import { Output } from "./output.ts";
import { OwnTime } from "./own-time.ts";
import { descriptors, memory, processState, sleeps, socketInodes, threads } from "./proc.ts";
import type { Program } from "./program.ts";
import { listening } from "./start.ts";
import { patience, type Waiting } from "./wait.ts";
import { Watch } from "./watch.ts";

/**
 * Asleep in a call for so long, a server will not come out of it by itself. What is sent on one machine is there at
 * once, unless TCP holds it back: a delayed ACK takes 200 ms at most (TCP_DELACK_MAX).
 */
const stuckMs = 400;

export class Observed {
  readonly port: number;
  /** What it prints, on both streams. */
  readonly output: Output;
  protected readonly waits: Waiting;
  protected readonly journal: Journal;
  readonly #program: Program;

  constructor(program: Program, waiting: Waiting, journal: Journal) {
    this.port = program.port;
    this.output = new Output(program, waiting);
    this.#program = program;
    this.waits = waiting;
    this.journal = journal;
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
    await this.waits.until(() => this.#program.stopped, patience);
    this.journal.note("the server is stopped (SIGSTOP)");
  }

  /** SIGCONT: it goes on, and finds everything that has come meanwhile in one wake-up. */
  continue(): void {
    this.journal.note("the server goes on (SIGCONT)");
    this.#program.continue();
  }

  /** Ends it (SIGKILL), and starts it again at once, on the same port; false when it does not listen there again. */
  async restart(): Promise<boolean> {
    this.journal.note("the server is ended (SIGKILL), and started again on the same port");
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
    this.journal.note(`the server may open ${count(more, "more descriptor")}`);
  }

  // ----------------------------------------------------------------- what it takes of the machine

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

  /** Counts its own time (own-time.ts) from now on. */
  ownTime(): OwnTime {
    return new OwnTime(() => this.pids);
  }

  /**
   * Lets time pass in which nobody says anything, and tells what the server does meanwhile.
   * @param ms milliseconds of its own time: a busy machine makes this last longer, and changes no result
   */
  async idle(ms = 200): Promise<Idle> {
    const { idle, said } = await idleness(this, this.waits, ms);
    this.journal.note(said);
    return idle;
  }

  /** Waits until this number changes no more, though the server has had its time and sleeps, and returns it. */
  settles(number: () => number, options: Settling = {}): Promise<number> {
    return settled(this, this.waits, number, options);
  }

  /** Tells whether since it was first asked the server has run for so long that it will not come to what one waits for. */
  tired(): () => boolean {
    return tired(this);
  }

  /** Milliseconds so far in which it, or we, could have run and no processor was free: what a busy machine adds to an answer. */
  get delayed(): number {
    const all = threads([process.pid, ...this.pids]).values();
    return [...all].reduce((sum, { waited }) => sum + waited, 0);
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
    await this.waits.pass(ms);
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
    return new Watch(tracing, this.waits);
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
}

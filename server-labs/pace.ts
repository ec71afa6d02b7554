// How one program goes through its calls, and who says so: what the driver wished, what the program's wrapper claims,
// and the sentence that is made of both. It decides nothing about calls: runtime/pace.ts does, in the program.
import { Refusal } from "./answers.ts";
import { conditionOf } from "./breakpoints.ts";
import { speedSentence, stopSentence } from "./pace-sentences.ts";
import type { Pace, PaceBody, StepBody, Stop, WrapperCommand, WrapperSays } from "./protocol.ts";
import { type Sight, Stopping } from "./stopping.ts";
import { Wish } from "./wish.ts";

/** What a Pacer sees of its program. */
export interface Driven extends Sight {
  say(command: WrapperCommand): void;
  peek(fds: number[]): Promise<Map<number, number> | null>;
  /** Reads the trace now: a call at which it stops is in the log before the stop is. */
  look(): void;
}

export class Pacer {
  readonly #emit: (pace: Pace) => void;
  #driven: Driven | null = null;
  readonly #wish = new Wish();
  #state: Pace["state"] = "going";
  #stop: Stop | null = null;
  #driver: string | null = null;
  readonly #stopping = new Stopping(
    () => this.#state === "stopping",
    () => this.#change(),
  );
  #ended = false;
  #said = "";
  /** Of one that has ended: how it went. */
  #last = "";

  /** @param emit told of every change */
  constructor(emit: (pace: Pace) => void) {
    this.#emit = emit;
  }

  get pace(): Pace {
    const stopped = this.#state === "stopped";
    return {
      mode: stopped ? "paused" : this.#wish.mode,
      delayMs: this.#wish.delayMs,
      breakpoints: this.#wish.breakpoints,
      state: this.#state,
      stop: this.#stop,
      driver: this.#driver,
      sentence: this.#sentence(),
    };
  }

  /** Before it starts. @throws Refusal 400 for a breakpoint that nothing could hit */
  begin(body: PaceBody): void {
    body.breakpoints?.map(conditionOf);
    this.#wish.take(body);
  }

  /** What the program is to hear before its first call, if it is anything. */
  get first(): WrapperCommand | undefined {
    return this.#wish.nothing ? undefined : this.#wish.command(true);
  }

  attach(driven: Driven): void {
    this.#driven = driven;
    if (this.#wish.nothing) return;
    if (this.#wish.mode === "paused") this.#toStop();
    this.#change();
  }

  /** Takes the wheel, or refuses with 409 when another has it. */
  drive(who: string, take = true): Pace {
    if (this.#driver !== null && this.#driver !== who && !take)
      throw new Refusal(
        409,
        `${this.#driver} drives this run. Watch, or take the wheel: "take": true over HTTP, Drive in the page.`,
        { fields: { driver: this.#driver } },
      );
    this.#driver = who;
    this.#change();
    return this.pace;
  }

  /** Who has gone drives nothing any more; the program stays as it is. */
  left(who: string): void {
    if (this.#driver !== who || this.#ended) return;
    this.#driver = null;
    this.#change();
  }

  /**
   * Resolves when the program does so; one that is to stop, when it has stopped, or (after 0.2 s) with a sentence that
   * says why it has not yet. @throws Refusal 409 when somebody else drives, 400 for a breakpoint that nothing could hit
   */
  async change(who: string, { take, ...body }: PaceBody): Promise<Pace> {
    body.breakpoints?.map(conditionOf);
    this.drive(who, take ?? false);
    this.#wish.take(body);
    if (body.mode === "paused" && this.#state === "going") this.#toStop();
    if (body.mode !== undefined && body.mode !== "paused") {
      this.#state = "going";
      this.#stop = null;
      this.#stopping.quiet();
    }
    this.#driven?.say(this.#wish.command(body.mode !== undefined));
    this.#change();
    return this.settled();
  }

  /** As change(). */
  async step(who: string, { to = "boundary", take = false }: StepBody): Promise<Pace> {
    this.drive(who, take);
    this.#wish.mode = "paused";
    // One that has not come to its boundary yet gets no second step: it would be a step into the dark.
    if (this.#state !== "stopping") {
      this.#toStop();
      this.#driven?.say({ type: "step", to });
      this.#stopping.soon();
    }
    return this.settled();
  }

  /** When it has stopped, or it is clear that it does not yet. */
  async settled(): Promise<Pace> {
    if (this.#state === "stopping" && this.#driven && !this.#ended) await this.#stopping.settled();
    return this.pace;
  }

  /** See Wrapper.peek. */
  async peek(fds: number[]): Promise<Map<number, number> | null> {
    const waits = this.#state === "stopped" || (this.#state === "going" && this.#wish.mode === "slow");
    return waits && this.#driven ? this.#driven.peek(fds) : null;
  }

  /** What the program's wrapper says. */
  heard(says: Exclude<WrapperSays, { type: "peeked" }>): void {
    if (this.#ended) return;
    if (says.type === "stopped") {
      this.#driven?.look();
      const { where, n, because, breakpoint } = says;
      const known =
        because === "breakpoint" && breakpoint !== undefined && this.#wish.breakpoints[breakpoint];
      this.#stop = { where, n, because, ...(known ? { breakpoint } : {}) };
      this.#state = "stopped";
      this.#stopping.quiet();
      this.#change();
      this.#stopping.settle();
    } else if (this.#state === "stopped") {
      this.#toStop();
      if (this.#wish.mode !== "paused") this.#state = "going";
      this.#stopping.soon();
    }
  }

  /** It is asked to end: let it run, so that it can do what it does about that. */
  release(): void {
    this.#driven?.say({ type: "pace", paused: false, delayMs: 0, breakpoints: [] });
  }

  /** The program is gone. */
  end(): void {
    const { state, sentence } = this.pace;
    this.#stopping.quiet();
    this.#ended = true;
    // What is said of it then stays: one that went on goes by the sentence that it had.
    this.#last = sentence;
    if (state !== "going") {
      this.#state = "going";
      this.#stop = null;
      this.#wish.mode = "full";
      this.#last = state === "stopped" ? `ended while ${sentence}` : "ended before it came to a stop";
      this.#change();
    }
    this.#stopping.settle();
  }

  #toStop(): void {
    this.#state = "stopping";
    this.#stop = null;
    this.#stopping.begin(this.#driven);
  }

  #sentence(): string {
    if (this.#ended) return this.#last;
    if (this.#state === "stopping") return this.#stopping.sentence;
    if (this.#state === "going")
      return speedSentence(this.#wish.mode, this.#wish.delayMs, this.#wish.breakpoints);
    const { n, breakpoint } = this.#stop!;
    const hit = breakpoint === undefined ? undefined : this.#wish.breakpoints[breakpoint];
    return stopSentence(this.#stop!, this.#driven?.call(n) ?? null, hit);
  }

  #change(): void {
    const { pace } = this;
    const text = JSON.stringify(pace);
    if (text === this.#said) return;
    this.#said = text;
    this.#emit(pace);
  }
}

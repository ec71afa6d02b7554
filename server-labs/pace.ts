// How one program goes through its calls, and who says so: what the driver wished, what the program's wrapper claims,
// and the sentence that is made of both. It decides nothing about calls: runtime/pace.ts does, in the program.
import { Refusal } from "./answers.ts";
import { conditionOf } from "./breakpoints.ts";
import { insteadSentence, speedSentence, stopSentence } from "./pace-sentences.ts";
import type { Pace, PaceBody, StepBody, Stop, Syscall, WrapperCommand, WrapperSays } from "./protocol.ts";

/** What a Pacer sees of its program. */
export interface Driven {
  say(command: WrapperCommand): void;
  peek(fds: number[]): Promise<Map<number, number> | null>;
  /** How many calls have begun. */
  calls(): number;
  /** One of them as it stands now; null when it is no longer known. */
  call(n: number): Syscall | null;
  /** Reads the trace now: a call at which it stops is in the log before the stop is. */
  look(): void;
  /** Its main thread runs; it does not sleep. */
  busy(): boolean;
}

/** A program that comes to a boundary by itself has done so by then; one that has not is asleep, or makes no calls. */
const settleMs = 200;
/** Between two steps of a key that is held down nothing is said but where it stops. */
const quietMs = 50;
const lookMs = 500;
const firstDelayMs = 200;

export class Pacer {
  readonly #emit: (pace: Pace) => void;
  #driven: Driven | null = null;
  #wished: Pace["mode"] = "full";
  #delayMs = firstDelayMs;
  #breakpoints: Pace["breakpoints"] = [];
  #state: Pace["state"] = "going";
  #stop: Stop | null = null;
  #driver: string | null = null;
  /** Of what it is doing instead of stopping. */
  #instead = "";
  #callsBefore = 0;
  #looks = 0;
  #ended = false;
  #said = "";
  #timer: NodeJS.Timeout | null = null;
  #settling = new Set<() => void>();

  /** @param emit told of every change */
  constructor(emit: (pace: Pace) => void) {
    this.#emit = emit;
  }

  get pace(): Pace {
    const stopped = this.#state === "stopped";
    return {
      mode: stopped ? "paused" : this.#wished,
      delayMs: this.#delayMs,
      breakpoints: this.#breakpoints,
      state: this.#state,
      stop: this.#stop,
      driver: this.#driver,
      sentence: this.#sentence(),
    };
  }

  /** Before it starts. @throws Refusal 400 for a breakpoint that nothing could hit */
  begin(body: PaceBody): void {
    body.breakpoints?.map(conditionOf);
    this.#wish(body);
  }

  /** What the program is to hear before its first call, if it is anything. */
  get first(): WrapperCommand | undefined {
    return this.#wished === "full" && this.#breakpoints.length === 0 ? undefined : this.#command(true);
  }

  attach(driven: Driven): void {
    this.#driven = driven;
    if (this.first === undefined) return;
    if (this.#wished === "paused") this.#toStop();
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
    this.#wish(body);
    if (body.mode === "paused" && this.#state === "going") this.#toStop();
    if (body.mode !== undefined && body.mode !== "paused") {
      this.#state = "going";
      this.#stop = null;
      this.#quiet();
    }
    this.#driven?.say(this.#command(body.mode !== undefined));
    this.#change();
    return this.settled();
  }

  /** As change(). */
  async step(who: string, { to = "boundary", take = false }: StepBody): Promise<Pace> {
    this.drive(who, take);
    this.#wished = "paused";
    // One that has not come to its boundary yet gets no second step: it would be a step into the dark.
    if (this.#state !== "stopping") {
      this.#toStop();
      this.#driven?.say({ type: "step", to });
      this.#lookLater(quietMs);
    }
    return this.settled();
  }

  /** See Wrapper.peek. */
  async peek(fds: number[]): Promise<Map<number, number> | null> {
    const waits = this.#state === "stopped" || (this.#state === "going" && this.#wished === "slow");
    return waits && this.#driven ? this.#driven.peek(fds) : null;
  }

  /** What the program's wrapper says. */
  heard(says: Exclude<WrapperSays, { type: "peeked" }>): void {
    if (this.#ended) return;
    if (says.type === "stopped") {
      this.#driven?.look();
      const { where, n, because, breakpoint } = says;
      const known = because === "breakpoint" && breakpoint !== undefined && this.#breakpoints[breakpoint];
      this.#stop = { where, n, because, ...(known ? { breakpoint } : {}) };
      this.#state = "stopped";
      this.#quiet();
      this.#change();
      this.#settle();
    } else if (this.#state === "stopped") {
      this.#toStop();
      if (this.#wished !== "paused") this.#state = "going";
      this.#lookLater(quietMs);
    }
  }

  /** It is asked to end: let it run, so that it can do what it does about that. */
  release(): void {
    this.#driven?.say({ type: "pace", paused: false, delayMs: 0, breakpoints: [] });
  }

  /** The program is gone. */
  end(): void {
    const { state, sentence } = this.pace;
    this.#quiet();
    this.#ended = true;
    // What is said of it then stays: one that went on goes by the sentence that it had.
    this.#instead = sentence;
    if (state !== "going") {
      this.#state = "going";
      this.#stop = null;
      this.#wished = "full";
      this.#instead = state === "stopped" ? `ended while ${sentence}` : "ended before it came to a stop";
      this.#change();
    }
    this.#settle();
  }

  #wish({ mode, delayMs, breakpoints }: PaceBody): void {
    if (mode !== undefined) this.#wished = mode;
    if (delayMs !== undefined) this.#delayMs = delayMs;
    if (breakpoints !== undefined) this.#breakpoints = breakpoints;
  }

  #command(withMode: boolean): WrapperCommand {
    return {
      type: "pace",
      paused: withMode ? this.#wished === "paused" : null,
      delayMs: this.#wished === "slow" ? this.#delayMs : 0,
      breakpoints: this.#breakpoints.map(conditionOf),
    };
  }

  #toStop(): void {
    this.#state = "stopping";
    this.#stop = null;
    this.#instead = "will pause at its next call";
    this.#callsBefore = this.#driven?.calls() ?? 0;
    this.#looks = 0;
    this.#lookLater(settleMs);
  }

  /** Says what it does instead of stopping, now and whenever that changes. */
  #lookLater(ms: number): void {
    this.#quiet();
    this.#timer = setTimeout(() => {
      if (this.#state === "stopping") {
        this.#instead = this.#lookAt();
        this.#lookLater(ms === quietMs ? settleMs : lookMs);
      }
      this.#change();
    }, ms).unref();
  }

  #quiet(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #lookAt(): string {
    const calls = this.#driven?.calls() ?? 0;
    const newest = calls > 0 ? this.#driven?.call(calls - 1) : null;
    const made = calls - this.#callsBefore;
    this.#callsBefore = calls;
    this.#looks++;
    // At the first look what it was asked may have been on its way still.
    const deaf = made > 0 && this.#looks > 1;
    return insteadSentence({
      newest: newest ?? null,
      calls,
      made,
      deaf,
      busy: () => this.#driven?.busy() ?? false,
    });
  }

  #sentence(): string {
    if (this.#ended || this.#state === "stopping") return this.#instead;
    if (this.#state === "going") return speedSentence(this.#wished, this.#delayMs, this.#breakpoints);
    const { n, breakpoint } = this.#stop!;
    const hit = breakpoint === undefined ? undefined : this.#breakpoints[breakpoint];
    return stopSentence(this.#stop!, this.#driven?.call(n) ?? null, hit);
  }

  #change(): void {
    const { pace } = this;
    const text = JSON.stringify(pace);
    if (text === this.#said) return;
    this.#said = text;
    this.#emit(pace);
  }

  /** When it has stopped, or it is clear that it does not yet. */
  async settled(): Promise<Pace> {
    if (this.#state === "stopping" && this.#driven && !this.#ended) {
      await new Promise<void>(resolve => {
        const settle = () => {
          clearTimeout(timer);
          this.#settling.delete(settle);
          resolve();
        };
        // A little later than the look at what it does instead.
        const timer = setTimeout(settle, settleMs + quietMs + 10);
        this.#settling.add(settle);
      });
    }
    return this.pace;
  }

  #settle(): void {
    for (const settle of [...this.#settling]) settle();
  }
}

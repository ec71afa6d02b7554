// Pacer. The pace of one program: what its driver requested, what its wrapper reports, and the `pace` event of both.
// It decides nothing about calls: runtime/pace.ts does, in the program.
import { Refusal } from "../lib/refusal.ts";
import {
  argsNotation,
  type CallRecord,
  callNotation,
  type InsteadStatement,
  type Pace,
  type PaceBody,
  resultNotation,
  type StepBody,
  type Stop,
  type WrapperCommand,
  type WrapperSays,
} from "../protocol.ts";
import { conditionOf } from "./breakpoints.ts";

/** The answer to a request that paces a program which has ended, before the request came or while it was read. */
export function programHasEnded(): Refusal {
  return new Refusal({ code: "program-has-ended" });
}

/** What can be seen of a program from outside. */
interface Observed {
  /** How many calls it has started. */
  calls(): number;
  /** One of them as it is now; null when the lab server no longer knows it. */
  call(n: number): CallRecord | null;
  /** Its main thread runs; it does not sleep. */
  busy(): boolean;
}

/** The program that a Pacer drives. */
export interface Driven extends Observed {
  send(command: WrapperCommand): void;
  /** See Wrapper.peek. */
  peek(fds: number[]): Promise<Map<number, number> | null>;
  /** Reads the trace now, so that the log has a call before it has the stop at that call. */
  readTrace(): void;
}

export class Pacer {
  readonly #emit: (pace: Pace) => void;
  #driven: Driven | null = null;
  readonly #requested = new RequestedPace();
  #state: Pace["state"] = "going";
  #stop: Stop | null = null;
  #driver: string | null = null;
  readonly #pending = new PendingStop(
    () => this.#state === "stopping",
    () => this.#emitChange(),
  );
  #ended = false;
  #emitted = "";

  /** @param emit called with the pace whenever it has changed */
  constructor(emit: (pace: Pace) => void) {
    this.#emit = emit;
  }

  get pace(): Pace {
    const { mode, delayMs, breakpoints } = this.#requested;
    return {
      mode: this.#state === "stopped" ? "paused" : mode,
      delayMs,
      breakpoints,
      state: this.#state,
      stop: this.#stop,
      instead: this.#state === "stopping" ? this.#pending.instead : null,
      driver: this.#driver,
    };
  }

  /** Sets the pace at which the program starts. @throws Refusal 400 for a breakpoint that no call can hit */
  start(body: PaceBody): void {
    body.breakpoints?.map(conditionOf);
    this.#requested.change(body);
  }

  /** The command that the program gets before its first call; undefined when it starts at full speed. */
  get firstCommand(): WrapperCommand | undefined {
    return this.#requested.isDefault ? undefined : this.#requested.command(true);
  }

  /** Drives this program from now on. */
  attach(driven: Driven): void {
    // The first message of a short program may be read after its end.
    if (this.#ended) return;
    this.#driven = driven;
    if (this.#requested.isDefault) return;
    if (this.#requested.mode === "paused") this.#startStopping();
    this.#emitChange();
  }

  /** The program has ended: drive(), change() and step() refuse. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Makes a page or a shell the driver.
   * @param driver "page 3", "a shell"
   * @param take also when another one drives
   * @throws Refusal 409 when another one drives, or when the program has ended
   */
  drive(driver: string, take = true): Pace {
    if (this.#ended) throw programHasEnded();
    if (this.#driver !== null && this.#driver !== driver && !take)
      throw new Refusal({ code: "driven-by-another", driver: this.#driver });
    this.#driver = driver;
    this.#emitChange();
    return this.pace;
  }

  /** A page is gone: it drives nothing any more, and the program stays as it is. */
  onDisconnect(driver: string): void {
    if (this.#driver !== driver || this.#ended) return;
    this.#driver = null;
    this.#emitChange();
  }

  /**
   * Changes the pace. Resolves when the program goes so; one that is to stop, when it has stopped, or after 0.2 s with
   * what it does instead.
   * @throws Refusal 409 when another one drives or the program has ended, 400 for a breakpoint that no call can hit
   */
  async change(driver: string, { take, ...body }: PaceBody): Promise<Pace> {
    body.breakpoints?.map(conditionOf);
    this.drive(driver, take ?? false);
    this.#requested.change(body);
    if (body.mode === "paused" && this.#state === "going") this.#startStopping();
    if (body.mode !== undefined && body.mode !== "paused") {
      this.#state = "going";
      this.#stop = null;
      this.#pending.cancel();
    }
    this.#driven?.send(this.#requested.command(body.mode !== undefined));
    this.#emitChange();
    return this.settled();
  }

  /** Lets the program go on to its next stop. As change(). */
  async step(driver: string, { to = "boundary", task, take = false }: StepBody): Promise<Pace> {
    this.drive(driver, take);
    this.#requested.mode = "paused";
    // A program that has not come to its boundary yet gets no second step: the reader has not seen where the first led.
    if (this.#state !== "stopping") {
      this.#startStopping(task);
      this.#driven?.send({ type: "step", to, ...(task === undefined ? {} : { task }) });
      this.#pending.lookSoon();
    }
    return this.settled();
  }

  /** Resolves when the program has stopped, or when it is clear that it does not stop yet. */
  async settled(): Promise<Pace> {
    if (this.#state === "stopping" && this.#driven && !this.#ended) await this.#pending.settled();
    return this.pace;
  }

  /** See Wrapper.peek. Null also when the program does not wait at a boundary. */
  async peek(fds: number[]): Promise<Map<number, number> | null> {
    const waits = this.#state === "stopped" || (this.#state === "going" && this.#requested.mode === "slow");
    return waits && this.#driven ? this.#driven.peek(fds) : null;
  }

  /** The program's wrapper has sent a message. */
  onMessage(message: Exclude<WrapperSays, { type: "peeked" }>): void {
    if (this.#ended) return;
    if (message.type === "stopped") {
      this.#driven?.readTrace();
      this.#stop = this.#stopOf(message);
      this.#state = "stopped";
      this.#pending.cancel();
      this.#emitChange();
      this.#pending.settle();
    } else if (this.#state === "stopped") {
      this.#startStopping();
      if (this.#requested.mode !== "paused") this.#state = "going";
      this.#pending.lookSoon();
    }
  }

  /** Lets a program that has been asked to end go on, so that its handler of SIGTERM can run. */
  release(): void {
    this.#driven?.send({ type: "pace", paused: false, delayMs: 0, breakpoints: [] });
  }

  /** The program is gone. */
  end(): void {
    if (this.#ended) return;
    this.#pending.cancel();
    this.#ended = true;
    // A program that went on to its end keeps the pace that it had.
    if (this.#state !== "going") {
      this.#state = "ended";
      this.#requested.mode = "full";
      this.#emitChange();
    }
    this.#pending.settle();
  }

  /** @param task it stops at the next step of this task */
  #startStopping(task?: number): void {
    this.#state = "stopping";
    this.#stop = null;
    this.#pending.start(this.#driven, task);
  }

  #stopOf({ where, n, because, breakpoint }: Extract<WrapperSays, { type: "stopped" }>): Stop {
    const call = this.#driven?.call(n);
    const isKnown =
      because === "breakpoint" && breakpoint !== undefined && this.#requested.breakpoints[breakpoint];
    return {
      where,
      n,
      call: call ? { name: call.call, made: callNotation(call), gave: resultNotation(call) } : null,
      because,
      ...(isKnown ? { breakpoint } : {}),
    };
  }

  #emitChange(): void {
    const { pace } = this;
    const text = JSON.stringify(pace);
    if (text === this.#emitted) return;
    this.#emitted = text;
    this.#emit(pace);
  }
}

const firstDelayMs = 200;

/** The pace that the driver requested, and the command that requests it of the program's wrapper. */
class RequestedPace {
  mode: Pace["mode"] = "full";
  delayMs = firstDelayMs;
  breakpoints: Pace["breakpoints"] = [];

  /** It is the pace of a program without a driver. */
  get isDefault(): boolean {
    return this.mode === "full" && this.breakpoints.length === 0;
  }

  /** A field that is left out stays as it was. */
  change({ mode, delayMs, breakpoints }: PaceBody): void {
    if (mode !== undefined) this.mode = mode;
    if (delayMs !== undefined) this.delayMs = delayMs;
    if (breakpoints !== undefined) this.breakpoints = breakpoints;
  }

  /** @param withMode false: a program that is paused stays paused, and one that goes on does not stop */
  command(withMode: boolean): WrapperCommand {
    return {
      type: "pace",
      paused: withMode ? this.mode === "paused" : null,
      delayMs: this.mode === "slow" ? this.delayMs : 0,
      breakpoints: this.breakpoints.map(conditionOf),
    };
  }
}

/** A program that comes to a boundary by itself has done so by then; another one is asleep, or makes no calls. */
const settleMs = 200;
/** Between two steps of a key that is held down the only news is where the program stops. */
const muteMs = 50;
const lookMs = 500;

/**
 * The time between the request to stop and the stop. The program may sleep in a call, or make no call: until it stops,
 * each look finds out what it does instead, and a request waits no longer than the first look takes.
 */
class PendingStop {
  instead: InsteadStatement = { code: "will-pause" };
  #task: number | null = null;
  readonly #isStopping: () => boolean;
  readonly #onLook: () => void;
  #observed: Observed | null = null;
  #callsBefore = 0;
  #looks = 0;
  #timer: NodeJS.Timeout | null = null;
  readonly #waiting = new Set<() => void>();

  /**
   * @param isStopping the program is to stop, and has not stopped
   * @param onLook called after each look
   */
  constructor(isStopping: () => boolean, onLook: () => void) {
    this.#isStopping = isStopping;
    this.#onLook = onLook;
  }

  /**
   * The program is to stop from now on.
   * @param observed null before it runs
   * @param task it stops at the next step of this task, and others may run until then
   */
  start(observed: Observed | null, task?: number): void {
    this.#observed = observed;
    this.#task = task ?? null;
    this.instead = this.#expected();
    this.#callsBefore = observed?.calls() ?? 0;
    this.#looks = 0;
    this.#lookLater(settleMs);
  }

  /** The program may well stop in a moment: looks at it then, and not before. */
  lookSoon(): void {
    this.#lookLater(muteMs);
  }

  /** No look any more. */
  cancel(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** It has stopped, or will not stop any more: resolves what settled() returned. */
  settle(): void {
    for (const resolve of [...this.#waiting]) resolve();
  }

  /** Resolves when it has stopped, or when it is clear that it does not stop yet. */
  settled(): Promise<void> {
    return new Promise<void>(resolve => {
      const settle = () => {
        clearTimeout(timer);
        this.#waiting.delete(settle);
        resolve();
      };
      // A little later than the look at what it does instead.
      const timer = setTimeout(settle, settleMs + muteMs + 10);
      this.#waiting.add(settle);
    });
  }

  #lookLater(ms: number): void {
    this.cancel();
    this.#timer = setTimeout(() => {
      if (this.#isStopping()) {
        this.instead = this.#look();
        this.#lookLater(ms === muteMs ? settleMs : lookMs);
      }
      this.#onLook();
    }, ms).unref();
  }

  #expected(): InsteadStatement {
    return this.#task === null ? { code: "will-pause" } : { code: "will-pause-at-task", task: this.#task };
  }

  #look(): InsteadStatement {
    const calls = this.#observed?.calls() ?? 0;
    const newest = calls > 0 ? this.#observed?.call(calls - 1) : null;
    const made = calls - this.#callsBefore;
    this.#callsBefore = calls;
    this.#looks++;
    if (this.#task !== null) return this.#expected();
    if (newest && newest.took === null)
      return {
        code: "will-pause-when-call-returns",
        name: newest.call,
        about: newest.fd ?? argsNotation(newest),
      };
    // At the first look the command may have been on its way still.
    if (made > 0) return { code: this.#looks > 1 ? "cannot-be-paused" : "will-pause" };
    return { code: "makes-no-call", calls, busy: this.#observed?.busy() ?? false };
  }
}

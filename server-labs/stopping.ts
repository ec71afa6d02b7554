// Between the wish that a program stops and its stop: it may be asleep in a call, or make none. Until then somebody looks,
// now and again, at what it does instead; and whoever waits for the stop waits no longer than it takes to know that.
import { insteadSentence } from "./pace-sentences.ts";
import type { Syscall } from "./protocol.ts";

/** What can be seen of a program from outside. */
export interface Sight {
  /** How many calls have begun. */
  calls(): number;
  /** One of them as it stands now; null when it is no longer known. */
  call(n: number): Syscall | null;
  /** Its main thread runs; it does not sleep. */
  busy(): boolean;
}

/** A program that comes to a boundary by itself has done so by then; one that has not is asleep, or makes no calls. */
const settleMs = 200;
/** Between two steps of a key that is held down nothing is said but where it stops. */
const quietMs = 50;
const lookMs = 500;

export class Stopping {
  /** What it is doing instead of stopping. */
  sentence = "";
  readonly #isStopping: () => boolean;
  readonly #looked: () => void;
  #sight: Sight | null = null;
  #callsBefore = 0;
  #looks = 0;
  #timer: NodeJS.Timeout | null = null;
  #settling = new Set<() => void>();

  /**
   * @param isStopping it is to stop, and has not
   * @param looked told after each look
   */
  constructor(isStopping: () => boolean, looked: () => void) {
    this.#isStopping = isStopping;
    this.#looked = looked;
  }

  /** It is to stop, from now on. */
  begin(sight: Sight | null): void {
    this.#sight = sight;
    this.sentence = "will pause at its next call";
    this.#callsBefore = sight?.calls() ?? 0;
    this.#looks = 0;
    this.#lookLater(settleMs);
  }

  /** Something was asked of it that it may well have done in a moment: it is looked at then, and not before. */
  soon(): void {
    this.#lookLater(quietMs);
  }

  /** Nobody looks any more. */
  quiet(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** It has stopped, or will not any more: whoever waits goes on. */
  settle(): void {
    for (const settle of [...this.#settling]) settle();
  }

  /** Resolves when it has stopped, or it is clear that it does not yet. */
  settled(): Promise<void> {
    return new Promise<void>(resolve => {
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

  #lookLater(ms: number): void {
    this.quiet();
    this.#timer = setTimeout(() => {
      if (this.#isStopping()) {
        this.sentence = this.#instead();
        this.#lookLater(ms === quietMs ? settleMs : lookMs);
      }
      this.#looked();
    }, ms).unref();
  }

  #instead(): string {
    const calls = this.#sight?.calls() ?? 0;
    const newest = calls > 0 ? (this.#sight?.call(calls - 1) ?? null) : null;
    const made = calls - this.#callsBefore;
    this.#callsBefore = calls;
    this.#looks++;
    // At the first look what it was asked may have been on its way still.
    const deaf = made > 0 && this.#looks > 1;
    return insteadSentence({ newest, calls, made, deaf, busy: () => this.#sight?.busy() ?? false });
  }
}

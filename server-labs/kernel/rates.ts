// Rates. How much of what a program counts there was in a second, from two looks and the time between them. The counters
// start with the program, so that one look says nothing of a rate, and neither does a look of long ago.
import type { KernelRates } from "../protocol.ts";
import type { Counted } from "./sample.ts";

/** Milliseconds over which a rate is taken: from the newest look that is as old as that, or from the oldest. */
const windowMs = 1000;
/** From here on a rate says over how long it is a mean. */
const longMs = 1500;
export class Rates {
  /** The oldest first. */
  #looks: Counted[] = [];

  /** What comes next is another time than looks before this moment. @param at in milliseconds, as the looks have it */
  forgetBefore(at: number): void {
    if ((this.#looks.at(-1)?.at ?? at) < at) this.#looks = [];
  }

  /** @returns the rates at this look; null when there was no look before it */
  at(look: Counted): KernelRates | null {
    const from = this.#looks.findLastIndex(one => one.at <= look.at - windowMs);
    if (from > 0) this.#looks = this.#looks.slice(from);
    const before = this.#looks[0];
    this.#looks.push(look);
    if (!before || look.at <= before.at) return null;
    const overMs = look.at - before.at;
    const perSecond = (of: Exclude<keyof KernelRates, "overMs">) =>
      Math.round(((look[of] - before[of]) * 1000) / overMs);
    return {
      ready: perSecond("ready"),
      waiting: perSecond("waiting"),
      failed: perSecond("failed"),
      unseen: perSecond("unseen"),
      cpuMs: perSecond("cpuMs"),
      ...(overMs > longMs ? { overMs: Math.round(overMs / 100) * 100 } : {}),
    };
  }
}

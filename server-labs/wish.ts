// How a program is wished to go, in the words of whoever drives; and as its wrapper is told, in numbers.
import { conditionOf } from "./breakpoints.ts";
import type { Pace, PaceBody, WrapperCommand } from "./protocol.ts";

const firstDelayMs = 200;

export class Wish {
  mode: Pace["mode"] = "full";
  delayMs = firstDelayMs;
  breakpoints: Pace["breakpoints"] = [];

  /** It is what every program does that is told nothing. */
  get nothing(): boolean {
    return this.mode === "full" && this.breakpoints.length === 0;
  }

  /** What is left out stays as it was. */
  take({ mode, delayMs, breakpoints }: PaceBody): void {
    if (mode !== undefined) this.mode = mode;
    if (delayMs !== undefined) this.delayMs = delayMs;
    if (breakpoints !== undefined) this.breakpoints = breakpoints;
  }

  /** @param withMode false: one that is paused stays so, and one that goes on does not stop */
  command(withMode: boolean): WrapperCommand {
    return {
      type: "pace",
      paused: withMode ? this.mode === "paused" : null,
      delayMs: this.mode === "slow" ? this.delayMs : 0,
      breakpoints: this.breakpoints.map(conditionOf),
    };
  }
}

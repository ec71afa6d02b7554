// What is told of one visit: its steps, on one clock. However fast its clients send and get, only so many steps are told:
// of octets in many pieces there is one step, with their sum. All are counted; nothing is said that did not happen.
import { Bucket } from "../../bucket.ts";
import { type VisitorSays, visitLimits } from "../../protocol.ts";
import { clock } from "../calls.ts";
import { escaped, octets } from "./words.ts";

export type Step = Omit<VisitorSays, "visit" | "clock">;

/** Steps of one visit that are told one by one at once, and then in a second: the others are told together. */
const budget = { burst: 60, perSecond: 3 } as const;
/** Octets of a visit that are shown; all are counted. */
const shownBytes = 8 * 1024;

export class Steps {
  readonly #visit: string;
  readonly #say: (step: VisitorSays) => void;
  readonly #bucket = new Bucket(budget.perSecond, budget.burst);
  readonly #folded = new Map<"sent" | "got", { step: Step; pieces: number; at: number }>();
  #shown = shownBytes;

  constructor(visit: string, say: (step: VisitorSays) => void) {
    this.#visit = visit;
    this.#say = say;
  }

  /** Tells one thing that happened, at a time of clock(). */
  tell(step: Step, at = clock()): void {
    const { what } = step;
    if (what === "sent" || what === "got") this.#octets({ ...step, what }, at);
    else {
      this.#unfold();
      this.#tell(step, at);
    }
  }

  /** To be called now and then: tells what was folded, once there is room. */
  tick(): void {
    if (this.#folded.size > 0 && this.#bucket.level >= 1) this.#unfold();
  }

  /** Octets as they are shown, as far as this visit still shows any. */
  text(came: Buffer): string {
    const most = Math.min(visitLimits.shownBytes, Math.max(64, this.#shown));
    this.#shown -= Math.min(came.length, most);
    return escaped(came, most) + (came.length > most ? "…" : "");
  }

  #octets(step: Step & { what: "sent" | "got" }, at: number): void {
    const folded = this.#folded.get(step.what);
    if (folded) {
      folded.pieces++;
      folded.at = at;
      folded.step = { ...folded.step, bytes: (folded.step.bytes ?? 0) + (step.bytes ?? 0) };
    } else if (this.#bucket.level < 1) this.#folded.set(step.what, { step, pieces: 1, at });
    else this.#tell(step, at);
    this.tick();
  }

  #unfold(): void {
    for (const { step, pieces, at } of this.#folded.values()) {
      const sentence =
        pieces === 1 ? step.sentence : `${octets(step.bytes ?? 0)}, in ${pieces} pieces until now`;
      this.#tell({ ...step, sentence }, at);
    }
    this.#folded.clear();
  }

  #tell(step: Step, at: number): void {
    this.#bucket.take(1);
    this.#say({ visit: this.#visit, clock: at, ...step });
  }
}

// Steps. Reports what happens in one visit, on one clock and within a budget.
// However fast its clients send and get, there are only so many steps: bytes in many pieces are one step with their sum.

import { clock } from "../../lib/clock.ts";
import { TokenBucket } from "../../lib/token-bucket.ts";
import { type VisitorReport, visitLimits } from "../../protocol.ts";
import { escaped } from "./escaped.ts";

export type Step = Omit<VisitorReport, "visit" | "clock">;
/** Bytes that a client sent or got in one piece. */
export interface TransferredPiece {
  who: string;
  port?: number;
  what: "sent" | "got";
  bytes: number;
  text: string;
}

/** Steps of one visit that are reported one by one at once, and then in a second; the others are summed up. */
const budget = { burst: 60, perSecond: 3 } as const;
/** Bytes of a visit that are shown; all are counted. */
const shownBytes = 8 * 1024;

export class VisitSteps {
  readonly #visit: string;
  readonly #send: (report: VisitorReport) => void;
  readonly #bucket = new TokenBucket(budget.perSecond, budget.burst);
  readonly #summed = new Map<"sent" | "got", { piece: TransferredPiece; pieces: number; at: number }>();
  #shown = shownBytes;

  constructor(visit: string, send: (report: VisitorReport) => void) {
    this.#visit = visit;
    this.#send = send;
  }

  /** Reports one thing that happened, at a time of clock(). */
  report(step: Step, at = clock()): void {
    this.#reportSums();
    this.#report(step, at);
  }

  /** Reports bytes that moved, at a time of clock(): at once, or in a sum. */
  reportPiece(piece: TransferredPiece, at: number): void {
    const sum = this.#summed.get(piece.what);
    if (sum) {
      sum.pieces++;
      sum.at = at;
      sum.piece = { ...sum.piece, bytes: sum.piece.bytes + piece.bytes };
    } else if (this.#bucket.level < 1) this.#summed.set(piece.what, { piece, pieces: 1, at });
    else this.#reportMoved(piece, 1, at);
    this.tick();
  }

  /** Reports the sums, once the budget allows it. Call it now and then. */
  tick(): void {
    if (this.#summed.size > 0 && this.#bucket.level >= 1) this.#reportSums();
  }

  /** Bytes as a step shows them, as far as this visit still shows any. */
  text(came: Buffer): string {
    const most = Math.min(visitLimits.shownBytes, Math.max(64, this.#shown));
    this.#shown -= Math.min(came.length, most);
    return escaped(came, most) + (came.length > most ? "…" : "");
  }

  #reportSums(): void {
    for (const { piece, pieces, at } of this.#summed.values()) this.#reportMoved(piece, pieces, at);
    this.#summed.clear();
  }

  #reportMoved(piece: TransferredPiece, pieces: number, at: number): void {
    const code = piece.what === "sent" ? "client-sent" : "client-got";
    this.#report({ ...piece, statement: { code, bytes: piece.bytes, pieces } }, at);
  }

  #report(step: Step, at: number): void {
    this.#bucket.consume(1);
    this.#send({ visit: this.#visit, clock: at, ...step });
  }
}

// Repetition. Which calls differ from what a program repeats: a flood must not hide them, so the writer keeps them whole.
// For each direction of a descriptor, and for each other call, it compares an outcome with those before: a few loads and
// stores for each call, no allocation.
import type { CallRow } from "../../protocol/calls.ts";

/** How much a call matters; the writer keeps the lower ones only while there is much room. */
export const importance = {
  none: 0,
  /** Its outcome is another one than the two before. */
  differs: 1,
  /** It is the first of its kind, or ends a long run, or follows one that did, or sets something. */
  notable: 2,
  /** It opens or closes a descriptor, fails, ends a stream, or has slept for long. */
  essential: 3,
} as const;

/** Equal calls in a row after which the program is seen to repeat itself. */
export const longRun = 16;
/** Descriptors that have slots of their own; higher ones share them, which keeps a few calls too many. */
const descriptors = 4096;
const otherSlots = 256;
/** Words of a slot: the outcome, how often it came in a row, the index of the newest, the outcome before. */
const slotWords = 4;
/** No outcome yet. */
const none = 0x5bd1e995;
/** Instead of a count: this call has ended a long run, so the next other one is notable too. */
const endedRun = -longRun;

/** The slot of one direction of a descriptor, as its first word. */
function slotOf(way: number, fd: number): number {
  return ((fd & (descriptors - 1)) << 3) | ((way - 1) << 2);
}

/** What a call has returned as one number; two outcomes have the same one only by a rare chance. */
function outcomeOf(result: number, errno: number): number {
  return Math.imul(result, 0x9e3779b1) ^ errno;
}

type Kinds = readonly Pick<CallRow, "opens" | "opensTwo" | "closes" | "moves" | "shows" | "sleeps">[];

/** One byte for each row: 1 where bytes come in, 2 where they go out, else 0. */
export function waysOf(rows: readonly Pick<CallRow, "moves">[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(rows, ({ moves }) => (moves === "in" ? 1 : moves === "out" ? 2 : 0));
}

export class Repetition {
  readonly #slots = new Int32Array(slotWords * (2 * descriptors + otherSlots)).fill(none);
  /** By row: 1 where every success is essential, as a name for a descriptor depends on it. */
  readonly #changes: Uint8Array<ArrayBuffer>;
  /** By row: 1 where bytes come in, 2 where they go out. */
  readonly #moves: Uint8Array<ArrayBuffer>;
  readonly #opensTwo: Uint8Array;
  /** By row: 1 where the call neither moves bytes nor waits. */
  readonly #sets: Uint8Array<ArrayBuffer>;
  /** Of a call that has ended a long run: the index of the last call of it; else -1. */
  endOfRun = -1;

  constructor(rows: Kinds) {
    this.#changes = Uint8Array.from(rows, ({ opens, opensTwo, closes, shows }) =>
      Number(!!opens || !!opensTwo || !!closes || shows === "listener" || shows === "connection"),
    );
    this.#moves = waysOf(rows);
    this.#opensTwo = Uint8Array.from(rows, ({ opensTwo }) => Number(!!opensTwo));
    this.#sets = Uint8Array.from(rows, ({ moves, sleeps }) => Number(!moves && !sleeps));
  }

  /**
   * Follows a call that has moved bytes, as nearly all calls of a flood do: a part of follow() that costs half as much.
   * @param way 1 for bytes that came in, 2 for those that went out
   * @returns whether its outcome is the one before; if not, follow() has to see it
   */
  repeats(way: number, fd: number, result: number, errno: number, index: number): boolean {
    const slots = this.#slots;
    const slot = slotOf(way, fd);
    if (slots[slot] !== outcomeOf(result, errno)) return false;
    slots[slot + 1]!++;
    slots[slot + 2] = index;
    return true;
  }

  /**
   * Follows one call that has returned.
   * @param call its row
   * @param a its arguments, the descriptor first
   * @param wrong it failed with an error that is not an everyday answer
   * @param index which call of the program it is
   * @returns one of importance
   */
  follow(
    call: number,
    a: number,
    b: number,
    c: number,
    result: number,
    errno: number,
    wrong: boolean,
    index: number,
  ): number {
    const slots = this.#slots;
    const way = this.#moves[call]!;
    let says = outcomeOf(result, errno);
    let slot: number;
    if (way !== 0) slot = slotOf(way, a);
    else {
      says ^= Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35);
      slot = slotWords * (2 * descriptors + (((call << 4) ^ a) & (otherSlots - 1)));
    }
    const always = this.#changes[call] === 1 && result !== -1;
    if (slots[slot] === says && !always) {
      this.endOfRun = -1;
      slots[slot + 1]!++;
      slots[slot + 2] = index;
      return importance.none;
    }
    return this.#differs(call, slot, says, result, wrong || always, index);
  }

  #differs(
    call: number,
    slot: number,
    says: number,
    result: number,
    essential: boolean,
    index: number,
  ): number {
    const slots = this.#slots;
    const [before, run, last, beforeThat] = [
      slots[slot],
      slots[slot + 1]!,
      slots[slot + 2]!,
      slots[slot + 3],
    ];
    const endsRun = before !== none && run >= longRun;
    const isFirst = before === none;
    this.endOfRun = endsRun ? last : -1;
    slots[slot] = says;
    slots[slot + 1] = endsRun ? endedRun : 1;
    slots[slot + 2] = index;
    slots[slot + 3] = before!;
    const opened = this.#changes[call] === 1 && result > 0;
    if (opened) this.#forget(result);
    // The result does not say which numbers it has opened.
    if (this.#opensTwo[call] === 1 && result === 0) slots.fill(none);
    if (essential || (this.#moves[call] === 1 && result === 0)) return importance.essential;
    const follows = run < 0;
    if (isFirst || endsRun || follows || this.#sets[call] === 1) return importance.notable;
    return says === beforeThat ? importance.none : importance.differs;
  }

  /** The number is another descriptor now. */
  #forget(fd: number): void {
    const slot = (fd & (descriptors - 1)) << 3;
    this.#slots[slot] = none;
    this.#slots[slot + 4] = none;
  }
}

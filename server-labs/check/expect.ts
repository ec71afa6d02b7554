// Expectations. expect(value, sentence).equal(…): the student reads the sentence when the value is another.
import { isDeepStrictEqual } from "node:util";
import { quoted } from "../clients.ts";
import { grouped } from "../protocol.ts";
import { CheckFailure, type Why } from "./outcome.ts";

export type Expect = (actual: unknown, summary: string) => Expectation;

/** Makes an expectation. @param summary one sentence: what is wrong if the expectation fails */
export const expect: Expect = (actual, summary) => new Expectation(actual, summary);

export class Expectation {
  readonly #actual: unknown;
  readonly #summary: string;

  constructor(actual: unknown, summary: string) {
    this.#actual = actual;
    this.#summary = summary;
  }

  /** The value must be truthy. */
  ok(why: Why = {}): void {
    if (!this.#actual) throw new CheckFailure(this.#summary, why);
  }

  equal(expected: unknown, why: Why = {}): void {
    if (!isDeepStrictEqual(this.#actual, expected)) this.#fail(written(expected), why);
  }

  atMost(limit: number, why: Why = {}): void {
    if (!(this.#number() <= limit)) this.#fail(`at most ${grouped(limit)}`, why);
  }

  atLeast(limit: number, why: Why = {}): void {
    if (!(this.#number() >= limit)) this.#fail(`at least ${grouped(limit)}`, why);
  }

  /** The text, or the bytes read as UTF-8, must contain this text or match this pattern. */
  contains(part: string | RegExp, why: Why = {}): void {
    const text =
      this.#actual instanceof Uint8Array ? Buffer.from(this.#actual).toString() : String(this.#actual);
    const found = typeof part === "string" ? text.includes(part) : part.test(text);
    if (!found) this.#fail(typeof part === "string" ? quoted(part) : `something like ${part}`, why);
  }

  #number(): number {
    if (typeof this.#actual === "number") return this.#actual;
    throw new TypeError(`expect(${written(this.#actual)}, …) cannot be compared: it is not a number`);
  }

  #fail(expected: string, why: Why): never {
    throw new CheckFailure(this.#summary, { expected, actual: written(this.#actual), ...why });
  }
}

function written(value: unknown): string {
  if (typeof value === "string" || value instanceof Uint8Array) return quoted(value, 200);
  if (typeof value === "number" && Number.isInteger(value)) return grouped(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

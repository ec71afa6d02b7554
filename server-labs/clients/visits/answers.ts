// Answers. The HTTP answers in the bytes that a visit's client gets, one behind the other, by their framing.
// A long body is counted, not kept: a server may send without end.
import { count } from "../../protocol.ts";
import { readAnswer } from "../http-answer.ts";

/** A body that is longer is not kept. */
const keptBytes = 256 * 1024;

export class Answers {
  /** Whole answers so far: their status, and their bytes, head and all. */
  readonly whole: { status: number; bytes: number }[] = [];
  /** Why the bytes are not an HTTP answer: the part that was expected, and the bytes that came. Parsing ends there. */
  fault: { expected: string; received: string } | null = null;
  /** Of the answer that is under way: "nothing", "3 of the 12 bytes of the body …". */
  has = "nothing";
  /** Bytes in all. */
  bytes = 0;
  #kept: Buffer = Buffer.alloc(0);
  /** Bytes still to come of an answer whose head is read. */
  #skip: { left: number; status: number; bytes: number } | null = null;

  add(bytes: Buffer): void {
    this.bytes += bytes.length;
    if (this.fault === null) this.#read(bytes, false);
  }

  /** Nothing more will come: a body without a length ends here. */
  end(): void {
    if (this.fault === null && this.#kept.length > 0) this.#read(Buffer.alloc(0), true);
  }

  #read(bytes: Buffer, over: boolean): void {
    let rest = bytes;
    if (this.#skip) {
      const taken = Math.min(this.#skip.left, rest.length);
      this.#skip.left -= taken;
      if (this.#skip.left > 0) return;
      this.whole.push({ status: this.#skip.status, bytes: this.#skip.bytes });
      this.#skip = null;
      this.has = "nothing";
      rest = rest.subarray(taken);
    }
    this.#kept = this.#kept.length === 0 ? rest : Buffer.concat([this.#kept, rest]);
    while (this.#kept.length > 0) {
      const read = readAnswer(this.#kept, "GET", over);
      if ("fault" in read) {
        this.fault = { expected: read.fault, received: read.found.slice(0, 300) };
        this.#kept = Buffer.alloc(0);
      } else if ("need" in read) {
        this.has = read.has;
        if (read.need > keptBytes && read.need > this.#kept.length + 1) this.#skipTo(read.need);
        else if (this.#kept.length > keptBytes) {
          this.fault = { expected: "a Content-Length", received: `${count(keptBytes, "byte")} and more` };
          this.#kept = Buffer.alloc(0);
        }
        return;
      } else {
        this.whole.push({ status: read.status, bytes: read.length });
        this.#kept = this.#kept.subarray(read.length);
        this.has = "nothing";
      }
    }
  }

  #skipTo(need: number): void {
    const status = Number(this.#kept.toString("latin1", 9, 12));
    this.#skip = { left: need - this.#kept.length, status, bytes: need };
    this.has = "a part of the body";
    this.#kept = Buffer.alloc(0);
  }
}

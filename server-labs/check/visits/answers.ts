// What a visit's client makes of the octets that come: HTTP answers, one behind the other, by their framing. A body
// is counted, not kept, when it is long: a server may send without end.
import { readAnswer } from "../http.ts";

/** A body that is longer is not kept. */
const keptBytes = 256 * 1024;

export class Answers {
  /** Whole answers so far: their status, and their octets, head and all. */
  readonly whole: { status: number; octets: number }[] = [];
  /** Why what came is no HTTP answer ("a status line was due, and "hello" came"); nothing is read after it. */
  fault: string | null = null;
  /** Of the answer that is under way: "nothing", "3 of 12 octets of the body …". */
  has = "nothing";
  /** Octets in all. */
  octets = 0;
  #kept: Buffer = Buffer.alloc(0);
  /** Octets still to come of an answer whose head is read. */
  #skip: { left: number; status: number; octets: number } | null = null;

  /** Takes what came. */
  take(octets: Buffer): void {
    this.octets += octets.length;
    if (this.fault === null) this.#read(octets, false);
  }

  /** Nothing more will come: a body without a length ends here. */
  end(): void {
    if (this.fault === null && this.#kept.length > 0) this.#read(Buffer.alloc(0), true);
  }

  #read(octets: Buffer, over: boolean): void {
    let rest = octets;
    if (this.#skip) {
      const taken = Math.min(this.#skip.left, rest.length);
      this.#skip.left -= taken;
      if (this.#skip.left > 0) return;
      this.whole.push({ status: this.#skip.status, octets: this.#skip.octets });
      this.#skip = null;
      this.has = "nothing";
      rest = rest.subarray(taken);
    }
    this.#kept = this.#kept.length === 0 ? rest : Buffer.concat([this.#kept, rest]);
    while (this.#kept.length > 0) {
      const read = readAnswer(this.#kept, "GET", over);
      if ("fault" in read) {
        this.fault = `${read.fault} was due, and ${read.found} came`;
        this.#kept = Buffer.alloc(0);
      } else if ("need" in read) {
        this.has = read.has;
        if (read.need > keptBytes && read.need > this.#kept.length + 1) this.#skipTo(read.need);
        else if (this.#kept.length > keptBytes) {
          this.fault = "longer than is kept here, and without a Content-Length";
          this.#kept = Buffer.alloc(0);
        }
        return;
      } else {
        this.whole.push({ status: read.status, octets: read.length });
        this.#kept = this.#kept.subarray(read.length);
        this.has = "nothing";
      }
    }
  }

  #skipTo(need: number): void {
    const status = Number(this.#kept.toString("latin1", 9, 12));
    this.#skip = { left: need - this.#kept.length, status, octets: need };
    this.has = "a part of the body";
    this.#kept = Buffer.alloc(0);
  }
}

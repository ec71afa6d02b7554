// What a check did and saw, in order, with the milliseconds since it began: the evidence of a failure.
// Long stories keep their beginning and their end.
import { readable } from "../octets.ts";

/** Lines kept from the beginning and from the end of a story. */
const kept = { first: 6, last: 14 } as const;

export class Journal {
  #began = performance.now();
  #first: string[] = [];
  #last: string[] = [];
  #omitted = 0;
  /** The last thing, whoever did it; and how many have done it, one after another. */
  #same = { sentence: "", who: "", begun: "", times: 0 };

  /** From now on times are counted from here: the server is up, the check begins. */
  begin(): void {
    this.#began = performance.now();
  }

  /** Writes down one thing that happened, now. */
  note(sentence: string): void {
    const ms = Math.max(0, Math.round(performance.now() - this.#began));
    const line = `${String(ms).padStart(5)} ms  ${sentence}`;
    if (this.#repeats(sentence, line)) return;
    if (this.#first.length < kept.first) this.#first.push(line);
    else this.#last.push(line);
    if (this.#last.length > kept.last) {
      this.#last.shift();
      this.#omitted++;
    }
  }

  /** What fifty clients do one after another is one line: it would fill the story. */
  #repeats(sentence: string, line: string): boolean {
    const [who] = /^client \d+/.exec(sentence) ?? [];
    const anonymous = who ? sentence.slice(who.length) : "";
    if (!who || anonymous !== this.#same.sentence || who === this.#same.who) {
      this.#same = { sentence: anonymous, who: who ?? "", begun: line, times: 0 };
      return false;
    }
    this.#same.who = who;
    this.#same.times++;
    const lines = this.#last.length > 0 ? this.#last : this.#first;
    lines[lines.length - 1] = `${this.#same.begun} (and so ${count(this.#same.times, "other")}, to ${who})`;
    return true;
  }

  lines(): string[] {
    const gap = this.#omitted > 0 ? [`          … ${this.#omitted} more …`] : [];
    return [...this.#first, ...gap, ...this.#last];
  }
}

/** Bytes as a person reads them: quoted, cut in the middle when long, with how many there are. */
export function quoted(bytes: Uint8Array | string, most = 72): string {
  const buffer =
    typeof bytes === "string"
      ? Buffer.from(bytes)
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shown = (from: number, to: number) => readable(buffer.subarray(from, to));
  if (buffer.length <= most) return `"${shown(0, buffer.length)}"`;
  const half = Math.floor(most / 2);
  return `"${shown(0, half)} … ${shown(buffer.length - half, buffer.length)}" (${count(buffer.length, "byte")})`;
}

/** "1 client", "50 clients", "4,194,304 bytes". */
export function count(n: number, noun: string): string {
  return `${grouped(n)} ${noun}${n === 1 ? "" : "s"}`;
}

/** 4194304 as "4,194,304". */
export function grouped(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ",");
}

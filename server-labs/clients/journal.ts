// Journal. What a check did and saw, in order, with milliseconds since its start: the evidence of a failure. Of a long
// journal the beginning and the end are kept.
import { count, readableBytes } from "../protocol.ts";

/** Lines that are kept at the beginning and at the end. */
const kept = { first: 6, last: 14 } as const;

export class Journal {
  #began = performance.now();
  #first: string[] = [];
  #last: string[] = [];
  #omitted = 0;
  /** The newest sentence without its client, and how many clients have done the same, one after another. */
  #same = { sentence: "", client: "", line: "", times: 0 };

  /** Counts times from now on: the server listens, and the check starts. */
  start(): void {
    this.#began = performance.now();
  }

  /** Forgets everything, and counts times from now on. */
  clear(): void {
    [this.#first, this.#last, this.#omitted] = [[], [], 0];
    this.#same = { sentence: "", client: "", line: "", times: 0 };
    this.start();
  }

  /** Writes down one event that has happened now. */
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

  /** Fifty clients that do the same become one line: fifty lines would fill the journal. */
  #repeats(sentence: string, line: string): boolean {
    const [client] = /^client \d+/.exec(sentence) ?? [];
    const rest = client ? sentence.slice(client.length) : "";
    if (!client || rest !== this.#same.sentence || client === this.#same.client) {
      this.#same = { sentence: rest, client: client ?? "", line, times: 0 };
      return false;
    }
    this.#same.client = client;
    this.#same.times++;
    const lines = this.#last.length > 0 ? this.#last : this.#first;
    lines[lines.length - 1] =
      `${this.#same.line} (and the same for ${count(this.#same.times, "other")}, to ${client})`;
    return true;
  }

  lines(): string[] {
    const gap = this.#omitted > 0 ? [`          … ${this.#omitted} more …`] : [];
    return [...this.#first, ...gap, ...this.#last];
  }
}

/** Bytes as readable text in quotes. Long text is cut in the middle, and its length in bytes is added. */
export function quoted(bytes: Uint8Array | string, most = 72): string {
  const buffer =
    typeof bytes === "string"
      ? Buffer.from(bytes)
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shown = (from: number, to: number) => readableBytes(buffer.subarray(from, to));
  if (buffer.length <= most) return `"${shown(0, buffer.length)}"`;
  const half = Math.floor(most / 2);
  return `"${shown(0, half)} … ${shown(buffer.length - half, buffer.length)}" (${count(buffer.length, "byte")})`;
}

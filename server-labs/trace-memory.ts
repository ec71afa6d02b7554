// The memory in which a traced program writes its calls (trace-layout.ts), as a file of ours that is read while
// the program writes. Nothing in there is believed but its bounds: the program may have written, or cut, anything.
import { randomBytes } from "node:crypto";
import { closeSync, ftruncateSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { callsThatMove, layout, traceBytes, tracedCalls } from "./trace-layout.ts";

const { capacity, headerBytes, recordBytes } = layout;
/** By the 16 bits that name a call. */
const moves = new Uint8Array(2 ** 16);
for (const name of callsThatMove) moves[tracedCalls.indexOf(name)] = 1;
/** Places in a record, in 32-bit words; the time is 64 bits wide. */
const CALL = layout.record.call / 4;
const TOOK = layout.record.took / 8;
const FD = layout.record.args / 4;
const RESULT = layout.record.result / 4;
const ERRNO = layout.record.errno / 4;

/** A file of traceBytes zeroes that has no name: only who inherits the descriptor can reach it. */
export function createTraceMemory(): number {
  let problem: unknown;
  for (const folder of ["/dev/shm", tmpdir()]) {
    const path = join(folder, `socket-workbook-${process.pid}-${randomBytes(8).toString("hex")}`);
    try {
      const fd = openSync(path, "wx+", 0o600);
      unlinkSync(path);
      ftruncateSync(fd, traceBytes);
      return fd;
    } catch (error) {
      problem = error;
    }
  }
  throw problem;
}

/** A copy of the memory, of which the reader asks for what it wants to see anew. */
export class TraceMemory {
  readonly #fd: number;
  #closed = false;
  readonly #copy = Buffer.alloc(traceBytes);
  /** The same, for who reads a few words of each of very many records. */
  readonly #words = new Int32Array(this.#copy.buffer, this.#copy.byteOffset, traceBytes / 4);
  readonly #doubles = new Float64Array(this.#copy.buffer, this.#copy.byteOffset, traceBytes / 8);
  /** Of the record that moved() looked at last. */
  fd = 0;
  result = 0;
  errno = 0;
  /** Views of it, made once: a flood is half a million records a second. */
  readonly #records: Buffer[] = [];

  /** @param fd as createTraceMemory gave it; close() closes it */
  constructor(fd: number) {
    this.#fd = fd;
  }

  /** The count of records begun, now; null where nothing (or nonsense) has been written yet. */
  head(): number | null {
    if (!this.#load(0, headerBytes)) return null;
    const { magic, version, head } = layout.header;
    return this.#word(magic) === layout.magic && this.#word(version) === layout.version
      ? this.#word(head)
      : null;
  }

  /** True when the program says that it ends by itself, by exit and not by a signal. */
  exiting(): boolean {
    return this.head() !== null && this.#word(layout.header.exiting) === 1;
  }

  /** Copies the records from index `from` up to and without `to`. */
  load(from: number, to: number): void {
    const count = (to - from) >>> 0;
    const slot = from % capacity;
    const straight = Math.min(count, capacity - slot);
    this.#load(headerBytes + slot * recordBytes, straight * recordBytes);
    this.#load(headerBytes, (count - straight) * recordBytes);
  }

  /** The record of call `index`, as it was copied last: to be read now, as the next load() changes it. */
  record(index: number): Buffer {
    const slot = index % capacity;
    const at = headerBytes + slot * recordBytes;
    this.#records[slot] ??= this.#copy.subarray(at, at + recordBytes);
    return this.#records[slot]!;
  }

  /**
   * Looks at a few words of a record: is it one of callsThatMove, and has it returned?
   * @returns its index in tracedCalls, and leaves in fd, result and errno what they are; else 0
   */
  moved(index: number): number {
    const base = (headerBytes + (index % capacity) * recordBytes) / 4;
    const call = this.#words[base + CALL]! & 0xffff;
    if (moves[call] !== 1 || this.#doubles[base / 2 + TOOK] === -1) return 0;
    this.fd = this.#words[base + FD]!;
    this.result = this.#words[base + RESULT]!;
    this.errno = this.#words[base + ERRNO]!;
    return call;
  }

  /** Raises the command word, so that the program listens at its next call. Once it is closed nobody does. */
  raise(count: number): void {
    if (this.#closed) return;
    const word = Buffer.alloc(4);
    word.writeUInt32LE(count >>> 0);
    writeSync(this.#fd, word, 0, 4, 4 * layout.header.command);
  }

  close(): void {
    this.#closed = true;
    closeSync(this.#fd);
  }

  #word(index: number): number {
    return this.#copy.readUInt32LE(index * 4);
  }

  /** A file that the program has cut short reads as zeroes. */
  #load(at: number, length: number): boolean {
    if (length === 0) return true;
    const got = readSync(this.#fd, this.#copy, at, length, at);
    if (got < length) this.#copy.fill(0, at + got, at + length);
    return got === length;
  }
}

// Trace memory. The file in which a traced program writes its calls (trace/layout.ts), made here and copied piece by piece.
// Only its bounds are believed: the program may have written, or cut, anything.
import { randomBytes } from "node:crypto";
import { closeSync, ftruncateSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rowsByIndex } from "../protocol/calls.ts";
import { keptOffset, keptRecordOffset, layout, recordOffset, taskTableOffset, traceBytes } from "./layout.ts";
import { taskTableBytes } from "./task-layout.ts";

const { capacity, headerBytes, keptCapacity, recordBytes } = layout;
/** By the 16 bits that name a call: 1 for those that move bytes, and leave every descriptor what it was. */
const moves = new Uint8Array(2 ** 16);
for (const [call, row] of rowsByIndex.entries()) if (row.moves) moves[call] = 1;
/** Places in a record, in 32-bit words; the time is 64 bits wide. */
const CALL = layout.record.call / 4;
const TOOK = layout.record.took / 8;
const FD = layout.record.args / 4;
const RESULT = layout.record.result / 4;
const ERRNO = layout.record.errno / 4;

/** A file of traceBytes zeroes that has no name: only a process that inherits the descriptor can reach it. */
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

/** A copy of the memory, of which load() brings up to date what is asked for. */
export class TraceMemory {
  readonly #fd: number;
  #closed = false;
  readonly #copy = Buffer.alloc(traceBytes);
  /** The same, to read a few words of each of very many records. */
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

  /** What head() read: records kept, and essential ones that were not. */
  kept(): { kept: number; missed: number } {
    return { kept: this.#word(layout.header.kept), missed: this.#word(layout.header.missed) };
  }

  /** The counts by name that head() read, into `counts`. @returns whether they add up to the head */
  counts(counts: Uint32Array): boolean {
    let sum = 0;
    for (let call = 0; call < counts.length; call++) {
      counts[call] = this.#word(layout.header.counts + call);
      sum += counts[call]!;
    }
    return sum >>> 0 === this.#word(layout.header.head);
  }

  /** Subtracts the records from index `from` up to and without `to`, as they were copied last, from counts by name. */
  subtract(counts: Uint32Array, from: number, to: number): void {
    for (let index = from; index !== to; index = (index + 1) >>> 0) {
      const call = this.#words[recordOffset(index) / 4 + CALL]! & 0xffff;
      if (call < counts.length) counts[call]!--;
    }
  }

  /** Copies the kept records from `from` up to and without `to`. */
  loadKept(from: number, to: number): void {
    const count = (to - from) >>> 0;
    const slot = from % keptCapacity;
    const straight = Math.min(count, keptCapacity - slot);
    this.#load(keptOffset + slot * recordBytes, straight * recordBytes);
    this.#load(keptOffset, (count - straight) * recordBytes);
  }

  /** A kept record as it was copied last, to be read now; and which call it is. */
  keptRecord(count: number): { index: number; record: Buffer } {
    const at = keptRecordOffset(count);
    const index = this.#copy.readUInt32LE(at + layout.record.keptIndex);
    return { index, record: this.#copy.subarray(at, at + recordBytes) };
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
    const at = recordOffset(index);
    const slot = index % capacity;
    this.#records[slot] ??= this.#copy.subarray(at, at + recordBytes);
    return this.#records[slot]!;
  }

  /**
   * Looks at a few words of a record: does its call only move bytes, and has it returned?
   * @returns its place in the table of calls, and leaves in fd, result and errno what they are; else 0
   */
  moved(index: number): number {
    const base = recordOffset(index) / 4;
    const call = this.#words[base + CALL]! & 0xffff;
    if (moves[call] !== 1 || this.#doubles[base / 2 + TOOK] === -1) return 0;
    this.fd = this.#words[base + FD]!;
    this.result = this.#words[base + RESULT]!;
    this.errno = this.#words[base + ERRNO]!;
    return call;
  }

  /** The table of tasks (task-layout.ts), as loadTasks() copied it last. */
  readonly taskTable: Buffer = this.#copy.subarray(taskTableOffset, taskTableOffset + taskTableBytes);

  /** Copies a part of the table of tasks. */
  loadTasks(at: number, length: number): void {
    if (!this.#closed) this.#load(taskTableOffset + at, length);
  }

  /** Raises the command word, so that the program reads its control socket at its next call. */
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

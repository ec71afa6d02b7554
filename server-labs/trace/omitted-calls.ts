// Omitted calls. The calls that are too many to show: a count for each name, and of some the whole record: of the newest,
// so that the last calls before a silence or a crash are always shown, and of those that matter in a flood.
import { limits, rowsByIndex, tracedCalls } from "../protocol.ts";
import { callOf, type Known } from "./decode.ts";

export interface OmittedCall {
  call: number;
  n: number;
  record: Buffer;
  known: Known | undefined;
  /** It differs from what the program repeats. */
  matters: boolean;
}

export class OmittedCalls {
  readonly #first: number;
  #count = 0;
  /** By place in the table of calls: half a million are counted in a second. */
  readonly #counts = new Float64Array(tracedCalls.length);
  #tail: OmittedCall[] = [];
  #kept: OmittedCall[] = [];
  #incomplete = false;

  constructor(first: number) {
    this.#first = first;
  }

  /** A call that is only counted. @param call its place in the table of calls; 0 for one that is not known */
  add(call: number): void {
    this.addMany(call, 1);
  }

  /** The same for `count` calls of one name. */
  addMany(call: number, count: number): void {
    this.#count += count;
    this.#counts[call]! += count;
    // It tears the tail: what follows it must be in one piece.
    if (this.#tail.length > 0) this.#drop(this.#tail.length);
  }

  /** Calls that opened or closed a descriptor are among those that are only counted. */
  lack(): void {
    this.#incomplete = true;
  }

  /** A call that may be among the newest; a copy is made. */
  addToTail(n: number, record: Buffer, known: Known, matters: boolean): void {
    const call = this.#one(record);
    this.#tail.push({ call, n, record: Buffer.from(record), known, matters });
    if (this.#tail.length >= 2 * limits.syscallsTail) this.#drop(limits.syscallsTail);
  }

  /** A call that matters; a copy is made. */
  keep(n: number, record: Buffer, known: Known): void {
    const call = this.#one(record);
    if (this.#tail.length > 0) this.#drop(this.#tail.length);
    this.#keep({ call, n, record: Buffer.from(record), known, matters: true });
  }

  replace(n: number, record: Buffer, known: Known, matters: boolean): boolean {
    const last = this.#tail.at(-1);
    if (last?.n !== n) return false;
    Object.assign(last, { record: Buffer.from(record), known, matters });
    return true;
  }

  /** @param room how many calls that matter may be shown; those that change descriptors come first */
  close(room: number) {
    const tail = this.#tail.slice(-limits.syscallsTail);
    this.#drop(this.#tail.length - tail.length);
    const kept = chosen(this.#kept, Math.max(0, Math.floor(room)));
    const changing = this.#kept.filter(changesDescriptors).length;
    const incomplete = this.#incomplete || changing > kept.filter(changesDescriptors).length;
    for (const { call } of [...kept, ...tail]) this.#counts[call]! -= 1;
    const byName = Object.fromEntries(
      tracedCalls.map((name, call) => [name, this.#counts[call]!] as const).filter(([, count]) => count > 0),
    );
    const { "?": lost = 0, ...known } = byName;
    const count = this.#count - tail.length - kept.length;
    return { first: this.#first, count, byName: known, lost, incomplete, kept, tail };
  }

  #one(record: Buffer): number {
    const call = callOf(record);
    this.#count++;
    this.#counts[call]! += 1;
    return call;
  }

  /** The oldest of the tail are counted, and kept only if they matter. */
  #drop(count: number): void {
    for (const one of this.#tail.splice(0, count)) if (one.matters) this.#keep(one);
  }

  /** Half of the room is for calls that change descriptors: without them no other can be understood. */
  #keep(one: OmittedCall): void {
    const room = changesDescriptors(one) ? limits.keptBurst : limits.keptBurst / 2;
    if (this.#kept.length < room) this.#kept.push(one);
    else if (changesDescriptors(one)) this.#incomplete = true;
  }
}

function changesDescriptors({ call }: OmittedCall): boolean {
  const { opens, opensTwo, closes } = rowsByIndex[call]!;
  return !!opens || !!opensTwo || !!closes;
}

function chosen(kept: readonly OmittedCall[], room: number): readonly OmittedCall[] {
  if (kept.length <= room) return kept;
  const changing = kept.filter(changesDescriptors).slice(0, room);
  const others = kept.filter(one => !changesDescriptors(one)).slice(0, room - changing.length);
  return [...changing, ...others].sort((a, b) => a.n - b.n);
}

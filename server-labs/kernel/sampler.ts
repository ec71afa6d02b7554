// Sampler. Looks at a program while a reader wants samples, as often as the reader that wants most, but never for more
// than a part of a processor. Where one look costs much there are fewer, and the sample says so. A sample that equals
// the one before is not sent again, but to a reader who has just come.
import { type KernelSample, kernelLimits } from "../protocol.ts";
import { Rates } from "./rates.ts";
import type { KernelLook } from "./sample.ts";

/** Clock, timers and program of a sampler; a test gives its own. */
export interface World {
  /** null: there is no process now. */
  look(): Promise<KernelLook | null>;
  /** Takes a sample that says something new. */
  emit(sample: KernelSample): void;
  /** Milliseconds. */
  now(): number;
  /** Milliseconds that this process has spent on processors. */
  spent(): number;
  /** Calls back later; the result keeps it from doing so. */
  later(ms: number, callback: () => void): () => void;
}

const forgetMs = 5000;

export class Sampler {
  readonly #world: World;
  readonly #wanted = new Set<{ everyMs: number }>();
  /** What one look costs, in milliseconds, the newer ones counting most. */
  #cost = 0;
  readonly #rates = new Rates();
  #looks = 0;
  #sockets = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;
  /** When the look began that gave the newest sample; null before the first. */
  sampledAt: number | null = null;
  #last: KernelSample | null = null;
  #sent = "";
  #looking: Promise<KernelSample | null> | null = null;
  #cancel: (() => void) | null = null;
  #closed = false;
  #hurried = false;

  constructor(world: World) {
    this.#world = world;
  }

  /**
   * A reader wants samples from now on, until the result is called.
   * @param everyMs milliseconds between them; at least kernelLimits.everyMs
   */
  want(everyMs: number): () => void {
    const reader = { everyMs: Math.max(everyMs, kernelLimits.everyMs) };
    this.#wanted.add(reader);
    this.#sent = "";
    this.#plan();
    return () => {
      this.#wanted.delete(reader);
      if (this.#wanted.size === 0) this.#rates.forgetBefore(Number.POSITIVE_INFINITY);
      this.#plan();
    };
  }

  /** Something has changed that the reader waits for: the next look comes as soon as the cost of looks allows. */
  hurry(): void {
    this.#hurried = true;
    this.#plan();
  }

  /** One sample now, or the newest where a look just now would be one too many; null when there is no process. */
  async once(): Promise<KernelSample | null> {
    if (this.#closed) return null;
    const soon = this.#lookedAt + this.#least() > this.#world.now();
    return soon && this.#last && !this.#looking ? this.#last : this.#take();
  }

  close(): void {
    this.#closed = true;
    this.#wanted.clear();
    this.#plan();
  }

  #plan(): void {
    this.#cancel?.();
    this.#cancel = null;
    if (this.#wanted.size === 0 || this.#closed || this.#looking) return;
    const rest = this.#hurried ? this.#least() : this.#every();
    const wait = Math.max(0, this.#lookedAt + rest - this.#world.now());
    this.#cancel = this.#world.later(wait, () => {
      this.#cancel = null;
      void this.#take();
    });
  }

  #asked(): number {
    return Math.min(...[...this.#wanted].map(({ everyMs }) => everyMs), 60_000);
  }

  /** The time between two looks that their cost demands, rounded up so that the number shown does not flicker. */
  #least(): number {
    // Without a second look there is no rate, and the first one costs more than it says of the others.
    if (this.#looks === 1) return kernelLimits.everyMs;
    const affordable = this.#cost / kernelLimits.share;
    return Math.max(kernelLimits.everyMs, Math.ceil(affordable / 50) * 50);
  }

  #every(): number {
    return Math.max(this.#asked(), this.#least());
  }

  #take(): Promise<KernelSample | null> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
      this.#plan();
    });
    return this.#looking;
  }

  async #look(): Promise<KernelSample | null> {
    const { now, spent } = this.#world;
    this.#lookedAt = now();
    // A change during the look may have come too late for it.
    this.#hurried = false;
    const [began, before] = [now(), spent()];
    const looked = await this.#world.look();
    if (looked === null || this.#closed) {
      this.#last = null;
      return null;
    }
    // The processor's time holds all that this process did meanwhile, the clock's holds waiting: the smaller is nearer.
    const cost = Math.max(0, Math.min(now() - began, spent() - before));
    // The first look finds everything new and costs twice what the others do: it does not count.
    this.#cost = this.#looks < 2 ? cost : 0.75 * this.#cost + 0.25 * cost;
    this.#looks++;
    this.sampledAt = began;
    this.#sockets = looked.sockets;
    const everyMs = this.#wanted.size > 0 ? this.#every() : this.#least();
    const { counted } = looked;
    // Looks that are asked for one by one: an earlier one of long ago is another time.
    if (this.#wanted.size === 0) this.#rates.forgetBefore(counted.at - forgetMs);
    const rates = this.#rates.at(counted);
    const sample = { everyMs, thin: this.#thin(everyMs), ...looked.sample, rates };
    this.#last = sample;
    // How long a look took says nothing new of the program.
    const { everyMs: _, thin, ...news } = sample;
    const text = JSON.stringify([thin !== null, news]);
    if (text !== this.#sent) this.#world.emit(sample);
    this.#sent = text;
    return sample;
  }

  #thin(everyMs: number): KernelSample["thin"] {
    if (this.#wanted.size === 0 || this.#looks < 2 || everyMs <= this.#asked()) return null;
    const takesMs = Math.max(1, Math.round(this.#cost));
    return { code: "samples-are-dear", sockets: this.#sockets, takesMs, everyMs };
  }
}

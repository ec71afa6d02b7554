// When to look: while somebody asks, as often as the one who asks most often, but never for more than a part of a
// processor. Where one look is dear, there are fewer, and a sentence says so. What is as before is not said again.
import { type KernelSample, kernelLimits } from "../protocol.ts";
import type { Looked } from "./look.ts";

/** What it needs of the world; a test gives its own. */
export interface World {
  /** null: there is no process now. */
  look(): Promise<{ sample: Looked; sockets: number } | null>;
  /** Takes a sample that says something new. */
  emit(sample: KernelSample): void;
  /** Milliseconds. */
  now(): number;
  /** Milliseconds that this process has spent on processors. */
  spent(): number;
  /** Calls back later; the result keeps it from doing so. */
  later(ms: number, callback: () => void): () => void;
}

export class Sampler {
  readonly #world: World;
  readonly #wanted = new Set<{ everyMs: number }>();
  /** What one look costs, in milliseconds, the newer ones counting most. */
  #cost = 0;
  #looks = 0;
  #sockets = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #last: KernelSample | null = null;
  #said = "";
  #looking: Promise<KernelSample | null> | null = null;
  #cancel: (() => void) | null = null;
  #closed = false;
  #hurried = false;

  constructor(world: World) {
    this.#world = world;
  }

  /**
   * Somebody wants samples from now on, until the result is called.
   * @param everyMs time between them; less than kernelLimits.everyMs is that
   */
  want(everyMs: number): () => void {
    const wish = { everyMs: Math.max(everyMs, kernelLimits.everyMs) };
    this.#wanted.add(wish);
    this.#plan();
    return () => {
      this.#wanted.delete(wish);
      this.#plan();
    };
  }

  /** Something has just changed that the eye waits for: the next look is as soon as looks may be. */
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

  /** The time between two looks that their cost asks for, rounded up: it is shown, and need not flicker. */
  #least(): number {
    const dear = this.#cost / kernelLimits.share;
    return Math.max(kernelLimits.everyMs, Math.ceil(dear / 50) * 50);
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
    // What comes while it looks may have come too late for it.
    this.#hurried = false;
    const [began, before] = [now(), spent()];
    const looked = await this.#world.look();
    if (looked === null || this.#closed) {
      this.#last = null;
      return null;
    }
    // The processor's time is of all that this process did meanwhile, the clock's holds waiting: the less is nearer.
    const cost = Math.min(now() - began, spent() - before);
    // The first look finds everything new and costs twice what the others do; it is no measure of them.
    this.#cost = this.#looks < 2 ? cost : 0.75 * this.#cost + 0.25 * cost;
    this.#looks++;
    this.#sockets = looked.sockets;
    const everyMs = this.#wanted.size > 0 ? this.#every() : this.#least();
    const sample = { everyMs, thin: this.#thin(everyMs), ...looked.sample };
    this.#last = sample;
    // How long a look took is no news of the program.
    const { everyMs: _, thin, ...news } = sample;
    const said = JSON.stringify([thin !== null, news]);
    if (said !== this.#said) this.#world.emit(sample);
    this.#said = said;
    return sample;
  }

  #thin(everyMs: number): string | null {
    if (this.#wanted.size === 0 || this.#looks < 2 || everyMs <= this.#asked()) return null;
    const sockets = new Intl.NumberFormat("en").format(this.#sockets);
    const takes = Math.max(1, Math.round(this.#cost));
    const every = everyMs < 1000 ? `${everyMs} ms` : `${(everyMs / 1000).toFixed(1)} s`;
    return `${sockets} sockets on this machine: one look takes ${takes} ms, so there is one each ${every}.`;
  }
}

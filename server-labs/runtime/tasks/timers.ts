// Timers. A binary heap of moments: the first that is due is found at once, and each can be removed.

export interface Timer {
  /** A moment of performance.now(), in milliseconds. */
  readonly at: number;
  readonly due: () => void;
  /** Its place in the heap; -1 when it is not in it (any more). */
  index: number;
}

export class Timers {
  readonly #heap: Timer[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** When the first timer is due; null without timers. */
  get next(): number | null {
    return this.#heap[0]?.at ?? null;
  }

  add(at: number, due: () => void): Timer {
    const timer = { at, due, index: this.#heap.length };
    this.#heap.push(timer);
    this.#up(timer);
    return timer;
  }

  /** Removes a timer; one that was due, or was removed, is left alone. */
  remove(timer: Timer): void {
    const { index } = timer;
    if (index === -1) return;
    timer.index = -1;
    const last = this.#heap.pop()!;
    if (last === timer) return;
    this.#put(last, index);
    this.#up(last);
    this.#down(last);
  }

  /** Calls all timers that are due at this moment, the earliest first. */
  fire(now: number): void {
    for (let first = this.#heap[0]; first && first.at <= now; first = this.#heap[0]) {
      this.remove(first);
      first.due();
    }
  }

  #put(timer: Timer, index: number): void {
    this.#heap[index] = timer;
    timer.index = index;
  }

  #up(timer: Timer): void {
    while (timer.index > 0) {
      const above = this.#heap[(timer.index - 1) >> 1]!;
      if (above.at <= timer.at) return;
      const { index } = above;
      this.#put(above, timer.index);
      this.#put(timer, index);
    }
  }

  #down(timer: Timer): void {
    while (true) {
      const [left, right] = [this.#heap[2 * timer.index + 1], this.#heap[2 * timer.index + 2]];
      const below = right && left && right.at < left.at ? right : left;
      if (!below || below.at >= timer.at) return;
      const { index } = below;
      this.#put(below, timer.index);
      this.#put(timer, index);
    }
  }
}

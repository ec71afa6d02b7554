// Keyed queue. Runs the work of one key one after the other: of two saves that know the same text, the second sees
// what the first wrote. Work of different keys runs at the same time.

export class KeyedQueue {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs the work when all earlier work of this key has settled. The result and the error are the work's own. */
  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const result = (this.#last.get(key) ?? Promise.resolve()).then(work);
    const settled = result
      .catch(() => {})
      .then(() => {
        if (this.#last.get(key) === settled) this.#last.delete(key);
      });
    this.#last.set(key, settled);
    return result;
  }
}

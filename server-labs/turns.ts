// One after the other for each name: of two saves that know the same text, the second sees the first.

export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Does the work when all work of this name that was asked before has ended, well or badly. */
  take<T>(name: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#last.get(name) ?? Promise.resolve()).then(work);
    const settled = turn
      .catch(() => {})
      .then(() => {
        if (this.#last.get(name) === settled) this.#last.delete(name);
      });
    this.#last.set(name, settled);
    return turn;
  }
}

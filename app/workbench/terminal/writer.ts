// Terminal writer. Gives a terminal its words a piece at a time, in turns: the worst megabyte that a program can print
// takes no frame from the page.

/** What it needs of xterm. */
export interface WritesText {
  write(text: string, written?: () => void): void;
}

/** Milliseconds of one turn; then the page has its own. */
const turnMs = 8;

export class Writer {
  readonly #terminal: WritesText;
  readonly #now: () => number;
  #queue: { pieces: Iterator<string>; written: () => void }[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param now the clock, in milliseconds */
  constructor(terminal: WritesText, now = () => performance.now()) {
    this.#terminal = terminal;
    this.#now = now;
  }

  /**
   * Writes these pieces behind those that wait. What fits into the turn is written before the call returns.
   * @param written called when the terminal has parsed the last one
   */
  add(pieces: Iterable<string>, written: () => void = () => {}): void {
    this.#queue.push({ pieces: pieces[Symbol.iterator](), written });
    if (this.#timer === undefined) this.#turn();
  }

  /** Forgets what waits. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#queue = [];
  }

  #turn(): void {
    this.#timer = undefined;
    const end = this.#now() + turnMs;
    let done = 0;
    for (const { pieces, written } of this.#queue) {
      for (let next = pieces.next(); !next.done; next = pieces.next()) {
        this.#terminal.write(next.value);
        if (this.#now() < end) continue;
        this.#queue.splice(0, done);
        this.#timer = setTimeout(() => this.#turn());
        return;
      }
      this.#terminal.write("", written);
      done++;
    }
    this.#queue = [];
  }
}

/** The pieces as one text. Only where they take longer than a turn, the page has its own turns in between. */
export async function joinedInTurns(
  pieces: Iterable<string>,
  now = () => performance.now(),
): Promise<string> {
  let text = "";
  let end = now() + turnMs;
  for (const piece of pieces) {
    text += piece;
    if (now() < end) continue;
    await new Promise(resolve => setTimeout(resolve));
    end = now() + turnMs;
  }
  return text;
}

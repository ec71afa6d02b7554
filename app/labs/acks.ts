// Acknowledgements. How far the page has shown a run's events. The lab server sends at most a window of unacknowledged events:
// a slow terminal must slow it down, and a page without a terminal must not stall it.

/** The acknowledgements of one run. Sequence numbers in, the number to send out. */
export class Acks {
  #received = -1;
  /** The newest output that a terminal was given, and the newest that it has written. */
  #given = -1;
  #written = -1;
  #sent = -1;
  #terminals = 0;

  /** @param shown whether terminals were given it: it is output, and did not come a second time after a break */
  received(seq: number, shown: boolean): void {
    this.#received = Math.max(this.#received, seq);
    if (shown && this.#terminals > 0) this.#given = seq;
  }

  /** A terminal has written everything up to and including seq. */
  written(seq: number): void {
    this.#written = Math.max(this.#written, seq);
  }

  /** A terminal begins to answer for what it is given. @returns ends that, as when it is taken off the page. */
  terminal(): () => void {
    this.#terminals++;
    let here = true;
    return () => {
      if (here) this.#terminals--;
      here = false;
    };
  }

  /** A new connection: the lab server counts from what it sends there. */
  reconnected(): void {
    this.#sent = -1;
  }

  /** The seq to acknowledge now, or null when there is nothing new to say. */
  due(): number | null {
    // A gap in the numbers is no reason to wait: what was written last stands for all before it.
    const waits = this.#terminals > 0 && this.#written < this.#given;
    const shown = waits ? this.#written : this.#received;
    if (shown <= this.#sent) return null;
    this.#sent = shown;
    return shown;
  }
}

// The octets of one connection, either way: what came, and how much of it somebody has taken; what is to go, and how
// much of that the kernel has taken.

export class Received {
  /** Of all that came. */
  bytes = 0;
  /** Octets taken so far: where `left` begins in all that came. */
  taken = 0;
  readonly #keeps: boolean;
  #pieces: Buffer[] = [];

  /** @param keeps false: they are counted, and gone */
  constructor(keeps: boolean) {
    this.#keeps = keeps;
  }

  add(octets: Buffer): void {
    if (this.#keeps) this.#pieces.push(octets);
    this.bytes += octets.length;
  }

  /** All that came and was kept. Joined once, when somebody asks. */
  get all(): Buffer {
    if (this.#pieces.length > 1) this.#pieces = [Buffer.concat(this.#pieces)];
    return this.#pieces[0] ?? Buffer.alloc(0);
  }

  /** What came and is not taken yet. */
  get left(): Buffer {
    return this.all.subarray(this.taken);
  }
}

export class Outgoing {
  /** Of what is to go and has not gone. */
  bytes = 0;
  /** Of what the kernel has taken. */
  takenBytes = 0;
  readonly #pieces: Buffer[] = [];

  add(octets: Buffer): void {
    this.#pieces.push(octets);
    this.bytes += octets.length;
  }

  /** Sends until all has gone, or the kernel takes no more. @param send how many it took; null: none, for now */
  flush(send: (octets: Buffer) => number | null): void {
    while (this.#pieces.length > 0) {
      const [next] = this.#pieces as [Buffer];
      const took = send(next);
      if (took === null) return;
      this.bytes -= took;
      this.takenBytes += took;
      if (took < next.length) this.#pieces[0] = next.subarray(took);
      else this.#pieces.shift();
    }
  }
}

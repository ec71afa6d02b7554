// Calls. The system calls that a program made, in order, and what a check asks of them.
// A *rest* is a call in which the program slept and found nothing. A *turn* is one look at every client: it ends with a
// rest, or when the program comes back to a client that it has asked before. (A server that has only new clients and does
// not rest shows no turns: give it a client that stays and says nothing.)
import { type CallRecord, callRows, portOf, timeoutMs } from "../protocol.ts";

export class Calls implements Iterable<CallRecord> {
  readonly list: readonly CallRecord[];
  /** Calls in between that were made too fast to be seen. */
  readonly missed: number;

  constructor(list: readonly CallRecord[], missed = 0) {
    this.list = list;
    this.missed = missed;
  }

  get length(): number {
    return this.list.length;
  }

  get last(): CallRecord | undefined {
    return this.list.at(-1);
  }

  [Symbol.iterator](): Iterator<CallRecord> {
    return this.list[Symbol.iterator]();
  }

  where(test: (call: CallRecord) => boolean): Calls {
    return new Calls(this.list.filter(test), this.missed);
  }

  named(...names: string[]): Calls {
    return this.where(call => names.includes(call.call));
  }

  /** Calls about this descriptor. */
  on(fd: number | null | undefined): Calls {
    return this.where(call => call.fd !== null && call.fd === fd);
  }

  /** Calls about the connection whose other end has this port. */
  with(port: number): Calls {
    return this.where(({ peer }) => peer !== null && portOf(peer) === port);
  }

  /** Calls that have begun after this moment of clock(). */
  after(at: number): Calls {
    return this.where(call => call.at > at);
  }

  /** Connections taken from the accept queue. */
  get accepted(): Calls {
    return this.where(({ call, returned, took }) => call === "accept4" && returned >= 0 && took !== null);
  }

  /** Reads that returned: something, nothing more, or an error; not "would block". */
  get reads(): Calls {
    return this.where(call => asks(call) && call.took !== null && call.errno !== "EAGAIN");
  }

  /** How many bytes were read. */
  get bytesRead(): number {
    return this.reads.list.reduce((sum, call) => sum + Math.max(0, call.returned), 0);
  }

  /** Calls in which the program slept, or sleeps now, with nothing found. */
  get rests(): Calls {
    return this.where(isRest);
  }

  /** The same calls, turn by turn; see above. The rest belongs to the turn that it ends. */
  get turns(): Calls[] {
    const turns: CallRecord[][] = [];
    let turn: CallRecord[] = [];
    let seen = new Set<number>();
    let looking: number | null = null;
    const finish = () => {
      if (turn.length > 0) turns.push(turn);
      turn = [];
      seen = new Set();
      looking = null;
    };
    for (const call of this.list) {
      const fd = asks(call) ? call.fd : null;
      if (fd !== null && fd !== looking && seen.has(fd)) finish();
      if (fd !== null) {
        seen.add(fd);
        looking = fd;
      }
      // After an accept4 the next look at the same client is a new one.
      if (call.call === "accept4") looking = null;
      // A number is given again as soon as it is free: the next look at it is at another client.
      if (call.call === "close" && call.fd !== null) seen.delete(call.fd);
      turn.push(call);
      if (isRest(call)) finish();
    }
    if (turn.length > 0) turns.push(turn);
    return turns.map(list => new Calls(list, this.missed));
  }
}

/** A look at a client: is there anything? (The listener may be asked between clients, any number of times.) */
function asks({ call }: CallRecord): boolean {
  return callRows[call].moves === "in";
}

function isRest(call: CallRecord): boolean {
  if (callRows[call.call].sleeps === "always") return true;
  const limit = timeoutMs(call);
  return limit !== null && limit !== 0 && (call.took === null || call.returned === 0);
}

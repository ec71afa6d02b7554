// System calls that a program made, in order: what a check asks of them.
// A *rest* is a call in which the program slept and found nothing; a *turn* is one look at everybody: it ends
// with a rest, or when the program comes back to a client that it has asked before. (A server that has nobody
// to come back to, and does not rest, shows no turns: give it a client who stays and says nothing.)
import { callsWithoutFd } from "../trace-layout.ts";

/** One traced system call. */
export interface Call {
  /** Counts the program's calls from 0. */
  n: number;
  name: string;
  /** When it began, in milliseconds of CLOCK_MONOTONIC: compare with clock(). */
  at: number;
  /** Microseconds until it returned, NaN where that was not measured; null while the program is in there. */
  took: number | null;
  /** The numbers that it was given; args[0] is the descriptor where the call is about one. */
  args: readonly number[];
  returned: number;
  /** "EAGAIN"; null when it did not fail. */
  errno: string | null;
  /** The port of the address that it was given or gave: the peer's, in accept4. */
  port: number | null;
  /** Line of the program's source, where known. */
  line: number | null;
}

/** Milliseconds on the clock of Call.at. */
export const clock = () => Number(process.hrtime.bigint()) / 1e6;

export class Calls implements Iterable<Call> {
  readonly list: readonly Call[];
  /** Calls in between that were made too fast to be seen. */
  readonly missed: number;

  constructor(list: readonly Call[], missed = 0) {
    this.list = list;
    this.missed = missed;
  }

  get length(): number {
    return this.list.length;
  }

  get last(): Call | undefined {
    return this.list.at(-1);
  }

  [Symbol.iterator](): Iterator<Call> {
    return this.list[Symbol.iterator]();
  }

  where(test: (call: Call) => boolean): Calls {
    return new Calls(this.list.filter(test), this.missed);
  }

  named(...names: string[]): Calls {
    return this.where(call => names.includes(call.name));
  }

  /** Calls about this descriptor. */
  on(fd: number | null | undefined): Calls {
    return this.where(call => call.args[0] === fd && !callsWithoutFd.has(call.name));
  }

  /** Calls that have begun after this moment of clock(). */
  after(at: number): Calls {
    return this.where(call => call.at > at);
  }

  /** Connections taken from the accept queue. */
  get accepted(): Calls {
    return this.where(call => call.name === "accept4" && call.returned >= 0 && call.took !== null);
  }

  /** Reads that returned: something, nothing more, or an error; not "would block". */
  get reads(): Calls {
    return this.where(
      call => (call.name === "recv" || call.name === "read") && call.took !== null && call.errno !== "EAGAIN",
    );
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
    const turns: Call[][] = [];
    let turn: Call[] = [];
    let seen = new Set<number>();
    let looking: number | null = null;
    const finish = () => {
      if (turn.length > 0) turns.push(turn);
      turn = [];
      seen = new Set();
      looking = null;
    };
    for (const call of this.list) {
      const fd = asks(call) ? call.args[0]! : null;
      if (fd !== null && fd !== looking && seen.has(fd)) finish();
      if (fd !== null) {
        seen.add(fd);
        looking = fd;
      }
      // To have looked at the door in between makes the next look at the same client a new one.
      if (call.name === "accept4") looking = null;
      // A number is given again as soon as it is free: this is another client, and no second look.
      if (call.name === "close") seen.delete(call.args[0]!);
      turn.push(call);
      if (isRest(call)) finish();
    }
    if (turn.length > 0) turns.push(turn);
    return turns.map(list => new Calls(list, this.missed));
  }
}

/** A look at a client: is there anything? (The listener may be asked between clients, as often as one likes.) */
function asks(call: Call): boolean {
  return call.name === "recv" || call.name === "read";
}

function isRest(call: Call): boolean {
  if (call.name === "nanosleep") return true;
  const timeout = call.name === "poll" ? call.args[2]! : call.name === "epoll_wait" ? call.args[3]! : 0;
  return timeout !== 0 && (call.took === null || call.returned === 0);
}

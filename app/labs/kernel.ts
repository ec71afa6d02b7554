// Kernel log. The newest kernel sample of a run whole, and the rates of the older ones, of which lines are drawn.
// A sample without news is not sent: between two samples everything is as the earlier one says.
import {
  type EventOf,
  type KernelConnection,
  type KernelRates,
  parseEndpoint,
} from "../../server-labs/protocol.ts";

/** The rates at one moment of the run. */
interface Point {
  /** Milliseconds since the run began. */
  at: number;
  /** Null: the first sample after a time without samples. */
  rates: KernelRates | null;
}

/** The last minute is drawn. */
const keptMs = 60_000;

/** Where the workbook's own clients come from. */
const isLoopback = (host: string): boolean => host === "127.0.0.1" || host === "::1";

export class KernelLog {
  /** Changes whenever something came. */
  version = 0;
  /** How many samples have come. */
  samples = 0;
  sample: EventOf<"kernel"> | null = null;
  /** What the program's tasks do; null for a program without tasks. */
  tasks: EventOf<"tasks"> | null = null;
  /** The oldest first. */
  points: Point[] = [];
  /** When the kernel was looked at last, and until when all is known, in milliseconds of the run. */
  #sampled = 0;
  #until = 0;
  /** The page's clock when it heard that. */
  #heardAt = 0;
  /** By the client's port: what the Clients pane calls it, and whether its connection is over. */
  readonly #clients = new Map<number, { who: string; visit: string; isOver: boolean }>();

  /** What the Clients pane calls the client at the other end; undefined when it is another program's. */
  nameOf({ peer, state }: Pick<KernelConnection, "peer" | "state">): string | undefined {
    const at = parseEndpoint(peer);
    const client = at && isLoopback(at.host) ? this.#clients.get(at.port) : undefined;
    // Open, though the client has left: another program has got its port.
    return client && !(client.isOver && state === "ESTABLISHED") ? client.who : undefined;
  }

  add(event: EventOf<"kernel"> | EventOf<"tasks"> | EventOf<"visit">): void {
    this.version++;
    if (event.type === "tasks") {
      this.tasks = event;
      return;
    }
    if (event.type === "visit") {
      this.#addStep(event);
      return;
    }
    this.sample = event;
    this.samples++;
    const { at } = event;
    this.addClock(at, at);
    this.points.push({ at, rates: event.sample.rates });
    const from = this.points.findIndex(point => point.at >= at - keptMs);
    // What was so before the minute is where the minute begins.
    if (from > 256) this.points = this.points.slice(from - 1);
  }

  /** The kernel was looked at, with nothing new since the newest sample. */
  addClock(at: number, sampled: number | null): void {
    this.version++;
    this.#sampled = Math.max(this.#sampled, sampled ?? 0);
    this.#until = at;
    this.#heardAt = performance.now();
  }

  /** How old the newest look at the kernel is, in milliseconds, by the lab server's clock and the time since it was heard. */
  age(now: number = performance.now()): number {
    return Math.max(0, this.#until - this.#sampled + now - this.#heardAt);
  }

  #addStep({ visit, what, who, port, ports = [] }: EventOf<"visit">): void {
    const isOver = what === "closed" || what === "reset" || what === "refused";
    if (port !== undefined) this.#clients.set(port, { who, visit, isOver });
    for (const [i, one] of ports.entries())
      this.#clients.set(one, { who: `client ${i + 1}`, visit, isOver: false });
    if (what !== "done") return;
    for (const client of this.#clients.values()) if (client.visit === visit) client.isOver = true;
  }

  /** The rates at a moment of the run, as the newest sample before it says; null where there was none, or they are not known. */
  ratesAt(at: number): KernelRates | null {
    let low = 0;
    let high = this.points.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.points[middle]!.at <= at) low = middle + 1;
      else high = middle;
    }
    const [point, next] = [this.points[low - 1], this.points[low]];
    // Between two readers there were no samples: how it was then is not known.
    return point && next?.rates === null && at > point.at ? null : (point?.rates ?? null);
  }
}

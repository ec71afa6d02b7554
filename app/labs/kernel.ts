// What the kernel knows of one run, as it came: the newest sample whole, and of those before it the few numbers that a
// rate needs. A sample that says nothing new is not sent, so between two of them everything is as the earlier one says.
import type { EventOf } from "../../server-labs/protocol.ts";

/** What is counted, at one moment of the run. */
export interface Point {
  /** Milliseconds since the run began. */
  at: number;
  cpuMs: number;
  rssBytes: number;
  ready: number;
  waiting: number;
  failed: number;
  unseen: number;
}

/** The last minute is drawn; a little more is kept, so that a rate at its beginning is right. */
const keptMs = 65_000;

export class KernelLog {
  /** Changes whenever something came. */
  version = 0;
  sample: EventOf<"kernel"> | null = null;
  /** The oldest first. */
  points: Point[] = [];
  /** Port of a client → what the Clients pane calls it: "client 3". */
  readonly names = new Map<number, string>();

  add(event: EventOf<"kernel"> | EventOf<"visit">): void {
    this.version++;
    if (event.type === "visit") {
      if (event.port !== undefined) this.names.set(event.port, event.who);
      for (const [i, port] of (event.ports ?? []).entries()) this.names.set(port, `client ${i + 1}`);
      return;
    }
    this.sample = event;
    const { at } = event;
    const { cpuMs, rssBytes, calls } = event.sample;
    this.points.push({ at, cpuMs, rssBytes, ...calls });
    const from = this.points.findIndex(point => point.at >= at - keptMs);
    // What was so before the minute is where the minute begins.
    if (from > 256) this.points = this.points.slice(from - 1);
  }

  /** How things were at a moment of the run: as the newest sample before it says. */
  pointAt(at: number): Point | null {
    let low = 0;
    let high = this.points.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.points[middle]!.at <= at) low = middle + 1;
      else high = middle;
    }
    return this.points[low - 1] ?? null;
  }

  /** How much of something there was in each second, over the second that ends at `at`. */
  perSecond(of: Exclude<keyof Point, "at">, at: number): number {
    const now = this.pointAt(at);
    const before = this.pointAt(at - 1000) ?? this.points[0];
    if (!now || !before) return 0;
    // The first sample tells what was before it, too: a rate begins with the second.
    const seconds = Math.max(0.1, Math.min(1, (at - this.points[0]!.at) / 1000));
    return (now[of] - before[of]) / seconds;
  }
}

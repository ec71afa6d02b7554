// The newest events of one kind, oldest first, within a bound: what a flood of them evicts is of their own kind.
import type { Event } from "../protocol.ts";

export interface Entry {
  event: Event;
  /** As bytes of JSON. */
  size: number;
  /** What it costs its lane. */
  weight: number;
}

export interface Lane {
  entries: Entry[];
  /** Entries before this index are evicted; the array is cut when half of it is. */
  start: number;
  weight: number;
  limit: number;
}

export function lane(limit: number): Lane {
  return { entries: [], start: 0, weight: 0, limit };
}

export function keep(lane: Lane, entry: Entry): void {
  lane.entries.push(entry);
  lane.weight += entry.weight;
  // The newest always stays, however large: a log never ends in a hole.
  while (lane.weight > lane.limit && lane.start < lane.entries.length - 1) {
    lane.weight -= lane.entries[lane.start]!.weight;
    lane.entries[lane.start++] = undefined as never;
  }
  if (lane.start > 1024 && lane.start * 2 > lane.entries.length) {
    lane.entries.splice(0, lane.start);
    lane.start = 0;
  }
}

/** Index of the first kept entry with a seq of at least `from`. */
export function find(lane: Lane, from: number): number {
  let low = lane.start;
  let high = lane.entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lane.entries[middle]!.event.seq < from) low = middle + 1;
    else high = middle;
  }
  return low;
}

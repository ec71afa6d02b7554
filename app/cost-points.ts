// Cost points. What a program that measures wake-ups prints as lines of JSON, and where its points lie on log axes.

/** One measured row. */
export interface CostRow {
  /** How many of the descriptors are ready: one, or all. */
  ready: string;
  /** How many descriptors are watched. */
  count: number;
  /** Microseconds by the way of waiting: sweep, poll, epoll. */
  costs: Readonly<Record<string, number>>;
}

/** Microseconds and descriptors at the ends of the axes: whole powers of ten. */
export interface Axes {
  x: readonly [number, number];
  y: readonly [number, number];
}

const isPositive = (value: unknown): value is number => typeof value === "number" && value > 0;

/** The row of one line; null for a line that holds no row. */
function costRowOf(line: string): CostRow | null {
  try {
    const { ready, count, ...costs } = JSON.parse(line) as Record<string, unknown>;
    const right = typeof ready === "string" && isPositive(count) && Object.values(costs).every(isPositive);
    return right ? { ready, count, costs: costs as Record<string, number> } : null;
  } catch {
    return null;
  }
}

/** The rows of whole lines; text behind the last line feed is not read yet. */
export function costRowsIn(text: string): CostRow[] {
  const lines = text.slice(0, text.lastIndexOf("\n") + 1).split("\n");
  return lines.flatMap(line => costRowOf(line) ?? []);
}

/** The powers of ten that hold all rows. */
export function axesOf(rows: readonly CostRow[]): Axes {
  const decades = (values: number[]): readonly [number, number] => [
    10 ** Math.floor(Math.log10(Math.min(...values))),
    10 ** Math.ceil(Math.log10(Math.max(...values))),
  ];
  return {
    x: decades(rows.map(row => row.count)),
    y: decades(rows.flatMap(row => Object.values(row.costs))),
  };
}

/** The powers of ten on an axis. */
export function ticksOf([from, to]: readonly [number, number]): number[] {
  const ticks = [];
  for (let tick = from; tick <= to * 1.001; tick *= 10) ticks.push(tick);
  return ticks;
}

/** Where a value lies on a log axis: 0 at its beginning, 1 at its end. */
export function onAxis(value: number, [from, to]: readonly [number, number]): number {
  return Math.log10(value / from) / Math.log10(to / from);
}

/** "4.6 µs", "22 ms", "1 s": two digits. */
export function formatMicroseconds(value: number): string {
  const [number, unit] = value < 1e3 ? [value, "µs"] : value < 1e6 ? [value / 1e3, "ms"] : [value / 1e6, "s"];
  return `${Number(number.toPrecision(2))} ${unit}`;
}

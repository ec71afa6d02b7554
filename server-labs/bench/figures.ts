// Figures. Medians and ratios from a machine that does other things too. Pairs are measured in turns, round by round, and
// the result is the median of the rounds' ratios: a disturbance that lasts longer than a round hits both sides of a pair.

/** The middle of some numbers, with the ends. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

/** @throws Error when there are no numbers: nothing was measured */
export function spread(numbers: readonly number[]): Spread {
  if (numbers.length === 0) throw new Error("nothing was measured");
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}

/** The ratio of each pair, a round's one by the same round's other. */
export function ratios(these: readonly number[], by: readonly number[]): Spread {
  if (these.length !== by.length)
    throw new Error(`${these.length} rounds cannot be paired with ${by.length}`);
  return spread(these.map((one, i) => one / by[i]!));
}

/**
 * Measures all in turns: every round starts with another measure, so that no measure is always first.
 * @returns the figures of each, in the order of the rounds
 */
export async function inTurns<T>(rounds: number, measures: readonly (() => Promise<T>)[]): Promise<T[][]> {
  const figures: T[][] = measures.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < measures.length; i++) {
      const which = (round + i) % measures.length;
      figures[which]!.push(await measures[which]!());
    }
  }
  return figures;
}

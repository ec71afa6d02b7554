// Line diff. Which lines of one text stay, go and come on the way to another, by the longest common subsequence.

export interface DiffLine {
  sign: " " | "-" | "+";
  text: string;
}

/** The lines of both texts; what goes is before what comes in its place. */
export function lineDiff(before: readonly string[], after: readonly string[]): DiffLine[] {
  // same[i][j]: the most lines that before[i..] and after[j..] have in common, in order.
  const same = Array.from({ length: before.length + 1 }, () => new Uint16Array(after.length + 1));
  for (let i = before.length - 1; i >= 0; i--)
    for (let j = after.length - 1; j >= 0; j--)
      same[i]![j] =
        before[i] === after[j] ? same[i + 1]![j + 1]! + 1 : Math.max(same[i + 1]![j]!, same[i]![j + 1]!);
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      lines.push({ sign: " ", text: before[i++]! });
      j++;
    } else if (i < before.length && (j === after.length || same[i + 1]![j]! >= same[i]![j + 1]!))
      lines.push({ sign: "-", text: before[i++]! });
    else lines.push({ sign: "+", text: after[j++]! });
  }
  return lines;
}

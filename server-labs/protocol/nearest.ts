// Spelling suggestions. The known word that was probably meant, by Damerau and Levenshtein's edit distance.

/**
 * The end of a sentence about a word that is not known: " Did you mean x?" if one is near, and what there is.
 * @param what plural noun for the known words: "checks", "regions of starter.ts"
 */
export function suggestion(word: string, known: readonly string[], what: string): string {
  if (known.length === 0) return ` There are no ${what}.`;
  const near = nearest(word, known);
  return near ? ` Did you mean "${near}"?` : ` The ${what} are: ${known.join(", ")}.`;
}

/** The known word with the fewest edits from `word`, if that is at most a third of its length (and at least 2). */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const edits = distance(word.toLowerCase(), candidate.toLowerCase());
    if (edits < least) [best, least] = [candidate, edits];
  }
  return best;
}

/** Number of edits from a to b: inserted, left out, replaced, or two neighbours swapped ("recieve"). */
function distance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let d = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        d = Math.min(d, rows[i - 2]![j - 2]! + 1);
      row.push(d);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}

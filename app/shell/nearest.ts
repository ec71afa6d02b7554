// Which lesson an address that leads nowhere was probably meant for.

/** The lesson whose id is nearest to what was asked, if any is near at all. */
export function nearest(asked: string, ids: string[]): string | null {
  const tail = (id: string) => id.split("/").at(-1)!;
  // A folder's name with its number is the likeliest mistake of somebody who looks at the files.
  const plain = asked.toLowerCase().replace(/(^|\/)\d+-/g, "$1");
  let best: { id: string; far: number } | null = null;
  for (const id of ids) {
    const far = Math.min(distance(plain, id), distance(tail(plain), tail(id)) + 0.5);
    if (!best || far < best.far) best = { id, far };
  }
  return best && best.far <= Math.max(3, tail(best.id).length / 2) ? best.id : null;
}

/** Levenshtein's: how many letters must be added, taken away or changed. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, change));
    }
    row = next;
  }
  return row[b.length]!;
}

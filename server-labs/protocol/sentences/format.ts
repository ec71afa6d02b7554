// Formatting. Numbers, durations and counts as every sentence writes them.

/** 4194304 → "4,194,304". */
export function grouped(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** (1, "client") → "1 client"; (50, "client") → "50 clients". */
export function count(n: number, noun: string): string {
  return `${grouped(n)} ${noun}${n === 1 ? "" : "s"}`;
}

/** Milliseconds: 1.234 → "1.2 ms"; 48.2 → "48 ms"; 1480 → "1.5 s". */
export function duration(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}

/** A text of a caller inside a sentence: quoted, in one line, at most 80 characters. */
export function quotedWord(text: string): string {
  const plain = JSON.stringify(text);
  return plain.length > 80 ? `${plain.slice(0, 79)}…"` : plain;
}

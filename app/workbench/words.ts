// Numbers, sizes and times in words, one way everywhere in the workbench.

const grouped = new Intl.NumberFormat("en");

/** 1234 → "1,234" */
export const number = (value: number): string => grouped.format(value);

/** (1, "line") → "1 line"; (180412, "line") → "180,412 lines" */
export const count = (value: number, noun: string): string =>
  `${number(value)} ${noun}${value === 1 ? "" : "s"}`;

/** Decimal units, as rates and files are spoken of: 812 → "812 bytes", 12841233 → "12.8 MB". */
export function bytesInWords(bytes: number): string {
  if (bytes < 1000) return count(bytes, "byte");
  const [unit, size] = bytes < 1e6 ? ["kB", 1e3] : bytes < 1e9 ? ["MB", 1e6] : (["GB", 1e9] as const);
  return `${(bytes / Number(size)).toFixed(1)} ${unit}`;
}

/** Milliseconds → "340 ms", "3.2 s", "12 min". */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 100_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.round(ms / 60_000)} min`;
}

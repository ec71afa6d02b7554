// Formats. Numbers, sizes and durations in words, for the whole workbench.
import { count } from "../../server-labs/protocol.ts";

const grouped = new Intl.NumberFormat("en");

/** 1234 → "1,234" */
export const number = (value: number): string => grouped.format(value);

const short = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
/** A count for a narrow place: all of its digits up to 99,999, then "123K", "2.46M". */
export const roundedCount = (value: number): string =>
  value < 100_000 ? number(value) : short.format(value);

/** Decimal units, as rates and files are spoken of: 812 → "812 bytes", 12841233 → "12.8 MB". */
export function bytesInWords(bytes: number): string {
  if (bytes < 1000) return count(bytes, "byte");
  const [unit, size] = bytes < 1e6 ? ["kB", 1e3] : bytes < 1e9 ? ["MB", 1e6] : (["GB", 1e9] as const);
  return `${(bytes / Number(size)).toFixed(1)} ${unit}`;
}

/** Milliseconds → "340 ms", "3.2 s", "12 min". */
export function roundedDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 100_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.round(ms / 60_000)} min`;
}

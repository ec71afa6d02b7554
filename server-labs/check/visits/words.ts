// How the visitor speaks: octets as a person can type them again, times and sizes in one form.
import { count } from "../journal.ts";

const named: Record<number, string> = { 9: "\\t", 10: "\\n", 13: "\\r", 92: "\\\\" };

/** Octets as text that octetsOf (protocol/visits.ts) reads back: what is not printable ASCII is escaped. */
export function escaped(octets: Uint8Array, most: number): string {
  let text = "";
  for (const octet of octets.subarray(0, most)) {
    text +=
      named[octet] ??
      (octet >= 32 && octet < 127 ? String.fromCharCode(octet) : `\\x${octet.toString(16).padStart(2, "0")}`);
  }
  return text;
}

/** 1.234 → "1.2 ms"; 48.2 → "48 ms"; 1480 → "1.5 s" */
export function ms(value: number): string {
  if (value >= 1000) return `${(value / 1000).toFixed(1)} s`;
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}

export const octets = (n: number): string => count(n, "octet");
export const clients = (n: number): string => count(n, "client");
/** (1, "waits", "wait") → "1 waits" */
export const verb = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`;

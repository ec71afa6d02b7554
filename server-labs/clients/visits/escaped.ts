// Escaped bytes. Bytes as text that a person can type again, and that bytesOf (protocol/visits.ts) reads back.

const named: Record<number, string> = { 9: "\\t", 10: "\\n", 13: "\\r", 92: "\\\\" };

/** @param most bytes that are written, at most; what is not printable ASCII is escaped */
export function escaped(bytes: Uint8Array, most: number): string {
  let text = "";
  for (const byte of bytes.subarray(0, most)) {
    text +=
      named[byte] ??
      (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`);
  }
  return text;
}

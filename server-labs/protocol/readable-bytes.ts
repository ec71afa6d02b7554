// Readable bytes. UTF-8 as text; every other byte, every character that cannot be seen, and every mark on nothing or on
// top of many others, by its number. The result holds nothing that a terminal or a page takes for a command.

import { mostMarks } from "./visible.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const names: Record<string, string> = { "\r": "\\r", "\n": "\\n", "\t": "\\t", '"': '\\"', "\\": "\\\\" };
/** Control and format characters, white space other than the usual one, and what is no character yet. */
const unseen = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;
const mark = /\p{M}/u;
const hex = (byte: number) => `\\x${byte.toString(16).padStart(2, "0")}`;

/**
 * @param bytes the bytes to write
 * @param goesOn more followed, and was cut away: a character that the cut has halved is left out
 */
export function readableBytes(bytes: Uint8Array, goesOn = false): string {
  let written = "";
  let marks = mostMarks; // there is no letter yet that a mark could be on
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at]!;
    const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (goesOn && first >= 0xc2 && at + length > bytes.length) break;
    const char = characterOf(bytes.subarray(at, at + length));
    const end = at + (char === null ? 1 : length);
    marks = char !== null && mark.test(char) ? marks + 1 : 0;
    if (char !== null && names[char] !== undefined) written += names[char];
    else if (char !== null && !unseen.test(char) && marks <= mostMarks) written += char;
    else written += Array.from(bytes.subarray(at, end), hex).join("");
    at = end;
  }
  return written;
}

function characterOf(bytes: Uint8Array): string | null {
  if (bytes.length === 1 && bytes[0]! < 0x80) return String.fromCharCode(bytes[0]!);
  try {
    return utf8.decode(bytes);
  } catch {
    return null; // no character begins here
  }
}

// Octets as a person reads them: what is UTF-8 as text; what is not, and what nobody can see, by its number. There is
// nothing in the result that a terminal or a page could take for a command.

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const names: Record<string, string> = { "\r": "\\r", "\n": "\\n", "\t": "\\t", '"': '\\"', "\\": "\\\\" };
/** Control and format characters, white space other than the usual one, and what is no character yet. */
const unseen = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;
const hex = (octet: number) => `\\x${octet.toString(16).padStart(2, "0")}`;

/**
 * @param octets what there is
 * @param goesOn more followed, and was cut away: a character that the cut has halved is left out
 */
export function readable(octets: Uint8Array, goesOn = false): string {
  let written = "";
  for (let at = 0; at < octets.length; ) {
    const first = octets[at]!;
    const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (goesOn && first >= 0xc2 && at + length > octets.length) break;
    const char = characterOf(octets.subarray(at, at + length));
    const end = at + (char === null ? 1 : length);
    if (char !== null && names[char] !== undefined) written += names[char];
    else if (char !== null && !unseen.test(char)) written += char;
    else written += Array.from(octets.subarray(at, end), hex).join("");
    at = end;
  }
  return written;
}

function characterOf(octets: Uint8Array): string | null {
  if (octets.length === 1 && octets[0]! < 0x80) return String.fromCharCode(octets[0]!);
  try {
    return utf8.decode(octets);
  } catch {
    return null; // none begins here
  }
}

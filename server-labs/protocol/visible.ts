// Visible text. A stranger's words with every character that a terminal or a page obeys, instead of showing it, written as
// a notation: ESC as "␛", U+202E as "\u202e". It changes the look of no text before or behind it.

/** Control and format characters, halves of surrogate pairs, and the two line ends that only Unicode has. */
const obeyed = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
/**
 * What is drawn into the cell of the character before it: marks, the inner parts of a Korean syllable, joiners, and one
 * ornament that xterm takes for a mark.
 */
const joins = /[\p{M}\u06de\u1160-\u11ff\ud7b0-\ud7fb\u200c\u200d]/u;

/** Marks on one letter that are shown. No script needs more; a browser needs seconds for 20,000. */
export const mostMarks = 3;

/** Letters that no terminal obeys, and that no mark is among: nearly all of every text is copied in such runs. */
const letters =
  /[\x20-\x7e\xa1-\xac\xae-\u02ff\u0391-\u03c9\u0410-\u044f\u2500-\u27bf\u4e00-\u9fff\uac00-\ud7a3]+/y;

/** The run of such letters that begins at this place of a text; "" for none. */
export function lettersAt(text: string, at: number): string {
  letters.lastIndex = at;
  return letters.test(text) ? text.slice(at, letters.lastIndex) : "";
}

/** The state between two pieces of one text. */
export interface MarkCount {
  /** Marks on the letter that was written last; -1 where none was written yet in this line. */
  marks: number;
}

/** One character as it is shown. @param character a whole character, or half of a surrogate pair */
export function visibleCharacter(character: string, count: MarkCount): string {
  if (character >= "\u0300" && joins.test(character)) return mark(character, count);
  count.marks = 0;
  return obeyed.test(character) ? notationOf(character.codePointAt(0)!) : character;
}

/**
 * A text as it is shown.
 * @param kept control characters that are left as they are, such as "\n"; tabs always are
 */
export function visible(text: string, kept = ""): string {
  if (!suspect.test(text)) return text;
  const count: MarkCount = { marks: -1 };
  let written = "";
  for (let at = 0; at < text.length; ) {
    const run = lettersAt(text, at);
    const piece = run === "" ? String.fromCodePoint(text.codePointAt(at)!) : run;
    const stays = piece === "\t" || kept.includes(piece);
    if (run !== "") count.marks = 0;
    else if (stays) count.marks = -1;
    written += run !== "" || stays ? piece : visibleCharacter(piece, count);
    at += piece.length;
  }
  return written;
}

/** Most texts have no such character: one look spares the rest. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const suspect = /[\0-\x08\x0a-\x1f\x7f-\x9f\xad]|[^\0-\u02ff]/;

/** A mark without a letter gets a circle to stand on, as in a font's table; the first of too many becomes "…". */
function mark(character: string, count: MarkCount): string {
  const first = count.marks < 0;
  count.marks = Math.max(count.marks, 0) + 1;
  if (count.marks <= mostMarks) return first ? `◌${character}` : character;
  return count.marks === mostMarks + 1 ? "…" : "";
}

function notationOf(code: number): string {
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return "␡";
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, "0")}`;
}

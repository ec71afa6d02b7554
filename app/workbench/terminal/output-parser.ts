// Output parser. What a program and its clients write, as words that xterm can be given: colours, and the way back to the
// start of the line. A list of what is allowed: xterm gets no other sequence, so no state of its parser is left over, no
// number is larger than a colour's, and what is not allowed is shown ("␛P").
import { lettersAt, type MarkCount, visibleCharacter } from "../../../server-labs/protocol.ts";
import { parametersOf, type Style, styled } from "./style-parameters.ts";

const none: Style = {};
/** Longer sequences are shown as words. The longest colours of foreground and background have 38 characters. */
const mostSequence = 64;
/** A sequence from its ESC on, as far as it has come. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one.
const begun = /^\x1b(\[[\d;]*)?$/;
/** A whole sequence of those that are allowed: SGR, "select graphic rendition", and EL, "erase in line". */
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
const whole = /\x1b\[([\d;]{0,61})([mK])/y;

/**
 * The parser of one terminal. A style ends with its line, and with its writer: in a line that a client has written into,
 * only that line can change its look. Within a line a program may go back to the start, as a progress bar does.
 */
export class OutputParser {
  /** A sequence that is not whole yet; the next piece may go on with it. */
  #sequence = "";
  #style: Style = none;
  #tint = "";
  /** SGR parameters of style and tint. */
  #wanted = "";
  /** SGR parameters that xterm has now. */
  #on = "";
  readonly #count: MarkCount = { marks: -1 };
  /** Something was written since the last newline. */
  midLine = false;

  /**
   * A piece of what one writer has written. The work, and the result, are in proportion to its length.
   * @param tint SGR parameter: this writer's foreground, where the program asks for none
   */
  words(text: string, tint = ""): string {
    let written = "";
    if (tint !== this.#tint) {
      written += this.end();
      this.#tint = this.#wanted = tint;
    }
    for (let at = 0; at < text.length; ) {
      const code = text.codePointAt(at)!;
      const run = this.#sequence === "" ? runAt(text, at, code) : "";
      const piece = run === "" ? String.fromCodePoint(code) : run;
      if (run === "") written += this.#next(piece);
      else if (code === 0x1b) written += this.#obey(piece) ?? this.#asWords(piece);
      else written += this.#letters(piece);
      at += piece.length;
    }
    return written;
  }

  /** The writer changes: shows a sequence that was never finished, and ends every style. */
  end(): string {
    const rest = this.#giveUp();
    this.#restyle(none);
    this.#count.marks = -1;
    return rest + this.#switchTo("");
  }

  #next(character: string): string {
    if (this.#sequence === "") return this.#outside(character);
    const sequence = this.#sequence + character;
    if (begun.test(sequence) && sequence.length < mostSequence) {
      this.#sequence = sequence;
      return "";
    }
    if (matchAt(whole, sequence, 0) !== sequence) return this.#giveUp() + this.#outside(character);
    this.#sequence = "";
    return this.#obey(sequence) ?? this.#asWords(sequence);
  }

  #outside(character: string): string {
    if (character === "\x1b") {
      this.#sequence = character;
      return "";
    }
    if (character === "\n" || character === "\r" || character === "\t") return this.#move(character);
    const shown = visibleCharacter(character, this.#count);
    return shown === "" ? "" : this.#shown(shown);
  }

  #move(character: "\n" | "\r" | "\t"): string {
    this.#count.marks = -1;
    if (character === "\t") return this.#shown(character);
    if (character === "\r") return character;
    this.#restyle(none);
    this.midLine = false;
    return this.#on === "" ? "\n" : `${this.#switchTo("")}\n`;
  }

  /** @param sequence a whole one @returns null for parameters that are not known */
  #obey(sequence: string): string | null {
    const parameters = sequence.slice(2, -1);
    if (sequence.endsWith("K")) return /^[012]?$/.test(parameters) ? sequence : null;
    const style = styled(this.#style, parameters);
    if (style === null) return null;
    // It is written with the next word: a million changes without a word between them cost nothing.
    this.#restyle(style);
    return "";
  }

  #restyle(style: Style): void {
    if (style === none && this.#style === none) return;
    this.#style = style;
    this.#wanted = style === none ? this.#tint : parametersOf(style, this.#tint);
  }

  #letters(run: string): string {
    this.#count.marks = 0;
    return this.#shown(run);
  }

  #shown(words: string): string {
    this.midLine = true;
    return this.#wanted === this.#on ? words : this.#switchTo(this.#wanted) + words;
  }

  #switchTo(parameters: string): string {
    if (parameters === this.#on) return "";
    this.#on = parameters;
    return parameters === "" ? "\x1b[0m" : `\x1b[0;${parameters}m`;
  }

  /** The sequence that has begun is not an allowed one. */
  #giveUp(): string {
    const sequence = this.#sequence;
    this.#sequence = "";
    return sequence === "" ? "" : this.#asWords(sequence);
  }

  /** A sequence that is not obeyed, shown. */
  #asWords(sequence: string): string {
    return this.#letters(`␛${sequence.slice(1)}`);
  }
}

/** The whole sequence, or the letters, that begin at this place; "" when neither does. */
function runAt(text: string, at: number, code: number): string {
  if (code < 0x20 && code !== 0x1b) return "";
  return code === 0x1b ? matchAt(whole, text, at) : lettersAt(text, at);
}

/** What a sticky expression matches at this place; "" for nothing. */
function matchAt(expression: RegExp, text: string, at: number): string {
  expression.lastIndex = at;
  return expression.test(text) ? text.slice(at, expression.lastIndex) : "";
}

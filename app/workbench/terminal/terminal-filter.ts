// Terminal filter. Events in, text out: the program's words as far as they cannot harm what follows (output-parser.ts), and
// between them, dim and on lines of their own, what happened to the program.
import { count, sentence, visible } from "../../../server-labs/protocol.ts";
import type { OutputEvent } from "../../labs.ts";
import { bytesInWords } from "../format.ts";
import { OutputParser } from "./output-parser.ts";
import { stderrColour } from "./theme.ts";

const dim = (words: string) => `\x1b[0;90m${words}\x1b[0m\r\n`;
/** Letters that are parsed at a time. */
const pieceLength = 8192;
const stderrTint = `38;5;${stderrColour}`;

/** The writing of one run. */
export class TerminalFilter {
  readonly #parser = new OutputParser();

  /** @returns what to write for this event; "" for one that says nothing here. */
  of(event: OutputEvent): string {
    return [...this.pieces(event)].join("");
  }

  /** The same in pieces, each a few milliseconds of work. */
  *pieces(event: OutputEvent): Generator<string> {
    if (event.type !== "output") return yield this.#ours(event);
    const { text, stream } = event;
    const tint = stream === "stderr" ? stderrTint : "";
    for (let at = 0; at < text.length; ) {
      // Both halves of a pair are in one piece.
      const end = /[\ud800-\udbff]/.test(text[at + pieceLength - 1] ?? "") ? pieceLength + 1 : pieceLength;
      yield this.#parser.words(text.slice(at, at + end), tint);
      at += end;
    }
  }

  #ours(event: Exclude<OutputEvent, { type: "output" }>): string {
    switch (event.type) {
      case "starting":
        return this.#line(`$ ${event.command}`);
      case "output-omitted":
        return this.#line(
          `… ${bytesInWords(event.bytes)} (${count(event.lines, "line")}) not shown: the program prints faster than 2 MB/s …`,
        );
      case "gap":
        return event.bytes > 0
          ? this.#line(`… ${bytesInWords(event.bytes)} before this are no longer kept …`)
          : "";
      case "exited":
      case "refused":
        return this.#line(sentence(event.statement));
      case "listening":
        return "";
    }
  }

  #line(words: string): string {
    const rest = this.#parser.end();
    const start = this.#parser.midLine ? "\r\n" : "";
    this.#parser.midLine = false;
    return rest + start + dim(visible(words));
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one.
const sequences = /\x1b\[[\d;]*[mK]/g;

/**
 * What these events say, as text: also what has scrolled away, and each state of a line that was written over.
 * In pieces, each a few milliseconds of work.
 */
export function* plainPieces(events: Iterable<OutputEvent>): Generator<string> {
  const filter = new TerminalFilter();
  let returns = "";
  for (const event of events)
    for (const piece of filter.pieces(event)) {
      const words = returns + piece.replace(sequences, "");
      // What ends in a return may go on with the "\n" that the return belongs to.
      let end = words.length;
      while (words[end - 1] === "\r") end--;
      returns = end < words.length ? "\r" : "";
      // In one look: of /\r+\n/ a million returns without a line end take a million looks, each to the end.
      yield words.slice(0, end).replace(/\r+\n?/g, "\n");
    }
  if (returns !== "") yield "\n";
}

// What a terminal is given for each event: the program's words as they are, and, dim and on lines of their own,
// what happened between them. No xterm in here: events in, text out.
import type { OutputEvent } from "../../labs.ts";
import { bytesInWords, count } from "../words.ts";
import { stderrColour } from "./theme.ts";

const dim = (sentence: string) => `\x1b[0;90m${sentence}\x1b[0m\r\n`;
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one.
const sgr = /\x1b\[([\d;:]*)m/g;

/** The writing of one run: it remembers whether a line is unfinished and a colour still on. */
export class Inscription {
  #midLine = false;
  #coloured = false;

  /** @returns what to write for this event; "" for one that says nothing here. */
  of(event: OutputEvent): string {
    switch (event.type) {
      case "starting":
        return this.#line(`$ ${event.command}`);
      case "output":
        return this.#words(event.text, event.stream === "stderr");
      case "output-omitted":
        return this.#line(
          `… ${bytesInWords(event.bytes)} (${count(event.lines, "line")}) not shown: the program prints faster than 2 MB/s …`,
        );
      case "gap":
        return event.bytes > 0
          ? this.#line(`… ${bytesInWords(event.bytes)} before this are no longer kept …`)
          : "";
      case "exited":
        return this.#line(event.sentence);
      case "refused":
        return this.#line(event.sentence);
      case "listening":
        return "";
    }
  }

  #line(sentence: string): string {
    const start = this.#midLine ? "\r\n" : "";
    this.#midLine = false;
    this.#coloured = false;
    return start + dim(sentence);
  }

  #words(text: string, stderr: boolean): string {
    if (text === "") return "";
    const plain = !this.#coloured && !text.includes("\x1b");
    for (const [, parameters] of text.matchAll(sgr)) this.#coloured = !/^(0*|0?;0?)$/.test(parameters!);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
    this.#midLine = !/[\n\r](\x1b\[[\d;:]*m)*$/.test(text);
    // A program that colours its own words is left alone: our tint would end its colour, or it ours.
    return stderr && plain ? `\x1b[38;5;${stderrColour}m${text}\x1b[39m` : text;
  }
}

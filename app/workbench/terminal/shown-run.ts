// Shown run. The events of one run on their way into the terminal, and what there is to say of them beside it. It
// acknowledges an event when the terminal has drawn it: a page that falls behind slows down the lab server's sending,
// never the program.
import type { Terminal as Xterm } from "@xterm/xterm";
import type { RunId } from "../../../server-labs/protocol.ts";
import { labs, type OutputEvent } from "../../labs.ts";
import { newestPlace, type SourcePlace } from "./places.ts";
import { TerminalFilter } from "./terminal-filter.ts";
import type { Writer } from "./writer.ts";

/**
 * A run's first words come some milliseconds after its command. A frame with the command alone would hold them up until
 * the next frame: it is drawn alone only when nothing has come for so long.
 */
const commandAloneMs = 20;

/** Lines above the screen that are kept. */
export const scrollback = 5000;

/** RIS, "reset to initial state". As a word among words: reset() would empty the screen a frame before they come. */
const reset = "\x1bc";

/** What there is to say of the output beside the output. */
export interface OutputFacts {
  /** What was left out of the run; null for nothing. */
  omitted: { bytes: number; lines: number } | null;
  /** The place in the student's file that the newest stack trace names first. */
  place: SourcePlace | null;
  /** The oldest lines have left the screen. */
  full: boolean;
}
const noFacts: OutputFacts = { omitted: null, place: null, full: false };

/** What a run needs of the terminal that shows it. */
export interface Screen {
  terminal: Xterm;
  writer: Writer;
  /** The lab and its files, which places name. */
  placed(): { lab: string; files: readonly string[] };
  /** Called when they change. */
  onFacts(facts: OutputFacts): void;
}

/** Shows a run from its first event on; the run before it stays until this one has something to show. */
export class ShownRun {
  readonly #run: RunId;
  readonly #screen: Screen;
  readonly #filter = new TerminalFilter();
  #facts = noFacts;
  #command: OutputEvent | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #begun = false;

  constructor(run: RunId, screen: Screen) {
    this.#run = run;
    this.#screen = screen;
  }

  show(event: OutputEvent): void {
    if (event.type === "starting") {
      this.#command = event;
      this.#timer = setTimeout(() => this.#begin(), commandAloneMs);
      return;
    }
    this.#begin();
    if (event.type === "output-omitted") this.#tell({ omitted: sum(this.#facts.omitted, event) });
    if (event.type === "output") {
      const { lab, files } = this.#screen.placed();
      const place = newestPlace(event.text, lab, files);
      if (place) this.#tell({ place });
    }
    this.#write(event);
  }

  /** Another run is shown. */
  end(): void {
    clearTimeout(this.#timer);
  }

  #begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    clearTimeout(this.#timer);
    this.#screen.writer.clear();
    this.#screen.writer.add([reset]);
    this.#tell(noFacts);
    if (this.#command) this.#write(this.#command);
  }

  #write(event: OutputEvent): void {
    this.#screen.writer.add(this.#filter.pieces(event), () => this.#written(event.seq));
  }

  #written(seq: number): void {
    labs.streams.drawn(this.#run, seq);
    const { buffer, rows } = this.#screen.terminal;
    const full = buffer.active.length >= scrollback + rows;
    if (full && !this.#facts.full) this.#tell({ full });
  }

  #tell(news: Partial<OutputFacts>): void {
    this.#facts = { ...this.#facts, ...news };
    this.#screen.onFacts(this.#facts);
  }
}

function sum(before: OutputFacts["omitted"], more: { bytes: number; lines: number }) {
  return { bytes: (before?.bytes ?? 0) + more.bytes, lines: (before?.lines ?? 0) + more.lines };
}

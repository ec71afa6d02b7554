// Terminal. An xterm that shows what a run printed, and takes no input.
import { FitAddon } from "@xterm/addon-fit";
import { Terminal as Xterm } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import { type Ref, useEffect, useImperativeHandle, useLayoutEffect, useRef, useState } from "react";
import type { LabId, RunId } from "../../../server-labs/protocol.ts";
import { labs, type OutputEvent } from "../../labs.ts";
import { codeFont, onPaletteChange, readPalette } from "../palette.ts";
import { revealLine } from "../view.ts";
import { linkPlaces } from "./place-links.ts";
import { scrollByKey } from "./scroll-keys.ts";
import { type OutputFacts, ShownRun, scrollback } from "./shown-run.ts";
import { plainPieces } from "./terminal-filter.ts";
import { xtermTheme } from "./theme.ts";
import { joinedInTurns, Writer } from "./writer.ts";

export interface TerminalHandle {
  /** Everything that the page keeps of the run, as text, with a sentence for what it no longer keeps. */
  text(): Promise<string>;
}

export interface TerminalProps {
  /** The newest program of this lab is shown. */
  lab: LabId;
  /** The lab's files: the places in them that the output names are links. */
  files: readonly string[];
  /** What a screen reader calls it. */
  label: string;
  /** Keeps a readable copy of every line for a screen reader; costs speed. */
  screenReader: boolean;
  /** Called when they change. */
  onFacts(facts: OutputFacts): void;
  ref?: Ref<TerminalHandle>;
}

export default function Terminal({ lab, files, label, screenReader, onFacts, ref }: TerminalProps) {
  const place = useRef<HTMLDivElement>(null);
  const [terminal, setTerminal] = useState<Xterm | null>(null);
  const newest = useRef<RunId | null>(null);
  const placed = useRef({ lab, files });
  placed.current = { lab, files };

  useEffect(() => {
    let made: { terminal: Xterm; end(): void } | undefined;
    let gone = false;
    void codeFont().then(fontFamily => {
      if (gone) return;
      made = open(place.current!, fontFamily);
      linkPlaces(
        made.terminal,
        () => placed.current,
        ({ line, column, file }) => revealLine(line, { column, file }),
      );
      setTerminal(made.terminal);
    });
    return () => {
      gone = true;
      made?.end();
    };
  }, []);

  // Before the next frame, not after it: what the program has printed by now shall be in this one.
  useLayoutEffect(() => {
    if (!terminal) return;
    const writer = new Writer(terminal);
    const screen = { terminal, writer, placed: () => placed.current, onFacts };
    let shown: ShownRun | undefined;
    const leave = labs.streams.followProgram(lab, run => {
      shown?.end();
      const next = new ShownRun(run, screen);
      shown = next;
      newest.current = run;
      return event => next.show(event);
    });
    return () => {
      shown?.end();
      writer.clear();
      leave();
    };
  }, [terminal, lab, onFacts]);

  useEffect(() => {
    if (!terminal) return;
    terminal.options.screenReaderMode = screenReader;
    terminal.textarea?.setAttribute("aria-label", label);
  }, [terminal, screenReader, label]);

  useImperativeHandle(ref, () => ({ text: () => textOf(newest.current) }), []);

  return <div className="terminal" ref={place} data-ready={terminal ? "" : undefined} />;
}

function open(place: HTMLElement, fontFamily: string) {
  const terminal = new Xterm({
    disableStdin: true,
    convertEol: true,
    scrollback,
    fontFamily,
    fontSize: 13,
    lineHeight: 1.35,
    fontWeightBold: 600,
    cursorInactiveStyle: "none",
    cursorBlink: false,
    minimumContrastRatio: 4.5,
    theme: xtermTheme(readPalette()),
  });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  terminal.open(place);
  terminal.attachCustomKeyEventHandler(event => scrollByKey(terminal, event));
  const textarea = terminal.textarea!;
  // Focus is for scrolling and copying: no keyboard of a phone, no typing.
  textarea.readOnly = true;
  textarea.inputMode = "none";
  // A hidden tab has no size to fit to: xterm would make itself two columns wide and break every line for good.
  const refit = () => place.clientWidth > 0 && place.clientHeight > 0 && fit.fit();
  refit();
  const size = new ResizeObserver(refit);
  size.observe(place);
  const unpaint = onPaletteChange(() => {
    terminal.options.theme = xtermTheme(readPalette());
  });
  return {
    terminal,
    end() {
      size.disconnect();
      unpaint();
      terminal.dispose();
    },
  };
}

/** The output that the page keeps of a run: more than the terminal, which forgets lines and what was written over. */
async function textOf(run: RunId | null): Promise<string> {
  const events: OutputEvent[] = [];
  if (run) labs.streams.onOutput(run, event => events.push(event))();
  return `${(await joinedInTurns(plainPieces(events))).trimEnd()}\n`;
}

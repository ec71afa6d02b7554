// One xterm that shows what a run printed, and takes no input. It answers for what it is given: an event is
// acknowledged when it has been drawn, so that a page that falls behind slows down what is sent, never the program.
import { FitAddon } from "@xterm/addon-fit";
import { Terminal as Xterm } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import { type Ref, useEffect, useImperativeHandle, useLayoutEffect, useRef, useState } from "react";
import type { LabId } from "../../../server-labs/protocol.ts";
import { labs } from "../../labs.ts";
import { codeFont, onPaletteChange, readPalette } from "../palette.ts";
import { Inscription } from "./inscription.ts";
import { scrollByKey } from "./keys.ts";
import { swallow } from "./swallow.ts";
import { xtermTheme } from "./theme.ts";

/**
 * A run's first words come some milliseconds after its command. A frame with the command alone would hold them up until
 * the next frame: it is drawn alone only when nothing has come for so long.
 */
const commandAloneMs = 20;

/** RIS, "reset to initial state". As a word among words: reset() would empty the screen a frame before they come. */
const reset = "\x1bc";

export interface TerminalHandle {
  /** Everything that is on the screen and above it, as text. */
  text(): string;
}

export interface TerminalProps {
  /** The newest program of this lab is shown. */
  lab: LabId;
  /** What a screen reader calls it. */
  label: string;
  /** Keeps a readable copy of every line for a screen reader; costs speed. */
  screenReader: boolean;
  /** Told how much of the run was left out, each time it grows; null when a run begins. */
  onOmitted(sum: { bytes: number; lines: number } | null): void;
  ref?: Ref<TerminalHandle>;
}

export default function Terminal({ lab, label, screenReader, onOmitted, ref }: TerminalProps) {
  const place = useRef<HTMLDivElement>(null);
  const [terminal, setTerminal] = useState<Xterm | null>(null);

  useEffect(() => {
    let made: { terminal: Xterm; end(): void } | undefined;
    let gone = false;
    void codeFont().then(fontFamily => {
      if (gone) return;
      made = open(place.current!, fontFamily);
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
    let timer: ReturnType<typeof setTimeout> | undefined;
    const leave = labs.streams.followProgram(lab, run => {
      const inscription = new Inscription();
      const omitted = { bytes: 0, lines: 0 };
      let command: (() => void) | null = null;
      let begun = false;
      const begin = () => {
        if (begun) return;
        begun = true;
        clearTimeout(timer);
        terminal.write(reset);
        onOmitted(null);
        command?.();
      };
      clearTimeout(timer);
      return event => {
        const words = inscription.of(event);
        const write = () => terminal.write(words, () => labs.streams.drawn(run, event.seq));
        if (event.type === "starting") {
          command = write;
          timer = setTimeout(begin, commandAloneMs);
          return;
        }
        begin();
        if (event.type === "output-omitted") {
          omitted.bytes += event.bytes;
          omitted.lines += event.lines;
          onOmitted({ ...omitted });
        }
        write();
      };
    });
    return () => {
      clearTimeout(timer);
      leave();
    };
  }, [terminal, lab, onOmitted]);

  useEffect(() => {
    if (!terminal) return;
    terminal.options.screenReaderMode = screenReader;
    terminal.textarea?.setAttribute("aria-label", label);
  }, [terminal, screenReader, label]);

  useImperativeHandle(ref, () => ({ text: () => (terminal ? allText(terminal) : "") }), [terminal]);

  return <div className="terminal" ref={place} data-ready={terminal ? "" : undefined} />;
}

function open(place: HTMLElement, fontFamily: string) {
  const terminal = new Xterm({
    disableStdin: true,
    convertEol: true,
    scrollback: 5000,
    fontFamily,
    fontSize: 13,
    lineHeight: 1.35,
    fontWeightBold: 600,
    cursorInactiveStyle: "none",
    cursorBlink: false,
    minimumContrastRatio: 4.5,
    linkHandler: { activate: () => {} },
    theme: xtermTheme(readPalette()),
  });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  terminal.open(place);
  swallow(terminal);
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

function allText(terminal: Xterm): string {
  const { active } = terminal.buffer;
  const lines: string[] = [];
  for (let row = 0; row < active.length; row++) {
    const line = active.getLine(row)!;
    const text = line.translateToString(true);
    if (line.isWrapped) lines.push((lines.pop() ?? "") + text);
    else lines.push(text);
  }
  return `${lines.join("\n").trimEnd()}\n`;
}

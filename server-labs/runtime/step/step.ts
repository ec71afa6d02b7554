// Step mode. `npx tsx server.ts 7890 --step` steps through a program in a shell, without a lab server. At each boundary
// the terminal shows the call and reads a command; the program's own output goes where it always goes.
import { openSync, readSync, writeSync } from "node:fs";
import { traceBytes } from "../../trace/layout.ts";
import { hideTime, realNow } from "../sys/clock.ts";
import { watch } from "../sys/native-call.ts";
import type { BoundaryStop, Driver, ProgramPace } from "../sys/pace.ts";
import { keys, parseStepCommand } from "./step-commands.ts";
import { StopView } from "./stop-view.ts";

const option = "--step";

/** Removes the option from the command line, if it is there, and starts to step. */
export function stepThrough(): void {
  const at = process.argv.indexOf(option, 2);
  if (at === -1) return;
  process.argv.splice(at, 1);
  let terminal: number;
  try {
    terminal = openSync("/dev/tty", "r+");
  } catch (error) {
    console.error(
      `${option} reads commands from the terminal, and this process has no terminal (${(error as Error).message}): the program runs at full speed. ` +
        "Without a terminal, run it in the lab server and step with POST /api/runs/<run>/step.",
    );
    return;
  }
  const memory = new ArrayBuffer(traceBytes);
  const view = new StopView(memory, process.argv[1]!);
  watch(memory, () => {}, view.line, new Terminal(terminal, view));
}

class Terminal implements Driver {
  readonly #fd: number;
  readonly #view: StopView;
  #started = false;
  #unread = "";
  #last = "s";

  constructor(fd: number, view: StopView) {
    this.#fd = fd;
    this.#view = view;
  }

  applyCommands(pace: ProgramPace): void {
    if (this.#started) return;
    this.#started = true;
    this.#print(`Stepping through the calls of ${this.#view.name}. ${keys}`);
    pace.apply({ type: "pace", paused: true, delayMs: 0, breakpoints: [] });
  }

  wait(pace: ProgramPace, stop: BoundaryStop): void {
    const began = realNow();
    this.#print(this.#view.show(stop, pace.breakpoints));
    while (pace.stopped) {
      const line = this.#ask();
      if (line === null) {
        this.#print("\nThe input of the terminal has ended: the program goes on at full speed.");
        pace.release();
        break;
      }
      this.#execute(line.trim(), pace);
    }
    hideTime(realNow() - began);
  }

  delay(): void {}

  /** Enter alone steps as it stepped last: s or n. */
  #execute(line: string, pace: ProgramPace): void {
    const command = parseStepCommand(line === "" ? this.#last : line, pace.breakpoints);
    switch (command.do) {
      case "step":
        this.#last = command.to === "call" ? "n" : "s";
        pace.apply({ type: "step", to: command.to });
        break;
      case "continue":
        pace.apply({ type: "pace", paused: false, delayMs: 0, breakpoints: pace.breakpoints });
        break;
      case "break":
        pace.apply({ type: "pace", paused: null, delayMs: 0, breakpoints: command.breakpoints });
        this.#print(command.sentence);
        break;
      case "watch":
        this.#print(this.#view.ready());
        break;
      case "print":
        this.#print(command.sentence);
        break;
      case "quit":
        pace.release();
        process.exit(0);
    }
  }

  /** The next line that the student types; null at the end of the input. */
  #ask(): string | null {
    writeSync(this.#fd, "step> ");
    const room = Buffer.alloc(1024);
    for (;;) {
      const end = this.#unread.indexOf("\n");
      if (end !== -1) {
        const line = this.#unread.slice(0, end);
        this.#unread = this.#unread.slice(end + 1);
        return line;
      }
      const got = this.#read(room);
      if (got === 0) return null;
      this.#unread += room.toString("utf8", 0, got);
    }
  }

  /** 0 at Ctrl-D, and when the terminal is gone. */
  #read(room: Buffer): number {
    try {
      return readSync(this.#fd, room, 0, room.length, null);
    } catch {
      return 0;
    }
  }

  #print(text: string): void {
    try {
      writeSync(this.#fd, `${text}\n`);
    } catch {
      // The terminal is gone; the next question finds that out.
    }
  }
}

// `npx tsx server.ts 7890 --step`: a program is stepped through in a shell, with no lab server at all. At each boundary
// it shows the call on the terminal, and does there what it is told to; what it prints itself goes where it always does.
import { openSync, readSync, writeSync } from "node:fs";
import { traceBytes } from "../trace-layout.ts";
import { forgetTime, realNow } from "./clock.ts";
import { watch } from "./crossing.ts";
import type { Driver, Pace, Stop } from "./pace.ts";
import { keys, parseOrder } from "./step-orders.ts";
import { Sight } from "./step-sight.ts";

const option = "--step";

/** Takes the option from the command line, if it is there, and begins to step. */
export function stepThrough(): void {
  const at = process.argv.indexOf(option, 2);
  if (at === -1) return;
  process.argv.splice(at, 1);
  let terminal: number;
  try {
    terminal = openSync("/dev/tty", "r+");
  } catch (error) {
    console.error(
      `${option} asks on the terminal, and this process has none (${(error as Error).message}): it runs at full speed. ` +
        "Without a terminal, run it in the lab server and step with POST /api/runs/<run>/step.",
    );
    return;
  }
  const memory = new ArrayBuffer(traceBytes);
  const sight = new Sight(memory, process.argv[1]!);
  watch(memory, () => {}, sight.line, new Terminal(terminal, sight));
}

class Terminal implements Driver {
  readonly #fd: number;
  readonly #sight: Sight;
  #begun = false;
  #unread = "";
  #last = "s";

  constructor(fd: number, sight: Sight) {
    this.#fd = fd;
    this.#sight = sight;
  }

  hear(pace: Pace): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#say(`Stepping through the calls of ${this.#sight.name}. ${keys}`);
    pace.obey({ type: "pace", paused: true, delayMs: 0, breakpoints: [] });
  }

  wait(pace: Pace, stop: Stop): void {
    const began = realNow();
    this.#say(this.#sight.show(stop, pace.breakpoints));
    while (pace.stopped) {
      const line = this.#ask();
      if (line === null) {
        this.#say("\nThe terminal has nothing more to say: it goes on at full speed.");
        pace.free();
        break;
      }
      this.#obey(line.trim(), pace);
    }
    forgetTime(realNow() - began);
  }

  delay(): void {}

  /** Enter alone steps as it stepped last: s or n. */
  #obey(line: string, pace: Pace): void {
    const order = parseOrder(line === "" ? this.#last : line, pace.breakpoints);
    switch (order.do) {
      case "step":
        this.#last = order.to === "call" ? "n" : "s";
        pace.obey({ type: "step", to: order.to });
        break;
      case "continue":
        pace.obey({ type: "pace", paused: false, delayMs: 0, breakpoints: pace.breakpoints });
        break;
      case "break":
        pace.obey({ type: "pace", paused: null, delayMs: 0, breakpoints: order.breakpoints });
        this.#say(order.sentence);
        break;
      case "watch":
        this.#say(this.#sight.ready());
        break;
      case "say":
        this.#say(order.sentence);
        break;
      case "quit":
        pace.free();
        process.exit(0);
    }
  }

  /** A line that was typed; null when there will be none. */
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

  #say(text: string): void {
    try {
      writeSync(this.#fd, `${text}\n`);
    } catch {
      // The terminal is gone; the next question finds that out.
    }
  }
}

// Wrapper. What workbook/net costs over bare calls: an echo loop (epoll_wait, recv, send), written with the wrapper and
// with koffi's functions, in one process, in turns.
import type { Site } from "./contestants.ts";
import { ratios, spread } from "./figures.ts";
import { LineProcess } from "./generator.ts";
import type { BenchOptions } from "./options.ts";
import type { BenchReport } from "./report.ts";
import type { Turns } from "./wrapper-loops.ts";

const section = "workbook/net, the trace off";

export async function measureWrapper(_: Site, options: BenchOptions, report: BenchReport): Promise<void> {
  const loops = new LineProcess("wrapper-loops.js");
  try {
    // Many short pairs: the difference is one per cent.
    const { bare, wrapped } = JSON.parse(await loops.ask(String(options.rounds * 15))) as Turns;
    const ratio = ratios(bare, wrapped);
    report.rows.push(
      {
        section,
        what: "bare koffi calls",
        against: "",
        ratio: null,
        figure: spread(bare),
        unit: "µs CPU/echo",
      },
      {
        section,
        what: "the wrapper (speed)",
        against: "bare koffi calls",
        ratio,
        figure: spread(wrapped),
        unit: "µs CPU/echo",
      },
    );
    report.targets.push({
      what: "speed of the wrapper, of bare koffi calls",
      atLeast: 0.98,
      ratio: ratio.median,
    });
  } finally {
    loops.end();
  }
}

// Start. Run → first line: a lab server with a spare process (warm) and without one (cold), against plain node and tsx,
// in turns.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../lib/package-root.ts";
import type { Site } from "./contestants.ts";
import { inTurns, ratios, spread } from "./figures.ts";
import { BenchPage, ofProcess, program } from "./first-line.ts";
import { chromium, InChromium, type Seen } from "./in-chromium.ts";
import { LabServer } from "./lab-server.ts";
import type { BenchOptions } from "./options.ts";
import type { BenchReport, FigureRow, Target } from "./report.ts";

const lab = "non-blocking/polling-model";
const section = "Run → first line";
const noChromium =
  "No Chromium is installed, so no click was measured (Debian: sudo apt install chromium; or WORKBOOK_CHROMIUM=/path).";

/** One way from a program to its first line. */
interface Way {
  name: string;
  /** Milliseconds of one start. */
  measure: () => Promise<number>;
}

/** What to call at the end, the newest first. */
type Ends = (() => void | Promise<void>)[];

export async function measureStart(site: Site, options: BenchOptions, report: BenchReport): Promise<void> {
  const ends: Ends = [];
  try {
    const seen: Seen[] = [];
    const ways = [...plainProcesses(site), ...(await overWebSocket(site, ends))];
    const click = await clickInChromium(site, ends, seen);
    if (click) ways.push(click);
    else report.notes.push(noChromium);
    // The first round loads compilers and fills caches.
    for (const { measure } of ways) await measure();
    seen.length = 0;
    const times = await inTurns(
      2 * options.rounds,
      ways.map(({ measure }) => measure),
    );
    report.rows.push(...rowsOf(ways, times, seen));
    report.targets.push(...targetsOf(times));
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

/** Node and tsx, without a lab server. */
function plainProcesses(site: Site): [node: Way, tsx: Way] {
  const [js, ts] = [join(site.folder, "x.mjs"), join(site.folder, "x.ts")];
  writeFileSync(js, program(false));
  writeFileSync(ts, program(true));
  const tsx = join(packageRoot, "node_modules/.bin/tsx");
  return [
    { name: "plain node x.mjs", measure: () => ofProcess([process.execPath, js]) },
    { name: "tsx x.ts", measure: () => ofProcess([tsx, ts]) },
  ];
}

/** A lab server with a spare and one without, each with a page of its own. */
async function overWebSocket(site: Site, ends: Ends): Promise<[warm: Way, cold: Way]> {
  const way = async (name: "warm" | "cold"): Promise<Way> => {
    const spare = name === "warm";
    const server = await LabServer.start(join(site.folder, name), spare);
    ends.push(() => server.end());
    const page = await BenchPage.open(server, lab);
    ends.push(() => page.close());
    return {
      name: `over the WebSocket, ${name} (${page.sandbox})`,
      async measure() {
        await server.atRest(spare);
        return page.firstLine(program(true));
      },
    };
  };
  return [await way("warm"), await way("cold")];
}

/**
 * A click on Run in the page; null when there is no Chromium.
 * @param seen gets the page's times of each click
 */
async function clickInChromium(site: Site, ends: Ends, seen: Seen[]): Promise<Way | null> {
  const path = chromium();
  if (path === null) return null;
  // A lab server of its own: a page draws every run of the lab that it has open.
  const server = await LabServer.start(join(site.folder, "paged"), true);
  ends.push(() => server.end());
  server.write(lab, program(true));
  const browser = await InChromium.open(path, server, lab);
  ends.push(() => browser.close());
  return {
    name: "click on Run in Chromium, warm → the line is painted",
    async measure() {
      await server.atRest(true);
      const times = await browser.firstLine();
      seen.push(times);
      return times.painted;
    },
  };
}

function rowsOf(ways: readonly Way[], times: number[][], seen: readonly Seen[]): FigureRow[] {
  const names = ways.map(({ name }) => name);
  /** @param by the index of the way that it is compared with */
  const row = (what: string, figures: readonly number[], by?: number): FigureRow => ({
    section,
    what,
    against: by === undefined ? "" : names[by]!,
    ratio: by === undefined ? null : ratios(figures, times[by]!),
    figure: spread(figures),
    unit: "ms",
  });
  const [node = [], ...others] = times;
  const rows = [row(names[0]!, node), ...others.map((figures, i) => row(names[i + 1]!, figures, 0))];
  const [warm, click] = [times[2], times[4]];
  if (warm) rows.push(row(names[2]!, warm, 1));
  if (!click) return rows;
  const inDom = seen.map(one => one.inDom);
  const nextFrame = seen.map(one => one.nextFrame);
  return [
    ...rows,
    row(names[4]!, click, 1),
    row("… until it is in the terminal's DOM", inDom, 0),
    row("… until the frame after that begins", nextFrame, 0),
  ];
}

function targetsOf([node = [], , warm = [], , click]: number[][]): Target[] {
  return [
    {
      what: "Run → first line over the WebSocket, warm, of plain node",
      atMost: 0.25,
      ratio: ratios(warm, node).median,
    },
    {
      what: "click on Run → line painted in Chromium, warm, of plain node",
      atMost: 0.25,
      ratio: click ? ratios(click, node).median : null,
      why: "no Chromium was found",
    },
  ];
}

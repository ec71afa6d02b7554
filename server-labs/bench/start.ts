// Run → first line: a lab server with a spare process (warm) and without (cold), against plain node and tsx, in turns.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../check/package-root.ts";
import type { Site } from "./contestants.ts";
import { inTurns, ratios, spread } from "./figures.ts";
import { ofProcess, Page, program } from "./first-line.ts";
import { chromium, InChromium, type Seen } from "./in-chromium.ts";
import { LabServer } from "./lab-server.ts";
import type { Options } from "./options.ts";
import type { Report, Row } from "./report.ts";

const lab = "non-blocking/polling-model";
const section = "Run → first line";

export async function measureStart(site: Site, options: Options, report: Report): Promise<void> {
  const [js, ts] = [join(site.folder, "x.mjs"), join(site.folder, "x.ts")];
  writeFileSync(js, program(false));
  writeFileSync(ts, program(true));
  const ends: (() => void | Promise<void>)[] = [];
  try {
    const warm = await LabServer.start(join(site.folder, "warm"), true);
    ends.push(() => warm.end());
    const cold = await LabServer.start(join(site.folder, "cold"), false);
    ends.push(() => cold.end());
    const pages = [await Page.open(warm, lab), await Page.open(cold, lab)] as const;
    for (const page of pages) ends.push(() => page.close());
    const names = [
      "plain node x.mjs",
      "tsx x.ts",
      `over the WebSocket, warm (${pages[0].sandbox})`,
      `over the WebSocket, cold (${pages[1].sandbox})`,
    ];
    const measures = [
      () => ofProcess([process.execPath, js]),
      () => ofProcess([join(packageRoot, "node_modules/.bin/tsx"), ts]),
      async () => {
        await warm.atRest(true);
        return pages[0].firstLine(program(true));
      },
      async () => {
        await cold.atRest(false);
        return pages[1].firstLine(program(true));
      },
    ];
    const seen: Seen[] = [];
    const path = chromium();
    if (path === null) report.notes.push(noChromium);
    // A lab server of its own: a page shows, and so draws, every run of the lab that it has open.
    const paged = path === null ? null : await LabServer.start(join(site.folder, "paged"), true);
    if (paged) ends.push(() => paged.end());
    paged?.write(lab, program(true));
    const browser = paged && (await InChromium.open(path!, paged, lab));
    if (paged && browser) {
      ends.push(() => browser.close());
      names.push("click on Run in Chromium, warm → the line is painted");
      measures.push(async () => {
        await paged.atRest(true);
        const times = await browser.firstLine();
        seen.push(times);
        return times.painted;
      });
    }
    for (const measure of measures) await measure(); // loads compilers, fills caches
    seen.length = 0;
    const figures = await inTurns(2 * options.rounds, measures);
    const [node, tsx] = figures as [number[], number[]];
    const row = (what: string, figures: readonly number[], by?: readonly number[]): Row => ({
      section,
      what,
      against: by ? (by === node ? names[0]! : names[1]!) : "",
      ratio: by ? ratios(figures, by) : null,
      figure: spread(figures),
      unit: "ms",
    });
    report.rows.push(
      row(names[0]!, node),
      ...figures.slice(1).map((times, i) => row(names[i + 1]!, times, node)),
    );
    for (const i of [2, 4]) if (figures[i]) report.rows.push(row(names[i]!, figures[i], tsx));
    if (browser) {
      report.rows.push(
        row(
          "… until it is in the terminal's DOM",
          seen.map(times => times.inDom),
          node,
        ),
      );
      report.rows.push(
        row(
          "… until the frame after that begins",
          seen.map(times => times.nextFrame),
          node,
        ),
      );
    }
    report.targets.push(
      {
        what: "Run → first line over the WebSocket, warm, of plain node",
        atMost: 0.25,
        ratio: ratios(figures[2]!, node).median,
      },
      {
        what: "click on Run → line painted in Chromium, warm, of plain node",
        atMost: 0.25,
        ratio: figures[4] ? ratios(figures[4], node).median : null,
        why: "no Chromium was found",
      },
    );
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

const noChromium =
  "No Chromium is installed, so no click was measured (Debian: sudo apt install chromium; or WORKBOOK_CHROMIUM=/path).";

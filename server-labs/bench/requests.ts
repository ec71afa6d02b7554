// Request benchmarks. Requests per second, and the server's processor time for each, at 100 keep-alive connections: our
// solution against its rivals on a small file and on one of a megabyte; traced against untraced; with idle connections
// and without.
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { findOnPath } from "../lib/find-program.ts";
import { Contestant } from "./contestant.ts";
import { missingProgram, type Rival, type Site } from "./contestants.ts";
import { inTurns, ratios, spread } from "./figures.ts";
import { Generator, wrk } from "./generator.ts";
import type { Job, Result } from "./load.ts";
import type { BenchOptions } from "./options.ts";
import type { BenchReport, FigureRow } from "./report.ts";

export const connections = 100;
/** A file that has just been written may change within the resolution of its time stamp: caches wait that long. */
const settleMs = 1_100;

export interface Document {
  target: string;
  file: string;
}

interface Measured {
  name: string;
  rates: number[];
  cpus: number[];
}

/** What a contestant's job is, for a document. */
export function jobFor(on: Contestant, { target, file }: Document, seconds: number): Job {
  return { port: on.port, target, file, connections, seconds, pids: on.pids };
}

export const rate = ({ requests, seconds }: Result) => requests / seconds;
export const cpuEach = ({ cpu, requests }: Result) => cpu / requests;

/** Our solution against its rivals on one document. */
export async function rivalry(
  section: string,
  document: Document,
  site: Site,
  options: BenchOptions,
  report: BenchReport,
): Promise<FigureRow[]> {
  const { rivals, missing } = await site.rivals(options.python);
  for (const sentence of missing) if (!report.notes.includes(sentence)) report.notes.push(sentence);
  const generator = new Generator();
  const running: { rival: Rival; on: Contestant }[] = [];
  try {
    for (const rival of rivals) {
      const found = await enter(rival, document, generator);
      if (typeof found === "string")
        report.notes.push(`${rival.name} is no rival in "${section}": ${found}.`);
      else running.push({ rival, on: found });
    }
    await sleep(settleMs);
    const measures = running.map(
      ({ on }) =>
        () =>
          generator.work(jobFor(on, document, options.seconds)),
    );
    const program = document === site.small ? findOnPath("wrk") : undefined;
    const ours = running[0];
    if (ours === undefined || ours.rival !== rivals[0])
      throw new Error(`Nothing to compare with: ${report.notes.join(" ")}`);
    if (program) measures.push(() => wrk(program, jobFor(ours.on, document, options.seconds)));
    else if (document === site.small) report.notes.push(missingProgram("wrk", "wrk"));
    const figures = await inTurns(options.rounds, measures);
    const all = figures.map(
      (results, i): Measured => ({
        name: running[i]?.rival.name ?? "our solution, asked by wrk -t1 instead of our generator",
        rates: results.map(rate),
        cpus: results.map(cpuEach),
      }),
    );
    return against(section, all);
  } finally {
    generator.end();
    await Promise.all(running.map(({ on }) => on.end()));
  }
}

/** Every line against the first: how many times as many requests the first one answers. */
function against(section: string, [first, ...others]: Measured[]): FigureRow[] {
  const line = ({ name, rates, cpus }: Measured, ratio: FigureRow["ratio"], against: string): FigureRow => ({
    section,
    what: name,
    against,
    ratio,
    figure: spread(rates),
    unit: "req/s",
    cpu: spread(cpus),
  });
  return [
    line(first!, null, ""),
    ...others.map(other => line(other, ratios(other.rates, first!.rates), first!.name)),
  ];
}

/** Starts a rival, and sees that it is one: its answers are right, and an edited file is served edited at once. */
async function enter(rival: Rival, document: Document, generator: Generator): Promise<Contestant | string> {
  let on: Contestant;
  try {
    on = await Contestant.start(rival.command);
  } catch (error) {
    return (error as Error).message;
  }
  const before = readFileSync(document.file);
  try {
    const look = { ...jobFor(on, document, 0.02), connections: 1 };
    await generator.work(look);
    // As long as before, so that only the time of change shows the difference.
    const edited = Buffer.from(before);
    edited[edited.length - 2] = edited[edited.length - 2] === 0x20 ? 0x09 : 0x20;
    writeFileSync(document.file, edited);
    await generator.work(look);
    return on;
  } catch (error) {
    await on.end();
    return (error as Error).message;
  } finally {
    writeFileSync(document.file, before);
  }
}

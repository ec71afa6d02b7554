// Pair. Two servers, measured in turns by one generator: the same program, with something and without it.
import { setTimeout as sleep } from "node:timers/promises";
import { Contestant } from "./contestant.ts";
import type { Rival, Site } from "./contestants.ts";
import { inTurns, ratios, type Spread, spread } from "./figures.ts";
import { Generator } from "./generator.ts";
import type { BenchOptions } from "./options.ts";
import type { FigureRow } from "./report.ts";
import { cpuEach, jobFor, rate } from "./requests.ts";

export interface Pair {
  rows: [FigureRow, FigureRow];
  rate: Spread;
  /** Processor time a request of the one without by the one with: at most 1 when something costs something. */
  cpu: Spread;
}

/**
 * @param between called before each round of the second one
 */
export async function pair(
  section: string,
  site: Site,
  [without, with_]: [Rival, Rival],
  options: BenchOptions,
  hooks: {
    started?(on: Contestant): Promise<void>;
    between?(): Promise<void>;
    done?(on: Contestant): Promise<void>;
  } = {},
): Promise<Pair> {
  const generator = new Generator();
  const running: Contestant[] = [];
  try {
    for (const rival of [without, with_]) running.push(await Contestant.start(rival.command));
    const [a, b] = running as [Contestant, Contestant];
    await hooks.started?.(b);
    await sleep(1_100);
    const job = (on: Contestant) => generator.work(jobFor(on, site.small, options.seconds / 2.5));
    await job(a);
    await job(b);
    const measures = [
      () => job(a),
      async () => {
        await hooks.between?.();
        return job(b);
      },
    ];
    // Many short rounds: the difference is a few per cent.
    const [plain, other] = (await inTurns(4 * options.rounds, measures)) as [
      Awaited<ReturnType<typeof job>>[],
      Awaited<ReturnType<typeof job>>[],
    ];
    await hooks.done?.(b);
    const line = (name: string, results: typeof plain, ratio: Spread | null): FigureRow => ({
      section,
      what: name,
      against: ratio ? without.name : "",
      ratio,
      figure: spread(results.map(rate)),
      unit: "req/s",
      cpu: spread(results.map(cpuEach)),
    });
    const byRate = ratios(other.map(rate), plain.map(rate));
    const byCpu = ratios(plain.map(cpuEach), other.map(cpuEach));
    return {
      rows: [line(without.name, plain, null), line(with_.name, other, byRate)],
      rate: byRate,
      cpu: byCpu,
    };
  } finally {
    generator.end();
    await Promise.all(running.map(on => on.end()));
  }
}

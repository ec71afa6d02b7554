// Ten thousand connections on which nobody speaks: what do they cost those who do?
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Contestant } from "./contestant.ts";
import type { Site } from "./contestants.ts";
import { cpuMicros } from "./cpu.ts";
import { spread } from "./figures.ts";
import { LineProcess } from "./generator.ts";
import type { Options } from "./options.ts";
import { pair } from "./pair.ts";
import type { Report } from "./report.ts";

const wanted = 10_000;
/** Descriptors of a server, or of who holds the connections, that are for something else. */
const others = 400;

export async function measureIdle(site: Site, options: Options, report: Report): Promise<void> {
  const count = Math.min(wanted, hardLimit() - others);
  if (count < wanted)
    report.notes.push(
      `Only ${count} idle connections: this machine lets a process open ${hardLimit()} descriptors.`,
    );
  const ours = await site.solution();
  const held = { ...ours, name: `with ${count} idle connections` };
  let holder: LineProcess | null = null;
  let resting = 0;
  const all = (living: string) => {
    if (Number(living) !== count) throw new Error(`Of ${count} idle connections ${living} are answered.`);
  };
  try {
    const { rows, rate, cpu } = await pair("idle connections", site, [ours, held], options, {
      async started(on: Contestant) {
        holder = new LineProcess("hold.js", [String(on.port), site.small.target, String(count)]);
        all(await holder.hear());
      },
      // A server closes whom it has not heard for half a minute; and so it is known that they are all held.
      async between() {
        all(await holder!.ask("ask"));
      },
      async done(on) {
        const [before, began] = [cpuMicros(on.pids), performance.now()];
        await sleep(2_000);
        resting = (cpuMicros(on.pids) - before) / (performance.now() - began) / 10;
      },
    });
    report.rows.push(...rows, {
      section: rows[0].section,
      what: `with ${count} idle connections and nobody else`,
      against: "",
      ratio: null,
      figure: spread([resting]),
      unit: "% CPU",
    });
    report.targets.push(
      { what: `requests/s with ${count} idle connections, of without`, atLeast: 0.95, ratio: rate.median },
      { what: `CPU a request without idle connections, of with ${count}`, atLeast: 0.95, ratio: cpu.median },
    );
  } finally {
    (holder as LineProcess | null)?.end();
  }
}

function hardLimit(): number {
  const line = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
  return line?.[1] === "unlimited" ? Number.POSITIVE_INFINITY : Number(line?.[1] ?? 1024);
}

// Idle connections. What ten thousand connections without traffic cost the connections that have traffic.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Contestant } from "./contestant.ts";
import type { Site } from "./contestants.ts";
import { cpuMicros } from "./cpu.ts";
import { spread } from "./figures.ts";
import { LineProcess } from "./generator.ts";
import type { BenchOptions } from "./options.ts";
import { pair } from "./pair.ts";
import type { BenchReport } from "./report.ts";

const wanted = 10_000;
/** Descriptors of the server, and of the process that holds the connections, that are for something else. */
const others = 400;

export async function measureIdle(site: Site, options: BenchOptions, report: BenchReport): Promise<void> {
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
        all(await holder.readLine());
      },
      // A server closes a connection that is silent for half a minute; and the answers show that all are held.
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
      what: `with ${count} idle connections and no other`,
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

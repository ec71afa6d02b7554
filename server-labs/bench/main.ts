// npm run bench. How fast the workbook is on this machine, as ratios that were measured in one run. It is a report, not a
// test that fails: machines differ, and a busy one disturbs.
import { writeFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { resolve } from "node:path";
import { Site } from "./contestants.ts";
import { benchUsage, readBenchOptions, type Section } from "./options.ts";
import { asText, type BenchReport } from "./report.ts";
import { measures } from "./sections.ts";

for (const [signal, number] of [
  ["SIGINT", 2],
  ["SIGTERM", 15],
  ["SIGHUP", 1],
] as const)
  process.on(signal, () => process.exit(128 + number));

try {
  await main();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 2;
}

async function main(): Promise<void> {
  const options = readBenchOptions(process.argv.slice(2));
  if (options.help) return console.log(benchUsage);
  const report: BenchReport = { rows: [], targets: [], notes: [] };
  const load = loadavg()[0]!;
  const site = new Site();
  process.once("exit", () => site.remove());
  for (const [name, measure] of Object.entries(measures)) {
    if (!options.only.has(name as Section)) continue;
    process.stderr.write(`measuring: ${name} …\n`);
    await measure(site, options, report);
  }
  report.notes.push(
    `Node ${process.version}, ${availableParallelism()} processors, load ${load.toFixed(1)} before. Ratios are medians of pairs measured in turns.`,
  );
  if (load > availableParallelism() / 2)
    report.notes.push(
      "The machine was busy with something else: requests/s say little then, processor time for a request says more.",
    );
  const json = `${JSON.stringify(report, null, 2)}\n`;
  if (options.json === "") process.stdout.write(json);
  else console.log(asText(report));
  if (options.json) writeFileSync(resolve(process.env.INIT_CWD ?? ".", options.json), json);
  process.exit(0);
}

// Tasks section. What a task costs: to spawn, parked, traced; and a server on tasks beside the book's server on plain epoll.
import type { Site } from "./contestants.ts";
import { inTurns, ratios, spread } from "./figures.ts";
import { LineProcess } from "./generator.ts";
import type { BenchOptions } from "./options.ts";
import { pair } from "./pair.ts";
import type { BenchReport } from "./report.ts";
import type { TaskFigures } from "./task-loops.ts";

const section = "workbook/tasks";
/** What a parked task and a spawned one may cost. */
const mostBytes = 1024;
const mostNs = 1000;

export async function measureTasks(site: Site, options: BenchOptions, report: BenchReport): Promise<void> {
  await measureLoops(options, report);
  const plain = await site.tasks();
  const traced = await pair("a server on tasks, traced", site, [plain, await site.tasks(true)], options);
  const epoll = await pair("tasks over plain epoll", site, [await site.solution(), plain], options);
  report.rows.push(...traced.rows, ...epoll.rows);
  report.targets.push({
    what: "requests/s of a server on tasks traced, of untraced",
    atLeast: 0.95,
    ratio: traced.rate.median,
  });
}

async function measureLoops(options: BenchOptions, report: BenchReport): Promise<void> {
  const [plain, traced] = [
    new LineProcess("task-loops.js"),
    new LineProcess("task-loops.js", ["traced"]),
  ] as const;
  try {
    const ask = (on: LineProcess) => async () => JSON.parse(await on.ask("1")) as TaskFigures;
    const [without, with_] = (await inTurns(options.rounds, [ask(plain), ask(traced)])) as [
      TaskFigures[],
      TaskFigures[],
    ];
    const spawned = [without, with_].map(all => all.flatMap(({ spawned }) => spawned));
    const echoed = [without, with_].map(all => all.flatMap(({ echoed }) => echoed));
    const parked = spread(without.map(({ parked }) => parked));
    const rows = [
      ["spawn and end", spawned, "ns CPU/task"],
      ["an echo between two tasks", echoed, "µs CPU/echo"],
    ] as const;
    for (const [what, [one, other], unit] of rows)
      report.rows.push(
        { section, what, against: "", ratio: null, figure: spread(one!), unit },
        {
          section,
          what: `${what}, traced`,
          against: what,
          ratio: ratios(other!, one!),
          figure: spread(other!),
          unit,
        },
      );
    report.rows.push({
      section,
      what: "a parked task",
      against: "",
      ratio: null,
      figure: parked,
      unit: "bytes",
    });
    report.targets.push(
      { what: "bytes of a parked task, of 1 KB", atMost: 1, ratio: parked.median / mostBytes },
      {
        what: "time to spawn and end a task untraced, of 1 µs",
        atMost: 1,
        ratio: spread(spawned[0]!).median / mostNs,
      },
    );
  } finally {
    plain.end();
    traced.end();
  }
}

// Sections. The sections of the report in their order, and the target of each.
import type { Site } from "./contestants.ts";
import { measureIdle } from "./idle.ts";
import type { BenchOptions, Section } from "./options.ts";
import { pair } from "./pair.ts";
import type { BenchReport } from "./report.ts";
import { rivalry } from "./requests.ts";
import { measureStart } from "./start.ts";
import { measureTasks } from "./tasks.ts";
import { measureWrapper } from "./wrapper.ts";

type Measure = (site: Site, options: BenchOptions, report: BenchReport) => Promise<void>;

export const measures: Partial<Record<Section, Measure>> = {
  start: measureStart,
  async requests(site, options, report) {
    const rows = await rivalry("a small file, 100 keep-alive connections", site.small, site, options, report);
    report.rows.push(...rows);
    const ours = rows[0]!;
    const nginx = rows.find(row => row.what.startsWith("nginx"));
    const why = "nginx was not measured";
    report.targets.push(
      {
        what: "requests/s of our solution on a small file, of nginx with one worker",
        atLeast: 1.5,
        ratio: nginx ? 1 / nginx.ratio!.median : null,
        why,
      },
      {
        what: "CPU a request of nginx with one worker, of our solution",
        atLeast: 1.5,
        ratio: nginx ? nginx.cpu!.median / ours.cpu!.median : null,
        why,
      },
    );
  },
  async files(site, options, report) {
    report.rows.push(
      ...(await rivalry("a file of 1 MB, 100 keep-alive connections", site.large, site, options, report)),
    );
  },
  idle: measureIdle,
  async trace(site, options, report) {
    const both = [await site.solution(), await site.solution(true)] as const;
    const { rows, rate, cpu } = await pair("traced", site, [...both], options);
    report.rows.push(...rows);
    report.targets.push(
      { what: "requests/s traced, of untraced", atLeast: 0.95, ratio: rate.median },
      { what: "CPU a request untraced, of traced", atLeast: 0.95, ratio: cpu.median },
    );
  },
  tasks: measureTasks,
  wrapper: measureWrapper,
};

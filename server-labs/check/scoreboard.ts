// Scoreboard. Makes a lab's checks of the student's server and then of each rival, one server after another: each has the
// machine to itself. A rival is not judged by what cannot be asked of it, and a rival that is not installed is named.
import { delimiter, dirname } from "node:path";
import type { DeclaredRival, Lab } from "../book.ts";
import { findOnPath, serverFolders } from "../lib/find-program.ts";
import { count, ownServer, type ScoredServer, type Scores, visible, withScore } from "../protocol.ts";
import type { Check } from "./declarations.ts";
import { type Outcome, outcomeOfRival } from "./outcome.ts";
import { jsonLine, jsonReport, type Report } from "./report.ts";
import { runChecks } from "./run-checks.ts";
import { boardLines } from "./scoreboard-text.ts";
import type { Subject } from "./server-process.ts";

export interface ScoreboardOptions {
  lab: Lab;
  /** Loads the checks that are to be made, and says of a declared check whether it is one of them. */
  checks: () => Promise<Check[]>;
  wanted: (check: { id: string }) => boolean;
  own: { name: string; subject: Subject };
  seed: number | undefined;
  /** Where the reports go as JSON; null for a table on the terminal. */
  fd: number | null;
}

/** @returns the exit code of the check command, which only the student's own server decides */
export async function makeScoreboard(options: ScoreboardOptions): Promise<number> {
  const { lab, wanted, own, fd, seed } = options;
  const declared = lab.checks.filter(wanted);
  const servers: ScoredServer[] = [
    { id: ownServer, name: own.name },
    ...lab.rivals.map(rival => ({ id: rival.id, name: rival.name, ...missingOf(rival) })),
  ];
  const reports = fd === null ? textReports(lab, declared, servers) : jsonReports(fd, servers);
  const there = servers.filter(({ missing }) => !missing);
  // The page shows at once which checks will be made.
  for (const { id } of there) for (const check of declared) reports.of(id).onState(check, "waiting");
  const checks = await options.checks();
  const outcomes: Outcome[] = [];
  for (const { id } of there) {
    const rival = lab.rivals.find(one => one.id === id);
    const subject = rival ? subjectOfRival(rival) : own.subject;
    const report = rival ? asRival(reports.of(id)) : reports.of(id);
    // A failure of a rival is shown in one sentence: it is not worth the seconds that make it small.
    const made = await runChecks(checks, {
      subject,
      port: lab.port,
      report,
      seed,
      shrinks: rival === undefined,
    });
    if (!rival) outcomes.push(...made);
  }
  reports.end();
  if (outcomes.some(outcome => outcome.broken)) return 2;
  return outcomes.every(outcome => outcome.state === "passed") ? 0 : 1;
}

function missingOf({ needs, get }: DeclaredRival): Pick<ScoredServer, "missing"> {
  if (needs === undefined || get === undefined || findOnPath(needs, serverFolders)) return {};
  return { missing: { program: needs, get } };
}

/** A rival finds this Node as "node", and servers where Debian installs them. */
function subjectOfRival({ command, folder }: DeclaredRival): Subject {
  const path = [dirname(process.execPath), process.env.PATH ?? "", ...serverFolders].join(delimiter);
  return { kind: "command", line: command, cwd: folder, apart: true, path };
}

function asRival(report: Report): Report {
  return { ...report, onOutcome: outcome => report.onOutcome(outcomeOfRival(outcome)) };
}

interface Reports {
  of(server: string): Report;
  end(): void;
}

function jsonReports(fd: number, servers: ScoredServer[]): Reports {
  jsonLine(fd, { type: "scoreboard", servers });
  return { of: server => jsonReport(fd, server === ownServer ? undefined : server), end: () => {} };
}

/** One line on stderr for each server that has ended; the table on stdout when all have. */
function textReports(lab: Lab, declared: Lab["checks"], servers: ScoredServer[]): Reports {
  let scores: Scores = withScore(null, { type: "scoreboard", servers })!;
  const add = (server: string, event: Pick<Outcome, "id"> & Partial<Outcome>) => {
    scores = withScore(scores, { type: "check", server, state: "waiting", ...event })!;
  };
  return {
    of: server => ({
      onState: () => {},
      onOutcome: outcome => add(server, outcome),
      onEnd: outcomes => {
        const { name } = servers.find(({ id }) => id === server)!;
        process.stderr.write(`${visible(name)}: ${count(outcomes.length, "check")} made\n`);
      },
    }),
    end: () => {
      for (const line of boardLines(lab.id, declared, scores)) console.log(line);
    },
  };
}

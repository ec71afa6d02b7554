// Answers. What the lab server answers over HTTP, and what it sends to a page outside of any run's events.
import type { Event, LabId, RunId, RunKind, Sandbox } from "./events.ts";
import type { Pace } from "./pace.ts";
import type { ProblemStatement } from "./problems.ts";
import type { EndStatement, RefusalStatement, StateStatement } from "./sentences/runs.ts";
import type { Statement } from "./sentences.ts";

/** Messages from the lab server to a page that belong to no run. */
export type Notice =
  /** `page` is what this page is called: as the driver of a run, for one (Pace.driver). */
  | { type: "hello"; version: string; sandbox: Sandbox; workspace: string; page?: string }
  /** The runs of a watched lab; sent at once on watch, before any event, and when one starts or ends. */
  | { type: "lab"; lab: LabId; program: RunSummary | null; check: RunSummary | null }
  /** A watched lab's file was changed, by a save in another tab or by another editor. */
  | { type: "file"; lab: LabId; file: string; etag: string }
  /**
   * The page has been sent everything that happened in this run until `at`, in milliseconds of the run; `sampled`: when
   * the kernel was looked at last. Sent while a call sleeps or samples are wanted.
   */
  | { type: "clock"; run: RunId; at: number; sampled: number | null }
  /** A request was refused; `request` is its type, where the lab server could read it. */
  | { type: "problem"; statement: ProblemStatement; request?: string };

export type Message = Event | Notice;

export interface RunSummary {
  run: RunId;
  lab: LabId;
  kind: RunKind;
  state: "starting" | "listening" | "running" | "stopping" | "exited" | "refused";
  /** The state with its facts: on which ports it listens, how it ended, why it did not start. */
  statement: StateStatement | EndStatement | RefusalStatement;
  port: number;
  /** The next seq: events 0 … nextSeq-1 have happened. */
  nextSeq: number;
  events: string;
  /** The pace of a program; a check has no pace. */
  pace?: Pace;
}

export interface LabSummary {
  lab: LabId;
  title: string;
  chapter: string;
  /** Section of the course that it ports. */
  course?: string;
  port: number;
  files: { file: string; etag: string; bytes: number; path: string }[];
  /** The lab's folder has more files than these. */
  crowded?: Statement<"folder-crowded">;
  checks: { id: string; title: string }[];
  program: RunSummary | null;
  check: RunSummary | null;
}

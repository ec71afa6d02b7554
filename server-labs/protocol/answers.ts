// How things stand, outside of the order of any run: what the lab server answers over HTTP, and says to a page unasked.
import type { Event, LabId, RunId, RunKind, Sandbox } from "./events.ts";
import type { Pace } from "./pace.ts";

/** What the lab server says to a page outside of any run. */
export type Notice =
  /** `page` is what this page is called: as the driver of a run, for one (Pace.driver). */
  | { type: "hello"; version: string; sandbox: Sandbox; workspace: string; page?: string }
  /** The runs of a watched lab; sent at once on watch, before any event, and when one starts or ends. */
  | { type: "lab"; lab: LabId; program: RunSummary | null; check: RunSummary | null }
  /** A watched lab's file was changed, by a save in another tab or by another editor. */
  | { type: "file"; lab: LabId; file: string; etag: string }
  | { type: "problem"; sentence: string; request?: string };

export type Message = Event | Notice;

export interface RunSummary {
  run: RunId;
  lab: LabId;
  kind: RunKind;
  state: "starting" | "listening" | "running" | "stopping" | "exited" | "refused";
  /** The state in words: "listening on 7890", "ended by SIGSEGV (…)". */
  sentence: string;
  port: number;
  /** The next seq: events 0 … nextSeq-1 have happened. */
  nextSeq: number;
  events: string;
  /** How a program goes; a check has none. */
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
  checks: { id: string; title: string }[];
  program: RunSummary | null;
  check: RunSummary | null;
}

/** Any answer of 400 and above. */
export interface Problem {
  problem: string;
}

// Events. What happened in a run, in one order; every pane of the page is a view of them, and curl prints the same.
import type { CallRecord } from "./calls.ts";
import type { KernelSample } from "./kernel.ts";
import type { Pace } from "./pace.ts";
import type { SandboxStatement } from "./sentences/process.ts";
import type { EndStatement, RefusalStatement, UntracedStatement } from "./sentences/runs.ts";
import type { TaskSample } from "./tasks.ts";
import type { VisitStep } from "./visits.ts";

/** A lab's id: "<chapter>/<lesson>" without the folders' numbers. */
export type LabId = string;
/** A run's id: unique for the life of the lab server. */
export type RunId = string;
export type Stream = "stdout" | "stderr";
/** A run is a student's program, or the checker at work on it. */
export type RunKind = "program" | "check";

/** Why a check failed: what was sent, what came back, the cause, and how to see it again. */
export interface Failure {
  /** One sentence: what is not as it should be. */
  summary: string;
  /** What the check did, step by step, as it happened: "sent …", "got …", "after 1000 ms: nothing". */
  evidence: string[];
  expected?: string;
  actual?: string;
  because?: string;
  /** Commands for a shell that show it again. */
  see?: string;
  /** Where in the student's file, when the trace or a stack says so. */
  line?: number;
  /** That file, "lib/clients.ts"; left out where it is the one that starts. */
  file?: string;
}

/**
 * unobserved: the trace does not show what the check must see. unjudged: another promise of the lab is broken, which
 * another check judges, and this one cannot go past it. Neither counts as passed; the event's note says why.
 */
export type CheckState = "waiting" | "running" | "passed" | "failed" | "unobserved" | "unjudged";

/** A server on the scoreboard. */
export interface ScoredServer {
  /** The name of its declaration; ownServer for the student's. */
  id: string;
  name: string;
  /** The program that it needs and that this machine does not have, and the command that installs it. */
  missing?: { program: string; get: string };
}

/** How far a run is kept from everything else on the machine. */
export interface Sandbox {
  level: "bubblewrap" | "plain";
  /** What is protected and what is not, and at level "plain" why there is no sandbox. */
  statement: SandboxStatement;
}

export type RefusedReason =
  | "syntax"
  | "unsupported"
  | "module"
  | "port-taken"
  | "too-long"
  | "unreadable"
  | "cannot-start";

interface Common {
  run: RunId;
  /** Orders all events of a run from 0. */
  seq: number;
  /** Milliseconds since the run began. */
  at: number;
}

export type Event = Common &
  (
    | {
        type: "starting";
        lab: LabId;
        kind: RunKind;
        /** As one would type it: "server.ts 7890". */
        command: string;
        port: number;
        sandbox: Sandbox;
        /** Unix time in milliseconds of `at` 0. */
        began: number;
        /** The ETag of the text that runs or is checked. Lines are lines of that text, and of no other. */
        etag?: string;
        /** The ETags of the student's own modules that it imports: "greet.ts", "lib/words.json". */
        modules?: Record<string, string>;
      }
    | {
        type: "listening";
        host: string;
        port: number;
        url: string;
        /** The trace has not seen its listen(): who listens; left out where it has, or that is not known. */
        statement?: UntracedStatement;
      }
    | {
        type: "output";
        stream: Stream;
        /** Where this text begins, in bytes that the program wrote to this stream. */
        offset: number;
        /** The number of the program's bytes in this text. */
        bytes: number;
        text: string;
      }
    /** Too fast to show: exactly this much was left out of this stream, here. */
    | { type: "output-omitted"; stream: Stream; offset: number; bytes: number; lines: number }
    | {
        type: "syscalls";
        calls: CallRecord[];
        /** How many there were beside them that repeat, by name: an old event of a flood keeps the others only. */
        repeats?: Record<string, number>;
      }
    | {
        type: "syscalls-omitted";
        first: number;
        count: number;
        byName: Record<string, number>;
        /** The last of them, where calls between them are shown: those follow this event. */
        through?: number;
        /** Of `count`: not even their names are known. */
        lost?: number;
        /** Some of them opened or closed a descriptor: such calls came too fast themselves to be kept. */
        incomplete?: true;
      }
    | ({ type: "pace" } & Pace)
    | { type: "kernel"; sample: KernelSample }
    | { type: "tasks"; sample: TaskSample }
    | ({ type: "visit" } & VisitStep)
    | {
        type: "check";
        id: string;
        title: string;
        state: CheckState;
        took?: number;
        failure?: Failure;
        note?: string;
        /** The server on the scoreboard of which the check was made; left out for the student's own. */
        server?: string;
      }
    /** The checks are made of these servers, one after another: the student's own, and the lab's rivals. */
    | { type: "scoreboard"; servers: ScoredServer[] }
    | {
        type: "exited";
        code: number | null;
        signal: string | null;
        statement: EndStatement;
        /** A page or a shell asked for the end. */
        stopped: boolean;
      }
    | {
        type: "refused";
        reason: RefusedReason;
        /** With the place in the file, or with the holder of the port and a port that is free now. */
        statement: RefusalStatement;
      }
    /** Not in any list: what the reader who asked from further back has missed for good. */
    | {
        type: "gap";
        events: number;
        bytes: number;
        calls: number;
        /** Of these calls none mattered: all of them repeat what the program did before. */
        repeats?: true;
      }
  );
export type EventType = Event["type"];
export type EventOf<T extends EventType> = Extract<Event, { type: T }>;

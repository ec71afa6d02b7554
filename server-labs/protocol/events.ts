// What happened in a run, in one order. Every pane of the page is a view of these, and what curl prints is the same.
import type { KernelSample } from "./kernel.ts";
import type { Pace } from "./pace.ts";
import type { VisitStep } from "./visits.ts";

/** A lab's id: "<chapter>/<lesson>" without the folders' numbers. */
export type LabId = string;
/** A run's id: unique for the life of the lab server. */
export type RunId = string;
export type Stream = "stdout" | "stderr";
/** A run is a student's program, or the checker at work on it. */
export type RunKind = "program" | "check";

/** One traced system call. Times are milliseconds since the run began. */
export interface Syscall {
  /** Counts the calls of a run from 0; a call that may sleep comes twice with one n: entered, then done. */
  n: number;
  at: number;
  /** Microseconds inside the kernel; 0 where that was not measured, null while the program is still in there. */
  took: number | null;
  name: string;
  /** The file descriptor it is about, where there is one. */
  fd: number | null;
  /**
   * What the descriptors are that it speaks of, where the calls before it told: "listener", "epoll", "eventfd", or of a
   * connection its peer, "127.0.0.1:51322". The same number with another peer is another connection.
   */
  who?: Record<number, string>;
  /** The arguments in strace's notation, without the parentheses. */
  args: string;
  /** What the kernel answered, in strace's notation ("7", "-1 EAGAIN (would block)"), "" while inside. */
  result: string;
  returned: number;
  errno: string | null;
  /** ready: it got something done · waiting: would block, in progress, or asleep · failed: an error. */
  state: "ready" | "waiting" | "failed";
  /** Line of the student's file, where known. */
  line: number | null;
}

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
}

export type CheckState = "waiting" | "running" | "passed" | "failed" | "unobserved";

/** How far a run is kept from everything else on the machine. */
export interface Sandbox {
  level: "bubblewrap" | "plain";
  /** In words, for the page: what is protected, and what is not. */
  sentence: string;
}

export type RefusedReason =
  | "syntax"
  | "unsupported"
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
        /** Of a program: the ETag of the text that runs. Lines are lines of that text, and of no other. */
        etag?: string;
      }
    | { type: "listening"; host: string; port: number; url: string }
    | {
        type: "output";
        stream: Stream;
        /** Where this text begins, in bytes that the program wrote to this stream. */
        offset: number;
        /** Bytes that this text stands for. */
        bytes: number;
        text: string;
      }
    /** Too fast to show: exactly this much was left out of this stream, here. */
    | { type: "output-omitted"; stream: Stream; offset: number; bytes: number; lines: number }
    | { type: "syscalls"; calls: Syscall[] }
    | { type: "syscalls-omitted"; first: number; count: number; byName: Record<string, number> }
    | ({ type: "pace" } & Pace)
    | { type: "kernel"; sample: KernelSample }
    | ({ type: "visit" } & VisitStep)
    | {
        type: "check";
        id: string;
        title: string;
        state: CheckState;
        took?: number;
        failure?: Failure;
        note?: string;
      }
    | {
        type: "exited";
        code: number | null;
        signal: string | null;
        /** "exited with 1", "ended by SIGSEGV (…)", "stopped": what a person is told. */
        sentence: string;
        /** Somebody asked for it. */
        stopped: boolean;
      }
    | {
        type: "refused";
        reason: RefusedReason;
        sentence: string;
        line?: number;
        column?: number;
        /** Who holds the port: a run of ours can be stopped, anybody else's process never is. */
        holder?: { run: RunId; lab: LabId } | { pid: number; command: string };
        /** A port that is free now. */
        freePort?: number;
      }
    /** Not in any list: what the reader who asked from further back has missed for good. */
    | { type: "gap"; events: number; bytes: number; calls: number }
  );
export type EventType = Event["type"];
export type EventOf<T extends EventType> = Extract<Event, { type: T }>;

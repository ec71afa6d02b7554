// The contract between the page, curl and the lab server. Everything that a program does comes back as one
// ordered list of events for each run; everything that a person asks is a request. Nothing is in here that
// has no reader. No DOM, no Node: both sides compile this file.
import * as v from "valibot";
import type { KernelSample } from "./protocol/kernel.ts";
import { type Pace, paceBody, stepBody } from "./protocol/pace.ts";
import type { VisitStep } from "./protocol/visits.ts";

export * from "./protocol/kernel.ts";
export * from "./protocol/pace.ts";
export * from "./protocol/visits.ts";

/** Bounds, each with its reason. Sizes in bytes, times in milliseconds. */
export const limits = {
  /** A source file that a student may save or send: 200 times the longest lab. */
  fileBytes: 512 * 1024,
  /** An HTTP body or a WebSocket message: a file, quoted as JSON. */
  messageBytes: 1024 * 1024,
  /** Output of one run that is kept for replay. */
  outputRingBytes: 1024 * 1024,
  /** Syscall events of one run that are kept for replay, as bytes of JSON. */
  syscallRingBytes: 2 * 1024 * 1024,
  /** Steps of visits of one run that are kept for replay, as bytes of JSON: some dozens of visits. */
  visitRingBytes: 1024 * 1024,
  /** Output beyond this rate is left out, counted, and said. */
  outputBytesPerSecond: 2 * 1024 * 1024,
  outputBurstBytes: 4 * 1024 * 1024,
  /** The end of what was left out is always shown: it holds the last words before a crash. */
  outputTailBytes: 64 * 1024,
  /** Syscalls shown one by one; beyond it they are counted. */
  syscallsPerSecond: 2_000,
  syscallsBurst: 10_000,
  /** The newest of the calls left out are always shown. */
  syscallsTail: 200,
  /** Unacknowledged events in flight to one page, as bytes of JSON. */
  windowBytes: 512 * 1024,
  /** Output and calls are sent at most this often. */
  flushMs: 16,
  /** Between SIGTERM and SIGKILL. */
  graceMs: 300,
  /** A run that has printed nothing, listened nowhere and not ended is still only "starting". */
  startMs: 10_000,
  /** A check that has not ended by itself is ended. */
  checkMs: 60_000,
  /** WebSockets at once. */
  sessions: 64,
} as const;

/** A lab's id: "<chapter>/<lesson>" without the folders' numbers. */
export type LabId = string;
/** A run's id: unique for the life of the lab server. */
export type RunId = string;
export type Stream = "stdout" | "stderr";
/** A run is a student's program, or the checker at work on it. */
export type RunKind = "program" | "check";

// ------------------------------------------------------------------------------------------- requests

const lab = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9-]*\/[a-z0-9][a-z0-9-]*$/, "a lab is <chapter>/<lesson>"),
);
const run = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9-]{1,64}$/, "a run is named by the id that starting it gave"),
);
const seq = v.pipe(v.number(), v.integer(), v.minValue(0));
const text = v.pipe(v.string(), v.maxLength(limits.fileBytes, "the text is longer than a lab may be"));
const port = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65535));

// Each field is a name of its own, for a reason: to spread `runBody.entries` into the request below would keep all of
// valibot in the page, which uses only the constants of this file.
const someText = v.optional(text);
const somePort = v.optional(port);
const someRun = v.optional(run);
const somePace = v.optional(paceBody);
const someIds = v.optional(v.array(v.pipe(v.string(), v.maxLength(64))));

/** Body of POST /api/labs/<lab>/run; every field may be left out. */
export const runBody = v.strictObject({
  /** Run this text instead of the saved file. */
  text: someText,
  /** The port to listen on; 0 for any free one; the lab's own when left out. */
  port: somePort,
  /** A run of ours that is to be stopped first, because it holds the port. */
  instead: someRun,
  /** How it begins: {"mode": "paused"} stops before its first call. Who starts it so drives it. */
  pace: somePace,
});
export type RunBody = v.InferOutput<typeof runBody>;

/** Body of POST /api/labs/<lab>/check. */
export const checkBody = v.strictObject({
  text: someText,
  /** Ids of the checks to make; all when left out. */
  only: someIds,
});
export type CheckBody = v.InferOutput<typeof checkBody>;

/**
 * Body of PUT /api/labs/<lab>/files/<file>; needs If-Match with the ETag that was read: `""` for a file that is not
 * there, `*` for whatever is there (of which a copy is kept). 412 has the text and etag that are there instead.
 */
export const fileBody = v.strictObject({ text });

/**
 * Body of POST /api/labs/<lab>/reset: the starter again. The answer has its text and etag, and in `kept` the path of
 * the copy that was made of what was there (null if there was nothing).
 */
export const resetBody = v.strictObject({});

/** What a page says over /ws. Files go by HTTP, where ETag and If-Match are at home; so do visits, which answer with an id. */
export const request = v.variant("type", [
  /** Tell me of this lab's runs, now and later; `from` gives the next seq wanted of runs already known. */
  v.strictObject({ type: v.literal("watch"), lab, from: v.optional(v.record(run, seq)) }),
  v.strictObject({ type: v.literal("unwatch"), lab }),
  v.strictObject({
    type: v.literal("run"),
    lab,
    text: someText,
    port: somePort,
    instead: someRun,
    pace: somePace,
  }),
  v.strictObject({ type: v.literal("check"), lab, text: someText, only: someIds }),
  v.strictObject({ type: v.literal("stop"), run }),
  /** How fast it goes; who asks first drives, and `drive` takes the wheel from whoever has it. */
  v.strictObject({ type: v.literal("pace"), run, pace: paceBody }),
  v.strictObject({ type: v.literal("step"), run, step: stepBody }),
  v.strictObject({ type: v.literal("drive"), run }),
  /** Samples of the kernel's state for as long as this page wants them: so often in milliseconds, 0 for no more. */
  v.strictObject({ type: v.literal("sample"), run, everyMs: v.pipe(v.number(), v.integer(), v.minValue(0)) }),
  /** I have shown everything of this run up to and including seq. */
  v.strictObject({ type: v.literal("ack"), run, seq }),
]);
export type Request = v.InferOutput<typeof request>;

// --------------------------------------------------------------------------------------------- events

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

// -------------------------------------------------------------------------------------------- notices

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

// ------------------------------------------------------------------------------------ answers over HTTP

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

export const subprotocol = { version: "lab.v1", tokenPrefix: "token." } as const;

// Outcomes. How a check ends: it passes, it fails with evidence, or it could not observe the program; and what an error
// that ended it means.
import { AssertionError } from "node:assert";
import { inspect } from "node:util";
import { clock } from "../lib/clock.ts";
import { type CallRecord, type CheckState, type Failure, failureSentence } from "../protocol.ts";
import { Overdue } from "./time-limit.ts";

/**
 * A promise of the lab that other checks rely on, and that is broken: a check that only meets it cannot judge what it is
 * about. The check whose options name the promise judges it.
 */
export interface BrokenPromise {
  /** "persistence": as the option `judges` of a check has it. */
  promise: string;
  /** What the server does, as a part of a sentence: "the server closes connections that should stay open". */
  saying: string;
}

/** A line of the program; the file is left out where it is the one that starts. */
type Place = Pick<Required<Failure>, "line"> & Pick<Failure, "file">;

/** What a check may add to a failure. */
export interface Why {
  /** The cause, in one sentence that teaches. */
  because?: string;
  /** A command that shows the failure again; {port} is replaced by the lab's port, {folder} by the folder in which the program runs. */
  see?: string;
  /** The system call in which it went wrong: it names the line of the program. */
  at?: CallRecord | null;
  expected?: string;
  actual?: string;
  breaks?: BrokenPromise | undefined;
  /**
   * A sentence that says why another right server may do this: the rule is this lab's own. A rival on the scoreboard is
   * not judged by it.
   */
  labRule?: string | undefined;
  /** What was done and seen, in order, in place of the check's whole journal. */
  evidence?: readonly string[];
}

/** The program under test does not do what the check demands. runCheck adds the evidence. */
export class CheckFailure extends Error {
  readonly failure: Omit<Failure, "evidence">;
  /** Why it may be another check's affair. */
  readonly breaks: BrokenPromise | undefined;
  readonly labRule: string | undefined;
  readonly evidence: readonly string[] | undefined;

  constructor(summary: string, { at, breaks, labRule, evidence, ...why }: Why = {}) {
    super(summary);
    this.name = "CheckFailure";
    this.breaks = breaks;
    this.labRule = labRule;
    this.evidence = evidence;
    this.failure = { summary, ...why, ...placeOfCall(at ?? null) };
  }
}

/** The program did not listen: every check of it fails for this one reason. */
export class StartFailure extends CheckFailure {
  override readonly evidence: readonly string[];

  /** @param place where the text has a mistake */
  constructor(summary: string, evidence: readonly string[], why: Why & Partial<Place> = {}) {
    const { line, file, ...rest } = why;
    super(summary, rest);
    this.name = "StartFailure";
    this.evidence = evidence;
    if (line !== undefined) Object.assign(this.failure, { line, ...(file === undefined ? {} : { file }) });
  }
}

/** The check cannot see in this program what it needs to see. */
export class Unobserved extends Error {
  constructor(sentence: string) {
    super(sentence);
    this.name = "Unobserved";
  }
}

/** The machine was too busy for what the check measures. It is run again when no other check runs. */
export class MachineBusy extends Error {
  /**
   * @param what what could not be measured, as the part of a sentence: "a client that sends within a second"
   * @param cause the failure of the last try, if each try has failed
   */
  constructor(what: string, cause?: unknown) {
    super(`The machine was too busy for this: ${what}. Run the check again when fewer programs run.`, {
      cause,
    });
    this.name = "MachineBusy";
  }
}

/** The result of one check. */
export interface Outcome {
  id: string;
  title: string;
  state: Extract<CheckState, "passed" | "failed" | "unobserved" | "unjudged">;
  /** Milliseconds. */
  took: number;
  failure?: Failure;
  note?: string;
  /** It failed because of this: it is unjudged if the check that judges the promise has failed too. */
  breaks?: BrokenPromise;
  /** It failed by a rule of this lab's own: why another right server may do this. */
  labRule?: string;
  /** The program did not listen: all checks fail for this reason. */
  start?: boolean;
  /** The check itself has a mistake, which its author must mend. */
  broken?: boolean;
  /** It is unjudged because the machine was too busy. `failed`: each try failed, perhaps for that reason. */
  busy?: { failed: boolean };
}

/** What is known of the program when a check ends. */
export interface Circumstances {
  /** What the check did and saw, in order. */
  evidence: readonly string[];
  /** How the program ended ("exited with 1"), and the last lines that it printed; null while it runs. */
  ended: { how: string; lastLines: readonly string[] } | null;
  /** Its files, the one that starts first; none of a command. */
  files: readonly string[];
  /** The system call in which the program waits for long; null without such a call, or when /proc does not show it. */
  blockedCall: CallRecord | null;
  /** The check's own, for a failure that says none. */
  labRule?: string | undefined;
}

/** Lines of output that a failure quotes. */
const quotedLines = 10;

/** The result of a check that ended with this error. */
export function outcomeOf(
  error: unknown,
  { evidence: noted, ended, files, blockedCall, labRule: ofCheck }: Circumstances,
): Pick<Outcome, "state" | "failure" | "note" | "breaks" | "labRule" | "start" | "broken" | "busy"> {
  if (error instanceof Unobserved) return { state: "unobserved", note: error.message };
  if (error instanceof MachineBusy)
    return { state: "unjudged", busy: { failed: error.cause instanceof CheckFailure }, note: error.message };
  if (error instanceof StartFailure) {
    return { state: "failed", start: true, failure: { ...error.failure, evidence: [...error.evidence] } };
  }
  const evidence = [...((error instanceof CheckFailure && error.evidence) || noted)];
  if (ended) {
    evidence.push(`the server ${ended.how}`);
    const lines = ended.lastLines.slice(-quotedLines);
    if (lines.length > 0) evidence.push("the last lines that it printed:", ...lines.map(line => `  ${line}`));
  }
  // A conversation says by itself what was waited for: the server may rest now in any call.
  const told = error instanceof CheckFailure && error.evidence !== undefined;
  if (blockedCall && !told) {
    const seconds = ((clock() - blockedCall.at) / 1000).toFixed(1);
    evidence.push(`the server has been inside ${blockedCall.call}(${blockedCall.fd ?? ""}) for ${seconds} s`);
  }
  if (error instanceof CheckFailure) {
    const failure: Failure = { ...error.failure, evidence };
    const place =
      failure.line === undefined
        ? ((told ? undefined : placeOfBlocked(blockedCall)) ?? placeIn(ended?.lastLines ?? [], files))
        : {};
    // A server that has ended keeps no promise: that is the cause, and the failure says so.
    const breaks = error.breaks && !ended ? { breaks: error.breaks } : {};
    const labRule = error.labRule ?? ofCheck;
    const rule = labRule !== undefined && !ended ? { labRule } : {};
    return { state: "failed", failure: { ...failure, ...place }, ...breaks, ...rule };
  }
  if (error instanceof AssertionError) {
    const [summary = ""] = error.message.split("\n", 1);
    const compared = error.operator && !["fail", "==", "throws"].includes(error.operator);
    const values = compared ? { expected: inspect(error.expected), actual: inspect(error.actual) } : {};
    return { state: "failed", failure: { summary, evidence, ...values } };
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const summary =
    error instanceof Overdue
      ? `${error.message} A wait in the check has no limit: the mistake is in the check, not in your program.`
      : "This check is broken: the mistake is in the check, not in your program.";
  return {
    state: "failed",
    broken: true,
    failure: { summary, evidence: error instanceof Overdue ? evidence : [...evidence, ...stack.split("\n")] },
  };
}

/** The outcome of a check that was made of a rival: what cannot be asked of it is not judged. */
export function outcomeOfRival(outcome: Outcome): Outcome {
  const { id, title, took, failure, labRule, start, broken } = outcome;
  if (!failure) return outcome;
  const notJudged = (note: string): Outcome => ({ id, title, took, state: "unjudged", note });
  if (start) return notJudged(`The server did not start. ${failure.summary}`);
  if (broken) return notJudged("The check does not come to an end with this server.");
  if (labRule) return notJudged(`${labRule} Measured: ${failureSentence(failure)}`);
  return outcome;
}

/** The place that made a call, as far as it is known. */
function placeOfCall(call: CallRecord | null): Place | null {
  if (!call?.line) return null;
  return { line: call.line, ...(call.file === undefined ? {} : { file: call.file }) };
}

/** The place of a call that should not wait. A server may wait in poll and epoll_wait. */
function placeOfBlocked(call: CallRecord | null): Place | null {
  return call?.call === "poll" || call?.call === "epoll_wait" ? null : placeOfCall(call);
}

/** The first place in one of the program's files that a stack trace in the output names. */
function placeIn(output: readonly string[], files: readonly string[]): Place | null {
  for (const [, path, line] of output.join("\n").matchAll(/([^\s()]+\.\w+):(\d+):\d+/g)) {
    const index = files.findIndex(file => path === file || path!.endsWith(`/${encodeURI(file)}`));
    if (index >= 0) return { line: Number(line), ...(index > 0 ? { file: files[index]! } : {}) };
  }
  return null;
}

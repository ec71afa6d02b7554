// Reports. The progress and the outcomes of checks: as sentences for a reader, or as one JSON object a line for a program
// (the `check` events of protocol.ts without run, seq and at, which the lab server adds).
import { writeSync } from "node:fs";
import { type CheckState, count, type EventOf, type Failure, visible } from "../protocol.ts";
import type { Outcome } from "./outcome.ts";

type CheckEvent = Omit<EventOf<"check">, "run" | "seq" | "at">;

export interface Report {
  /** Called with "waiting" for every check before the first starts, in order; with "running" when a check starts. */
  onState(check: { id: string; title: string }, state: Extract<CheckState, "waiting" | "running">): void;
  /** Called when a check has ended. */
  onOutcome(outcome: Outcome): void;
  /** Called when all checks have ended. */
  onEnd(outcomes: readonly Outcome[]): void;
}

/**
 * One JSON object a line, on this descriptor.
 * @param server the rival of which the checks are made; left out for the student's own server
 */
export function jsonReport(fd: number, server?: string): Report {
  const of = server === undefined ? {} : { server };
  const send = (event: CheckEvent) => jsonLine(fd, { ...event, ...of });
  return {
    onState: ({ id, title }, state) => send({ type: "check", id, title, state }),
    onOutcome: ({ id, title, state, took, failure, note }) =>
      send({
        type: "check",
        id,
        title,
        state,
        took,
        ...(failure === undefined ? {} : { failure }),
        ...(note === undefined ? {} : { note }),
      }),
    onEnd: () => {},
  };
}

export interface TextReportOptions {
  /** The lab's id, for the command that prints a hint. */
  lab: string;
  /** The file or command that is checked: "server.ts". */
  name: string;
  colours: boolean;
  /** Prints failures only: for checks that run many times. */
  failuresOnly: boolean;
  print: (line: string) => void;
}

/** Sentences for a terminal. */
export function textReport({ lab, name, colours, failuresOnly, print }: TextReportOptions): Report {
  const paint = (code: number) => (text: string) => (colours ? `\x1b[${code}m${text}\x1b[0m` : text);
  const [red, green, yellow, dim] = [31, 32, 33, 2].map(paint) as [Paint, Paint, Paint, Paint];
  const marks = { passed: green("✓"), failed: red("✗"), unobserved: yellow("?"), unjudged: yellow("–") };
  const order: string[] = [];
  const known = new Map<string, Outcome>();
  let neverListened = false;
  const printOutcome = (outcome: Outcome) => {
    if (failuresOnly && outcome.state !== "failed") return;
    if (outcome.start) {
      // All checks fail for the same reason: print it once.
      if (!neverListened) for (const line of failureLines(outcome.failure!, name)) print(`  ${line}`);
      neverListened = true;
      return;
    }
    print(`  ${marks[outcome.state]} ${outcome.title}  ${dim(`${outcome.id} · ${outcome.took} ms`)}`);
    const why = outcome.state === "unjudged" ? "not judged" : "could not be observed";
    if (outcome.note) print(`      ${why}: ${visible(outcome.note)}`);
    if (!outcome.failure) return;
    for (const line of failureLines(outcome.failure, name)) print(`      ${line}`);
    print(`      ${dim(`a hint: npm run check -- ${lab} --hint ${outcome.id}`)}`);
    print("");
  };
  return {
    onState({ id }, state) {
      if (state === "waiting") order.push(id);
    },
    // Checks end in any order; a reader sees them in the order of checks.ts.
    onOutcome(outcome) {
      known.set(outcome.id, outcome);
      for (let next = known.get(order[0]!); next; next = known.get(order[0]!)) {
        order.shift();
        known.delete(next.id);
        printOutcome(next);
      }
    },
    onEnd(outcomes) {
      print("");
      print(`  ${outcomeSummary(outcomes)}`);
    },
  };
}

type Paint = (text: string) => string;

/** A failure as lines of text: what is wrong, the evidence, the cause, the line, and a command that shows it again. */
export function failureLines(failure: Failure, name: string): string[] {
  const { summary, expected, actual, evidence, because, line, file = name, see } = failure;
  const lines = [summary];
  if (expected !== undefined) lines.push(`  expected: ${expected}`);
  if (actual !== undefined) lines.push(`  actual:   ${actual}`);
  if (evidence.length > 0) lines.push("", ...evidence.map(one => `  ${one}`));
  if (because !== undefined) lines.push("", because);
  if (line !== undefined) lines.push(`Look at ${file}:${line}.`);
  if (see !== undefined) lines.push("", "See it again:", ...see.split("\n").map(one => `  ${one}`));
  lines.push("");
  // They quote what a server and its clients have written, which must not command the terminal.
  return lines.map(one => visible(one, "\n"));
}

/** "6 of 8 checks passed, 1 failed, 1 could not be observed." */
export function outcomeSummary(outcomes: readonly Outcome[]): string {
  const number = (state: CheckState) => outcomes.filter(outcome => outcome.state === state).length;
  const [passed, failed, unobserved] = [number("passed"), number("failed"), number("unobserved")];
  const unjudged = number("unjudged");
  if (outcomes.length > 0 && outcomes.every(outcome => outcome.start)) {
    return `The program did not listen: ${count(outcomes.length, "check")} could not start.`;
  }
  if (passed === outcomes.length) return `${passed === 1 ? "The check" : `All ${passed} checks`} passed.`;
  const rest = [
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(unobserved > 0 ? [`${unobserved} could not be observed`] : []),
    ...(unjudged > 0 ? [`${unjudged} not judged`] : []),
  ];
  return `${passed} of ${count(outcomes.length, "check")} passed, ${rest.join(", ")}.`;
}

/** Writes one object on a line of its own. */
export function jsonLine(fd: number, value: object): void {
  writeAll(fd, `${JSON.stringify(value)}\n`);
}

/** A write to a pipe may accept only a part of the bytes. */
function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}

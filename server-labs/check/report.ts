// What is said of the checks: to a person as sentences, to a program as one JSON object a line, the `check`
// events of protocol.ts without what only the lab server knows (run, seq, at).
import { writeSync } from "node:fs";
import type { CheckState, EventOf, Failure } from "../protocol.ts";
import type { Outcome } from "./attack.ts";
import { count } from "./journal.ts";

type CheckEvent = Omit<EventOf<"check">, "run" | "seq" | "at">;

export interface Report {
  /** Said of every check before the first begins, in their order; and of each when it begins. */
  is(check: { id: string; title: string }, state: Extract<CheckState, "waiting" | "running">): void;
  /** Said as soon as it is known. */
  became(outcome: Outcome): void;
  end(outcomes: readonly Outcome[]): void;
}

/** One JSON object a line, on this descriptor. */
export function jsonReport(fd: number): Report {
  const say = (event: CheckEvent) => writeAll(fd, `${JSON.stringify(event)}\n`);
  return {
    is: ({ id, title }, state) => say({ type: "check", id, title, state }),
    became: ({ id, title, state, took, failure, note }) =>
      say({
        type: "check",
        id,
        title,
        state,
        took,
        ...(failure === undefined ? {} : { failure }),
        ...(note === undefined ? {} : { note }),
      }),
    end: () => {},
  };
}

export interface PersonOptions {
  /** The id of the lab: hints are asked for by it. */
  lab: string;
  /** What is checked, as its author calls it: "server.ts". */
  name: string;
  colours: boolean;
  /** Nothing is said of checks that passed: they are made many times. */
  failuresOnly: boolean;
  say: (line: string) => void;
}

/** Sentences for a terminal. */
export function personReport({ lab, name, colours, failuresOnly, say }: PersonOptions): Report {
  const paint = (code: number) => (text: string) => (colours ? `\x1b[${code}m${text}\x1b[0m` : text);
  const [red, green, yellow, dim] = [31, 32, 33, 2].map(paint) as [Paint, Paint, Paint, Paint];
  const marks = { passed: green("✓"), failed: red("✗"), unobserved: yellow("?") };
  const order: string[] = [];
  const known = new Map<string, Outcome>();
  let neverListened = false;
  const tell = (outcome: Outcome) => {
    if (failuresOnly && outcome.state !== "failed") return;
    if (outcome.start) {
      // One reason for all: it is told once, and then only counted.
      if (!neverListened) for (const line of story(outcome.failure!, name)) say(`  ${line}`);
      neverListened = true;
      return;
    }
    say(`  ${marks[outcome.state]} ${outcome.title}  ${dim(`${outcome.id} · ${outcome.took} ms`)}`);
    if (outcome.note) say(`      could not be observed: ${outcome.note}`);
    if (!outcome.failure) return;
    for (const line of story(outcome.failure, name)) say(`      ${line}`);
    say(`      ${dim(`a hint: npm run check -- ${lab} --hint ${outcome.id}`)}`);
    say("");
  };
  return {
    is({ id }, state) {
      if (state === "waiting") order.push(id);
    },
    // They end as they end; a person reads them in the order in which they stand in checks.ts.
    became(outcome) {
      known.set(outcome.id, outcome);
      for (let next = known.get(order[0]!); next; next = known.get(order[0]!)) {
        order.shift();
        known.delete(next.id);
        tell(next);
      }
    },
    end(outcomes) {
      say("");
      say(`  ${sum(outcomes)}`);
    },
  };
}

type Paint = (text: string) => string;

/** A failure, told: what is wrong, what happened, why, where, and how to see it again. */
export function story(failure: Failure, name: string): string[] {
  const { summary, expected, actual, evidence, because, line, see } = failure;
  const told = [summary];
  if (expected !== undefined) told.push(`  expected: ${expected}`);
  if (actual !== undefined) told.push(`  actual:   ${actual}`);
  if (evidence.length > 0) told.push("", ...evidence.map(one => `  ${one}`));
  if (because !== undefined) told.push("", because);
  if (line !== undefined) told.push(`Look at ${name}:${line}.`);
  if (see !== undefined) told.push("", "See it again:", ...see.split("\n").map(one => `  ${one}`));
  told.push("");
  return told;
}

/** "6 of 8 checks passed, 1 failed, 1 could not be observed." */
export function sum(outcomes: readonly Outcome[]): string {
  const number = (state: CheckState) => outcomes.filter(outcome => outcome.state === state).length;
  const [passed, failed, unobserved] = [number("passed"), number("failed"), number("unobserved")];
  if (outcomes.length > 0 && outcomes.every(outcome => outcome.start)) {
    return `The program did not listen: ${count(outcomes.length, "check")} could not begin.`;
  }
  if (passed === outcomes.length) return `${passed === 1 ? "The check" : `All ${passed} checks`} passed.`;
  const rest = [
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(unobserved > 0 ? [`${unobserved} could not be observed`] : []),
  ];
  return `${passed} of ${count(outcomes.length, "check")} passed, ${rest.join(", ")}.`;
}

/** A pipe may take only a part of it. */
function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}

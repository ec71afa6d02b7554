// What a person is told about a run, in words.
import type { Ending } from "./process-tree.ts";

/** Signals that say something about a program, in the words of this book. */
const meanings: Partial<Record<NodeJS.Signals, string>> = {
  SIGSEGV: "a bad pointer was given to the kernel or to a C function",
  SIGBUS: "memory was touched that has nothing behind it",
  SIGABRT: "it gave itself up: what it printed last says why",
  SIGFPE: "an arithmetic error in native code",
  SIGILL: "the processor was given something that is no instruction",
  SIGKILL: "somebody else ended it, or the machine ran out of memory",
  SIGXFSZ: "it wrote a file larger than 64 MB",
  SIGXCPU: "it used more processor time than it may",
  SIGPIPE: "it wrote to a pipe that nobody reads",
  SIGTRAP: "V8 could not go on: what it printed last says why",
};

export interface EndFacts {
  ending: Ending;
  /** Somebody asked for it, and it had to be killed because it did not end by itself. */
  stopped: boolean;
  killed: boolean;
  /** What it printed last on stderr. */
  lastWords: string;
  heapMegabytes: number;
  graceMs: number;
}

/** How a program ended: "exited with 1", "ended by SIGSEGV (…)", "stopped". */
export function endSentence({
  ending,
  stopped,
  killed,
  lastWords,
  heapMegabytes,
  graceMs,
}: EndFacts): string {
  const { code, signal } = ending;
  // Between the signal that it was sent last and its end it may have ended of the first one.
  if (stopped && killed && signal === "SIGKILL")
    return `stopped; it did not end within ${graceMs} ms of SIGTERM, so it was killed`;
  if (stopped) return "stopped";
  if ((signal === "SIGABRT" || signal === "SIGTRAP") && lastWords.includes("JavaScript heap out of memory"))
    return `ran out of memory: its JavaScript objects needed more than ${heapMegabytes} MB`;
  if (signal !== null) {
    const meaning = meanings[signal];
    return `ended by ${signal}${meaning ? ` (${meaning})` : ""}`;
  }
  return `exited with ${code}`;
}

/** Where it listens, and whether that is where it was told to. */
export function listeningSentence(ports: number[], told: number): string {
  const where = `listening on ${ports.join(" and ")}`;
  return told === 0 || ports.includes(told) ? where : `${where}, not on ${told} as it was told`;
}

/** How a check ended: "3 of 5 checks passed". */
export function checkSentence(states: string[]): string {
  const count = (state: string) => states.filter(s => s === state).length;
  const [passed, all, unobserved] = [count("passed"), states.length, count("unobserved")];
  const rest = unobserved > 0 ? `, ${unobserved} could not be observed` : "";
  return `${passed} of ${all} ${all === 1 ? "check" : "checks"} passed${rest}`;
}

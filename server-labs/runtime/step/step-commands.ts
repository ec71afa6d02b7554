// Step commands. The commands that a student types while a program is stepped through in a shell.
import { callIndex, errnoName, errnoNumbers, isTracedCall, tracedCalls } from "../../protocol/calls.ts";
import { suggestion } from "../../protocol/nearest.ts";
import type { BreakpointCondition } from "../sys/pace.ts";

export type StepCommand =
  | { do: "step"; to: "boundary" | "call" }
  | { do: "continue" }
  | { do: "watch" }
  | { do: "quit" }
  | { do: "break"; breakpoints: BreakpointCondition[]; sentence: string }
  | { do: "print"; sentence: string };

export const keys = "Enter steps, c goes on, ? shows all there is.";

const help = `s, Enter  step: to the next boundary, before or after a call
n         next: to before the next call
c         continue: at full speed, to the next breakpoint
b recv    break before recv; b EAGAIN: after any call that fails so; b fd 7: at what is about fd 7;
          together: b recv EAGAIN fd 7 · b alone lists the breakpoints, d 1 deletes the first
w         watch: which descriptors are ready now
q         quit the program (so does Ctrl-C, also while it runs)`;

const calls = tracedCalls.slice(1);

/** What a line means. @param breakpoints those that there are */
export function parseStepCommand(line: string, breakpoints: BreakpointCondition[]): StepCommand {
  const [word = "", ...rest] = line.split(/\s+/);
  switch (word) {
    case "s":
    case "step":
      return { do: "step", to: "boundary" };
    case "n":
    case "next":
      return { do: "step", to: "call" };
    case "c":
    case "continue":
      return { do: "continue" };
    case "w":
    case "watch":
      return { do: "watch" };
    case "q":
    case "quit":
      return { do: "quit" };
    case "b":
    case "break":
      return addBreakpoint(rest, breakpoints);
    case "d":
    case "delete":
      return deleteBreakpoint(rest, breakpoints);
    case "?":
    case "h":
    case "help":
      return { do: "print", sentence: help };
  }
  return { do: "print", sentence: `"${word}" is nothing that can be done here.\n${help}` };
}

/** "recv that fails with EAGAIN" */
export function inWordsOf({ call, errno, fd }: BreakpointCondition): string {
  const name = call === null ? "any call" : tracedCalls[call]!;
  const about = fd === null ? "" : ` about fd ${fd}`;
  return `${name}${about}${errno === null ? "" : ` that fails with ${errnoName(errno)}`}`;
}

function addBreakpoint(words: string[], breakpoints: BreakpointCondition[]): StepCommand {
  if (words.length === 0) return { do: "print", sentence: list(breakpoints) };
  const condition: BreakpointCondition = { call: null, errno: null, fd: null };
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === "fd") {
      const fd = words[++i] ?? "";
      if (!/^\d{1,9}$/.test(fd)) return { do: "print", sentence: 'A descriptor is a number: "b fd 7".' };
      condition.fd = Number(fd);
    } else if (isTracedCall(word)) {
      condition.call = callIndex(word);
    } else if (Object.hasOwn(errnoNumbers, word)) {
      condition.errno = errnoNumbers[word]!;
    } else {
      const known = /^[A-Z]/.test(word) ? Object.keys(errnoNumbers) : calls;
      return { do: "print", sentence: `There is no ${word}.${suggestion(word, known, "names")}` };
    }
  }
  const all = [...breakpoints, condition];
  return { do: "break", breakpoints: all, sentence: list(all) };
}

function deleteBreakpoint([word = ""]: string[], breakpoints: BreakpointCondition[]): StepCommand {
  const index = Number(word) - 1;
  if (!breakpoints[index])
    return { do: "print", sentence: `There is no breakpoint ${word}. ${list(breakpoints)}` };
  const left = breakpoints.filter((_, i) => i !== index);
  return { do: "break", breakpoints: left, sentence: list(left) };
}

function list(breakpoints: BreakpointCondition[]): string {
  if (breakpoints.length === 0) return "No breakpoints.";
  return `Breakpoints: ${breakpoints.map((condition, i) => `${i + 1} ${inWordsOf(condition)}`).join(" · ")}`;
}

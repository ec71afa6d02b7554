// Processes. What /proc says of them (proc(5)): parents, states, and a run's mark in the environment. The kernel uses a
// pid again; a pid with its start time names one process for good.
import { readdirSync, readFileSync } from "node:fs";

export interface ProcessFacts {
  pid: number;
  /** "R" running, "S" asleep, "D" asleep and not interruptible, "T" stopped, "Z" ended and not waited for. */
  state: string;
  parent: number;
  group: number;
  /** Milliseconds on a processor, in its own code and in the kernel's, of all its threads: in steps of 10. */
  cpuMs: number;
  threads: number;
  /** Clock ticks since boot: with the pid, the name of one process. */
  started: string;
}

/** USER_HZ is 100 on every machine that the workbook supports. */
const tickMs = 10;

/** Facts about a process; null when no process has this pid. */
export function processFacts(pid: number): ProcessFacts | null {
  const stat = read(`/proc/${pid}/stat`);
  return stat === "" ? null : factsOf(pid, stat);
}

/** @param stat what /proc/<pid>/stat holds; see proc_pid_stat(5) */
export function factsOf(pid: number, stat: string): ProcessFacts {
  // The command's name is in parentheses and may hold any bytes, parentheses too: go by the last one.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return {
    pid,
    state: fields[0]!,
    parent: Number(fields[1]),
    group: Number(fields[2]),
    cpuMs: (Number(fields[11]) + Number(fields[12])) * tickMs,
    threads: Number(fields[17]),
    started: fields[19]!,
  };
}

/** Every process that this user may see. */
export function allProcesses(): ProcessFacts[] {
  const pids = readdirSync("/proc")
    .map(Number)
    .filter(pid => pid > 0);
  return pids.flatMap(pid => processFacts(pid) ?? []);
}

/** False when the process has ended: a zombie runs nothing and holds nothing. */
export function isAlive(pid: number, started?: string): boolean {
  const facts = processFacts(pid);
  return (
    facts !== null &&
    facts.state !== "Z" &&
    facts.state !== "X" &&
    (started ?? facts.started) === facts.started
  );
}

export function childrenOf(pid: number): ProcessFacts[] {
  return allProcesses().filter(process => process.parent === pid);
}

/**
 * The process and all that it and they have started and that have not ended: by the lists of the kernel, which cost less
 * than a look at every process of the machine. A process whose parent ended is no longer among them.
 */
export function descendantsOf(pid: number): number[] {
  const found = [pid];
  // The list grows while it is walked.
  for (const one of found)
    for (const task of namesIn(`/proc/${one}/task`))
      for (const child of read(`/proc/${one}/task/${task}/children`).split(" "))
        if (child !== "") found.push(Number(child));
  return found;
}

/** Memory of a process, in bytes: all that it has in memory or in swap, what it shares with others in full. */
export function residentBytes(pid: number): number {
  return kilobytes(read(`/proc/${pid}/status`), ["VmRSS", "VmSwap"]);
}

/** As residentBytes(), but what several processes share is counted in parts (Pss); null where that may not be read. */
export function proportionalBytes(pid: number): number | null {
  const rollup = read(`/proc/${pid}/smaps_rollup`);
  return rollup === "" ? null : kilobytes(rollup, ["Pss", "SwapPss"]);
}

function kilobytes(text: string, fields: string[]): number {
  const values = fields.map(field => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0));
  return values.reduce((sum, value) => sum + value, 0) * 1024;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // the process is gone
  }
}

/** The pid that a process has in its own, innermost pid namespace. */
export function innerPid(pid: number): number | null {
  const line = /^NSpid:\s+(.*)$/m.exec(read(`/proc/${pid}/status`))?.[1];
  return line ? Number(line.trim().split(/\s+/).at(-1)) : null;
}

/** Is `pid` this ancestor, or does it descend from it? */
export function descendsFrom(pid: number, ancestor: number): boolean {
  for (let at: number | undefined = pid, steps = 0; at && at > 1 && steps < 100; steps++) {
    if (at === ancestor) return true;
    at = processFacts(at)?.parent;
  }
  return false;
}

/** The living processes whose environment has a variable that begins so: "LAB_RUN=4711-2/". */
export function carrying(beginning: string): ProcessFacts[] {
  const mark = `\0${beginning}`;
  return allProcesses().filter(p => p.state !== "Z" && `\0${read(`/proc/${p.pid}/environ`)}`.includes(mark));
}

/** Sends a signal. False when there is no such process, or it belongs to another user. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return ""; // the process is gone, or belongs to another user
  }
}

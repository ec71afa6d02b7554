// Processes as /proc shows them (proc(5)): who descends from whom, who is gone, who carries a run's mark.
// A pid alone says little, because it is used again: with its start time it names one process for good.
import { readdirSync, readFileSync } from "node:fs";

export interface ProcessFacts {
  pid: number;
  /** "R" running, "S" asleep, "D" asleep and not to be woken, "T" stopped, "Z" ended and nobody has asked how. */
  state: string;
  parent: number;
  group: number;
  /** Milliseconds on a processor, in its own code and in the kernel's, of all its threads: in steps of 10. */
  cpuMs: number;
  threads: number;
  /** Clock ticks since boot: with the pid, the name of one process. */
  started: string;
}

/** USER_HZ is 100 on every machine that Linux runs on for us. */
const tickMs = 10;

/** Facts about a process; null when there is none with this pid. */
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

/** The living processes in whose environment some variable begins so: "LAB_RUN=4711-2/". */
export function carrying(beginning: string): ProcessFacts[] {
  const mark = `\0${beginning}`;
  return allProcesses().filter(p => p.state !== "Z" && `\0${read(`/proc/${p.pid}/environ`)}`.includes(mark));
}

/** Sends a signal. False when there is nobody (any more) to send it to, or it is not ours. */
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
    return ""; // it is gone, or not ours to see
  }
}

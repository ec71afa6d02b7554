// Process facts. What /proc says of a process: the checks' view of any program, traced or not. Each function reads /proc
// once; of a process that has ended it returns null or nothing.
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { socketInode } from "../kernel.ts";
import { allProcesses, descendantsOf, processFacts } from "../process.ts";

/** The open file descriptors of a process and what each is: "socket:[4711]", "/dev/null". See proc_pid_fd(5). */
export function openDescriptors(pid: number): Map<number, string> {
  const folder = `/proc/${pid}/fd`;
  const open = new Map<number, string>();
  for (const name of list(folder)) {
    try {
      open.set(Number(name), readlinkSync(`${folder}/${name}`));
    } catch {
      // The process has closed it since the folder was listed.
    }
  }
  return open;
}

/**
 * Milliseconds that a process has spent on a processor, in its own code and in the kernel: exact where the kernel keeps
 * schedstat, else in ticks of 10 ms. See proc_pid_stat(5).
 */
export function cpuMs(pid: number): number | null {
  const run = ranMs(pid);
  return run > 0 ? run : (processFacts(pid)?.cpuMs ?? null);
}

/** What a thread has done so far: milliseconds that it ran and waited for a processor, and how often it slept. */
export interface Thread {
  ran: number;
  waited: number;
  /** voluntary_ctxt_switches: how often it went to sleep of its own accord, in any call; exact, on a busy machine too. */
  sleeps: number;
}

/**
 * The threads of these processes. Without schedstat the times come in ticks of 10 ms, and `waited` is 0. See the
 * kernel's sched-stats.rst.
 */
export function threads(pids: readonly number[]): Map<string, Thread> {
  const found = new Map<string, Thread>();
  for (const pid of pids) {
    for (const thread of list(`/proc/${pid}/task`)) {
      const folder = `/proc/${pid}/task/${thread}`;
      const [exact, waited] = times(folder);
      const ran = exact > 0 ? exact : (processFacts(Number(thread))?.cpuMs ?? 0);
      found.set(thread, { ran, waited, sleeps: sleepsOf(folder) });
    }
  }
  return found;
}

/** Milliseconds that the threads of a process have run; 0 where the kernel does not keep schedstat. */
function ranMs(pid: number): number {
  return list(`/proc/${pid}/task`).reduce((sum, thread) => sum + times(`/proc/${pid}/task/${thread}`)[0], 0);
}

function times(folder: string): [ran: number, waited: number] {
  const [ran, waited] = (read(`${folder}/schedstat`) ?? "0 0").split(" ").map(Number);
  return [ran! / 1e6, waited! / 1e6];
}

/** How often the threads of a process have gone to sleep of their own accord. See proc_pid_status(5). */
export function voluntarySwitches(pid: number): number {
  return list(`/proc/${pid}/task`).reduce((sum, thread) => sum + sleepsOf(`/proc/${pid}/task/${thread}`), 0);
}

function sleepsOf(folder: string): number {
  const text = read(`${folder}/status`) ?? "";
  return Number(/^voluntary_ctxt_switches:\s+(\d+)$/m.exec(text)?.[1] ?? 0);
}

/**
 * Bytes of memory that are a process's own, without mapped files: what n processes share counts for one nth in each. A
 * kernel that does not keep this is asked for RssAnon, which counts it for each. See proc_pid_smaps(5), proc_pid_status(5).
 */
export function memory(pid: number): number | null {
  const shared = /^Pss_Anon:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/smaps_rollup`) ?? "");
  const found = shared ?? /^RssAnon:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? "");
  return found && Number(found[1]) * 1024;
}

/** "R" running, "S" asleep, "T" stopped, "Z" ended and not yet waited for; null: no such process. See proc_pid_stat(5). */
export function runState(pid: number): string | null {
  return processFacts(pid)?.state ?? null;
}

/** It sleeps in futex(2), for another of its threads. False too where /proc does not show it. See proc_pid_wchan(5). */
export function waitsForThread(pid: number): boolean {
  return /^futex/.test(read(`/proc/${pid}/wchan`) ?? "");
}

/** Does the kernel keep a list of each thread's children? See proc_tid_children(5). */
const keepsChildren = existsSync(`/proc/${process.pid}/task/${process.pid}/children`);

/** A process, its children, their children, and so on: the process itself first. */
export function processTree(pid: number): number[] {
  if (keepsChildren) return descendantsOf(pid);
  const all = allProcesses();
  const found = [pid];
  for (const one of found) found.push(...all.filter(({ parent }) => parent === one).map(child => child.pid));
  return found;
}

/** The inodes of the sockets that a process holds. */
export function socketInodes(pid: number): Set<number> {
  return new Set([...openDescriptors(pid).values()].map(socketInode).filter(inode => inode !== 0));
}

function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

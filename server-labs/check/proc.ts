// What the kernel tells anybody about a process and its connections: the checks' view of any program, traced
// or not. Everything here reads /proc, once for each call; a process that is gone gives null or nothing.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { socketInode } from "../kernel/descriptors.ts";
import { type TcpSocket, TcpTable } from "../kernel/tables.ts";
import { allProcesses, processFacts } from "../processes.ts";

/** All TCP sockets of this network, newest state. See proc_net_tcp(5). */
export function tcpSockets(): TcpSocket[] {
  const table = (file: string, version: 4 | 6) =>
    new TcpTable(Buffer.from(read(`/proc/net/${file}`) ?? "", "latin1"), version).rows;
  return [...table("tcp", 4), ...table("tcp6", 6)];
}

/** The open file descriptors of a process and what each is: "socket:[4711]", "/dev/null". See proc_pid_fd(5). */
export function descriptors(pid: number): Map<number, string> {
  const folder = `/proc/${pid}/fd`;
  const open = new Map<number, string>();
  for (const name of list(folder)) {
    try {
      open.set(Number(name), readlinkSync(`${folder}/${name}`));
    } catch {
      // It was closed between the listing and the look.
    }
  }
  return open;
}

/**
 * Milliseconds that a process has spent on a processor, in its own code and in the kernel's: exact where the kernel
 * keeps schedstat, else in ticks of 10 ms. See proc_pid_stat(5).
 */
export function cpuMs(pid: number): number | null {
  const run = ranMs(pid);
  return run > 0 ? run : (processFacts(pid)?.cpuMs ?? null);
}

/** What a thread has done so far: milliseconds that it ran and waited for a processor, and how often it went to sleep. */
export interface Thread {
  ran: number;
  waited: number;
  /** voluntary_ctxt_switches: of its own accord, whatever in; exact, on a busy machine too. */
  sleeps: number;
}

/** The threads of these processes. Without schedstat, times in ticks of 10 ms, and no waiting. See the kernel's sched-stats.rst. */
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

/** Milliseconds that its threads have run; 0 where the kernel does not keep schedstat. */
function ranMs(pid: number): number {
  return list(`/proc/${pid}/task`).reduce((sum, thread) => sum + times(`/proc/${pid}/task/${thread}`)[0], 0);
}

function times(folder: string): [ran: number, waited: number] {
  const [ran, waited] = (read(`${folder}/schedstat`) ?? "0 0").split(" ").map(Number);
  return [ran! / 1e6, waited! / 1e6];
}

/** How often its threads have gone to sleep of their own accord: voluntary_ctxt_switches, proc_pid_status(5). */
export function sleeps(pid: number): number {
  return list(`/proc/${pid}/task`).reduce((sum, thread) => sum + sleepsOf(`/proc/${pid}/task/${thread}`), 0);
}

function sleepsOf(folder: string): number {
  const text = read(`${folder}/status`) ?? "";
  return Number(/^voluntary_ctxt_switches:\s+(\d+)$/m.exec(text)?.[1] ?? 0);
}

/** Octets of memory that are a process's own (RssAnon), not those of files that it has mapped. See proc_pid_status(5). */
export function memory(pid: number): number | null {
  const found = /^RssAnon:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? "");
  return found && Number(found[1]) * 1024;
}

/** "R" running, "S" asleep, "T" stopped, "Z" ended and not yet waited for. See proc_pid_stat(5). */
export function processState(pid: number): string | null {
  return processFacts(pid)?.state ?? null;
}

/** Everything that a process started, and what those started, itself first. */
export function family(pid: number): number[] {
  const all = allProcesses();
  const found = [pid];
  for (const one of found) found.push(...all.filter(({ parent }) => parent === one).map(child => child.pid));
  return found;
}

/** The inodes of the sockets that a process holds. */
export function socketInodes(pid: number): Set<number> {
  return new Set([...descriptors(pid).values()].map(socketInode).filter(inode => inode !== 0));
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

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
  const { run } = schedule(pid);
  return run > 0 ? run : (processFacts(pid)?.cpuMs ?? null);
}

/**
 * Milliseconds in which a process has run or has waited for a processor: of one that never sleeps all of them, however
 * busy the machine is. Without schedstat, as cpuMs.
 */
export function wantedMs(pid: number): number | null {
  const { run, wait } = schedule(pid);
  return run > 0 ? run + wait : cpuMs(pid);
}

/** Milliseconds in which a process could have run, and had to wait for a processor. Without schedstat none. */
export function delayMs(pid: number): number {
  return schedule(pid).wait;
}

/** Milliseconds that its threads have run, and have waited for a processor. See the kernel's sched-stats.rst. */
function schedule(pid: number): { run: number; wait: number } {
  const sum = { run: 0, wait: 0 };
  for (const thread of list(`/proc/${pid}/task`)) {
    const [run, wait] = (read(`/proc/${pid}/task/${thread}/schedstat`) ?? "0 0").split(" ").map(Number);
    sum.run += run! / 1e6;
    sum.wait += wait! / 1e6;
  }
  return sum;
}

/** How often its threads have gone to sleep of their own accord: voluntary_ctxt_switches, proc_pid_status(5). */
export function sleeps(pid: number): number {
  const threads = list(`/proc/${pid}/task`).map(thread => read(`/proc/${pid}/task/${thread}/status`) ?? "");
  return threads.reduce(
    (sum, text) => sum + Number(/^voluntary_ctxt_switches:\s+(\d+)$/m.exec(text)?.[1] ?? 0),
    0,
  );
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

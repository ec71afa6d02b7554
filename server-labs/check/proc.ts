// What the kernel tells anybody about a process and its connections: the checks' view of any program, traced
// or not. Everything here reads /proc, once for each call; a process that is gone gives null or nothing.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { socketInode } from "../kernel/descriptors.ts";
import { type TcpSocket, TcpTable } from "../kernel/tables.ts";

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

/** Milliseconds that a process has spent on a processor, in its own code and in the kernel's. See proc_pid_stat(5). */
export function cpuMs(pid: number): number | null {
  const fields = stat(pid);
  // USER_HZ is 100 on every machine that Linux runs on for us: a tick is 10 ms.
  return fields && (Number(fields[11]) + Number(fields[12])) * 10;
}

/**
 * Milliseconds in which a process has run or has waited for a processor: of one that never sleeps all of them, however
 * busy the machine is. See /proc/pid/schedstat in the kernel's sched-stats.rst; without it, as cpuMs.
 */
export function wantedMs(pid: number): number | null {
  const threads = list(`/proc/${pid}/task`).map(thread => read(`/proc/${pid}/task/${thread}/schedstat`));
  const known = threads.filter(text => text !== null);
  if (known.length === 0) return cpuMs(pid);
  return (
    known.map(text => text.split(" ").map(Number)).reduce((sum, [run, wait]) => sum + run! + wait!, 0) / 1e6
  );
}

/** Octets of memory that are a process's own (RssAnon), not those of files that it has mapped. See proc_pid_status(5). */
export function memory(pid: number): number | null {
  const found = /^RssAnon:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? "");
  return found && Number(found[1]) * 1024;
}

/** "R" running, "S" asleep, "T" stopped, "Z" ended and not yet waited for. See proc_pid_stat(5). */
export function processState(pid: number): string | null {
  return stat(pid)?.[0] ?? null;
}

/** Everything that a process started, and what those started, itself first. */
export function family(pid: number): number[] {
  const parents = new Map<number, number[]>();
  for (const name of list("/proc")) {
    const child = Number(name);
    const parent = Number.isInteger(child) ? stat(child)?.[1] : undefined;
    if (parent === undefined) continue;
    const siblings = parents.get(Number(parent));
    if (siblings) siblings.push(child);
    else parents.set(Number(parent), [child]);
  }
  const found = [pid];
  for (const one of found) found.push(...(parents.get(one) ?? []));
  return found;
}

/** The inodes of the sockets that a process holds. */
export function socketInodes(pid: number): Set<number> {
  return new Set([...descriptors(pid).values()].map(socketInode).filter(inode => inode !== 0));
}

/** The fields of /proc/<pid>/stat from the state on; the name before it may hold anything, brackets too. */
function stat(pid: number): string[] | null {
  const text = read(`/proc/${pid}/stat`);
  return text === null ? null : text.slice(text.lastIndexOf(")") + 2).split(" ");
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

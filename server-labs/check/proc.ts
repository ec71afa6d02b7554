// What the kernel tells anybody about a process and its connections: the checks' view of any program, traced
// or not. Everything here reads /proc, once for each call; a process that is gone gives null or nothing.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** States of a TCP socket, as /proc/net/tcp numbers them (include/net/tcp_states.h). */
export const tcpState = { established: 1, closeWait: 8, listen: 10 } as const;

/** One line of /proc/net/tcp or tcp6. */
export interface TcpRow {
  localPort: number;
  remotePort: number;
  state: number;
  /** Bytes that the peer has not yet acknowledged. */
  sendQueue: number;
  /** Bytes that the program has not yet read; for a listener: how many wait in its accept queue. */
  recvQueue: number;
  /** 0 while no process holds the socket: a connection that waits to be accepted. */
  inode: number;
}

/** All TCP sockets of this network, newest state. See proc_net_tcp(5). */
export function tcpRows(): TcpRow[] {
  return ["/proc/net/tcp", "/proc/net/tcp6"].flatMap(path => {
    const lines = (read(path) ?? "").split("\n").slice(1);
    return lines.filter(line => line.length > 0).map(tcpRow);
  });
}

function tcpRow(line: string): TcpRow {
  const [, local = "", remote = "", state = "", queues = "", , , , , inode = ""] = line.trim().split(/\s+/);
  const [sendQueue = "", recvQueue = ""] = queues.split(":");
  return {
    localPort: Number.parseInt(local.slice(local.indexOf(":") + 1), 16),
    remotePort: Number.parseInt(remote.slice(remote.indexOf(":") + 1), 16),
    state: Number.parseInt(state, 16),
    sendQueue: Number.parseInt(sendQueue, 16),
    recvQueue: Number.parseInt(recvQueue, 16),
    inode: Number(inode),
  };
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
  if (run > 0) return run;
  const fields = stat(pid);
  // USER_HZ is 100 on every machine that Linux runs on for us: a tick is 10 ms.
  return fields && (Number(fields[11]) + Number(fields[12])) * 10;
}

/**
 * Milliseconds in which a process has run or has waited for a processor: of one that never sleeps all of them, however
 * busy the machine is. Without schedstat, as cpuMs.
 */
export function wantedMs(pid: number): number | null {
  const { run, wait } = schedule(pid);
  return run > 0 ? run + wait : cpuMs(pid);
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
  const inodes = [...descriptors(pid).values()].map(target => /^socket:\[(\d+)\]$/.exec(target)?.[1]);
  return new Set(inodes.filter(inode => inode !== undefined).map(Number));
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

// Process facts. What the kernel counts of a process as a whole: proc_pid_stat(5), proc_pid_statm(5), proc_pid_limits(5).
import { readFileSync } from "node:fs";
import { factsOf, type ProcessFacts } from "../process.ts";

/** Of every machine that Node is built for by default. */
const pageBytes = 4096;

/** Of its main thread, what its state is. @throws the file system's error when the process is gone or of another user */
export function processState(pid: number): ProcessFacts {
  return factsOf(pid, readFileSync(`/proc/${pid}/stat`, "latin1"));
}

/** Bytes of its memory that are in RAM. */
export function rssBytes(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/statm`, "latin1").split(" ")[1]) * pageBytes;
}

/** The limit of descriptors in force, RLIMIT_NOFILE; 0 when it is not known. */
export function descriptorLimit(pid: number): number {
  const text = textOf(`/proc/${pid}/limits`);
  return Number(/^Max open files\s+(\d+)/m.exec(text)?.[1] ?? 0);
}

/** Kernel memory of all TCP sockets, in bytes: the "mem" of /proc/net/sockstat counts pages. */
export function tcpMemory(pid: number): number {
  const text = textOf(`/proc/${pid}/net/sockstat`);
  return Number(/^TCP:.* mem (\d+)/m.exec(text)?.[1] ?? 0) * pageBytes;
}

/** The longest accept queue that a listener may have, whatever listen(2) was given; null when it is not known. */
export function somaxconn(): number | null {
  const text = textOf("/proc/sys/net/core/somaxconn");
  return Number(text) || null;
}

/** "" when it cannot be read. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

// What the kernel counts of a process as a whole: proc_pid_stat(5), proc_pid_statm(5), proc_pid_limits(5).
import { readFile } from "node:fs/promises";
import { factsOf, type ProcessFacts } from "../processes.ts";

/** Of every machine that Node is built for by default. */
const pageBytes = 4096;

/** Of its main thread, what its state is. @throws when the process is gone, or not ours to see */
export async function processState(pid: number): Promise<ProcessFacts> {
  return factsOf(pid, await readFile(`/proc/${pid}/stat`, "latin1"));
}

/** Bytes of its memory that are in RAM. */
export async function rssBytes(pid: number): Promise<number> {
  return Number((await readFile(`/proc/${pid}/statm`, "latin1")).split(" ")[1]) * pageBytes;
}

/** The limit of descriptors in force, RLIMIT_NOFILE; 0 when it is not known. */
export async function descriptorLimit(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/limits`, "latin1").catch(() => "");
  return Number(/^Max open files\s+(\d+)/m.exec(text)?.[1] ?? 0);
}

/** Kernel memory of all TCP sockets, in bytes: the "mem" of /proc/net/sockstat counts pages. */
export async function tcpMemory(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/net/sockstat`, "latin1").catch(() => "");
  return Number(/^TCP:.* mem (\d+)/m.exec(text)?.[1] ?? 0) * pageBytes;
}

/** No listener's accept queue is longer, whatever listen(2) was given; null when it is not known. */
export async function somaxconn(): Promise<number | null> {
  const text = await readFile("/proc/sys/net/core/somaxconn", "latin1").catch(() => "");
  return Number(text) || null;
}

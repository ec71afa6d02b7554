// What the kernel counts of a process as a whole: proc_pid_stat(5), proc_pid_statm(5), proc_pid_limits(5).
import { readFile } from "node:fs/promises";

export interface ProcessState {
  /** "R" running, "S" asleep, "D" asleep and not to be woken, "T" stopped, "Z" ended; of its main thread. */
  state: string;
  /** On a processor, in its own code and in the kernel's, of all its threads: in steps of 10 ms. */
  cpuMs: number;
  threads: number;
}

/** USER_HZ is 100 on every machine that Linux runs on for us. */
const tickMs = 10;
/** Of every machine that Node is built for by default. */
const pageBytes = 4096;

/** @throws when the process is gone */
export async function processState(pid: number): Promise<ProcessState> {
  const text = await readFile(`/proc/${pid}/stat`, "latin1");
  // The command's name is in parentheses and may hold any bytes, parentheses too: go by the last one.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return {
    state: fields[0]!,
    cpuMs: (Number(fields[11]) + Number(fields[12])) * tickMs,
    threads: Number(fields[17]),
  };
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

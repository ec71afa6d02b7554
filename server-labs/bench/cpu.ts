// CPU time. The processor time of some processes, as the kernel counts it: proc_pid_stat(5), proc_pid_schedstat(5).
import { readdirSync, readFileSync } from "node:fs";
import { cpuMs } from "../check.ts";

/**
 * User and system time of all threads, in microseconds. From schedstat, in nanoseconds, where the kernel keeps it;
 * else from stat's utime + stime, in steps of 10 ms.
 */
export function cpuMicros(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + (fine(pid) ?? (cpuMs(pid) ?? 0) * 1000), 0);
}

function fine(pid: number): number | null {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const times = threads.map(thread =>
      Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]),
    );
    const sum = times.reduce((a, b) => a + b, 0);
    return sum > 0 ? sum / 1000 : null;
  } catch {
    return null;
  }
}

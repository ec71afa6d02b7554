// The time that a process waited for its program is not the program's: to it, the process began when it did.

/** Moves the beginning of performance.now(), performance.timeOrigin and process.uptime() by so many milliseconds. */
export function forgetTime(ms: number): void {
  const now = performance.now.bind(performance);
  const uptime = process.uptime.bind(process);
  const { timeOrigin } = performance;
  performance.now = () => now() - ms;
  Object.defineProperty(performance, "timeOrigin", { value: timeOrigin + ms, configurable: true });
  process.uptime = () => uptime() - ms / 1000;
}

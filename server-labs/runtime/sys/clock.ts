// Program clock. Hides from performance.now() the time in which the process waited for its program, or was paused by the
// page or a shell: a paused server reaches no deadline sooner.

/** The real performance.now(), in milliseconds. */
export const realNow = performance.now.bind(performance);

let hidden = 0;
let installed = false;

/** Milliseconds that were hidden so far. */
export function hiddenMs(): number {
  return hidden;
}

/** Subtracts `ms` milliseconds from performance.now() and process.uptime(), and adds them to performance.timeOrigin. */
export function hideTime(ms: number): void {
  hidden += ms;
  if (installed) return;
  installed = true;
  const uptime = process.uptime.bind(process);
  const { timeOrigin } = performance;
  performance.now = () => realNow() - hidden;
  Object.defineProperty(performance, "timeOrigin", { get: () => timeOrigin + hidden, configurable: true });
  process.uptime = () => uptime() - hidden / 1000;
}

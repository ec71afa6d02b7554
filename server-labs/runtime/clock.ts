// The time that a process waits for its program, or at a boundary for whoever drives it, is not the program's: by its
// own clock a server that is stepped through meets no deadline sooner.

/** Milliseconds that pass, whatever the program is told: what performance.now() was before anything was taken off. */
export const realNow = performance.now.bind(performance);

let forgotten = 0;
let installed = false;

/** Takes so many milliseconds off performance.now() and process.uptime(), and moves performance.timeOrigin by them. */
export function forgetTime(ms: number): void {
  forgotten += ms;
  if (installed) return;
  installed = true;
  const uptime = process.uptime.bind(process);
  const { timeOrigin } = performance;
  performance.now = () => realNow() - forgotten;
  Object.defineProperty(performance, "timeOrigin", { get: () => timeOrigin + forgotten, configurable: true });
  process.uptime = () => uptime() - forgotten / 1000;
}

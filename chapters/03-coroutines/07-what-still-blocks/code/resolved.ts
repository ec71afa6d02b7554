// Resolved promises. A loop that awaits them keeps timers away; a loop that awaits setImmediate does not.
import { setImmediate } from "node:timers/promises";

// #region loop
async function loop(next: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  for (const end = performance.now() + 300; performance.now() < end; turns++) await next();
  return turns;
}
// #endregion loop

async function besideTimer(name: string, next: () => Promise<unknown>): Promise<void> {
  const begin = performance.now();
  let fired = Number.NaN;
  setTimeout(() => (fired = performance.now() - begin), 20);
  const turns = await loop(next);
  await setImmediate();
  await setImmediate();
  console.log(`${name}: ${turns} turns, the timer of 20 ms came after ${Math.round(fired)} ms`);
}

await besideTimer("a resolved promise", () => Promise.resolve());
await besideTimer("setImmediate", () => setImmediate());

// What a program is doing, in words: from its state and the newest call that has not returned.
import type { Inside } from "./calls.ts";

/**
 * @param state of proc_pid_stat(5): "R", "S", "T" …
 * @param inside the call that it was in all the time
 * @param paused where it waits at a boundary, in words
 * @param moved it has made calls while we looked: asleep it is, but not in one of which we know
 */
export function doingInWords(
  state: string,
  inside: Inside | null,
  paused: string | null,
  moved = false,
): string {
  if (state === "T" || state === "t") return `stopped by a signal${inside ? `, inside ${call(inside)}` : ""}`;
  if (state === "Z" || state === "X") return "ended";
  if (paused !== null) return paused;
  if (inside) return state === "R" ? `running, inside ${call(inside)}` : `asleep in ${call(inside)}`;
  if (state === "S")
    return moved ? "asleep for a moment, between calls" : "asleep, in no call that is traced";
  return state === "D" ? "waiting for a disk" : "running";
}

function call({ name, args: [a = 0, b = 0] }: Inside): string {
  if (name === "nanosleep") return `nanosleep(${a + b / 1e9} s)`;
  return name === "poll" ? "poll" : `${name}(${a})`;
}

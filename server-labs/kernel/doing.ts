// Activity of a program. Concluded from the state of its process and the newest call that has not returned.
import type { DoingStatement, PausedStatement } from "../protocol.ts";
import type { Inside } from "./calls.ts";

/**
 * What a program is doing.
 * @param state of proc_pid_stat(5): "R", "S", "T" …
 * @param call the call that it was in during the whole look
 * @param paused where it waits at a boundary; null when it does not
 * @param moved it has made calls during the look: it is asleep, but not in a call that is known
 */
export function doingOf(
  state: string,
  call: Inside | null,
  paused: PausedStatement | null,
  moved = false,
): DoingStatement {
  if (state === "T" || state === "t") return { code: "stopped-by-signal", call };
  if (state === "Z" || state === "X") return { code: "process-ended" };
  if (paused !== null) return paused;
  if (call) return { code: state === "R" ? "running-inside" : "asleep-in", call };
  if (state === "S") return { code: moved ? "asleep-between-calls" : "asleep-untraced" };
  return { code: state === "D" ? "waiting-for-disk" : "running-now" };
}

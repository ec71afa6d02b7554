// Time limits. A part of a task's steps must end by a moment, or an error is thrown where the task waits.
import { theHub } from "./hub.ts";
import type { Steps } from "./task.ts";
import { TimedOut } from "./timed-out.ts";
import { checkedMs } from "./wait.ts";

/**
 * Gives these steps so much time: `yield* timeout(500, recv(socket, 1024))`. When the time is over, TimedOut is thrown where
 * the task waits, so the `finally` blocks of the steps run. A task that does not wait is not interrupted.
 * @param ms milliseconds
 * @returns what the steps return
 * @throws TimedOut; what the steps throw
 */
export function* timeout<T>(ms: number, steps: Steps<T>): Steps<T> {
  return yield* deadline(performance.now() + checkedMs(ms, "timeout()"), steps);
}

/**
 * Gives these steps time until a moment: for several waits that share one limit, such as a whole request.
 * @param at a moment of performance.now(), in milliseconds
 * @returns what the steps return
 * @throws TimedOut; what the steps throw
 */
export function* deadline<T>(at: number, steps: Steps<T>): Steps<T> {
  const hub = theHub("deadline()");
  const { current: task, timers } = hub;
  const began = performance.now();
  // Made when the time is over: an error takes its stack, and most steps end in their time.
  let error: TimedOut | null = null;
  const timer = timers.add(at, () => {
    error = new TimedOut(at - began);
    task.interrupt(error);
  });
  try {
    return yield* steps;
  } finally {
    timers.remove(timer);
    // It may have come in the turn in which the steps had ended.
    if (error !== null) task.withdraw(error);
  }
}

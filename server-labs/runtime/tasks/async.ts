// Async functions on a hub. What a generator waits for with `yield*`, an async function waits for with `await wait(…)`.
import { Hub, theHub } from "./hub.ts";
import type { Steps } from "./task.ts";

/**
 * Makes a hub, and runs this async function on it. Where no task is ready the hub sleeps in epoll_wait(2): Node's own timers
 * and files do not go on meanwhile.
 * @param main `await runAsync(async () => { … await wait(recv(socket, 1024)) … })`
 * @returns what the function returned, when all tasks have ended
 * @throws what the function threw; Error when a hub runs already
 */
export function runAsync<T>(main: () => Promise<T>): Promise<T> {
  return new Hub().runAsync(main);
}

/**
 * Runs these steps as a task, for an async function that waits for them: `const bytes = await wait(recv(socket, 1024))`.
 * @param steps the call of a generator function
 * @param signal cancels the task when it is aborted; a promise has no cancel()
 * @param name the task's name in errors
 * @returns a promise of what the steps return; it rejects with what they throw
 * @throws Error when no hub runs
 */
export function wait<T>(
  steps: Steps<T>,
  { signal, name }: { signal?: AbortSignal; name?: string } = {},
): Promise<T> {
  const hub = theHub("wait()");
  return new Promise<T>((resolve, reject) => {
    const cancel = () => task.cancel();
    const task = hub.spawn(steps, name, () => {
      signal?.removeEventListener("abort", cancel);
      try {
        resolve(task.result());
      } catch (error) {
        reject(error);
      }
    });
    task.awaited = true;
    if (signal?.aborted) cancel();
    else signal?.addEventListener("abort", cancel);
  });
}

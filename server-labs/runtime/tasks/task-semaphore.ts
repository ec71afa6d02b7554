// Task semaphore. A number of permits for tasks; a task without a permit waits, first come, first served.
import { theHub } from "./hub.ts";
import type { Steps, Task } from "./task.ts";

export class TaskSemaphore {
  #free: number;
  readonly #waiting: { task: Task; granted: boolean }[] = [];

  /** @param permits how many tasks may have one at once */
  constructor(permits: number) {
    if (!Number.isInteger(permits) || permits < 1)
      throw new TypeError(`A TaskSemaphore has at least one permit, not ${String(permits)}.`);
    this.#free = permits;
  }

  /** Permits that no task has. */
  get free(): number {
    return this.#free;
  }

  /** Runs these steps with a permit: waits for one, and releases it when the steps have ended, however they end. */
  *with<T>(steps: Steps<T>): Steps<T> {
    yield* this.#acquire();
    try {
      return yield* steps;
    } finally {
      this.#release();
    }
  }

  *#acquire(): Steps<void> {
    theHub("with()");
    if (this.#free > 0) {
      this.#free--;
      return;
    }
    let mine: { task: Task; granted: boolean } | null = null;
    try {
      yield {
        awaited: { kind: "semaphore" },
        start: task => {
          const waiting = { task, granted: false };
          mine = waiting;
          this.#waiting.push(waiting);
          return () => {
            if (!waiting.granted) this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
          };
        },
      };
    } catch (error) {
      // An interrupt that came after the permit was granted is thrown at the next wait, and not here.
      if ((mine as { granted: boolean } | null)?.granted) this.#release();
      throw error;
    }
  }

  #release(): void {
    const next = this.#waiting.shift();
    if (!next) {
      this.#free++;
      return;
    }
    // The permit goes to the first that waits, without being free in between.
    next.granted = true;
    next.task.wake();
  }
}

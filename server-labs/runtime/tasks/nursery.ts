// Nursery. A block that ends when all tasks that were spawned in it have ended: no task outlives it, and no error is lost.
import { type Hub, theHub } from "./hub.ts";
import type { Steps } from "./task.ts";
import { Cancelled, type Task } from "./task.ts";

export class Nursery {
  readonly #hub: Hub;
  readonly #host: Task;
  readonly #children = new Set<Task>();
  #failure: { error: unknown } | null = null;
  #bodyRuns = true;
  #isOpen = true;
  /** Thrown into the body when a task has failed. */
  readonly #stop: Cancelled;

  /** @internal Call `nursery`. */
  constructor(hub: Hub) {
    this.#hub = hub;
    this.#host = hub.current;
    this.#stop = new Cancelled(`The nursery of ${this.#host} ends, because one of its tasks has failed.`);
  }

  /** The tasks that have not ended. */
  get tasks(): ReadonlySet<Task> {
    return this.#children;
  }

  /**
   * Makes a task that belongs to this nursery.
   * @param steps the call of a generator function: `n.spawn(serve(client), "client 7")`
   * @param name its name in errors
   * @throws Error when the nursery has ended
   */
  spawn<T>(steps: Steps<T>, name?: string): Task<T> {
    if (!this.#isOpen) throw new Error("This nursery has ended: spawn its tasks before its block ends.");
    const task = this.#hub.spawn(steps, name, ended => this.#childEnded(ended));
    task.awaited = true;
    this.#children.add(task as Task);
    return task;
  }

  /** Cancels all tasks of this nursery; its block goes on. */
  cancel(): void {
    for (const child of [...this.#children]) child.cancel();
  }

  /** @internal The block has ended, by its last line or an error: waits for the tasks. @throws the first error */
  *end(error?: { error: unknown }): Steps<void> {
    this.#bodyRuns = false;
    this.#host.withdraw(this.#stop);
    if (error && error.error !== this.#stop) this.#fails(error.error);
    while (this.#children.size > 0) {
      try {
        yield {
          awaited: { kind: "nursery", tasks: this.#children.size },
          // Woken by the last task that ends.
          start: () => () => {},
        };
      } catch (interrupt) {
        this.#fails(interrupt);
      }
    }
    this.#isOpen = false;
    if (this.#failure) throw this.#failure.error;
  }

  #childEnded(task: Task): void {
    this.#children.delete(task);
    if (task.error !== undefined && !(task.error instanceof Cancelled)) this.#fails(task.error);
    if (!this.#bodyRuns && this.#children.size === 0) this.#host.wake();
  }

  /** The first error counts: it ends the other tasks, and the block. */
  #fails(error: unknown): void {
    this.#failure ??= { error };
    this.cancel();
    if (this.#bodyRuns) this.#host.interrupt(this.#stop);
  }
}

/**
 * Runs a block that spawns tasks, and waits until all of them have ended. When one throws, the others and the block are
 * cancelled, and the error is thrown here. When this task is cancelled or its time is over, so are they.
 * @param body the block: `yield* nursery(n => { n.spawn(one()); n.spawn(two()); })`; a generator function if it waits
 * @returns what the block returns
 * @throws the first error of the block or of a task
 */
export function* nursery<T>(body: (nursery: Nursery) => Steps<T> | T): Steps<T> {
  const made = new Nursery(theHub("nursery()"));
  let result: T;
  try {
    const steps = body(made);
    result = isSteps(steps) ? yield* steps : steps;
  } catch (error) {
    yield* made.end({ error });
    throw error;
  }
  yield* made.end();
  return result;
}

function isSteps<T>(value: Steps<T> | T): value is Steps<T> {
  return (
    typeof (value as Steps<T> | null | undefined)?.[Symbol.iterator] === "function" &&
    "throw" in (value as Steps<T>)
  );
}

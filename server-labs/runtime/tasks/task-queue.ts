// Task queue. Items that tasks hand to each other, in order; with a limit, a task that puts waits for room.
import { theHub } from "./hub.ts";
import type { Steps, Task } from "./task.ts";

export class TaskQueue<T> {
  readonly #limit: number;
  readonly #items: T[] = [];
  readonly #taking: Task[] = [];
  readonly #putting: Task[] = [];

  /** @param limit items that wait at most; a task that puts one more waits until an item was taken */
  constructor(limit = Number.POSITIVE_INFINITY) {
    if (!(limit >= 1)) throw new TypeError(`A TaskQueue holds at least one item, not ${String(limit)}.`);
    this.#limit = limit;
  }

  /** Items that wait. */
  get size(): number {
    return this.#items.length;
  }

  /** Adds an item; waits while the queue is full. */
  *put(item: T): Steps<void> {
    theHub("put()");
    // Another task may take the room between the wake-up and this task's turn.
    while (this.#items.length >= this.#limit) yield* this.#wait(this.#putting);
    this.#items.push(item);
    this.#taking[0]?.wake();
  }

  /** Takes the oldest item; waits while the queue is empty. */
  *take(): Steps<T> {
    theHub("take()");
    while (this.#items.length === 0) yield* this.#wait(this.#taking);
    const item = this.#items.shift() as T;
    this.#putting[0]?.wake();
    // One wake-up may have been for two items: the next task gets its own.
    if (this.#items.length > 0) this.#taking[0]?.wake();
    return item;
  }

  *#wait(waiting: Task[]): Steps<void> {
    yield {
      awaited: { kind: "queue" },
      start: task => {
        waiting.push(task);
        return () => waiting.splice(waiting.indexOf(task), 1);
      },
    };
  }
}

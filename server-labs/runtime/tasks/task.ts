// Task. One coroutine of a hub: its steps, its state, what it waits for (a park), and how it ends.

/**
 * The steps of a task: a generator that yields each time it must wait, and returns a T at the end. A function that waits
 * is such a generator function, and is called with `yield*`.
 */
export type Steps<T> = Generator<Park, T, unknown>;

/** What a task waits for. */
export type Awaited =
  | { kind: "descriptor"; fd: number; direction: "readable" | "writable" }
  /** `until`: a moment of performance.now(), in milliseconds. */
  | { kind: "timer"; until: number }
  | { kind: "task"; task: Task }
  | { kind: "nursery"; tasks: number }
  | { kind: "queue" | "semaphore" }
  /** Its next turn: other tasks run before it. */
  | { kind: "turn" };

export interface Park {
  readonly awaited: Awaited;
  /**
   * Arranges that this task is woken.
   * @returns removes the arrangement; called once, when the task goes on for whatever reason
   */
  start(task: Task): () => void;
}

/** What a task waits for, as the end of a sentence: "fd 7 to be readable". */
export function awaitedWords(awaited: Awaited): string {
  switch (awaited.kind) {
    case "descriptor":
      return `fd ${awaited.fd} to be ${awaited.direction}`;
    case "timer":
      return "a timer";
    case "task":
      return `the end of ${awaited.task}`;
    case "nursery":
      return `the end of the ${awaited.tasks} tasks of its nursery`;
    case "queue":
      return "an item of a queue, or room in it";
    case "semaphore":
      return "a permit of a semaphore";
    case "turn":
      return "its next turn";
  }
}

/** What a task needs of its hub. */
export interface TaskHub {
  /** The task is ready: it runs in the next turn. */
  enqueue(task: Task): void;
  ended(task: Task): void;
}

/** A task was cancelled: thrown at the place where it waits, so that its `finally` blocks run. */
export class Cancelled extends Error {
  constructor(sentence: string) {
    super(sentence);
    this.name = "Cancelled";
  }
}

export type TaskState = "ready" | "running" | "parked" | "ended";

type Outcome<T> = { value: T } | { error: unknown };

/** A coroutine that a hub runs. `spawn` makes one. */
export class Task<T = unknown> {
  /** A number of its own in its hub: 1, 2, 3, …. */
  readonly id: number;
  readonly name: string;
  /** The task that spawned it; null: it is the hub's first. */
  readonly parent: Task | null;
  /** @internal Called when it has ended. */
  readonly onEnd: ((task: Task) => void) | null;
  /** @internal Its place in the trace; 0: it has none. */
  slot = 0;
  /** @internal A task, or the nursery, takes its outcome: the hub need not report its error. */
  awaited = false;
  readonly #hub: TaskHub;
  readonly #steps: Steps<T>;
  readonly #joining = new Set<Task>();
  #state: TaskState = "ready";
  #awaits: Awaited | null = null;
  #undo: (() => void) | null = null;
  /** What its next step gets: the value of its `yield`, or an error that is thrown there. */
  #wakeUp: Outcome<unknown> = { value: undefined };
  #hasStarted = false;
  /** Errors that came while it did not wait: thrown where it waits next. */
  #interrupts: unknown[] = [];
  #outcome: Outcome<T> | null = null;

  /** @internal Call `spawn`. */
  constructor(
    hub: TaskHub,
    steps: Steps<T>,
    { id, name, parent, onEnd = null }: Pick<Task, "id" | "name" | "parent"> & Partial<Pick<Task, "onEnd">>,
  ) {
    this.#hub = hub;
    this.#steps = steps;
    this.id = id;
    this.name = name;
    this.parent = parent;
    this.onEnd = onEnd;
  }

  get state(): TaskState {
    return this.#state;
  }

  /** What it waits for; null when it is not parked. */
  get waitsFor(): Awaited | null {
    return this.#awaits;
  }

  get ended(): boolean {
    return this.#state === "ended";
  }

  /** The error with which it ended; undefined while it runs, and when it returned. */
  get error(): unknown {
    return this.#outcome && "error" in this.#outcome ? this.#outcome.error : undefined;
  }

  /**
   * Waits until this task has ended: `const value = yield* task.join()`.
   * @returns what it returned
   * @throws what it threw
   */
  *join(): Steps<T> {
    this.awaited = true;
    if (!this.ended)
      yield {
        awaited: { kind: "task", task: this as Task },
        start: task => {
          this.#joining.add(task);
          return () => this.#joining.delete(task);
        },
      };
    return this.result();
  }

  /**
   * Throws Cancelled into the task, where it waits now or waits next. Its `finally` blocks run, and may wait. A task that
   * has ended is left alone. One that has not begun never begins, and no `finally` of it runs: the caller still has to close
   * what it has given to it.
   */
  cancel(): void {
    this.interrupt(new Cancelled(`${this} was cancelled.`));
  }

  toString(): string {
    return `task "${this.name}"`;
  }

  /** @internal Throws this error where the task waits now or waits next. */
  interrupt(error: unknown): void {
    if (this.ended) return;
    if (this.#state === "parked") this.wake({ error });
    else if (this.#state === "ready" && !this.#hasStarted) this.#wakeUp = { error };
    else this.#interrupts.push(error);
  }

  /** @internal Takes an interrupt back that the task has not met. */
  withdraw(error: unknown): void {
    this.#interrupts = this.#interrupts.filter(one => one !== error);
  }

  /** @internal Makes a parked task ready; of several wake-ups in one turn the first counts. */
  wake(wakeUp: Outcome<unknown> = { value: undefined }): void {
    if (this.#state !== "parked") return;
    const undo = this.#undo;
    this.#undo = null;
    undo?.();
    this.#wakeUp = wakeUp;
    this.#awaits = null;
    this.#state = "ready";
    this.#hub.enqueue(this as Task);
  }

  /** @internal Runs it until it waits or ends. */
  step(): void {
    this.#state = "running";
    this.#hasStarted = true;
    const wakeUp = this.#wakeUp;
    this.#wakeUp = { value: undefined };
    let result: IteratorResult<Park, T>;
    try {
      result = "error" in wakeUp ? this.#steps.throw(wakeUp.error) : this.#steps.next(wakeUp.value);
    } catch (error) {
      this.#end({ error });
      return;
    }
    if (result.done) this.#end({ value: result.value });
    else this.#park(result.value);
  }

  /** @internal What it returned. @throws what it threw */
  result(): T {
    const outcome = this.#outcome;
    if (outcome === null) throw new Error(`${this} has not ended.`);
    if ("error" in outcome) throw outcome.error;
    return outcome.value;
  }

  #park(park: Park): void {
    this.#state = "parked";
    this.#awaits = park.awaited;
    if (this.#interrupts.length > 0) {
      this.wake({ error: this.#interrupts.shift() });
      return;
    }
    try {
      this.#undo = park.start(this as Task);
    } catch (error) {
      this.wake({ error });
    }
  }

  #end(outcome: Outcome<T>): void {
    this.#state = "ended";
    this.#outcome = outcome;
    for (const task of [...this.#joining]) task.wake();
    this.onEnd?.(this as Task);
    this.#hub.ended(this as Task);
  }
}

// Hub. The event loop that runs tasks: it resumes those that are ready, and sleeps in epoll_wait until the first timer
// when none is. A task runs until it waits, and no other task runs meanwhile.
import { beforeClose } from "../sys/syscalls.ts";
import { Descriptors } from "./descriptors.ts";
import { awaitedWords, Cancelled, type Steps, Task } from "./task.ts";
import { Timers } from "./timers.ts";

/** Tasks that an error names at most. */
const mostNamed = 10;

/** The hub that runs now; there is one at most in a thread. */
let running: Hub | null = null;

/** The running hub. @throws Error when no hub runs */
export function theHub(called: string): Hub {
  if (running === null)
    throw new Error(`${called} needs a hub: call it from a task, and start the first task with run(main()).`);
  return running;
}

export class Hub {
  readonly timers = new Timers();
  readonly descriptors = new Descriptors();
  readonly #live = new Set<Task>();
  #ready: Task[] = [];
  #current: Task | null = null;
  #made = 0;

  /** The task that runs now. */
  get current(): Task {
    if (this.#current === null) throw new Error("The hub runs no task at this moment.");
    return this.#current;
  }

  /** Tasks that have not ended. */
  get live(): ReadonlySet<Task> {
    return this.#live;
  }

  spawn<T>(steps: Steps<T>, name: string | undefined, onEnd?: (task: Task) => void): Task<T> {
    const id = ++this.#made;
    const task = new Task(this, steps, {
      id,
      name: name ?? `task ${id}`,
      parent: this.#current,
      onEnd: onEnd ?? null,
    });
    this.#live.add(task as Task);
    this.#ready.push(task as Task);
    return task;
  }

  /** A task is ready: it runs in the next turn. */
  enqueue(task: Task): void {
    this.#ready.push(task);
  }

  ended(task: Task): void {
    this.#live.delete(task);
    if (task.awaited || task.error === undefined || task.error instanceof Cancelled) return;
    // As gevent does: the error ends this task, and no other.
    const { error } = task;
    console.error(
      `${task} ended with an error that no task awaited: ${(error as Error)?.stack ?? String(error)}`,
    );
  }

  /** Runs this task until it has ended, and then cancels all others. */
  run<T>(main: Steps<T>, name: string): T {
    if (running) throw new Error("A hub runs already: call spawn() for another task of it.");
    running = this;
    const closes = (fd: number) => this.descriptors.closes(fd);
    beforeClose.push(closes);
    try {
      const task = this.spawn(main, name);
      task.awaited = true;
      this.#turns(() => task.ended);
      for (const other of this.#live) other.cancel();
      this.#turns(() => this.#live.size === 0);
      return task.result();
    } finally {
      beforeClose.splice(beforeClose.indexOf(closes), 1);
      this.descriptors.close();
      running = null;
    }
  }

  /** Turns: the tasks that are ready run, and then the events and timers that have come make others ready. */
  #turns(over: () => boolean): void {
    while (true) {
      const ready = this.#ready;
      this.#ready = [];
      for (const task of ready) {
        this.#current = task;
        task.step();
        this.#current = null;
      }
      if (over()) return;
      if (this.#isStuck()) this.#unstick();
      this.descriptors.wait(this.#patience());
      this.timers.fire(performance.now());
    }
  }

  /** How long the hub may sleep, in milliseconds; -1: until an event comes. */
  #patience(): number {
    if (this.#ready.length > 0 || this.#live.size === 0) return 0;
    const { next } = this.timers;
    return next === null ? -1 : Math.max(0, next - performance.now());
  }

  /** Tasks wait for each other, and nothing can wake one. */
  #isStuck(): boolean {
    const { timers, descriptors } = this;
    return this.#ready.length === 0 && this.#live.size > 0 && timers.size === 0 && descriptors.waiting === 0;
  }

  /** The first task gets the error, where it waits: the program would sleep for ever. */
  #unstick(): void {
    const all = [...this.#live];
    const waits = all.slice(0, mostNamed).map(task => `${task} waits for ${awaitedWords(task.waitsFor!)}`);
    if (all.length > mostNamed) waits.push(`and so do ${all.length - mostNamed} others`);
    all[0]!.interrupt(
      new Error(
        `No task can go on: none is ready, no timer runs, and no task waits for a descriptor. ${waits.join("; ")}.`,
      ),
    );
  }
}

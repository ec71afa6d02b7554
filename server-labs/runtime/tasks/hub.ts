// Hub. The event loop that runs tasks: it resumes those that are ready, and sleeps in epoll_wait until the first timer
// when none is. A task runs until it waits, and no other task runs meanwhile.
import { beforeClose } from "../sys/before-close.ts";
import { taskTrace } from "../sys/native-call.ts";
import { DescriptorWaits } from "./descriptor-waits.ts";
import { awaitedWords, Cancelled, type Steps, Task } from "./task.ts";
import { Timers } from "./timers.ts";
import { traceAfterStep } from "./trace-step.ts";

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
  readonly descriptors = new DescriptorWaits();
  readonly #live = new Set<Task>();
  #ready: Task[] = [];
  #current: Task | null = null;
  /** How often it has asked for events. */
  turn = 0;
  #made = 0;
  /** Called when a task is made, while an async function runs and there was no task. */
  #spawned: (() => void) | null = null;

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
    if (taskTrace !== null) task.slot = taskTrace.spawned(name, id, this.#current?.slot ?? 0);
    this.#live.add(task as Task);
    this.#ready.push(task as Task);
    this.#spawned?.();
    this.#spawned = null;
    return task;
  }

  /** A task is ready: it runs in the next turn. */
  enqueue(task: Task): void {
    if (taskTrace !== null) taskTrace.ready(task.slot);
    this.#ready.push(task);
  }

  ended(task: Task): void {
    this.#live.delete(task);
    if (taskTrace !== null) taskTrace.ended(task.slot, task.error !== undefined);
    if (task.awaited || task.error === undefined || task.error instanceof Cancelled) return;
    // As gevent does: the error ends this task, and no other.
    const { error } = task;
    if (taskTrace !== null) taskTrace.errorLost(task.slot, error);
    console.error(
      `${task} ended with an error that no task awaited: ${(error as Error)?.stack ?? String(error)}`,
    );
  }

  /** Runs this task until it has ended, and then cancels all others. */
  run<T>(main: Steps<T>, name: string): T {
    const leave = this.#enter();
    try {
      const task = this.spawn(main, name);
      task.awaited = true;
      this.#turns(() => task.ended);
      this.#endAll();
      return task.result();
    } finally {
      leave();
    }
  }

  /** Runs an async function until its promise has settled, and then cancels all tasks. */
  async runAsync<T>(main: () => Promise<T>): Promise<T> {
    const leave = this.#enter();
    try {
      let over = false;
      const promise = main().finally(() => {
        over = true;
        this.#spawned?.();
      });
      promise.catch(() => {}); // It is awaited below, when the hub has ended.
      while (true) {
        this.#runReady();
        // Node runs all continuations of promises before a callback of setImmediate: async functions go on here.
        await new Promise(resolve => setImmediate(resolve));
        if (taskTrace !== null) taskTrace.readClock();
        if (over) break;
        // It awaits a promise of another library, such as a file: epoll_wait would keep Node from it.
        if (this.#live.size === 0) await new Promise<void>(resolve => (this.#spawned = resolve));
        else this.#wait();
      }
      this.#endAll();
      return await promise;
    } finally {
      leave();
    }
  }

  /** @returns leaves the hub: no task has it any more */
  #enter(): () => void {
    if (running) throw new Error("A hub runs already: call spawn() for another task of it.");
    running = this;
    if (taskTrace !== null) taskTrace.hub(false);
    const closes = (fd: number) => this.descriptors.closes(fd);
    beforeClose.push(closes);
    return () => {
      beforeClose.splice(beforeClose.indexOf(closes), 1);
      this.descriptors.close();
      running = null;
    };
  }

  #endAll(): void {
    for (const other of this.#live) other.cancel();
    this.#turns(() => this.#live.size === 0);
  }

  #turns(over: () => boolean): void {
    for (this.#runReady(); !over(); this.#runReady()) this.#wait();
  }

  /** The tasks that are ready run, each until it waits. Those that become ready meanwhile run in the next turn. */
  #runReady(): void {
    const ready = this.#ready;
    this.#ready = [];
    const trace = taskTrace;
    if (trace !== null) trace.turn();
    for (const task of ready) {
      this.#current = task;
      if (trace !== null) trace.runs(task.slot);
      task.step();
      if (trace !== null) traceAfterStep(trace, task);
      this.#current = null;
    }
  }

  /** Sleeps until an event or a timer comes, and makes its tasks ready. */
  #wait(): void {
    if (this.#isStuck()) this.#unstick();
    this.turn++;
    this.descriptors.wait(this.#patience());
    this.timers.fire(performance.now());
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

// Trace of one's own hub. Three calls with which a program that has written its own hub names its tasks to the Tasks pane:
// where the program is not traced, they write nothing.
import { descriptor, type HasDescriptor } from "../net/arguments.ts";
import { beforeClose } from "../sys/before-close.ts";
import { taskTrace } from "../sys/native-call.ts";

/**
 * What a task does now. It waits for a descriptor, for a moment of performance.now(), or (`"parked"`) for something else;
 * `error`: it has ended with an error that the program does not handle.
 */
export type TaskNow =
  | "ready"
  | "running"
  | "parked"
  | "ended"
  | { readable: HasDescriptor }
  | { writable: HasDescriptor }
  | { until: number }
  | { error: unknown };

type Trace = NonNullable<typeof taskTrace>;
type Phase = "ready" | "running" | "parked";

const tasks = new Map<number, { slot: number; phase: Phase }>();
/** The slots that wait for a descriptor, by its number: close(2) asks for them. */
const waiting = { readable: new Map<number, number>(), writable: new Map<number, number>() };
let made = 0;
/** The task that runs; 0: none. */
let current = 0;

/**
 * Names a task of your own hub to the trace: the Tasks pane shows it as ready, and Syscalls its name at each of its calls.
 * @param name "client 7"
 * @param parent the number of the task that spawned it
 * @returns the number of the task: 1, 2, 3, …
 */
export function taskSpawned(name: string, parent = 0): number {
  const id = ++made;
  if (taskTrace === null) return id;
  if (made === 1) {
    taskTrace.hub(true);
    beforeClose.push(closes);
  }
  if (current === 0) taskTrace.readClock();
  const slot = taskTrace.spawned(String(name), id, tasks.get(parent)?.slot ?? 0);
  tasks.set(id, { slot, phase: "ready" });
  return id;
}

/**
 * Says what a task of your own hub does now: `taskIs(id, "running")` before its next step, and after the step what it waits
 * for, `taskIs(id, { readable: socket })`, or `taskIs(id, "ended")`. A parked task that an event wakes `is` `"ready"`. The
 * system calls between `"running"` and what follows belong to the task.
 * @param id of taskSpawned; of a task that has ended nothing is written
 */
export function taskIs(id: number, now: TaskNow): void {
  const task = tasks.get(id);
  if (taskTrace === null || task === undefined) return;
  if (now === "running") {
    // One task runs at a time: the one before has not said what it does, so it goes on.
    if (current !== 0 && current !== id) taskIs(current, "ready");
    if (task.phase !== "ready") taskIs(id, "ready");
    taskTrace.readClock();
    taskTrace.runs(task.slot);
    task.phase = "running";
    current = id;
    return;
  }
  if (now === "ready") isReady(taskTrace, task);
  else stops(taskTrace, id, task, now);
  if (current === id) current = 0;
}

/** Says that a turn of your own hub begins: it runs the tasks that are ready, and then sleeps in epoll_wait(2). */
export function hubTurn(): void {
  if (taskTrace === null) return;
  taskTrace.readClock();
  taskTrace.turn();
}

function isReady(trace: Trace, task: { slot: number; phase: Phase }): void {
  if (task.phase === "ready") return;
  if (task.phase === "parked") {
    if (current === 0) trace.readClock();
    trace.ready(task.slot);
  } else {
    trace.ready(task.slot);
    trace.goesOn(task.slot);
  }
  task.phase = "ready";
}

function stops(
  trace: Trace,
  id: number,
  task: { slot: number; phase: Phase },
  now: Exclude<TaskNow, "ready" | "running">,
): void {
  const { slot } = task;
  if (task.phase === "ready") trace.notReady();
  task.phase = "parked";
  if (now === "ended" || (typeof now === "object" && "error" in now)) {
    tasks.delete(id);
    trace.ended(slot, now !== "ended");
    if (now !== "ended") trace.errorLost(slot, now.error);
  } else if (now === "parked") trace.parks(slot, "unknown", 0, 0);
  else if ("until" in now) trace.parks(slot, "timer", 0, now.until);
  else {
    const direction = "readable" in now ? "readable" : "writable";
    const fd = descriptor(taskIs, "readable" in now ? now.readable : now.writable);
    trace.parks(slot, direction, fd, 0);
    waiting[direction].set(fd, slot);
  }
}

/** The program closes a descriptor: a task that waits for it is never woken by it. */
function closes(fd: number): void {
  for (const direction of ["readable", "writable"] as const) {
    const slot = waiting[direction].get(fd);
    if (slot === undefined) continue;
    waiting[direction].delete(fd);
    if (taskTrace?.waitsFor(slot, direction, fd)) taskTrace.closed(slot, fd);
  }
}

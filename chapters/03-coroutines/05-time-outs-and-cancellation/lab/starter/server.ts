// A hub with time-outs. Each wait has a time-out of its own, the hub looks at the clock ten times a second, and what an
// order has begun does not end with it: that is the exercise. The calls that wait are in calls.ts, epoll in descriptors.ts.
import type { Socket } from "workbook/net";
import { accept, ask, type Client, hasBytes, listenOn, readLine, type Steps, send } from "./calls.ts";
import { poll, watch } from "./descriptors.ts";

// #region state
/** Milliseconds that a request may take, and one part of it. */
const [requestMs, partMs] = [2000, 1000];

interface Task {
  steps: Steps<unknown>;
  /** Takes it out of the place where it waits; null: it does not wait. */
  leave: (() => void) | null;
  /** Thrown where it waited, when it is resumed. */
  error: unknown;
}

interface Timer {
  /** A moment of performance.now(). */
  at: number;
  due: () => void;
}

const ready: Task[] = [];
const timers = new Set<Timer>();
/** The task that runs. */
let current: Task;
// #endregion state

// #region hub
function run(): void {
  while (true) {
    for (let task = ready.shift(); task !== undefined; task = ready.shift()) resume(task);
    poll(100);
    const now = performance.now();
    for (const timer of timers) {
      if (timer.at > now) continue;
      timers.delete(timer);
      timer.due();
    }
  }
}
// #endregion hub

// #region spawn
function spawn(steps: Steps<unknown>): void {
  ready.push({ steps, leave: null, error: undefined });
}
// #endregion spawn

// #region resume
/** Runs a task until it waits or ends. */
function resume(task: Task): void {
  const { steps, error } = task;
  current = task;
  task.error = undefined;
  try {
    const step = error === undefined ? steps.next() : steps.throw(error);
    if (step.done) return;
    const wait = step.value;
    task.leave = wait === null ? () => {} : watch(wait, () => wake(task));
  } catch (thrown) {
    console.error(`A task ended with an error: ${thrown}`);
  }
}
// #endregion resume

// #region wake
/** A task that waits goes on. */
function wake(task: Task): void {
  if (task.leave === null) return;
  task.leave();
  task.leave = null;
  ready.push(task);
}

/** Throws this error where the task waits. */
function interrupt(task: Task, error: unknown): void {
  task.error = error;
  wake(task);
}
// #endregion wake

// #region sleep
function* sleep(ms: number): Steps {
  const task = current;
  timers.add({ at: performance.now() + ms, due: () => wake(task) });
  yield null;
}
// #endregion sleep

// #region timeout
/** Each wait of these steps has so many milliseconds. */
function* timeout<T>(ms: number, steps: Steps<T>): Steps<T> {
  const task = current;
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done) return step.value;
    const error = new Error("the time is over");
    const timer = { at: performance.now() + ms, due: () => interrupt(task, error) };
    timers.add(timer);
    yield step.value;
    timers.delete(timer);
  }
}
// #endregion timeout

// #region together
/** Takes these steps side by side. */
function* together(children: Steps<string>[]): Steps<string[]> {
  const host = current;
  const results: string[] = [];
  let running = children.length;
  function* child(i: number, steps: Steps<string>): Steps {
    results[i] = yield* steps;
    running--;
    if (running === 0) wake(host);
  }
  for (const [i, steps] of children.entries()) spawn(child(i, steps));
  while (running > 0) yield null;
  return results;
}
// #endregion together

// #region serve
function* serve(client: Client): Steps {
  try {
    while (yield* hasBytes(client)) yield* timeout(requestMs, request(client));
  } catch (error) {
    yield* timeout(partMs, send(client.socket, `error: ${(error as Error).message}\n`));
  } finally {
    client.socket.close();
  }
}
// #endregion serve

// #region request
function* request(client: Client): Steps {
  const line = yield* readLine(client);
  yield* send(client.socket, `${yield* answer(line)}\n`);
}
// #endregion request

// #region answer
function* answer(line: string): Steps<string> {
  const [, ms] = /^wait (\d+)$/.exec(line) ?? [];
  if (ms !== undefined) {
    yield* sleep(Number(ms));
    return `waited ${ms}`;
  }
  if (!/^\d+ /.test(line)) return line;
  return (yield* together(line.split(" + ").map(part))).join(" + ");
}

function part(text: string): Steps<string> {
  const [, port, dish = ""] = /^(\d+) (.*)$/.exec(text) ?? [];
  return timeout(partMs, ask(Number(port), dish));
}
// #endregion answer

// #region main
function* listen(listener: Socket): Steps {
  while (true) spawn(serve({ socket: yield* accept(listener), unread: "" }));
}
// #endregion main

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  spawn(listen(listenOn(port)));
  run();
} else {
  console.log("run it like this: npx tsx server.ts 7913");
  process.exit(1);
}

// A hub with timers. It sleeps until the first one. A request ends by its deadline, when its client has left, or by an error:
// in each case an error is thrown where its task waits. The calls that wait are in calls.ts, epoll in descriptors.ts.
import { EPOLLRDHUP, type Socket } from "workbook/net";
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
  /** Called when it has ended, with its error if it threw one. */
  onEnd: (error?: unknown) => void;
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
    // What has come in time counts, although the hub is late: so the timers come after the tasks that were ready.
    fire();
    if (ready.length === 0) poll(untilFirstTimer());
  }
}

function fire(): void {
  const now = performance.now();
  for (const timer of timers) {
    if (timer.at > now) continue;
    timers.delete(timer);
    timer.due();
  }
}

/** How long the hub may sleep, in milliseconds. */
function untilFirstTimer(): number {
  let first = Number.POSITIVE_INFINITY;
  for (const { at } of timers) first = Math.min(first, at);
  return first === Number.POSITIVE_INFINITY ? -1 : Math.max(0, first - performance.now());
}
// #endregion hub

// #region spawn
function spawn(steps: Steps<unknown>, onEnd: Task["onEnd"] = report): Task {
  const task = { steps, leave: null, error: undefined, onEnd };
  ready.push(task);
  return task;
}

function report(error?: unknown): void {
  if (error !== undefined) console.error(`A task ended with an error: ${error}`);
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
    if (step.done) {
      task.onEnd();
      return;
    }
    const wait = step.value;
    task.leave = wait === null ? () => {} : watch(wait, () => wake(task));
  } catch (thrown) {
    task.onEnd(thrown);
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
  const timer = { at: performance.now() + ms, due: () => wake(task) };
  timers.add(timer);
  try {
    yield null;
  } finally {
    timers.delete(timer);
  }
}
// #endregion sleep

// #region timeout
/** These steps have so many milliseconds together. */
function* timeout<T>(ms: number, steps: Steps<T>): Steps<T> {
  const task = current;
  const error = new Error("the time is over");
  const timer = { at: performance.now() + ms, due: () => interrupt(task, error) };
  timers.add(timer);
  try {
    return yield* steps;
  } finally {
    timers.delete(timer);
  }
}
// #endregion timeout

// #region connected
class ClientLeft extends Error {}

/** Takes these steps as long as the client's stream has not ended. */
function* whileConnected<T>({ socket }: Client, steps: Steps<T>): Steps<T> {
  const task = current;
  const onEnd = () => interrupt(task, new ClientLeft("the client has left"));
  const undo = watch({ fd: socket.fd, events: EPOLLRDHUP }, onEnd);
  try {
    return yield* steps;
  } finally {
    undo();
  }
}
// #endregion connected

// #region nursery
/** Takes these steps side by side, until all have ended. The first error cancels the others, and is thrown here. */
function* nursery(children: Steps<string>[]): Steps<string[]> {
  const host = current;
  const results: string[] = [];
  const running = new Set<Task>();
  const errors: unknown[] = [];
  function fail(error: unknown): void {
    if (errors.push(error) > 1) return;
    for (const task of running) interrupt(task, new Error("cancelled"));
  }
  function* child(i: number, steps: Steps<string>): Steps {
    results[i] = yield* steps;
  }
  for (const [i, steps] of children.entries()) {
    const task = spawn(child(i, steps), error => {
      running.delete(task);
      if (error !== undefined) fail(error);
      if (running.size === 0) wake(host);
    });
    running.add(task);
  }
  while (running.size > 0) {
    try {
      yield null;
    } catch (error) {
      fail(error);
    }
  }
  if (errors.length > 0) throw errors[0];
  return results;
}
// #endregion nursery

// #region serve
function* serve(client: Client): Steps {
  try {
    while (yield* hasBytes(client)) yield* timeout(requestMs, request(client));
  } catch (error) {
    if (error instanceof ClientLeft) return;
    yield* timeout(partMs, send(client.socket, `error: ${(error as Error).message}\n`));
  } finally {
    client.socket.close();
  }
}
// #endregion serve

// #region request
function* request(client: Client): Steps {
  const line = yield* readLine(client);
  yield* send(client.socket, `${yield* whileConnected(client, answer(line))}\n`);
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
  return (yield* nursery(line.split(" + ").map(part))).join(" + ");
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

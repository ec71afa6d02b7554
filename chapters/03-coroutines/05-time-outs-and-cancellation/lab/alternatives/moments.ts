// Without timer objects: each wait knows the moment until which it may last. Around a request, `until` lowers that moment for
// each wait within.
import { EPOLLRDHUP, type Socket } from "workbook/net";
import {
  accept,
  ask,
  type Client,
  hasBytes,
  listenOn,
  readLine,
  type Steps,
  send,
  type Wait,
} from "../solution/calls.ts";
import { poll, watch } from "../solution/descriptors.ts";

type Timed = (Wait | { fd: -1 }) & { until?: number };
type TimedSteps<T> = Generator<Timed | null, T, void>;

interface Task {
  steps: TimedSteps<unknown>;
  undo: (() => void)[];
  until: number;
  error?: unknown;
  children: Set<Task>;
  host: Task | null;
  failure?: { error: unknown };
}

let ready: Task[] = [];
const parked = new Set<Task>();
let current: Task;

function spawn(steps: TimedSteps<unknown>, host: Task | null): Task {
  const task: Task = { steps, undo: [], until: Number.POSITIVE_INFINITY, children: new Set(), host };
  host?.children.add(task);
  ready.push(task);
  return task;
}

function run(): never {
  while (true) {
    while (ready.length > 0) {
      const batch = ready;
      ready = [];
      for (const task of batch) step(task);
    }
    const now = performance.now();
    let first = Number.POSITIVE_INFINITY;
    for (const task of [...parked]) {
      if (task.until <= now) wake(task, new Error("too late"));
      else first = Math.min(first, task.until);
    }
    if (ready.length === 0) poll(first === Number.POSITIVE_INFINITY ? -1 : Math.ceil(first - now));
  }
}

function step(task: Task): void {
  current = task;
  const { error } = task;
  delete task.error;
  try {
    const { done, value } = error === undefined ? task.steps.next() : task.steps.throw(error);
    if (done) {
      ended(task);
      return;
    }
    task.until = value?.until ?? Number.POSITIVE_INFINITY;
    if (value && value.fd !== -1) task.undo.push(watch(value as Wait, () => wake(task)));
    parked.add(task);
  } catch (thrown) {
    ended(task, thrown);
  }
}

function ended(task: Task, error?: unknown): void {
  const { host } = task;
  host?.children.delete(task);
  if (error !== undefined) {
    if (host) fail(host, error);
    else console.error(String(error));
  }
  if (host && host.children.size === 0) wake(host);
}

function fail(host: Task, error: unknown): void {
  if (host.failure) return;
  host.failure = { error };
  for (const child of host.children) wake(child, new Error("cancelled"));
}

function wake(task: Task, error?: unknown): void {
  if (error !== undefined) task.error = error;
  if (!parked.delete(task)) return;
  for (const undo of task.undo.splice(0)) undo();
  ready.push(task);
}

/** Each wait of these steps ends at this moment, or earlier. */
function* until<T>(at: number, steps: TimedSteps<T>): TimedSteps<T> {
  let [limit, thrown]: [number, { error: unknown } | null] = [at, null];
  while (true) {
    const { done, value } = thrown ? steps.throw(thrown.error) : steps.next();
    if (done) return value;
    thrown = null;
    try {
      yield { ...(value ?? { fd: -1 }), until: Math.min(limit, value?.until ?? limit) };
    } catch (error) {
      if (performance.now() >= limit) limit = Number.POSITIVE_INFINITY;
      thrown = { error };
    }
  }
}

function* nursery(all: TimedSteps<string>[]): TimedSteps<string[]> {
  const [host, results] = [current, [] as string[]];
  delete host.failure;
  for (const [i, steps] of all.entries())
    spawn(
      (function* () {
        results[i] = yield* steps;
      })(),
      host,
    );
  while (host.children.size > 0) {
    try {
      yield null;
    } catch (error) {
      fail(host, error);
    }
  }
  const { failure } = host;
  delete host.failure;
  if (failure) throw (failure as { error: unknown }).error;
  return results;
}

const left = Symbol("left");

function* serve(client: Client): TimedSteps<void> {
  try {
    while (yield* hasBytes(client)) yield* until(performance.now() + 2000, request(client));
  } catch (error) {
    if (error !== left) client.socket.send(`error: ${(error as Error).message}\n`);
  } finally {
    client.socket.close();
  }
}

function* request(client: Client): TimedSteps<void> {
  const line = yield* readLine(client);
  const task = current;
  const undo = watch({ fd: client.socket.fd, events: EPOLLRDHUP }, () => wake(task, left));
  let text: string;
  try {
    text = yield* answer(line);
  } finally {
    undo();
  }
  yield* send(client.socket, `${text}\n`);
}

function* answer(line: string): TimedSteps<string> {
  if (line.startsWith("wait ")) {
    const at = performance.now() + Number(line.slice(5));
    try {
      yield { fd: -1, until: at };
    } catch (error) {
      if (performance.now() < at) throw error;
    }
    return `waited ${line.slice(5)}`;
  }
  if (!/^\d+ /.test(line)) return line;
  const parts = line.split(" + ").map(part => {
    const space = part.indexOf(" ");
    return until(performance.now() + 1000, ask(Number(part.slice(0, space)), part.slice(space + 1)));
  });
  return (yield* nursery(parts)).join(" + ");
}

function* listen(listener: Socket): Steps {
  while (true) spawn(serve({ socket: yield* accept(listener), unread: "" }), null);
}

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  spawn(listen(listenOn(port)), null);
  run();
} else {
  console.log("run it like this: npx tsx server.ts 7913");
  process.exit(1);
}

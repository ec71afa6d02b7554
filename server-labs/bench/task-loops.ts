// Task loops. What tasks.ts measures, in a process of its own: it is traced or not, reads how many rounds are wanted from
// standard input, and prints the figures.
import { createInterface } from "node:readline";
import { socketPair } from "workbook/net";
import { nursery, pass, recv, run, type Steps, send, sleep, spawn } from "workbook/tasks";
import { watch } from "../runtime.ts";
import { traceBytes } from "../trace.ts";

export interface TaskFigures {
  /** Nanoseconds of processor time to spawn a task that ends at once. */
  spawned: number[];
  /** Microseconds of processor time for each echo between two tasks. */
  echoed: number[];
  /** Bytes of memory of a parked task. */
  parked: number;
}

if (process.argv[2] === "traced")
  watch(
    new ArrayBuffer(traceBytes),
    () => {},
    () => 0,
    { applyCommands() {}, wait() {}, delay() {} },
  );

const spawns = 50_000;
const echoes = 20_000;
const pairs = 50;
const sleepers = 10_000;

function* nothing(): Steps<void> {}

function* spawnAll(): Steps<void> {
  for (let turn = 0; turn < spawns / 100; turn++) {
    for (let i = 0; i < 100; i++) spawn(nothing(), "client 7");
    yield* pass();
  }
}

function echoAll(): void {
  const open = Array.from({ length: pairs }, () => socketPair());
  const times = echoes / pairs;
  run(
    nursery(n => {
      for (const [here, there] of open) {
        n.spawn(
          (function* () {
            for (let i = 0; i < times; i++) yield* send(here, yield* recv(here, 64));
          })(),
        );
        n.spawn(
          (function* () {
            for (let i = 0; i < times; i++) {
              yield* send(there, "hello");
              yield* recv(there, 64);
            }
          })(),
        );
      }
    }),
  );
  for (const socket of open.flat()) socket.close();
}

/** Microseconds of processor time: what else the machine does meanwhile is not counted. */
function time(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function heapBytes(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function parkedBytes(): number {
  const before = heapBytes();
  let bytes = 0;
  run(
    (function* () {
      for (let i = 0; i < sleepers; i++) spawn(sleep(600_000), `sleeper ${i}`);
      yield* pass();
      yield* pass();
      bytes = (heapBytes() - before) / sleepers;
    })(),
  );
  return bytes;
}

for await (const line of createInterface({ input: process.stdin })) {
  const figures: TaskFigures = { spawned: [], echoed: [], parked: 0 };
  for (let round = -2; round < Number(line); round++) {
    const spawned = (time(() => run(spawnAll())) / spawns) * 1000;
    const echoed = time(echoAll) / echoes;
    if (round < 0) continue;
    figures.spawned.push(spawned);
    figures.echoed.push(echoed);
  }
  figures.parked = parkedBytes();
  console.log(JSON.stringify(figures));
}

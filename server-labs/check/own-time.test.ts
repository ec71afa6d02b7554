// A server is judged by its own time: what a busy machine takes from it is held neither against it nor for it.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { after, before, test } from "node:test";
import { tryOut } from "./fixtures/try-out.ts";
import type { Idle } from "./idle.ts";
import { Slots } from "./slots.ts";

const burning: ChildProcess[] = [];
before(() => {
  // Three for each processor: a server gets a quarter of one, or less.
  for (let i = 0; i < 3 * availableParallelism(); i++)
    burning.push(spawn("/bin/sh", ["-c", "while :; do :; done"], { stdio: "ignore" }));
});
after(() => {
  for (const one of burning) one.kill("SIGKILL");
});

async function idle(name: string): Promise<Idle> {
  let found: Idle | undefined;
  const outcome = await tryOut(name, async ({ server, oneByOne }) => {
    await oneByOne(2);
    found = await server.idle(200);
  });
  assert.equal(outcome.state, "passed", outcome.failure?.summary);
  return found!;
}

test("one that rests is idle, though it is woken late each time", async () => {
  const { busy, restless, sleeps } = await idle("polls.ts");
  assert.ok(busy < 0.4, `${busy}`);
  assert.ok(restless < 2, `${restless}`);
  assert.ok(sleeps > 5, `${sleeps}`);
});

test("one that never rests does so on a busy machine, too", async () => {
  const { busy, restless } = await idle("never-rests.ts");
  // What it prints may fill the pipe, and then it sleeps until somebody has read: that is no rest.
  assert.ok(busy > 0.8 || restless > 4, `busy ${busy}, ${restless} turns for each time that it slept`);
});

test("one that sleeps until it is woken does nothing at all", async () => {
  const { busy, calls } = await idle("echoes.ts");
  assert.ok(busy < 0.2, `${busy}`);
  assert.equal(calls, 0);
});

test("a number has settled when the server has had time to change it, and has not", async () => {
  const outcome = await tryOut("polls.ts", async ({ server, oneByOne }) => {
    const [one] = await oneByOne(1);
    one!.send("x".repeat(100_000));
    assert.equal(await server.settles(() => server.readOf(one!)), 100_000);
  });
  assert.equal(outcome.state, "passed", outcome.failure?.summary);
});

test("places are given in the order in which they are asked for", async () => {
  const slots = new Slots(2);
  const [began, open]: [number[], (() => void)[]] = [[], []];
  const jobs = [0, 1, 2, 3].map(i =>
    slots.take(() => {
      began.push(i);
      return new Promise<void>(resolve => open.push(resolve));
    }),
  );
  const settle = () => new Promise(resolve => setImmediate(resolve));
  await settle();
  assert.deepEqual(began, [0, 1]);
  open[1]!();
  await settle();
  assert.deepEqual(began, [0, 1, 2]);
  open[0]!();
  await settle();
  for (const resolve of open) resolve();
  await settle();
  for (const resolve of open) resolve();
  await Promise.all(jobs);
  assert.deepEqual(began, [0, 1, 2, 3]);
});

// Own time on a busy machine: the idleness that a check measures is the same as on an idle machine.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { after, before, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { processFacts } from "../process.ts";
import { checkFixture } from "./fixtures/check-fixture.ts";
import type { Idleness } from "./own-time.ts";

const burners: ChildProcess[] = [];
before(() => {
  // Three busy processes for each processor: a server gets a quarter of a processor, or less. They stop themselves first.
  for (let i = 0; i < 3 * availableParallelism(); i++)
    burners.push(spawn("/bin/sh", ["-c", "kill -STOP $$; while :; do :; done"], { stdio: "ignore" }));
});
after(() => {
  for (const one of burners) one.kill("SIGKILL");
});

/** Measures something while they are busy. */
async function besideBurners<T>(measure: () => Promise<T>): Promise<T> {
  for (const { pid } of burners) while (processFacts(pid!)!.state !== "T") await turn();
  for (const one of burners) one.kill("SIGCONT");
  try {
    return await measure();
  } finally {
    for (const one of burners) one.kill("SIGSTOP");
  }
}

async function idle(name: string): Promise<Idleness> {
  let found: Idleness | undefined;
  const outcome = await checkFixture(name, async ({ server, oneByOne }) => {
    await oneByOne(2);
    found = await besideBurners(() => server.idle(200));
  });
  assert.equal(outcome.state, "passed", outcome.failure?.summary);
  return found!;
}

test("a server that polls with a sleep is idle, though it wakes up late each time", async () => {
  const { busy, restless, sleeps } = await idle("polls-with-sleep.ts");
  assert.ok(busy < 0.4, `${busy}`);
  assert.ok(restless < 2, `${restless}`);
  assert.ok(sleeps > 5, `${sleeps}`);
});

test("a server that polls without a sleep is busy on a busy machine too", async () => {
  const { busy, restless } = await idle("polls-without-sleep.ts");
  // Its output may fill the pipe, and then it sleeps until the pipe is read: that sleep is not a rest.
  assert.ok(busy > 0.8 || restless > 4, `busy ${busy}, ${restless} turns for each time that it slept`);
});

test("a server that sleeps in epoll_wait makes no call", async () => {
  const { busy, calls } = await idle("echoes/solution.ts");
  assert.ok(busy < 0.2, `${busy}`);
  assert.equal(calls, 0);
});

test("a number has settled when the server had time to change it, and did not", async () => {
  const outcome = await checkFixture("polls-with-sleep.ts", async ({ server, oneByOne }) => {
    const [one] = await oneByOne(1);
    one!.send("x".repeat(100_000));
    const settled = await besideBurners(() => server.settles(() => server.bytesReadFrom(one!)));
    assert.equal(settled, 100_000);
  });
  assert.equal(outcome.state, "passed", outcome.failure?.summary);
});

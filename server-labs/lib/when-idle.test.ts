import assert from "node:assert/strict";
import { test } from "node:test";
import { whenIdle } from "./when-idle.ts";

test("whenIdle resolves when the work is done, not before", async () => {
  let rounds = 0;
  const work = setInterval(() => {
    const end = performance.now() + 50;
    // The interval goes on after its last round, because whenIdle() does not keep the process alive.
    while (rounds < 12 && performance.now() < end);
    rounds++;
  }, 60);
  await whenIdle();
  clearInterval(work);
  assert.ok(rounds >= 12, `after ${rounds} of 12 rounds`);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { idle } from "./idle.ts";

test("idle comes when the work is done, not before", async () => {
  let rounds = 0;
  const work = setInterval(() => {
    const end = performance.now() + 50;
    // At the end it goes on doing nothing: idle() itself keeps no process alive.
    while (rounds < 12 && performance.now() < end);
    rounds++;
  }, 60);
  await idle();
  clearInterval(work);
  assert.ok(rounds >= 12, `after ${rounds} of 12 rounds`);
});

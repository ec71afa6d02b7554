import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { EarliestTimer } from "./earliest-timer.ts";

/** A timer on a clock of its own, and the times at which it did its work. */
function onMockClock(t: TestContext) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let now = 0;
  const times: number[] = [];
  const timer = new EarliestTimer(
    () => times.push(now),
    () => now,
  );
  const pass = (ms: number) => {
    for (let i = 0; i < ms; i++) {
      now++;
      t.mock.timers.tick(1);
    }
  };
  return { timer, times, pass };
}

test("the earliest time wins, whichever was asked for first", t => {
  const { timer, times, pass } = onMockClock(t);
  timer.schedule(50);
  timer.schedule(20);
  timer.schedule(80);
  pass(100);
  assert.deepEqual(times, [20]);
});

test("after its work the timer can be scheduled anew", t => {
  const { timer, times, pass } = onMockClock(t);
  timer.schedule(10);
  pass(10);
  timer.schedule(5);
  pass(10);
  assert.deepEqual(times, [10, 15]);
});

test("a cancelled timer does nothing, and a later time is then a time like any other", t => {
  const { timer, times, pass } = onMockClock(t);
  timer.schedule(10);
  timer.cancel();
  pass(20);
  assert.deepEqual(times, []);
  timer.schedule(30);
  pass(30);
  assert.deepEqual(times, [50]);
});

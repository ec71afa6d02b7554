import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Semaphore } from "./semaphore.ts";

test("so much work runs at a time as there are permits, and the rest waits in order", async () => {
  const semaphore = new Semaphore(2);
  const started: number[] = [];
  const ends: (() => void)[] = [];
  const all = [0, 1, 2, 3].map(i =>
    semaphore.run(() => {
      started.push(i);
      return new Promise<number>(resolve => ends.push(() => resolve(i)));
    }),
  );
  await turn();
  assert.deepEqual(started, [0, 1]);
  ends[1]!();
  await turn();
  assert.deepEqual(started, [0, 1, 2]);
  ends[0]!();
  await turn();
  assert.deepEqual(started, [0, 1, 2, 3]);
  for (const end of ends) end();
  assert.deepEqual(await Promise.all(all), [0, 1, 2, 3]);
});

test("work that fails releases its permit", async () => {
  const semaphore = new Semaphore(1);
  await assert.rejects(
    semaphore.run(() => Promise.reject(new Error("broken"))),
    /broken/,
  );
  assert.equal(await semaphore.run(async () => "next"), "next");
});

test("work that must be alone starts when all permits are free, and keeps what comes after it waiting", async () => {
  const semaphore = new Semaphore(2);
  const order: string[] = [];
  const ends: (() => void)[] = [];
  const work = (name: string) => () => {
    order.push(name);
    return new Promise<void>(resolve => ends.push(resolve));
  };
  const all = [
    semaphore.run(work("first")),
    semaphore.runAlone(work("alone")),
    semaphore.run(work("third")),
    semaphore.run(work("fourth")),
  ];
  for (const expected of [["first"], ["first", "alone"], ["first", "alone", "third", "fourth"]]) {
    await turn();
    assert.deepEqual(order, expected);
    for (const end of ends.splice(0)) end();
  }
  await Promise.all(all);
});

test("new work does not overtake work that waits", async () => {
  const semaphore = new Semaphore(1);
  const order: string[] = [];
  const first = semaphore.run(async () => {
    order.push("first");
  });
  const second = semaphore.run(async () => {
    order.push("second");
  });
  // Asked for in the very turn in which the first has released its permit.
  const third = first.then(() =>
    semaphore.run(async () => {
      order.push("third");
    }),
  );
  await Promise.all([first, second, third]);
  assert.deepEqual(order, ["first", "second", "third"]);
});

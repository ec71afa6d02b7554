import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { KeyedQueue } from "./keyed-queue.ts";

/** Work that lasts until it is settled from outside. */
function gate() {
  let open = () => {};
  const opened = new Promise<void>(resolve => {
    open = resolve;
  });
  return { open, opened };
}

test("work of one key runs in order, work of another key at once", async () => {
  const queue = new KeyedQueue();
  const { open, opened } = gate();
  const order: string[] = [];
  const work = (name: string, wait?: Promise<void>) => async () => {
    order.push(`${name} starts`);
    await wait;
    order.push(`${name} ends`);
    return name;
  };
  const first = queue.run("a", work("first", opened));
  const second = queue.run("a", work("second"));
  assert.equal(await queue.run("b", work("other")), "other");
  await turn();
  assert.deepEqual(order, ["first starts", "other starts", "other ends"]);
  open();
  assert.deepEqual(await Promise.all([first, second]), ["first", "second"]);
  assert.deepEqual(order.slice(3), ["first ends", "second starts", "second ends"]);
});

test("work that fails fails for its caller only", async () => {
  const queue = new KeyedQueue();
  const failed = queue.run("a", () => Promise.reject(new Error("no space")));
  const after = queue.run("a", async () => "saved");
  await assert.rejects(failed, /no space/);
  assert.equal(await after, "saved");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { KernelSample } from "../protocol.ts";
import { type Looked, nothing } from "./look.ts";
import { Sampler } from "./sampler.ts";

const still: Looked = { ...nothing, doing: "running", threads: 1 };

/** A world with a clock of its own, in which a look takes as long as is said. */
class Fake {
  time = 0;
  takes = 1;
  looks: number[] = [];
  said: KernelSample[] = [];
  sample: Looked | null = still;
  sockets = 10;
  #timers: { at: number; callback: () => void }[] = [];
  readonly sampler = new Sampler({
    look: async () => {
      this.looks.push(this.time);
      this.time += this.takes;
      return this.sample && { sample: this.sample, sockets: this.sockets };
    },
    emit: sample => void this.said.push(sample),
    now: () => this.time,
    spent: () => this.time,
    later: (ms, callback) => {
      const timer = { at: this.time + ms, callback };
      this.#timers.push(timer);
      return () => {
        this.#timers = this.#timers.filter(other => other !== timer);
      };
    },
  });

  async pass(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      const due = this.#timers.sort((a, b) => a.at - b.at)[0];
      if (!due || due.at > end) break;
      this.#timers.shift();
      this.time = Math.max(this.time, due.at);
      due.callback();
      await settled();
    }
    this.time = Math.max(this.time, end);
  }
}
const settled = () => new Promise(resolve => setImmediate(resolve));

test("it looks as often as somebody asks, not more often than the floor, and not when nobody does", async () => {
  const world = new Fake();
  await world.pass(1000);
  assert.deepEqual(world.looks, []);
  const slow = world.sampler.want(500);
  await world.pass(2000);
  assert.equal(world.looks.length, 5);
  const fast = world.sampler.want(1);
  await world.pass(1000);
  assert.ok(world.looks.length >= 14 && world.looks.length <= 16, String(world.looks.length));
  fast();
  slow();
  const then = world.looks.length;
  await world.pass(5000);
  assert.equal(world.looks.length, then);
});

test("where a look is dear there are fewer, 5 % of a processor at most, and a sentence says why", async () => {
  const world = new Fake();
  world.takes = 40;
  world.sockets = 12_000;
  world.sampler.want(100);
  await world.pass(8000);
  assert.ok(world.looks.length * 40 <= 0.055 * 8000, `${world.looks.length} looks`);
  const last = world.said.at(-1)!;
  assert.equal(last.everyMs, 800);
  assert.equal(
    last.thin,
    "12,000 sockets on this machine: one look takes 40 ms, so there is one each 800 ms.",
  );
});

test("what one waits for is looked at as soon as may be, also when a look was under way", async () => {
  const world = new Fake();
  world.sampler.want(1000);
  await world.pass(150);
  world.sampler.hurry();
  await world.pass(10);
  assert.deepEqual(world.looks, [0, 150]);
  world.sampler.hurry();
  world.sampler.hurry();
  await world.pass(200);
  assert.deepEqual(world.looks, [0, 150, 250]);
  await world.pass(1000);
  assert.deepEqual(world.looks, [0, 150, 250, 1250]);
});

test("what is as before is not said again", async () => {
  const world = new Fake();
  world.sampler.want(100);
  await world.pass(1000);
  assert.equal(world.said.length, 1);
  world.sample = { ...still, cpuMs: 10 };
  await world.pass(1000);
  assert.equal(world.said.length, 2);
  assert.equal(world.said[1]!.thin, null);
});

test("a program that is gone between two looks is no sample and no error; the end is the end", async () => {
  const world = new Fake();
  world.sampler.want(100);
  await world.pass(300);
  world.sample = null;
  await world.pass(300);
  assert.equal(world.said.length, 1);
  assert.equal(await world.sampler.once(), null);
  world.sampler.close();
  const then = world.looks.length;
  await world.pass(1000);
  assert.equal(world.looks.length, then);
});

test("who asks once in a loop costs no more than who asks for a stream", async () => {
  const world = new Fake();
  world.takes = 10;
  for (let i = 0; i < 1000; i++) {
    assert.equal((await world.sampler.once())?.doing, "running");
    world.time += 1;
  }
  assert.ok(world.looks.length <= 8, `${world.looks.length} looks in a second`);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { type KernelSample, sentence } from "../protocol.ts";
import { Rates } from "./rates.ts";
import { type Looked, nothing } from "./sample.ts";
import { Sampler } from "./sampler.ts";

const still: Looked = { ...nothing, doing: { code: "running-now" }, threads: 1 };

/** A test world with its own clock, in which a look takes as long as the test decides. */
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
      if (!this.sample) return null;
      const counted = { at: this.time, cpuMs: this.sample.cpuMs, ...this.sample.calls };
      return { sample: this.sample, sockets: this.sockets, counted };
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
      const next = this.#timers.sort((a, b) => a.at - b.at)[0];
      if (!next || next.at > end) break;
      this.#timers.shift();
      this.time = Math.max(this.time, next.at);
      next.callback();
      await settled();
    }
    this.time = Math.max(this.time, end);
  }
}
const settled = () => new Promise(resolve => setImmediate(resolve));

test("it looks as often as a page asks, not more often than the floor, and not without a page", async () => {
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
    last.thin && sentence(last.thin),
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

test("what is as before is not sent again, but to a reader who has just come", async () => {
  const world = new Fake();
  world.sampler.want(100);
  await world.pass(1000);
  const rates = () => world.said.map(({ rates }) => rates?.cpuMs ?? null);
  assert.deepEqual(rates(), [null, 0], "a rate begins with the second look");
  world.sample = { ...still, cpuMs: 10 };
  await world.pass(3000);
  assert.deepEqual(rates(), [null, 0, 10, 0], "and ends when the second is over");
  assert.equal(world.said[1]!.thin, null);
  const sent = world.said.length;
  const end = world.sampler.want(100);
  await world.pass(300);
  assert.equal(world.said.length, sent + 1);
  end();
});

test("a rate is divided by the time that passed, and does not reach over a time without readers", async () => {
  const world = new Fake();
  const calls = (ready: number) => ({ ...still, calls: { ready, waiting: 0, failed: 0, unseen: 0 } });
  const ready = () => world.said.map(({ rates }) => rates?.ready ?? null);
  world.sample = calls(1_000_000);
  const leave = world.sampler.want(250);
  await world.pass(10);
  world.sample = calls(1_000_500);
  await world.pass(250);
  assert.deepEqual(ready(), [null, 2000]);
  leave();
  await world.pass(60_000);
  world.sample = calls(9_000_000);
  world.sampler.want(250);
  await world.pass(10);
  assert.deepEqual(ready(), [null, 2000, null]);
  world.sample = calls(9_000_050);
  await world.pass(250);
  assert.deepEqual(ready(), [null, 2000, null, 200]);
});

test("where looks are far apart, a rate is over all the time between them", () => {
  const rates = new Rates();
  const look = (at: number, ready: number) =>
    rates.at({ at, cpuMs: at, ready, waiting: 0, failed: 0, unseen: 0 });
  assert.equal(look(5000, 70_000), null);
  assert.equal(look(7100, 238_000)!.ready, 80_000);
  assert.equal(look(7300, 238_000)!.ready, 73_043, "over a second at least");
  assert.equal(look(7350, 238_010)!.cpuMs, 1000);
});

test("of looks that are asked for one by one, the second has a rate, unless the first is long ago", async () => {
  const world = new Fake();
  const once = async (cpuMs: number) => {
    world.sample = { ...still, cpuMs };
    return (await world.sampler.once())!.rates?.cpuMs ?? null;
  };
  assert.equal(await once(100), null);
  world.time += 2000;
  assert.equal(await once(1100), 500);
  world.time += 600_000;
  assert.equal(await once(9100), null);
});

test("a program that is gone between two looks is no sample and no error; the end is the end", async () => {
  const world = new Fake();
  world.sampler.want(100);
  await world.pass(300);
  const sent = world.said.length;
  world.sample = null;
  await world.pass(300);
  assert.equal(world.said.length, sent);
  assert.equal(await world.sampler.once(), null);
  world.sampler.close();
  const then = world.looks.length;
  await world.pass(1000);
  assert.equal(world.looks.length, then);
});

test("a caller that asks once in a loop costs no more than a caller that asks for a stream", async () => {
  const world = new Fake();
  world.takes = 10;
  for (let i = 0; i < 1000; i++) {
    assert.equal((await world.sampler.once())?.doing.code, "running-now");
    world.time += 1;
  }
  assert.ok(world.looks.length <= 8, `${world.looks.length} looks in a second`);
});

test("a rate over a longer time says so, and a sample when it was made, though it is not sent", async () => {
  const rates = new Rates();
  const at = (at: number) => rates.at({ at, cpuMs: at / 2, ready: at, waiting: 0, failed: 0, unseen: 0 });
  at(0);
  assert.equal(at(1000)?.overMs, undefined);
  const late = at(4240)!;
  assert.deepEqual([late.ready, late.cpuMs, late.overMs], [1000, 500, 3200]);
  const world = new Fake();
  assert.equal(world.sampler.sampledAt, null);
  const end = world.sampler.want(500);
  await world.pass(2000);
  assert.equal(world.said.length, 2, "the first rate is the last news");
  assert.equal(world.sampler.sampledAt, world.looks.at(-1));
  end();
});

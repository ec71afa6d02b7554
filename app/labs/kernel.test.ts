import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventOf, KernelSample } from "../../server-labs/protocol.ts";
import { KernelLog } from "./kernel.ts";

function event(at: number, cpuMs: number, ready: number): EventOf<"kernel"> {
  const calls = { ready, waiting: 0, failed: 0, unseen: 0 };
  return { type: "kernel", run: "r", seq: at, at, sample: { cpuMs, rssBytes: 1, calls } as KernelSample };
}

test("a rate is of the last second, and falls to nothing when nothing new is said", () => {
  const log = new KernelLog();
  assert.equal(log.perSecond("ready", 5000), 0);
  for (let at = 0; at <= 2000; at += 100) log.add(event(at, at / 10, at));
  assert.equal(log.perSecond("ready", 2000), 1000);
  assert.equal(log.perSecond("cpuMs", 2000), 100);
  assert.equal(log.perSecond("ready", 2500), 500);
  assert.equal(log.perSecond("ready", 3000), 0);
});

test("what was counted before the first sample is no rate", () => {
  const log = new KernelLog();
  log.add(event(60_000, 5000, 1_000_000));
  assert.equal(log.perSecond("ready", 60_000), 0);
  log.add(event(60_500, 5010, 1_000_100));
  assert.equal(log.perSecond("ready", 60_500), 200);
});

test("a minute is kept, however long the run is", () => {
  const log = new KernelLog();
  for (let at = 0; at < 600_000; at += 100) log.add(event(at, 0, at));
  assert.ok(log.points.length < 1000);
  assert.equal(log.pointAt(599_950)?.at, 599_900);
  assert.equal(log.perSecond("ready", 540_000), 1000);
});

test("a client is known by its port", () => {
  const log = new KernelLog();
  const visit = { visit: "v1", kind: "get", what: "connected", when: 1, sentence: "" } as const;
  log.add({ type: "visit", run: "r", seq: 1, at: 1, ...visit, who: "client 3", port: 51322 });
  assert.equal(log.names.get(51322), "client 3");
});

// What a page hears of the time of a run, so that it can say how long a call has slept and how old a sample is.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EventLog } from "../events/event-log.ts";
import type { CallRecord } from "../protocol.ts";
import { runClock } from "./run-clock.ts";

const call = (n: number, took: number | null): CallRecord => {
  const rest = { call: "epoll_wait", fd: 4, args: [4], returned: 0, errno: null, peer: null } as const;
  return { ...rest, args: [4], n, at: 0, took, state: "waiting", line: 1 };
};
const clockOf = (log: EventLog, next: number, samples = false, sampledAt: number | null = null) => {
  const kernel = { want: () => () => {}, once: async () => null, sampledAt };
  return runClock({ id: "r1", log, kernel }, next, samples);
};

test("a page that has all events of a program that sleeps hears the time, and no other page does", () => {
  const log = new EventLog("r1", performance.now() - 4000);
  log.append({ type: "syscalls", calls: [call(0, 1)] });
  assert.equal(clockOf(log, 1), null, "it does not sleep");
  log.append({ type: "syscalls", calls: [call(1, null)] });
  assert.equal(clockOf(log, 1), null, "an event is still to be sent");
  const clock = clockOf(log, 2)!;
  assert.ok(clock.at >= log.newest("syscalls")!.at && clock.at >= 4000, `${clock.at} ms`);
  log.append({ type: "syscalls", calls: [call(1, 9)] });
  assert.equal(clockOf(log, 3), null, "it has returned");
});

test("a page that wants samples hears when the kernel was looked at last, though there was nothing new", () => {
  const log = new EventLog("r1", performance.now() - 4000);
  assert.equal(clockOf(log, 0), null);
  assert.equal(clockOf(log, 0, true)?.sampled, null);
  assert.equal(clockOf(log, 0, true, log.startedAt + 3000)?.sampled, 3000);
});

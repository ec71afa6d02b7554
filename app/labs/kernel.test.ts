import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventOf, KernelSample, TcpState } from "../../server-labs/protocol.ts";
import { KernelLog } from "./kernel.ts";

function event(at: number, ready: number | null): EventOf<"kernel"> {
  const rates = ready === null ? null : { ready, waiting: 0, failed: 0, unseen: 0, cpuMs: 0 };
  return { type: "kernel", run: "r", seq: at, at, sample: { rates } as KernelSample };
}

test("the rates of a moment are those of the newest sample before it", () => {
  const log = new KernelLog();
  assert.equal(log.ratesAt(5000), null);
  log.add(event(1000, null));
  log.add(event(1250, 80_000));
  log.add(event(3000, 0));
  assert.deepEqual(
    [900, 1100, 1250, 2900, 9000].map(at => log.ratesAt(at)?.ready ?? null),
    [null, null, 80_000, 80_000, 0],
  );
  assert.equal(log.samples, 3);
});

test("of a time between two readers nothing is known", () => {
  const log = new KernelLog();
  log.add(event(1000, null));
  log.add(event(1250, 500));
  log.add(event(60_000, null));
  log.add(event(60_250, 7));
  assert.deepEqual(
    [1250, 1300, 59_000, 60_100, 60_250].map(at => log.ratesAt(at)?.ready ?? null),
    [500, null, null, null, 7],
  );
});

test("a minute is kept, however long the run is", () => {
  const log = new KernelLog();
  for (let at = 0; at < 600_000; at += 100) log.add(event(at, at));
  assert.ok(log.points.length < 1000);
  assert.equal(log.ratesAt(599_950)?.ready, 599_900);
  assert.equal(log.ratesAt(540_000)?.ready, 540_000);
});

test("a client is known by its port, until another program has it", () => {
  const log = new KernelLog();
  const visit = { type: "visit", run: "r", seq: 1, at: 1, visit: "v1", kind: "get", when: 1 } as const;
  log.add({
    ...visit,
    what: "connected",
    who: "client 3",
    port: 51322,
    statement: { code: "client-connected" },
  });
  const name = (peer: string, state: TcpState = "ESTABLISHED") => log.nameOf({ peer, state });
  assert.equal(name("127.0.0.1:51322"), "client 3");
  assert.equal(name("192.0.2.7:51322"), undefined);
  log.add({ ...visit, what: "done", who: "", statement: { code: "visit-ended-with-run" } });
  assert.equal(name("127.0.0.1:51322", "CLOSE_WAIT"), "client 3", "the program has not closed its end");
  assert.equal(name("127.0.0.1:51322"), undefined);
});

test("a sample grows old while the lab server does not look, and not while it looks and finds nothing new", () => {
  const log = new KernelLog();
  log.add(event(1000, 7));
  const heard = performance.now();
  const age = (later: number) => Math.round(log.age(heard + later) / 100) * 100;
  assert.equal(age(2400), 2400, "no word came");
  log.addClock(4000, 3900);
  assert.equal(age(0), 100, "nothing is new, but it was looked at");
  log.addClock(6500, 3900);
  assert.equal(age(500), 3100, "the lab server has not come to look");
});

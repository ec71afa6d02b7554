// Visits. Real runs with a real visitor; and a visitor that sends wrong reports, reports without end, or ends.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { EventLog } from "../events/event-log.ts";
import { atBestLevel, first, fixture, whole } from "../fixtures/run-helpers.ts";
import type { TemporaryLab } from "../fixtures/temporary-lab.ts";
import type { Refusal } from "../lib/refusal.ts";
import { childrenOf, isAlive } from "../process/processes.ts";
import {
  type Event,
  type EventOf,
  type Pace,
  type ProblemCode,
  sentence,
  type VisitBody,
  visitLimits,
} from "../protocol.ts";
import { Visits } from "./visits.ts";

const refusal = (code: ProblemCode, sentence: RegExp) => (error: Refusal) =>
  error.statement.code === code && sentence.test(error.message);

/** The visitors that this process has started. */
const visitors = () =>
  childrenOf(process.pid).filter(({ pid }) =>
    readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("visitor.js"),
  );

await atBestLevel("visits", make => {
  let at: TemporaryLab;
  before(async () => {
    at = await make();
  });
  after(() => at.close());

  test("a client comes, on the clock of the calls; the visitor ends with the run", async () => {
    const run = await at.runs.startProgram(at.lab, { text: fixture("listens.ts"), port: 0 });
    await first(run, "listening");
    const visits = run.visits!;
    const { visit, command } = await visits.start({ kind: "get" });
    assert.equal(command, `curl --max-time 10 -i http://127.0.0.1:${run.port}/`);
    const done = await first(run, "visit", step => step.what === "done");
    assert.equal(done.visit, visit);
    const connected = await first(run, "visit", step => step.what === "connected");
    const accepted = await first(run, "syscalls", ({ calls }) =>
      calls.some(call => call.call === "accept4" && call.peer === `127.0.0.1:${connected.port}`),
    );
    // accept4 began to wait before the client came, and returned after it had begun to connect: one clock.
    const call = accepted.calls.find(one => one.peer === `127.0.0.1:${connected.port}`)!;
    const begun = await first(run, "visit", step => step.what === "begins");
    assert.ok(call.at + call.took! / 1000 >= begun.when, `${call.at} + ${call.took} µs, ${begun.when}`);
    assert.ok(call.at + call.took! / 1000 <= done.when);
    await visits.start({ kind: "silent" });
    await first(run, "visit", step => step.kind === "silent" && step.what === "done");
    assert.equal(visitors().length, 1, "one visitor for all visits");
    const { pid, started } = visitors()[0]!;
    await run.stop();
    const events = await whole(run);
    assert.equal(events.at(-1)!.type, "exited");
    while (isAlive(pid, started)) await new Promise(resolve => setImmediate(resolve));
    await assert.rejects(visits.start({ kind: "get" }), refusal("run-has-ended", /has ended: press Run/));
  });

  test("a visit that stays leaves on the command, or ends with the run", async () => {
    const text = fixture("listens-only.ts");
    const run = await at.runs.startProgram(at.lab, { text, port: 0 });
    await first(run, "listening");
    const one = await run.visits!.start({ kind: "silent" });
    const two = await run.visits!.start({ kind: "idle", count: 3 });
    await first(run, "visit", step => step.visit === one.visit && step.what === "waits");
    await first(run, "visit", step => step.visit === two.visit && step.what === "waits");
    assert.equal(run.visits!.leave(one.visit), 1);
    await first(run, "visit", step => step.visit === one.visit && step.what === "done");
    assert.equal(run.visits!.leave(one.visit), 0, "it has left already");
    assert.throws(() => run.visits!.leave("v99"), refusal("unknown-visit", /no visit "v99"/));
    await run.stop();
    const last = (await whole(run)).findLast(event => event.type === "visit") as EventOf<"visit">;
    assert.deepEqual([last.visit, last.what], [two.visit, "done"]);
  });

  test("no client can connect before the program listens", async () => {
    const run = await at.runs.startProgram(at.lab, { text: "setInterval(() => {}, 1000);", port: 0 });
    await assert.rejects(
      run.visits!.start({ kind: "get" }),
      refusal("not-listening-yet", /does not listen yet/),
    );
    await run.stop();
  });

  test("a listener that was closed: no client is sent to the process that has the port now", async () => {
    const run = await at.runs.startProgram(at.lab, {
      text: `
        import { Socket } from "workbook/net";
        const listener = new Socket();
        listener.bind({ port: Number(process.argv[2]) });
        listener.listen();
        listener.close();
        console.log("closed");
        setInterval(() => {}, 1000);`,
      port: 0,
    });
    await first(run, "output");
    await first(run, "listening");
    await assert.rejects(
      run.visits!.start({ kind: "get" }),
      refusal("listens-no-more", /listens on \d+ any more/),
    );
    await run.stop();
  });
});

/** Visits whose visitor is this script. */
function withVisitor(script: string): { visits: Visits; log: EventLog; close: () => void } {
  const packageRoot = realpathSync(mkdtempSync(join(tmpdir(), "workbook-visitor-")));
  mkdirSync(join(packageRoot, "dist/server-labs/clients"), { recursive: true });
  writeFileSync(join(packageRoot, "package.json"), '{"type":"module"}');
  const lines =
    'import { createInterface } from "node:readline";\nconst said = createInterface({ input: process.stdin });\n';
  const say = "const say = step => process.stdout.write(JSON.stringify(step) + '\\n');\n";
  writeFileSync(join(packageRoot, "dist/server-labs/clients/visitor.js"), lines + say + script);
  const log = new EventLog("r1");
  const visits = new Visits({ log, packageRoot, where: async () => ({ host: "127.0.0.1", port: 7890 }) });
  return {
    visits,
    log,
    close() {
      visits.close();
      rmSync(packageRoot, { recursive: true, force: true });
    },
  };
}

/** The first visit event of which this holds. */
async function step(log: EventLog, holds: (step: EventOf<"visit">) => boolean): Promise<EventOf<"visit">> {
  const look = () =>
    log.read(0, Number.POSITIVE_INFINITY).events.find((e: Event) => e.type === "visit" && holds(e)) as
      | EventOf<"visit">
      | undefined;
  for (;;) {
    const found = look();
    if (found) return found;
    await new Promise<void>(resolve => {
      const off = log.onAppend(() => {
        off();
        resolve();
      });
    });
  }
}

const usual: VisitBody = { kind: "silent" };

test("a visitor that dies is reported, and the next visit has another", async () => {
  const { visits, log, close } = withVisitor(`
    said.on("line", line => {
      const { type, visit } = JSON.parse(line);
      say({ visit, who: "client", what: "connected", clock: 1, statement: { code: "client-connected" } });
      if (visit === "v1") throw new TypeError("no such luck");
    });`);
  await visits.start(usual);
  const done = await step(log, one => one.what === "done");
  assert.match(
    sentence(done.statement),
    /^its clients are gone: the visitor exited with 1 \(TypeError: no such luck\); the next/,
  );
  await visits.start(usual);
  await step(log, one => one.visit === "v2" && one.what === "connected");
  close();
  assert.deepEqual((await step(log, one => one.visit === "v2" && one.what === "done")).statement, {
    code: "visit-ended-with-run",
  });
});

test("what a visitor reports is checked: nonsense, visits of other runs and floods are dropped", async () => {
  const { visits, log, close } = withVisitor(`
    said.on("line", line => {
      const { visit } = JSON.parse(line);
      process.stdout.write("nonsense\\n");
      process.stdout.write("x".repeat(100_000) + "\\n");
      const statement = { code: "client-silent" };
      const fine = { visit, who: "", what: "got", clock: 1, statement };
      say({ ...fine, visit: "v7" });
      say({ ...fine, what: "begins", command: "rm -rf /" });
      say({ ...fine, what: "dances" });
      say({ ...fine, clock: "now" });
      say({ ...fine, port: 70000 });
      say({ ...fine, statement: { code: "visitor-ended" } });
      say({ ...fine, statement: { code: "client-got", bytes: "many", pieces: 1 } });
      say({ ...fine, statement: { code: "server-reset", errno: "E".repeat(1000) } });
      say({ ...fine, run: "other", seq: 0, command: "rm -rf /" });
      say({ ...fine, what: "done" });
      say({ ...fine, text: "after the end" });
    });`);
  await visits.start(usual);
  await step(log, one => one.what === "done");
  const { events } = log.read(0, Number.POSITIVE_INFINITY);
  const said = events.flatMap(event => (event.type === "visit" ? [event] : []));
  assert.deepEqual(
    said.map(one => one.what),
    ["begins", "got", "done"],
  );
  assert.equal(said[1]!.run, "r1");
  assert.equal(said[1]!.command, undefined);
  assert.equal(said[1]!.when, 0);
  close();
});

test("a visitor that reports without end is ended", async () => {
  const { visits, log, close } = withVisitor(`
    const babble = () => { while (process.stdout.write("nonsense\\n".repeat(100))); process.stdout.once("drain", babble); };
    said.once("line", babble);`);
  await visits.start(usual);
  assert.match(
    sentence((await step(log, one => one.what === "done")).statement),
    /ended by SIGKILL, after \d+ lines that made no/,
  );
  close();
});

test("a visitor that cannot be started for want of descriptors gives the places of its visit back", async () => {
  const file = fileURLToPath(new URL("../fixtures/visits-without-descriptors.ts", import.meta.url));
  const command = 'ulimit -n 64 && exec "$@"';
  const child = spawn("/bin/sh", ["-c", command, "sh", process.execPath, "--import", "tsx", file], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [said, complaint] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  const ends = said
    .split("\n")
    .flatMap(line => (line === "" ? [] : (JSON.parse(line) as EventOf<"visit">)))
    .filter(event => event.what === "done")
    .map(event => sentence(event.statement));
  assert.equal(ends.length, 6, complaint);
  for (const end of ends.slice(0, 5))
    assert.match(end, /^its clients are gone: the visitor cannot be started: .*EMFILE; the next visit/);
  assert.match(ends[5]!, /ECONNREFUSED|refused/);
});

test("a visitor whose program is gone gives the places of its visit back", async () => {
  const log = new EventLog("r1");
  const where = async () => ({ host: "127.0.0.1", port: 1 }) as const;
  const visits = new Visits({ log, packageRoot: "/no/such/workbook", where });
  await visits.start(usual);
  const { statement } = await step(log, one => one.what === "done");
  assert.match(sentence(statement), /^its clients are gone: the visitor cannot be started: ENOENT/);
  assert.equal(visits.leave(), 0);
});

test("visits are bounded", async () => {
  const { visits, close } = withVisitor("");
  for (let i = 0; i < 4; i++) await visits.start({ kind: "idle", count: visitLimits.clients });
  await assert.rejects(visits.start(usual), refusal("too-many-clients", /at most 4000 clients/));
  close();
  await assert.rejects(visits.start(usual), refusal("run-is-ending", /is ending/));
  const more = withVisitor("");
  for (let i = 0; i < visitLimits.open; i++) await more.visits.start(usual);
  await assert.rejects(more.visits.start(usual), refusal("too-many-visits", /32 visits are under way/));
  more.close();
});

test("a program that is paused or slow is held, and one that goes on is not", async () => {
  const { visits, log, close } = withVisitor(`
    said.on("line", line => {
      const { type, visit, held } = JSON.parse(line);
      say({ visit: visit ?? "v1", who: "", what: "waits", clock: 1, text: type + " " + (held ?? ""), statement: { code: "client-silent" } });
    });`);
  const goes = (mode: Pace["mode"]) => {
    const rest = { delayMs: 0, breakpoints: [], stop: null, instead: null, driver: null };
    log.append({ type: "pace", mode, state: mode === "paused" ? "stopped" : "going", ...rest });
  };
  goes("paused");
  await visits.start(usual);
  await step(log, one => one.text === "visit ");
  goes("full");
  await step(log, one => one.text === "held ");
  goes("slow");
  await step(log, one => one.text === "held slow");
  close();
});

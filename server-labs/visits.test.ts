// Visits of real runs, by a real visitor; and a visitor that lies, babbles or dies.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Refusal } from "./answers.ts";
import { EventLog } from "./event-log.ts";
import type { ALab } from "./fixtures/a-lab.ts";
import { atEachLevel, first, fixture, whole } from "./fixtures/levels.ts";
import { childrenOf, isAlive } from "./processes.ts";
import { type Event, type EventOf, type Pace, type VisitBody, visitLimits } from "./protocol.ts";
import { Visits } from "./visits.ts";

const refusal = (status: number, sentence: RegExp) => (error: Refusal) =>
  error.status === status && sentence.test(error.message);

/** The visitors that this process has started. */
const visitors = () =>
  childrenOf(process.pid).filter(({ pid }) =>
    readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("visitor.js"),
  );

await atEachLevel("visits", make => {
  let at: ALab;
  before(async () => {
    at = await make();
  });
  after(() => at.close());

  test("a client comes, on the clock of the calls; the visitor ends with the run", async () => {
    const run = await at.runs.startProgram(at.lab, { text: fixture("listens.ts"), port: 0 });
    await first(run, "listening");
    const visits = run.visits!;
    const { visit, command } = await visits.begin({ kind: "get" });
    assert.equal(command, `curl -i http://127.0.0.1:${run.port}/`);
    const done = await first(run, "visit", step => step.what === "done");
    assert.equal(done.visit, visit);
    const connected = await first(run, "visit", step => step.what === "connected");
    const accepted = await first(run, "syscalls", ({ calls }) =>
      calls.some(call => call.name === "accept4" && call.args.includes(`:${connected.port}`)),
    );
    // accept4 began to wait before the client came, and returned after it had begun to connect: one clock.
    const call = accepted.calls.find(one => one.args.includes(`:${connected.port}`))!;
    const begun = await first(run, "visit", step => step.what === "begins");
    assert.ok(call.at + call.took! / 1000 >= begun.when, `${call.at} + ${call.took} µs, ${begun.when}`);
    assert.ok(call.at + call.took! / 1000 <= done.when);
    await visits.begin({ kind: "silent" });
    await first(run, "visit", step => step.kind === "silent" && step.what === "done");
    assert.equal(visitors().length, 1, "one visitor for all visits");
    const { pid, started } = visitors()[0]!;
    await run.stop();
    const events = await whole(run);
    assert.equal(events.at(-1)!.type, "exited");
    while (isAlive(pid, started)) await new Promise(resolve => setImmediate(resolve));
    await assert.rejects(visits.begin({ kind: "get" }), refusal(409, /has ended: press Run/));
  });

  test("who stays is told to leave, or ends with the run", async () => {
    const text = fixture("listens-only.ts");
    const run = await at.runs.startProgram(at.lab, { text, port: 0 });
    await first(run, "listening");
    const one = await run.visits!.begin({ kind: "silent" });
    const two = await run.visits!.begin({ kind: "idle", count: 3 });
    await first(run, "visit", step => step.visit === one.visit && step.what === "waits");
    await first(run, "visit", step => step.visit === two.visit && step.what === "waits");
    assert.equal(run.visits!.leave(one.visit), 1);
    await first(run, "visit", step => step.visit === one.visit && step.what === "done");
    assert.equal(run.visits!.leave(one.visit), 0, "it has left already");
    assert.throws(() => run.visits!.leave("v99"), refusal(404, /no visit "v99"/));
    await run.stop();
    const last = (await whole(run)).findLast(event => event.type === "visit") as EventOf<"visit">;
    assert.deepEqual([last.visit, last.what], [two.visit, "done"]);
  });

  test("nobody can come before it listens, or when somebody else holds the port", async () => {
    const run = await at.runs.startProgram(at.lab, { text: "setInterval(() => {}, 1000);", port: 0 });
    await assert.rejects(run.visits!.begin({ kind: "get" }), refusal(409, /does not listen yet/));
    await run.stop();
  });

  test("a listener that was closed: nobody is sent to whoever has the port now", async () => {
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
    await assert.rejects(run.visits!.begin({ kind: "get" }), refusal(409, /listens on \d+ any more/));
    await run.stop();
  });
});

/** Visits whose visitor is this script. */
function withVisitor(script: string): { visits: Visits; log: EventLog; close: () => void } {
  const packageRoot = realpathSync(mkdtempSync(join(tmpdir(), "workbook-visitor-")));
  mkdirSync(join(packageRoot, "dist/server-labs/check"), { recursive: true });
  writeFileSync(join(packageRoot, "package.json"), '{"type":"module"}');
  const lines =
    'import { createInterface } from "node:readline";\nconst said = createInterface({ input: process.stdin });\n';
  const say = "const say = step => process.stdout.write(JSON.stringify(step) + '\\n');\n";
  writeFileSync(join(packageRoot, "dist/server-labs/check/visitor.js"), lines + say + script);
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

test("a visitor that dies is said to have, and the next visit has another", async () => {
  const { visits, log, close } = withVisitor(`
    said.on("line", line => {
      const { type, visit } = JSON.parse(line);
      say({ visit, who: "client", what: "connected", clock: 1, sentence: String(process.pid) });
      if (visit === "v1") throw new TypeError("no such luck");
    });`);
  await visits.begin(usual);
  const done = await step(log, one => one.what === "done");
  assert.match(
    done.sentence,
    /^its clients are gone: the visitor exited with 1 \(TypeError: no such luck\); the next/,
  );
  await visits.begin(usual);
  await step(log, one => one.visit === "v2" && one.what === "connected");
  close();
  assert.equal(
    (await step(log, one => one.visit === "v2" && one.what === "done")).sentence,
    "ended with the run",
  );
});

test("what a visitor says is checked: nonsense, other people's visits and floods are not believed", async () => {
  const { visits, log, close } = withVisitor(`
    said.on("line", line => {
      const { visit } = JSON.parse(line);
      process.stdout.write("nonsense\\n");
      process.stdout.write("x".repeat(100_000) + "\\n");
      say({ visit: "v7", who: "", what: "got", clock: 1, sentence: "not mine" });
      say({ visit, who: "", what: "begins", clock: 1, sentence: "again", command: "rm -rf /" });
      say({ visit, who: "", what: "dances", clock: 1, sentence: "?" });
      say({ visit, who: "", what: "got", clock: "now", sentence: "?" });
      say({ visit, who: "", what: "got", clock: 1, port: 70000, sentence: "?" });
      say({ visit, who: "", what: "got", clock: 1, sentence: "fine", run: "other", seq: 0, command: "rm -rf /" });
      say({ visit, who: "", what: "done", clock: 1, sentence: "the end" });
      say({ visit, who: "", what: "got", clock: 1, sentence: "after the end" });
    });`);
  await visits.begin(usual);
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

test("one that babbles without end is ended", async () => {
  const { visits, log, close } = withVisitor(`
    const babble = () => { while (process.stdout.write("nonsense\\n".repeat(100))); process.stdout.once("drain", babble); };
    said.once("line", babble);`);
  await visits.begin(usual);
  assert.match(
    (await step(log, one => one.what === "done")).sentence,
    /ended by SIGKILL, after \d+ lines that made no/,
  );
  close();
});

test("visits are bounded", async () => {
  const { visits, close } = withVisitor("");
  for (let i = 0; i < 4; i++) await visits.begin({ kind: "idle", count: visitLimits.clients });
  await assert.rejects(visits.begin(usual), refusal(409, /at most 4000 clients/));
  close();
  await assert.rejects(visits.begin(usual), refusal(409, /is ending/));
  const more = withVisitor("");
  for (let i = 0; i < visitLimits.open; i++) await more.visits.begin(usual);
  await assert.rejects(more.visits.begin(usual), refusal(409, /32 visits are under way/));
  more.close();
});

test("a program that is paused or slow is held, and one that goes on is not", async () => {
  const { visits, log, close } = withVisitor(`
    said.on("line", line => {
      const { type, visit, held } = JSON.parse(line);
      say({ visit: visit ?? "v1", who: "", what: "waits", clock: 1, sentence: type + " " + (held ?? "") });
    });`);
  const goes = (mode: Pace["mode"]) => {
    const rest = { delayMs: 0, breakpoints: [], stop: null, driver: null, sentence: mode };
    log.append({ type: "pace", mode, state: mode === "paused" ? "stopped" : "going", ...rest });
  };
  goes("paused");
  await visits.begin(usual);
  await step(log, one => one.sentence === "visit ");
  goes("full");
  await step(log, one => one.sentence === "held ");
  goes("slow");
  await step(log, one => one.sentence === "held in slow motion");
  close();
});

// Generated conversations on real servers: a right one passes, and the failure of a wrong one is small and repeatable.
import assert from "node:assert/strict";
import { test } from "node:test";
import { anyBytes } from "./conversations/grammar.ts";
import { subjectOf } from "./fixtures/check-fixture.ts";
import { runCheck } from "./run-checks.ts";
import type { Tools } from "./tools.ts";

const echo = async (t: Tools) => {
  const says = anyBytes(1, 30).map(said => ({ bytes: said, wants: said }));
  await t.conversations({
    says,
    times: 8,
    unfinished: false,
    idle: "sleeps",
    because: "An echo is the same bytes.",
  });
};

async function outcomeOf(name: string, seed: number, shrinks = true) {
  const command = `npm run check -- LAB --only it --seed ${seed}`;
  const check = { id: "it", title: "echoes", options: {}, body: echo };
  return runCheck(check, await subjectOf(name), { seed: { seed, command, shrinks } });
}

/** What the clients of a failure did, without times. */
const steps = (evidence: readonly string[] = []) =>
  evidence
    .map(line => line.replace(/^ *\d+ ms {2}/, ""))
    .filter(line => /^client \d+ (connects|sends|resets|ends)/.test(line));

test("a right server keeps its promises", async () => {
  const { state, failure } = await outcomeOf("echoes/solution.ts", 1);
  assert.equal(state, "passed", JSON.stringify(failure));
});

test("a wrong answer is shrunk to a small conversation", async () => {
  const { state, failure } = await outcomeOf("echoes/mutants/without-zeros.diff", 3);
  assert.equal(state, "failed");
  assert.match(failure!.evidence[0]!, /^The smallest conversation/);
  const told = steps(failure!.evidence);
  assert.ok(
    told.length <= 8 && told.some(step => /^client \d+ sends ".*\\x00.*"$/.test(step)),
    told.join("\n"),
  );
  assert.match(failure!.see!, /--seed 3 /);
});

test("a socket that is kept is shrunk to one client that was cut off", async () => {
  const { state, failure } = await outcomeOf("echoes/mutants/keeps-the-cut-off.diff", 4);
  assert.equal(state, "failed");
  assert.match(failure!.summary, /still held \d+ socket/);
  assert.ok(
    steps(failure!.evidence).some(step => /resets/.test(step)),
    failure!.evidence.join("\n"),
  );
});

test("a server that never sleeps again is caught", async () => {
  // Not shrunk: that is tested above, and each try would be a server that burns a processor.
  const { state, failure } = await outcomeOf("echoes/mutants/then-never-sleeps.diff", 5, false);
  assert.equal(state, "failed");
  assert.match(failure!.summary, /does not sleep/);
});

test("memory that is kept of each client is caught, with its size", async () => {
  const { state, failure } = await outcomeOf("echoes/mutants/keeps-a-buffer.diff", 6);
  assert.equal(state, "failed");
  const [, bytes] = /memory that the server uses grew by .*: ([\d,]+) bytes for each client/.exec(
    failure!.summary,
  )!;
  const each = Number(bytes!.replace(",", ""));
  assert.ok(each > 4096 && each < 6000, failure!.summary);
});

test("a server that calls itself for each turn is caught, long before its stack is full", async () => {
  const { state, failure } = await outcomeOf("echoes/mutants/calls-itself.diff", 7);
  assert.equal(state, "failed");
  assert.match(failure!.summary, /call stack of the server grew by \d+ function calls/);
});

// A busy machine: a check that could not measure is run again when no other check runs, and is not judged if it cannot then.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Semaphore } from "../lib/semaphore.ts";
import type { Check } from "./declarations.ts";
import { subjectOf } from "./fixtures/check-fixture.ts";
import type { Outcome } from "./outcome.ts";
import { runChecks } from "./run-checks.ts";
import type { Tools } from "./tools.ts";

const report = { onState: () => {}, onOutcome: () => {}, onEnd: () => {} };

function declare(id: string, body: Check["body"]): Check {
  return { id, title: `${id} is right`, options: {}, body };
}

async function outcomesOf(checks: Check[]): Promise<Outcome[]> {
  const subject = await subjectOf("closes-after-each-answer.ts");
  return runChecks(checks, { subject, port: 7890, report, semaphore: new Semaphore(3) });
}

test("a check that was too busy is run again alone", async () => {
  let running = 0;
  const waits = async (ms: number, { server }: Tools) => {
    running++;
    await server.wait(ms);
    return running--;
  };
  const outcomes = await outcomesOf([
    declare("beside", async tools => {
      await waits(300, tools);
    }),
    declare("measures", async tools => {
      if ((await waits(50, tools)) > 1) tools.tooBusy("a wait of 50 ms");
    }),
  ]);
  assert.deepEqual(
    outcomes.map(({ id, state }) => `${id} ${state}`),
    ["beside passed", "measures passed"],
  );
});

test("a check that is too busy when it is alone is not judged, and says why", async () => {
  let times = 0;
  const [outcome] = await outcomesOf([
    declare("measures", async ({ tooBusy }) => {
      times++;
      tooBusy("a client that sends within a second");
    }),
  ]);
  assert.equal(times, 2);
  assert.equal(outcome!.state, "unjudged");
  assert.equal(
    outcome!.note,
    "The machine was too busy for this: a client that sends within a second. Run the check again when fewer programs run.",
  );
});

test("an outcome says whether each try has failed", async () => {
  const [outcome] = await outcomesOf([
    declare("measures", async ({ tooBusy, fail }) => {
      try {
        fail("The answer came late.");
      } catch (error) {
        tooBusy("an answer within a second", error);
      }
    }),
  ]);
  assert.deepEqual(
    [outcome!.state, outcome!.busy, outcome!.failure],
    ["unjudged", { failed: true }, undefined],
  );
});

test("an outcome that contradicts what is known counts when no other check runs", async () => {
  let times = 0;
  const subject = await subjectOf("closes-after-each-answer.ts");
  const disturbed: string[] = [];
  const fails: Check["body"] = async ({ fail }) => fail("It fails.");
  const outcomes = await runChecks(
    [
      declare("once", async ({ fail }) => {
        if (++times === 1) fail("It fails once.");
      }),
      declare("always", fails),
    ],
    {
      subject,
      port: 7890,
      report,
      expectation: {
        meets: ({ state }) => state === "passed",
        onDisturbed: ({ id, failure }) => disturbed.push(`${id}: ${failure?.summary}`),
      },
    },
  );
  assert.deepEqual(
    outcomes.map(({ id, state }) => `${id} ${state}`),
    ["once passed", "always failed"],
  );
  assert.deepEqual(disturbed, ["once: It fails once."]);
});

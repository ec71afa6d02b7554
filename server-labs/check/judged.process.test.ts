// One cause, one failure: a check that cannot go past a broken promise is not judged, where another check judges it.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Check } from "./declarations.ts";
import type { WantedAnswer } from "./exchange.ts";
import { subjectOf } from "./fixtures/check-fixture.ts";
import type { Outcome } from "./outcome.ts";
import { textReport } from "./report.ts";
import { runChecks } from "./run-checks.ts";

const request = "GET /menu.txt HTTP/1.1\r\nHost: a\r\n\r\n";
const menu: WantedAnswer = { status: 200, body: "green tea 3\n" };

function exchanging(id: string, wants: WantedAnswer[], judges?: string): Check {
  const sends = wants.map(() => request);
  return {
    id,
    title: `${id} is as it should be`,
    options: judges === undefined ? {} : { judges },
    body: async ({ exchange }) => {
      await exchange({ about: id, sends, wants, after: "open" });
    },
  };
}

const open = exchanging("connection", [menu, menu], "persistence");
const lengths = exchanging("lengths", [menu, menu]);
const wrongBody = exchanging("body", [{ ...menu, body: "black tea 3\n" }]);

async function outcomesOf(checks: Check[]): Promise<{ outcomes: Outcome[]; text: string }> {
  const lines: string[] = [];
  const print = (line: string) => lines.push(line);
  const report = textReport({ lab: "a/b", name: "server.ts", colours: false, failuresOnly: false, print });
  for (const check of checks) report.onState(check, "waiting");
  const subject = await subjectOf("closes-after-each-answer.ts");
  const outcomes = await runChecks(checks, { subject, port: 7890, report });
  return { outcomes, text: lines.join("\n") };
}

test("what a closed connection has made fail is not judged; the check of connections fails", async () => {
  const { outcomes, text } = await outcomesOf([lengths, open, wrongBody]);
  assert.deepEqual(
    outcomes.map(({ id, state }) => `${id} ${state}`),
    ["lengths unjudged", "connection failed", "body failed"],
  );
  const [unjudged] = outcomes;
  assert.equal(unjudged!.failure, undefined);
  assert.equal(
    unjudged!.note,
    'the server closes a connection that should stay open for the next request, so this check could not go on. The check "connection is as it should be" judges that: mend it first.',
  );
  assert.match(text, /– lengths is as it should be .*\n +not judged: the server closes a connection/);
  assert.match(text, /0 of 3 checks passed, 2 failed, 1 not judged\./);
});

test("where no check judges it, or the one that does has passed, the check fails", async () => {
  const { outcomes: alone } = await outcomesOf([lengths]);
  assert.deepEqual([alone[0]!.state, alone[0]!.breaks?.promise], ["failed", "persistence"]);
  const passes: Check = { ...open, body: async () => {} };
  const { outcomes } = await outcomesOf([lengths, passes]);
  assert.deepEqual(
    outcomes.map(({ state }) => state),
    ["failed", "passed"],
  );
});

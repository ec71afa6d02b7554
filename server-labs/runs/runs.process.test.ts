// Runs. The runs of a lab server: why a run cannot be prepared, and which pages have a lab open.

import assert from "node:assert/strict";
import { test } from "node:test";
import { plainLevel } from "../fixtures/plain-sandbox.ts";
import { whole } from "../fixtures/run-helpers.ts";
import { openTemporaryLab, type TemporaryLab } from "../fixtures/temporary-lab.ts";
import type { Spare } from "../process/spare.ts";
import { mostAgeMs } from "../process/spares.ts";
import { type EventOf, type RunBody, sentence } from "../protocol.ts";
import { WorkspaceError } from "../workspace/error.ts";

const full = Object.assign(new Error("ENOSPC: no space left on device, write"), {
  code: "ENOSPC",
  errno: -28,
});
const removed = new WorkspaceError({ code: "file-removed", path: "server.ts", text: null, etag: '""' });
const mistake = new TypeError("x is undefined");
const own = "The lab server made a mistake of its own. Try again; your text is safe.";

for (const [what, error, refusal, reported] of [
  ["a full disk", full, ["unreadable", full.message], []],
  ["a file that cannot be read", removed, ["unreadable", removed.message], []],
  ["a mistake", mistake, ["cannot-start", own], [mistake]],
] as const)
  test(`a run that ${what} keeps from being prepared is refused, and the next one starts`, async t => {
    const mistakes: unknown[] = [];
    const at = await openTemporaryLab({ sandbox: plainLevel, unexpected: error => mistakes.push(error) });
    t.after(() => at.close());
    const body: RunBody = {
      get text(): string {
        throw error;
      },
    };
    for (const run of [await at.runs.startProgram(at.lab, body), await at.runs.startCheck(at.lab, body)]) {
      await run.ended;
      const [refused, ...more] = (await whole(run)) as EventOf<"refused">[];
      assert.deepEqual([refused!.reason, sentence(refused!.statement), more], [...refusal, []]);
    }
    assert.deepEqual(mistakes, [...reported, ...reported]);
    const next = await at.runs.startProgram(at.lab, { text: "", port: 0 });
    assert.equal((await whole(next)).at(-1)?.type, "exited");
  });

test("a page that closes its lab twice takes no other page's lab along", { timeout: 60_000 }, async t => {
  const at = await openTemporaryLab({ sandbox: plainLevel, spare: true });
  t.after(() => at.close());
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const first = at.runs.open(at.lab);
  at.runs.open(at.other);
  first();
  first();
  const spare = await spareOf(at, null);
  await spare.ready;
  t.mock.timers.tick(mostAgeMs);
  // It is renewed only as long as a page has a lab open.
  const renewed = await spareOf(at, spare);
  assert.equal(await renewed.ready, true);
});

/** The spare, once there is one that is not this. */
async function spareOf({ runs }: TemporaryLab, older: Spare | null): Promise<Spare> {
  while (!runs.spare || runs.spare === older) await new Promise(setImmediate);
  return runs.spare;
}

// A run whose part does what no part should: it comes to its end all the same.

import assert from "node:assert/strict";
import { test } from "node:test";
import { noUse, plainLevel } from "../fixtures/plain-sandbox.ts";
import { whole } from "../fixtures/run-helpers.ts";
import { launch } from "../process/launch.ts";
import { type EventOf, sentence } from "../protocol.ts";
import { type Part, ProcessRun } from "./run.ts";

/** A run with a part that starts `sleep` unless a test says otherwise, and the mistakes that were reported of it. */
function aRun(part: Partial<Part>): { run: ProcessRun; part: Part; mistakes: unknown[] } {
  const mistakes: unknown[] = [];
  const run = new ProcessRun(
    "r1",
    "a/b",
    "program",
    () => {},
    error => mistakes.push(error),
  );
  const usual: Part = {
    command: "sleep",
    folderUse: noUse,
    sandbox: plainLevel,
    start: () =>
      launch({
        sandbox: plainLevel,
        command: ["/bin/sleep", "1000"],
        reach: { cwd: "/", readable: [], writable: [], descriptors: 64 },
        variables: {},
        mark: "run-test/1",
        descriptors: [],
      }),
    attach() {},
    finish: async ({ ending }) => ({ ending, statement: { code: "stopped" } }),
    dispose: async () => {},
  };
  return { run, part: { ...usual, ...part }, mistakes };
}

const cannotStart = async () => {
  throw new Error("There is no process left.");
};
const full = Object.assign(new Error("EBUSY: resource busy, rm"), { code: "EBUSY", errno: -16 });
const mistake = new TypeError("x is undefined");

for (const [what, error, reported] of [
  ["the file system", full, []],
  ["a mistake", mistake, [mistake]],
] as const)
  test(`a run that cannot start settles though ${what} keeps its part from being disposed of`, async () => {
    const { run, part, mistakes } = aRun({
      start: cannotStart,
      dispose: async () => {
        throw error;
      },
    });
    await run.start(part);
    await run.ended;
    const [refused] = (await whole(run)) as EventOf<"refused">[];
    assert.deepEqual(
      [refused!.reason, sentence(refused!.statement)],
      ["cannot-start", "There is no process left."],
    );
    assert.deepEqual(mistakes, reported);
  });

test("a run whose part fails to attach is ended, and its mistake is reported", {
  timeout: 60_000,
}, async () => {
  const { run, part, mistakes } = aRun({
    attach() {
      throw mistake;
    },
  });
  await run.start(part);
  await run.ended;
  const last = (await whole(run)).at(-1)!;
  assert.equal(last.type === "exited" && last.signal, "SIGKILL");
  assert.deepEqual(mistakes, [mistake]);
});

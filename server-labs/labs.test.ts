// Use cases of a lab: when a scoreboard may begin.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Book, Lab } from "./book.ts";
import { InMemoryRuns } from "./fixtures/in-memory-runs.ts";
import { Labs } from "./labs.ts";
import { Refusal } from "./lib/refusal.ts";
import type { Workspace } from "./workspace.ts";

function labsWith(...rivals: Lab["rivals"]) {
  const lab = { id: "a/b", checks: [{ id: "answers", title: "answers" }], rivals };
  const book = { labs: [lab], lab: (id: string) => (id === lab.id ? lab : undefined) } as unknown as Book;
  const runs = new InMemoryRuns();
  return { labs: new Labs(book, {} as Workspace, runs), runs };
}
const rival = { id: "r", name: "R", command: "r {port}", folder: "/r" };
const refusal = (code: string) => (error: unknown) =>
  error instanceof Refusal && error.statement.code === code;

test("a scoreboard needs rivals", async () => {
  const { labs, runs } = labsWith();
  await assert.rejects(labs.startCheck("a/b", { scoreboard: true }), refusal("no-rivals"));
  assert.deepEqual(runs.asked, []);
});

test("a scoreboard ends no check that is under way, and may begin behind it", async () => {
  const { labs, runs } = labsWith(rival);
  const check = await labs.startCheck("a/b", {});
  await assert.rejects(labs.startCheck("a/b", { scoreboard: true }), refusal("check-under-way"));
  await check.stop();
  await labs.startCheck("a/b", { scoreboard: true });
  assert.equal(runs.asked.length, 2);
});

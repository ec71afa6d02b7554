// The rows of the Tasks pane: a tree in order, groups below their parents, and no endless tree of nonsense.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TaskRow } from "../../../../server-labs/protocol.ts";
import { taskLines } from "./task-tree.ts";

const task = (id: number, parent: number | null): TaskRow => ({
  id,
  parent,
  name: `task ${id}`,
  state: "ready",
  since: 0,
  ranMs: 0,
  resumes: 0,
});
const group = (parent: number | null) => ({ parent, state: "ready" as const, count: 5, since: 0 });
const shape = (lines: ReturnType<typeof taskLines>) =>
  lines.map(line => [line.depth, "task" in line ? line.task.id : "group"]);

test("each task comes below its parent, and groups after the tasks of their parent", () => {
  const tasks = [task(1, null), task(2, 1), task(3, null), task(4, 2), task(5, 1)];
  assert.deepEqual(shape(taskLines({ tasks, folded: [group(1), group(null)] })), [
    [0, 1],
    [1, 2],
    [2, 4],
    [1, 5],
    [1, "group"],
    [0, 3],
    [0, "group"],
  ]);
});

test("a parent that is not shown, and a circle of parents, leave no task out", () => {
  const tasks = [task(2, 9), task(3, 3), task(4, 5), task(5, 4)];
  assert.deepEqual(shape(taskLines({ tasks, folded: [group(9)] })), [
    [0, 2],
    [0, 3],
    [0, 4],
    [1, 5],
    [0, "group"],
  ]);
});

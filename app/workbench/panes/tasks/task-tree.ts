// Task tree. The rows of the Tasks pane: each task below the one that spawned it, in the order of their numbers, and below
// the tasks of one parent the groups of those that are not shown one by one.
import type { TaskGroup, TaskRow, TaskSample } from "../../../../server-labs/protocol.ts";

export type TaskLine = { depth: number } & ({ task: TaskRow } | { group: TaskGroup });

/** Deeper tasks are not indented further. */
const mostDepth = 8;

export function taskLines({ tasks, folded }: Pick<TaskSample, "tasks" | "folded">): TaskLine[] {
  const shown = new Set(tasks.map(({ id }) => id));
  const byParent = new Map<number | null, TaskRow[]>();
  for (const task of tasks) {
    // A program may have written that a task has spawned itself: only an earlier task can have spawned one.
    const parent =
      task.parent !== null && shown.has(task.parent) && task.parent < task.id ? task.parent : null;
    byParent.set(parent, [...(byParent.get(parent) ?? []), task]);
  }
  const groupsOf = (parent: number | null) =>
    folded.filter(
      group => (group.parent !== null && shown.has(group.parent) ? group.parent : null) === parent,
    );
  const lines: TaskLine[] = [];
  const add = (parent: number | null, depth: number) => {
    for (const task of byParent.get(parent) ?? []) {
      lines.push({ depth: Math.min(depth, mostDepth), task });
      add(task.id, depth + 1);
    }
    for (const group of groupsOf(parent)) lines.push({ depth: Math.min(depth, mostDepth), group });
  };
  add(null, 0);
  return lines;
}

// Task rows. Which tasks of very many are shown one by one: the one that runs, those that have spawned others, some that are
// ready, and the oldest of the rest, so that a row keeps its place. The others are counted in groups.
import { type TaskGroup, type TracedTaskState, taskLimits } from "../protocol.ts";

/** A task that has not ended, as its slot has it. */
export interface LiveTask {
  id: number;
  /** 0: none. */
  parent: number;
  state: TracedTaskState;
  /** Place in parkKinds; 0 when it is not parked. */
  kind: number;
  /** In milliseconds of CLOCK_MONOTONIC. */
  since: number;
  /** Where its slot begins. */
  offset: number;
}

/** `kind` null: of several groups. */
export interface FoldedTasks extends Omit<TaskGroup, "on"> {
  kind: number | null;
}

/** @returns the rows by their numbers, and groups of all other tasks, the largest first */
export function chooseRows(live: readonly LiveTask[]): { rows: LiveTask[]; folded: FoldedTasks[] } {
  const byId = [...live].sort((a, b) => a.id - b.id);
  if (byId.length <= taskLimits.rows) return { rows: byId, folded: [] };
  const parents = new Set(byId.map(({ parent }) => parent));
  const chosen = new Set<LiveTask>();
  const choose = (most: number, isWanted: (task: LiveTask) => boolean) => {
    let left = Math.min(most, taskLimits.rows - chosen.size);
    for (const task of byId) {
      if (left === 0) return;
      if (chosen.has(task) || !isWanted(task)) continue;
      chosen.add(task);
      left--;
    }
  };
  choose(1, ({ state }) => state === "running");
  choose(taskLimits.parents, ({ id }) => parents.has(id));
  choose(taskLimits.ready, ({ state }) => state === "ready");
  choose(taskLimits.rows, ({ state }) => state === "parked");
  choose(taskLimits.rows, () => true);
  const rows = byId.filter(task => chosen.has(task));
  const shown = new Set(rows.map(({ id }) => id));
  return {
    rows,
    folded: groupsOf(
      byId.filter(task => !chosen.has(task)),
      shown,
    ),
  };
}

function groupsOf(tasks: readonly LiveTask[], shown: ReadonlySet<number>): FoldedTasks[] {
  const groups = new Map<string, FoldedTasks>();
  for (const { parent: spawner, state, kind, since } of tasks) {
    const parent = shown.has(spawner) ? spawner : null;
    const key = `${parent} ${state} ${kind}`;
    const group = groups.get(key);
    if (group) add(group, 1, since);
    else groups.set(key, { parent, state, kind, count: 1, since });
  }
  const largest = [...groups.values()].sort((a, b) => b.count - a.count);
  const folded = largest.slice(0, taskLimits.groups);
  for (const { state, count, since } of largest.slice(taskLimits.groups)) {
    const others = folded.find(group => group.kind === null && group.state === state);
    if (others) add(others, count, since);
    else folded.push({ parent: null, state, kind: null, count, since });
  }
  return folded;
}

function add(group: FoldedTasks, count: number, since: number): void {
  group.count += count;
  group.since = Math.min(group.since, since);
}

// Task sample. What the tasks of a program do at one moment, read from its trace while a page or a shell asks for it. With
// more tasks than a person reads it shows some one by one, and counts the others in groups.
import type { ParkStatement, TaskCountStatement, TaskWarningStatement } from "./sentences/tasks.ts";

/** Bounds of a sample. */
export const taskLimits = {
  /** Tasks shown one by one. */
  rows: 200,
  /** Of these, those that have spawned others: without them there is no tree. */
  parents: 60,
  ready: 40,
  /** Groups of other tasks. */
  groups: 24,
} as const;

export type TracedTaskState = "running" | "ready" | "parked";

export interface TaskRow {
  id: number;
  name: string;
  /** The task that spawned it, where that has not ended. */
  parent: number | null;
  state: TracedTaskState;
  /** What it waits for, when it is parked. */
  on?: ParkStatement;
  /** Since when, in milliseconds of the run. */
  since: number;
  /** How long it ran so far, in milliseconds. */
  ranMs: number;
  resumes: number;
}

/** Tasks that are not shown one by one, and that have this in common. */
export interface TaskGroup {
  /** The task that spawned them, where it is shown. */
  parent: number | null;
  state: TracedTaskState;
  /** What they wait for, when they are parked; "several" of groups that are together one too many. */
  on?: ParkStatement["code"] | "several";
  count: number;
  /** Since when the first of them is in this state. */
  since: number;
}

export interface TaskWarning {
  /** When, in milliseconds of the run. */
  at: number;
  task: number;
  statement: TaskWarningStatement;
}

export interface TaskSample {
  /** Whose hub it is: that of workbook/tasks, or the program's own. */
  hub: "workbook" | "own";
  /** The hub's turns so far, and the tasks that were ready when the newest began. */
  turns: number;
  turnTasks: number;
  /** Tasks so far; those that have ended, of which some with an error; steps that all tasks have begun. */
  spawned: number;
  ended: number;
  failed: number;
  resumes: number;
  /** Tasks that live, by what they do. */
  running: number;
  ready: number;
  parked: number;
  /** Tasks that live beyond what the trace has room for: nothing else is known of them. */
  untraced: number;
  /** Shown one by one, by their numbers. */
  tasks: TaskRow[];
  /** The others, the largest group first. */
  folded: TaskGroup[];
  /** The newest warnings, the oldest first. */
  warnings: TaskWarning[];
  /** How many there were. */
  warned: number;
}

/** How many tasks there are, by what they do. */
export function tasksNow({
  running,
  ready,
  parked,
  untraced,
  ended,
  warned,
}: TaskSample): TaskCountStatement {
  return { code: "tasks-now", running, ready, parked, untraced, ended, warned };
}

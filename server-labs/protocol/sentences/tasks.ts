// Task sentences. English: what tasks wait for, and what is wrong with one, as the trace of tasks reports it.
import { count, grouped } from "./format.ts";
import type { StatementOf } from "./statement.ts";

/** What a parked task waits for, after "waits for". */
const parked = {
  "parked-on-readable": ({ fd }: { fd: number }) => `fd ${fd} to be readable`,
  "parked-on-writable": ({ fd }: { fd: number }) => `fd ${fd} to be writable`,
  /** @param until in milliseconds of the run */
  "parked-on-timer": (_: { until: number }) => "a timer",
  "parked-on-task": ({ task }: { task: number }) => `the end of task ${task}`,
  "parked-on-nursery": (_: object) => "the tasks of its nursery",
  "parked-on-queue": (_: object) => "a queue",
  "parked-on-semaphore": (_: object) => "a permit of a semaphore",
  "parked-on-unknown": (_: object) => "something that the program does not name",
};

/** As the console of a runtime of tasks warns. */
const warnings = {
  "task-ran-long": ({ name, ms, others }: { name: string; ms: number; others: number }) =>
    `Task "${name}" ran for ${grouped(ms)} ms without waiting, while ${count(others, "other task")} ${
      others === 1 ? "was" : "were"
    } ready and had to wait. Let the task pass() in between, or compute in a worker.`,
  "task-descriptor-closed": ({ name, fd }: { name: string; fd: number }) =>
    `Task "${name}" was parked on fd ${fd} when the program closed fd ${fd}: no event can wake it. Let the task end, or cancel it, before close().`,
  "task-never-waits": ({ name, turns }: { name: string; turns: number }) =>
    `Task "${name}" has asked for its next turn ${grouped(turns)} times in a row, and has waited for nothing: the hub never sleeps, and the processor is busy. Let the task wait for a descriptor or a time.`,
  "task-error-lost": ({ name, error }: { name: string; error: string }) =>
    `Task "${name}" ended with an error that no task awaited: ${error || "an error without words"}. Join the task, or spawn it in a nursery.`,
};

/** How many tasks do what. */
const counts = {
  "tasks-now": (now: {
    running: number;
    ready: number;
    parked: number;
    untraced: number;
    ended: number;
    warned: number;
  }) =>
    [
      `${grouped(now.running)} running`,
      `${grouped(now.ready)} ready`,
      `${grouped(now.parked)} parked`,
      ...(now.untraced > 0 ? [`${grouped(now.untraced)} more that are not traced one by one`] : []),
      `${grouped(now.ended)} ended`,
      ...(now.warned > 0 ? [count(now.warned, "warning")] : []),
    ].join(", "),
};

export const en = { ...parked, ...warnings, ...counts };

export type TaskCountStatement = StatementOf<typeof counts>;

export type ParkStatement = StatementOf<typeof parked>;
export type TaskWarningStatement = StatementOf<typeof warnings>;

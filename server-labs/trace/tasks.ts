// Task table. Reads what the tasks of a program do from the table behind its trace (task-layout.ts), and makes a sample of
// it. The program may have written anything: every number is a claim, every list is bounded, and nothing throws.
import type { CallTask, ParkStatement, TaskSample, TaskWarning, TaskWarningStatement } from "../protocol.ts";
import type { TraceMemory } from "./memory.ts";
import {
  type ParkKind,
  parkKinds,
  slotOfMark,
  slotState,
  taskLayout,
  taskMark,
  taskWarnings,
  warningsOffset,
} from "./task-layout.ts";
import { chooseRows, type LiveTask } from "./task-rows.ts";

const { header, slot: at, slotBytes, headerBytes, slots, warning: warningAt } = taskLayout;
/** Names of marks that are remembered: some seconds of a busy server. */
const mostNames = 4096;
const states = {
  [slotState.ready]: "ready",
  [slotState.running]: "running",
  [slotState.parked]: "parked",
} as const;

export class TaskTable {
  readonly #memory: TraceMemory;
  readonly #began: number;
  readonly #names = new Map<number, CallTask>();

  /** @param began CLOCK_MONOTONIC in milliseconds at `at` 0 */
  constructor(memory: TraceMemory, began: number) {
    this.#memory = memory;
    this.#began = began;
  }

  /** Has the program spawned a task, and how many warnings are there? Costs one small read. */
  look(): { hasTasks: boolean; warned: number } {
    this.#memory.loadTasks(0, headerBytes);
    const table = this.#memory.taskTable;
    return { hasTasks: hubOf(table) !== null, warned: warnedBy(table) };
  }

  /** The task of a call's mark; undefined when its slot is another task's by now. */
  taskOf(mark: number): CallTask | undefined {
    const known = this.#names.get(mark);
    if (known) return known;
    const offset = headerBytes + slotOfMark(mark) * slotBytes;
    this.#memory.loadTasks(offset, slotBytes);
    const table = this.#memory.taskTable;
    if (taskMark(slotOfMark(mark), table.readInt32LE(offset + at.generation)) !== mark) return undefined;
    const task = { id: table.readInt32LE(offset + at.id), name: nameAt(table, offset) };
    if (this.#names.size >= mostNames) this.#names.clear();
    this.#names.set(mark, task);
    return task;
  }

  /** What all tasks do now; null when the program has none. */
  sample(): TaskSample | null {
    if (!this.look().hasTasks) return null;
    const table = this.#memory.taskTable;
    const used = Math.min(table.readUInt32LE(4 * header.highest), slots - 1);
    this.#memory.loadTasks(headerBytes, (used + 1) * slotBytes);
    this.#memory.loadTasks(warningsOffset, table.length - warningsOffset);
    return sampleOf(table, this.#began);
  }
}

/** The sample of a copied table. @param began as of TaskTable */
export function sampleOf(table: Buffer, began: number): TaskSample | null {
  const hub = hubOf(table);
  if (hub === null) return null;
  const word = (index: number) => table.readUInt32LE(4 * index);
  const live = liveTasks(table);
  const { rows, folded } = chooseRows(live);
  const ids = new Set(live.map(({ id }) => id));
  const spawned = word(header.spawned);
  const ended = word(header.ended);
  const those = (state: LiveTask["state"]) => live.filter(task => task.state === state).length;
  return {
    hub,
    turns: word(header.turns),
    turnTasks: word(header.turnTasks),
    spawned,
    ended,
    failed: word(header.failed),
    resumes: word(header.resumes),
    running: those("running"),
    ready: those("ready"),
    parked: those("parked"),
    untraced: Math.max(0, ((spawned - ended) | 0) - live.length),
    tasks: rows.map(({ id, parent, state, kind, offset, since }) => ({
      id,
      name: nameAt(table, offset),
      parent: ids.has(parent) ? parent : null,
      state,
      ...(state === "parked" ? { on: parkOf(table, offset, kind, began) } : {}),
      since: momentOf(since - began),
      ranMs: momentOf(table.readDoubleLE(offset + at.ran)),
      resumes: table.readUInt32LE(offset + at.resumes),
    })),
    folded: folded.map(({ kind, since, ...group }) => ({
      ...group,
      ...(group.state === "parked" ? { on: kind === null ? ("several" as const) : codeOf(kind) } : {}),
      since: momentOf(since - began),
    })),
    warnings: warningsIn(table, began),
    warned: warnedBy(table),
  };
}

function hubOf(table: Buffer): TaskSample["hub"] | null {
  const hub = table.readUInt32LE(4 * header.hub);
  if (hub === 0 || table.readUInt32LE(4 * header.spawned) === 0) return null;
  return hub === 2 ? "own" : "workbook";
}

function warnedBy(table: Buffer): number {
  return taskWarnings.reduce((sum, _, code) => sum + table.readUInt32LE(4 * (header.warned + code)), 0);
}

function liveTasks(table: Buffer): LiveTask[] {
  const used = Math.min(table.readUInt32LE(4 * header.highest), slots - 1);
  const live: LiveTask[] = [];
  for (let slot = 1; slot <= used; slot++) {
    const offset = headerBytes + slot * slotBytes;
    const word = table.readInt32LE(offset + at.state);
    const state = states[(word & 7) as keyof typeof states];
    if (state === undefined) continue;
    const id = table.readInt32LE(offset + at.id);
    const parent = table.readInt32LE(offset + at.parent);
    const since = table.readDoubleLE(offset + at.since);
    live.push({ id, parent, state, kind: state === "parked" ? (word >>> 3) & 15 : 0, since, offset });
  }
  return live;
}

const codes: Record<ParkKind, ParkStatement["code"]> = {
  unknown: "parked-on-unknown",
  readable: "parked-on-readable",
  writable: "parked-on-writable",
  timer: "parked-on-timer",
  task: "parked-on-task",
  nursery: "parked-on-nursery",
  queue: "parked-on-queue",
  semaphore: "parked-on-semaphore",
};
const codeOf = (kind: number) => codes[parkKinds[kind] ?? "unknown"];

function parkOf(table: Buffer, offset: number, kind: number, began: number): ParkStatement {
  const code = codeOf(kind);
  const operand = table.readDoubleLE(offset + at.operand);
  if (code === "parked-on-readable" || code === "parked-on-writable")
    return { code, fd: table.readInt32LE(offset + at.state) >>> 7 };
  if (code === "parked-on-timer")
    return { code, until: momentOf(operand + table.readDoubleLE(4 * header.hidden) - began) };
  if (code === "parked-on-task") return { code, task: momentOf(operand) };
  return { code };
}

/** A slot's name: "task 7" where the program gave none. */
function nameAt(table: Buffer, offset: number): string {
  const length = table.readUInt32LE(offset + at.nameLength);
  return length === 0
    ? `task ${table.readInt32LE(offset + at.ordinal)}`
    : textAt(table, offset + at.name, length, taskLayout.nameBytes);
}

/** A text that the program wrote, without the broken character where it was cut. */
function textAt(table: Buffer, from: number, length: number, most: number): string {
  return table.toString("utf8", from, from + Math.min(length, most)).replace(/\ufffd$/, "");
}

function warningsIn(table: Buffer, began: number): TaskWarning[] {
  const { keptWarnings, warningBytes } = taskLayout;
  return taskWarnings
    .flatMap((_, code) => {
      const kept = Math.min(table.readUInt32LE(4 * (header.warned + code)), keptWarnings);
      return Array.from({ length: kept }, (_, i) => {
        const offset = warningsOffset + (code * keptWarnings + i) * warningBytes;
        return {
          at: momentOf(table.readDoubleLE(offset + warningAt.at) - began),
          task: table.readInt32LE(offset + warningAt.id),
          statement: statementAt(table, offset, code),
        };
      });
    })
    .sort((a, b) => a.at - b.at);
}

function statementAt(table: Buffer, offset: number, code: number): TaskWarningStatement {
  const name = textAt(
    table,
    offset + warningAt.name,
    table.readUInt32LE(offset + warningAt.nameLength),
    taskLayout.nameBytes,
  );
  const amount = table.readInt32LE(offset + warningAt.amount);
  switch (taskWarnings[code]!) {
    case "ran-long":
      return {
        code: "task-ran-long",
        name,
        ms: amount,
        others: table.readInt32LE(offset + warningAt.others),
      };
    case "descriptor-closed":
      return { code: "task-descriptor-closed", name, fd: amount };
    case "never-waits":
      return { code: "task-never-waits", name, turns: amount };
    case "error-lost": {
      const length = table.readUInt32LE(offset + warningAt.textLength);
      const error = textAt(table, offset + warningAt.text, length, taskLayout.warningTextBytes);
      return { code: "task-error-lost", name, error };
    }
  }
}

/** A time that can be shown, in milliseconds to a hundredth. */
function momentOf(ms: number): number {
  return Number.isFinite(ms) && ms > 0 ? Math.round(Math.min(ms, 1e12) * 100) / 100 : 0;
}

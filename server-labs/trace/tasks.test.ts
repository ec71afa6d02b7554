// The table of tasks, as a program's runtime writes it and the reader samples it: states, tree, groups, warnings.
import assert from "node:assert/strict";
import { test } from "node:test";
import { sentence, type TaskSample, taskLimits } from "../protocol.ts";
import { hideTime, realNow } from "../runtime/sys/clock.ts";
import { ProgramPace } from "../runtime/sys/pace.ts";
import { TaskTrace } from "../runtime/sys/task-trace.ts";
import { taskTableOffset, traceBytes } from "./layout.ts";
import { taskLayout, turnsInARow } from "./task-layout.ts";
import { sampleOf } from "./tasks.ts";

class Program {
  readonly #memory = new ArrayBuffer(traceBytes);
  readonly pace = new ProgramPace();
  notified = 0;
  readonly trace = new TaskTrace(this.#memory, this.pace, () => void this.notified++);

  constructor() {
    this.trace.hub(false);
  }

  sample(): TaskSample {
    return sampleOf(Buffer.from(this.#memory, taskTableOffset), 0)!;
  }

  /** Spawns a task and has it wait for a descriptor. */
  parked(name: string, parent: number, fd: number): number {
    const slot = this.trace.spawned(name, 0, parent);
    this.trace.runs(slot);
    this.trace.parks(slot, "readable", fd, 0);
    return slot;
  }

  /** Time passes in which the program computes. */
  compute(ms: number): void {
    for (const until = realNow() + ms; realNow() < until; );
  }
}

test("what each task does, what it waits for, and which has spawned which", () => {
  const program = new Program();
  const { trace } = program;
  assert.equal(sampleOf(Buffer.alloc(traceBytes), 0), null, "no task");
  const main = trace.spawned("main", 1, 0);
  trace.turn();
  trace.runs(main);
  const reader = trace.spawned("reader", 2, main);
  const other = trace.spawned(undefined, 3, main);
  trace.parks(main, "nursery", 0, 0);
  trace.turn();
  trace.runs(reader);
  trace.parks(reader, "readable", 7, 0);
  trace.runs(other);
  const sample = program.sample();
  assert.deepEqual(
    sample.tasks.map(({ id, name, parent, state, on, resumes }) => [id, name, parent, state, on, resumes]),
    [
      [1, "main", null, "parked", { code: "parked-on-nursery" }, 1],
      [2, "reader", 1, "parked", { code: "parked-on-readable", fd: 7 }, 1],
      [3, "task 3", 1, "running", undefined, 1],
    ],
  );
  assert.deepEqual(
    [sample.hub, sample.turns, sample.turnTasks, sample.running, sample.ready, sample.parked],
    ["workbook", 2, 2, 1, 0, 2],
  );
  assert.equal(program.pace.task, 3);
  trace.parks(other, "timer", 0, performance.now() + 1000);
  const on = program.sample().tasks[2]!.on!;
  const now = Number(process.hrtime.bigint()) / 1e6;
  assert.ok(on.code === "parked-on-timer" && on.until > now && on.until <= now + 1001);
  assert.deepEqual([program.pace.task, program.pace.taskBits], [0, 0]);
  hideTime(500);
  trace.readClock();
  const later = program.sample().tasks[2]!.on!;
  assert.ok(
    later.code === "parked-on-timer" && Math.abs(later.until - on.until - 500) < 1,
    "a pause defers it",
  );
});

test("ten thousand parked tasks: two hundred rows, all others in groups, and every count exact", () => {
  const program = new Program();
  const { trace } = program;
  const main = trace.spawned("main", 1, 0);
  trace.runs(main);
  trace.parks(main, "nursery", 0, 0);
  for (let i = 0; i < 9_000; i++) program.parked(`client ${i}`, main, 10 + i);
  for (let i = 0; i < 1_000; i++) {
    const slot = trace.spawned(`timer ${i}`, 0, main);
    trace.runs(slot);
    trace.parks(slot, "timer", 0, i);
  }
  const { tasks, folded, parked, untraced } = program.sample();
  assert.equal(tasks.length, taskLimits.rows);
  assert.equal(tasks[0]!.name, "main");
  assert.deepEqual(
    folded.map(({ parent, state, on, count }) => [parent, state, on, count]),
    [
      [1, "parked", "parked-on-readable", 9_001 - taskLimits.rows],
      [1, "parked", "parked-on-timer", 1_000],
    ],
  );
  assert.deepEqual([parked, untraced], [10_001, 0]);
  const size = JSON.stringify(program.sample()).length;
  assert.ok(size < 40_000, `${size} bytes`);
});

test("more tasks than the table has slots are counted; a slot is used again when its task has ended", () => {
  const program = new Program();
  const { trace } = program;
  const all = Array.from({ length: taskLayout.slots + 10 }, (_, i) => trace.spawned(`t${i}`, 0, 0));
  assert.equal(all.at(-1), 0);
  assert.equal(program.sample().untraced, 11);
  for (const slot of all) {
    trace.runs(slot);
    trace.ended(slot, false);
  }
  assert.deepEqual(
    [program.sample().tasks.length, program.sample().untraced, program.sample().ended],
    [0, 0, taskLayout.slots + 10],
  );
  const again = trace.spawned("again", 0, 0);
  assert.notEqual(again, 0);
  trace.runs(again);
  assert.equal(program.sample().tasks[0]!.name, "again");
});

test("a long step is a warning if others were ready, or were woken at once; a person's pause is no such step", () => {
  const program = new Program();
  const { trace } = program;
  const [one, two] = [trace.spawned("one", 1, 0), trace.spawned("two", 2, 0)];
  const longStep = (pausedMs = 0) => {
    trace.readClock();
    trace.turn();
    trace.runs(one);
    program.compute(110);
    if (pausedMs > 0) hideTime(pausedMs);
    trace.parks(one, "queue", 0, 0);
  };
  longStep();
  const [warning] = program.sample().warnings;
  assert.match(
    sentence(warning!.statement),
    /^Task "one" ran for \d+ ms without waiting, while 1 other task was ready/,
  );
  trace.runs(two);
  trace.parks(two, "readable", 7, 0);
  trace.ready(one);
  longStep(100);
  assert.equal(program.sample().warned, 1, "the program was paused meanwhile");
  trace.ready(one);
  longStep();
  assert.equal(program.sample().warned, 1, "no other task was ready");
  trace.ready(two);
  trace.turn();
  assert.equal(program.sample().warned, 2, "the event had come meanwhile");
  assert.equal(program.notified, 2);
  trace.runs(two);
  trace.parks(two, "queue", 0, 0);
  trace.ready(one);
  trace.readClock();
  trace.turn();
  trace.runs(one);
  program.compute(110);
  trace.ready(one);
  trace.goesOn(one);
  trace.turn();
  assert.equal(program.sample().warned, 2, "the task that ran is ready itself, and no other");
});

test("a task that never waits, a closed descriptor, and an error that no task awaited are warnings with the task's name", () => {
  const program = new Program();
  const { trace } = program;
  const slot = trace.spawned("spins", 1, 0);
  for (let i = 0; i < 3 * turnsInARow; i++) {
    trace.runs(slot);
    trace.ready(slot);
    trace.goesOn(slot);
  }
  trace.runs(slot);
  trace.parks(slot, "readable", 9, 0);
  trace.closed(slot, 9);
  trace.ready(slot);
  trace.runs(slot);
  trace.ended(slot, true);
  trace.errorLost(slot, new RangeError(`Überlauf ${"x".repeat(300)}`));
  const { warnings, failed, tasks } = program.sample();
  assert.deepEqual([failed, tasks.length], [1, 0]);
  assert.deepEqual(
    warnings.map(({ task, statement }) => [task, statement.code]),
    [
      [1, "task-never-waits"],
      [1, "task-descriptor-closed"],
      [1, "task-error-lost"],
    ],
  );
  assert.match(sentence(warnings[0]!.statement), /"spins" .* 10,000 times in a row/);
  assert.match(sentence(warnings[2]!.statement), /RangeError: Überlauf x+\. Join the task/);
});

test("a step to a task stops in that task's next step, and at the next call where the task has ended", () => {
  const { trace, pace } = new Program();
  const [one, two] = [trace.spawned("one", 1, 0), trace.spawned("two", 2, 0)];
  const stops = () => pace.before(1, 0, 0) !== null;
  trace.runs(two);
  pace.apply({ type: "step", to: "task", task: 2 });
  assert.equal(stops(), false, "it is the step under way");
  trace.parks(two, "queue", 0, 0);
  assert.equal(stops(), false, "the hub's own call");
  trace.runs(one);
  assert.equal(stops(), false, "another task's call");
  trace.parks(one, "queue", 0, 0);
  trace.ready(two);
  trace.runs(two);
  assert.equal(stops(), true);
  pace.apply({ type: "step", to: "task", task: 2 });
  trace.ended(two, false);
  assert.equal(stops(), true, "the task has ended");
});

test("a flood of one warning keeps the newest of it, its count, and every other warning", () => {
  const program = new Program();
  const { trace } = program;
  const slot = trace.spawned("a", 1, 0);
  trace.closed(slot, 4);
  for (let i = 0; i < 5000; i++) trace.errorLost(slot, `${i}`);
  const { warned, warnings } = program.sample();
  assert.deepEqual([warned, warnings.length], [5001, taskLayout.keptWarnings + 1]);
  assert.equal(warnings.filter(({ statement }) => statement.code === "task-descriptor-closed").length, 1);
});

test("nonsense in the table makes no error", () => {
  for (const byte of [0xff, 0x7f, 0x01, 0x0b]) {
    const sample = sampleOf(Buffer.alloc(traceBytes - taskTableOffset, byte), 0)!;
    assert.ok(sample.tasks.length <= taskLimits.rows && sample.folded.length <= taskLimits.groups + 3);
    for (const { statement } of sample.warnings) assert.ok(sentence(statement).length < 1000);
  }
});

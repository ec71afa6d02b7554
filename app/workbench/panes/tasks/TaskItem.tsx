// Task line. One task, or a group of tasks that are counted: its state, its name, what it waits for and for how long.
import { memo } from "react";
import {
  count,
  type ParkStatement,
  sentence,
  type TaskGroup,
  type TaskRow,
  visible,
} from "../../../../server-labs/protocol.ts";
import { number, roundedDuration } from "../../format.ts";
import { filterCalls } from "../syscalls.ts";

const signs = { running: "›", ready: "•", parked: "~" } as const;

/** From ten seconds on no tenths: two hundred lines are drawn again once a second, and not with each sample. */
const patience = (ms: number): string =>
  ms < 10_000 || ms >= 100_000 ? roundedDuration(ms) : `${Math.floor(ms / 1000)} s`;

interface TaskProps {
  task: TaskRow;
  depth: number;
  /** How long it is in its state. */
  forMs: number;
  /** Milliseconds of the run. */
  now: number;
  /** Who is at the other end of the connection that it waits for. */
  peer: string | null;
  /** The name of the task whose end it waits for. */
  joined: string | null;
  /** Runs to its next step; null when this page cannot. */
  step: ((to: { task: number }) => void) | null;
}

export const TaskItem = memo(function Task(props: TaskProps) {
  const { task, depth, forMs, peer, joined, step } = props;
  const { id, name, state, ranMs, resumes } = task;
  return (
    <li className={`task ${state}`}>
      <span className="task-name" style={{ paddingLeft: `${depth * 2}ch` }}>
        <i title={state} aria-hidden="true">
          {signs[state]}
        </i>
        <button type="button" onClick={() => filterCalls({ task: id })} title={`Task ${id}: show its calls`}>
          {visible(name)}
        </button>
      </span>
      <span className="task-doing">
        {task.on && <span className="dim">waits for </span>}
        {doingWords(props)}
        {peer && <span className="dim"> ({visible(peer)})</span>}
        {joined && <span className="dim"> ({visible(joined)})</span>}
      </span>
      <span className="task-time" title={`${state} for so long`}>
        {state === "running" ? "" : patience(forMs)}
      </span>
      <span className="task-ran" title="How long it ran so far, and in how many steps">
        {ranMs < 1 ? "< 1 ms" : roundedDuration(ranMs)} in {count(resumes, "step")}
      </span>
      <button
        type="button"
        className="task-step"
        disabled={step === null}
        onClick={() => step?.({ task: id })}
        title="Run to this task's next step: the program stops before the first call that the task makes then"
      >
        step
      </button>
    </li>
  );
}, sameLine);

/** `forMs` and `now` change all the time; what is written of them does not. */
function sameLine(a: TaskProps, b: TaskProps): boolean {
  return (
    a.depth === b.depth &&
    a.peer === b.peer &&
    a.joined === b.joined &&
    a.step === b.step &&
    patience(a.forMs) === patience(b.forMs) &&
    doingWords(a) === doingWords(b) &&
    JSON.stringify(a.task) === JSON.stringify(b.task)
  );
}

const doingWords = ({ task: { on, state }, now }: TaskProps) => (on ? parkWords(on, now) : state);

function parkWords(on: ParkStatement, now: number): string {
  if (on.code !== "parked-on-timer") return sentence(on);
  const left = on.until - now;
  return left > 0 ? `a timer, in ${patience(left)}` : "a timer";
}

const groupWords: Record<ParkStatement["code"] | "several", string> = {
  "parked-on-readable": "each for a descriptor to be readable",
  "parked-on-writable": "each for a descriptor to be writable",
  "parked-on-timer": "each for a timer",
  "parked-on-task": "each for the end of a task",
  "parked-on-nursery": "each for the tasks of its nursery",
  "parked-on-queue": "each for a queue",
  "parked-on-semaphore": "each for a permit of a semaphore",
  "parked-on-unknown": "each for something that the program does not name",
  several: "for various things",
};

export function GroupLine({ group, depth, forMs }: { group: TaskGroup; depth: number; forMs: number }) {
  const { state, on, count: tasks } = group;
  return (
    <li className={`task group ${state}`}>
      <span className="task-name" style={{ paddingLeft: `${depth * 2}ch` }}>
        <i aria-hidden="true">…</i>
        {number(tasks)} more
      </span>
      <span className="task-doing">
        {state}
        {on && `, ${groupWords[on]}`}
      </span>
      <span className="task-time" title={`the longest is ${state} for so long`}>
        ≤ {patience(forMs)}
      </span>
      <span className="task-ran" />
      <span />
    </li>
  );
}

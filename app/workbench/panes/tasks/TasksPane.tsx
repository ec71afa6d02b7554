// Tasks pane. The hub's turns, warnings in words, and each task in the tree of those that spawned it: what it does, what it
// waits for, and for how long.
import "../../../style/tasks.css";
import { useCallback, useMemo, useRef } from "react";
import { count, type TaskSample } from "../../../../server-labs/protocol.ts";
import { keyNames } from "../../../keys.ts";
import type { RunView } from "../../../labs.ts";
import { number } from "../../format.ts";
import { commandsOf, useDriving } from "../../pace/driving.ts";
import type { PaneProps } from "../../pane.ts";
import { useKernel, useRunClock } from "../kernel.ts";
import { GroupLine, TaskItem } from "./TaskItem.tsx";
import { taskLines } from "./task-tree.ts";
import { Warnings } from "./Warnings.tsx";

/** A sample that is older had no successor, because no task did anything. */
const newsMs = 1000;

export default function TasksPane({ program }: PaneProps) {
  const { kernel } = useKernel(program);
  const event = kernel.tasks;
  if (!program || !event) return <Nothing program={program} />;
  const { sample } = event;
  return (
    <div className={program.live ? "tasks" : "tasks over"}>
      <Strip program={program} sample={sample} />
      <Warnings sample={sample} />
      <Tree program={program} sample={sample} at={event.at} peerOf={fd => peerOf(kernel, fd)} />
      {sample.untraced > 0 && (
        <p className="tasks-note">
          {count(sample.untraced, "more task")} of this program {sample.untraced === 1 ? "is" : "are"} not
          traced one by one: the trace has room for 16,383.
        </p>
      )}
    </div>
  );
}

/** Who is at the other end of a connection, as the newest kernel sample has it. */
function peerOf(kernel: ReturnType<typeof useKernel>["kernel"], fd: number): string | null {
  const sample = kernel.sample?.sample;
  const connection = sample?.connections.find(one => one.fd === fd);
  if (connection) return kernel.nameOf(connection) ?? connection.peer.replace(/^.*:/, ":");
  return sample?.listeners.some(one => one.fd === fd) ? "the listener" : null;
}

function Strip({ program, sample }: { program: RunView; sample: TaskSample }) {
  const { running, ready, parked, ended, failed, turns, turnTasks, resumes } = sample;
  return (
    <div className="tasks-strip">
      <p>
        {program.live ? (
          <>
            <b className={running > 0 ? "ready" : undefined}>{number(running)}</b> running{" "}
            <b className={ready > 0 ? "ready" : undefined}>{number(ready)}</b> ready <b>{number(parked)}</b>{" "}
            parked
          </>
        ) : (
          <span className="dim">as it was when the program ended</span>
        )}
      </p>
      <dl>
        <div>
          <dt>{sample.hub === "own" ? "the program's own hub" : "hub"}</dt>
          <dd title="A turn runs the tasks that are ready, then sleeps in epoll_wait until one can go on">
            turn {number(turns)}, with {count(turnTasks, "task")}
          </dd>
        </div>
        <div>
          <dt>steps</dt>
          <dd title="How often a task was resumed">{number(resumes)}</dd>
        </div>
        <div>
          <dt>ended</dt>
          <dd>
            {number(ended)}
            {failed > 0 && <span className="waiting"> ({number(failed)} with an error)</span>}
          </dd>
        </div>
      </dl>
    </div>
  );
}

interface TreeProps {
  program: RunView;
  sample: TaskSample;
  /** When the sample was made, in milliseconds of the run. */
  at: number;
  peerOf(fd: number): string | null;
}

function Tree({ program, sample, at, peerOf }: TreeProps) {
  const clock = useRunClock(program);
  const { cannot, pace } = useDriving(program);
  // The same function for every view of the program: else two hundred lines are drawn again for each.
  const latest = useRef(program);
  latest.current = program;
  const step = useCallback((to: { task: number }) => commandsOf(latest.current).step(to), []);
  const lines = useMemo(() => taskLines(sample), [sample]);
  const names = useMemo(() => new Map(sample.tasks.map(({ id, name }) => [id, name])), [sample]);
  // A program that is paused ages no task, and one that has ended is as it was. Where samples come, each is of its own
  // moment; where no new one comes, everything is as it was.
  const isStill = !program.live || pace.state === "stopped" || clock - at < newsMs;
  const now = isStill ? at : clock;
  if (lines.length === 0) return <p className="tasks-note">No task lives: all have ended.</p>;
  return (
    <ul className="tasks-tree" aria-label="Tasks">
      {lines.map(line =>
        "task" in line ? (
          <TaskItem
            key={line.task.id}
            task={line.task}
            depth={line.depth}
            forMs={Math.max(0, now - line.task.since)}
            now={now}
            peer={line.task.on && "fd" in line.task.on ? peerOf(line.task.on.fd) : null}
            joined={line.task.on?.code === "parked-on-task" ? (names.get(line.task.on.task) ?? null) : null}
            step={cannot === null ? step : null}
          />
        ) : (
          <GroupLine
            key={`${line.group.parent} ${line.group.state} ${line.group.on ?? ""}`}
            group={line.group}
            depth={line.depth}
            forMs={Math.max(0, now - line.group.since)}
          />
        ),
      )}
    </ul>
  );
}

function Nothing({ program }: { program: RunView | null }) {
  return (
    <div className="pane-state">
      <p>{program ? "This program has spawned no task." : "Nothing runs."}</p>
      <p className="dim">
        {!program && (
          <>
            Press <kbd>{keyNames.run}</kbd>:{" "}
          </>
        )}
        {program ? "Here are" : "here will be"} the tasks that a program spawns with{" "}
        <code>workbook/tasks</code>, or that its own hub names with <code>taskSpawned()</code>: which runs,
        which are ready, and what each of the others waits for.
      </p>
    </div>
  );
}

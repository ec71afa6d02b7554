// Traced step. What the trace gets to know of a task whose step is over.
import type { TaskTrace } from "../sys/task-trace.ts";
import type { Task } from "./task.ts";

/** Writes whether the task goes on in the next turn, or what it waits for. The trace knows of one that has ended. */
export function traceAfterStep(trace: TaskTrace, task: Task): void {
  const { state, slot } = task;
  if (state === "ended") return;
  const awaited = task.waitsFor;
  if (state === "ready" || awaited === null || awaited.kind === "turn") {
    trace.goesOn(slot);
    return;
  }
  switch (awaited.kind) {
    case "descriptor":
      trace.parks(slot, awaited.direction, awaited.fd, 0);
      return;
    case "timer":
      trace.parks(slot, "timer", 0, awaited.until);
      return;
    case "task":
      trace.parks(slot, "task", 0, trace.idOf(awaited.task.slot));
      return;
    default:
      trace.parks(slot, awaited.kind, 0, 0);
  }
}

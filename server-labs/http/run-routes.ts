// Run routes. What a request can ask of a run: its state and its events, to go at another pace, to end, to have visits.
import { Refusal } from "../lib/refusal.ts";
import type { PaceBody, StepBody, VisitBody } from "../protocol.ts";
import { answer } from "./answers.ts";
import { type Call, shell } from "./call.ts";
import { formOf, stream } from "./events.ts";

export function showRun({ labs, run, response }: Call<"run">): void {
  answer(response, 200, labs.run(run).summary());
}

/** Answers when the whole process tree has ended and its port is free. */
export async function stopRun({ labs, run, response }: Call<"run">): Promise<void> {
  const found = labs.run(run);
  await found.stop();
  await found.ended;
  answer(response, 200, found.summary());
}

/** Answers when the program has the new pace, or after 0.2 s with what it does instead of stopping. */
export async function paceRun({ labs, run, body, response }: Call<"run", PaceBody>): Promise<void> {
  answer(response, 200, await labs.pacer(run).change(shell, body));
}

export async function stepRun({ labs, run, body, response }: Call<"run", StepBody>): Promise<void> {
  answer(response, 200, await labs.pacer(run).step(shell, body));
}

export async function sendEvents(call: Call<"run">): Promise<void> {
  const run = call.labs.run(call.run);
  const from = call.query.get("from") ?? "0";
  if (!/^\d{1,15}$/.test(from)) throw new Refusal({ code: "unfit-from", from: from.slice(0, 40) });
  await stream(run, Number(from), formOf(call), call);
}

/** One sample of what the kernel knows of a program that runs. */
export async function showKernel({ labs, run, response }: Call<"run">): Promise<void> {
  const found = labs.run(run);
  const sample = await found.kernel?.once();
  if (sample) return answer(response, 200, sample);
  if (found.kind === "check") throw new Refusal({ code: "check-has-no-kernel-view" });
  throw new Refusal({ code: "no-process", state: found.summary().state });
}

/** What the tasks of a program that runs do now. */
export function showTasks({ labs, run, response }: Call<"run">): void {
  const found = labs.run(run);
  const sample = found.tasks?.now();
  if (!sample) throw new Refusal({ code: "no-tasks" });
  answer(response, 200, sample);
}

export async function startVisit({ labs, run, body, response }: Call<"run", VisitBody>): Promise<void> {
  answer(response, 201, await labs.visits(run).start(body));
}

/** Answers at once; when a visit has left, that is an event of the run. */
export function leaveVisit({ labs, run, visit, response }: Call<"run" | "visit">): void {
  answer(response, 200, { leaving: labs.visits(run).leave(visit) });
}

export function leaveAllVisits({ labs, run, response }: Call<"run">): void {
  answer(response, 200, { leaving: labs.visits(run).leave() });
}

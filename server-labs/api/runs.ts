// What one may ask of a run: how it stands and what happened in it, to go otherwise, to end, to have visitors.
import { answer, Refusal, readJson } from "../answers.ts";
import { paceBody, stepBody, visitBody } from "../protocol.ts";
import { type Call, shell, stream } from "./call.ts";

export function showRun({ labs, run, response }: Call): void {
  answer(response, 200, labs.run(run).summary());
}

/** Answers when the whole tree has ended and its port is free. */
export async function stopRun({ labs, run, response }: Call): Promise<void> {
  const found = labs.run(run);
  await found.stop();
  await found.ended;
  answer(response, 200, found.summary());
}

/** Answers when it goes so, has stopped, or after 0.2 s with what it does instead of stopping. */
export async function paceRun({ labs, run, request, response }: Call): Promise<void> {
  const pacer = labs.pacer(run);
  answer(response, 200, await pacer.change(shell, await readJson(request, response, paceBody)));
}

export async function stepRun({ labs, run, request, response }: Call): Promise<void> {
  const pacer = labs.pacer(run);
  answer(response, 200, await pacer.step(shell, await readJson(request, response, stepBody)));
}

export async function tellEvents(call: Call): Promise<void> {
  const run = call.labs.run(call.run);
  const from = call.query.get("from") ?? "0";
  if (!/^\d{1,15}$/.test(from))
    throw new Refusal(
      400,
      `"from" is the number of the first event that is wanted, like ?from=0, not ${JSON.stringify(from.slice(0, 40))}.`,
    );
  await stream(run, Number(from), call);
}

/** One sample of what the kernel knows of a program that runs. */
export async function showKernel({ labs, run, response }: Call): Promise<void> {
  const found = labs.run(run);
  const sample = await found.kernel?.once();
  if (!sample)
    throw new Refusal(
      409,
      found.kind === "check"
        ? "That run is a check: the kernel is asked about programs only."
        : `There is no process to ask the kernel about: ${found.summary().sentence}.`,
    );
  answer(response, 200, sample, { "Cache-Control": "no-store" });
}

export async function beginVisit({ labs, run, request, response }: Call): Promise<void> {
  const visits = labs.visits(run);
  answer(response, 201, await visits.begin(await readJson(request, response, visitBody)));
}

/** Answers at once; that they have left is an event of each visit. */
export function endVisits({ labs, run, visit, response }: Call): void {
  answer(response, 200, { leaving: labs.visits(run).leave(visit === "" ? undefined : visit) });
}

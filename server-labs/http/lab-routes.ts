// Lab routes. What a request can ask of a lab: its state, its files, to run it and to check it.
import { type RunHandle, refusedEvent } from "../labs.ts";
import type { CheckBody, ResetBody, RunBody } from "../protocol.ts";
import { answer, answerProblem } from "./answers.ts";
import { type Call, shell } from "./call.ts";
import { formOf, stream } from "./events.ts";
import { problemOfRun } from "./problems.ts";

export async function listLabs({ labs, response }: Call): Promise<void> {
  answer(response, 200, { labs: await Promise.all(labs.book.labs.map(lab => labs.summary(lab))) });
}

export async function showLab({ labs, lab, response }: Call<"lab">): Promise<void> {
  const found = labs.lab(lab);
  await labs.workspace.ensure(found.id);
  answer(response, 200, await labs.summary(found));
}

/** The text as it is on the disk, byte for byte, so that `curl -o server.ts` is a copy of it. */
export async function readFile({ labs, lab, file, request, response }: Call<"lab" | "file">): Promise<void> {
  const { text, etag } = await labs.workspace.read(labs.lab(lab).id, file);
  const headers = { ETag: etag, "Cache-Control": "no-cache" };
  if (request.headers["if-none-match"] === etag) return void response.writeHead(304, headers).end();
  const bytes = Buffer.from(text);
  response.writeHead(200, {
    ...headers,
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Length": bytes.length,
  });
  response.end(bytes);
}

export async function saveFile(call: Call<"lab" | "file", { text: string }>): Promise<void> {
  const { labs, lab, file, body, request, response } = call;
  const ifMatch = request.headers["if-match"];
  const { etag } = await labs.workspace.write(labs.lab(lab).id, file, body.text, ifMatch);
  answer(response, 200, { etag }, { ETag: etag });
}

export async function renameFile(call: Call<"lab" | "file", { to: string }>): Promise<void> {
  const { labs, lab, file, body, request, response } = call;
  const ifMatch = request.headers["if-match"];
  const { etag } = await labs.workspace.rename(labs.lab(lab).id, file, body.to, ifMatch);
  answer(response, 200, { etag }, { ETag: etag });
}

/** Removes a file that the student has made; the answer has the path of the copy that is kept. */
export async function removeFile({
  labs,
  lab,
  file,
  request,
  response,
}: Call<"lab" | "file">): Promise<void> {
  answer(response, 200, await labs.workspace.remove(labs.lab(lab).id, file, request.headers["if-match"]));
}

export async function resetLab({ labs, lab, body, response }: Call<"lab", ResetBody>): Promise<void> {
  const { id, files } = labs.lab(lab);
  const { file = files[0]!.file } = body;
  const reset = await labs.workspace.reset(id, file);
  answer(response, 200, { file, ...reset }, { ETag: reset.etag });
}

export async function startRun(call: Call<"lab", RunBody>): Promise<void> {
  const run = await call.labs.startProgram(call.lab, call.body, shell);
  if (answeredRefused(run, call)) return;
  // A program that starts paused has stopped by then, or its pace says what it does instead.
  await run.pacer?.settled();
  const summary = run.summary();
  const address = `http://127.0.0.1:${summary.port}/`;
  answer(call.response, 201, { ...summary, address }, { Location: `/api/runs/${run.id}` });
}

/** The checker's events until it has ended: the last one is its `exited`. */
export async function startCheck(call: Call<"lab", CheckBody>): Promise<void> {
  const form = formOf(call);
  const run = await call.labs.startCheck(call.lab, call.body);
  if (!answeredRefused(run, call)) await stream(run, 0, form, call);
}

/** @returns whether the run did not start, and the request was answered with the reason */
function answeredRefused(run: RunHandle, { request, response }: Call<never, unknown>): boolean {
  const refused = refusedEvent(run);
  if (refused) answerProblem(request, response, problemOfRun(refused));
  return refused !== undefined;
}

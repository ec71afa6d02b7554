// What one may ask of a lab: its state, its files, and to be run or checked.
import { answer, readJson } from "../answers.ts";
import { checkBody, fileBody, resetBody, runBody } from "../protocol.ts";
import { type Call, shell, stream } from "./call.ts";
import { throwIfRefused } from "./refusals.ts";

export async function listLabs({ labs, response }: Call): Promise<void> {
  answer(response, 200, { labs: await Promise.all(labs.book.labs.map(lab => labs.summary(lab))) });
}

export async function showLab({ labs, lab, response }: Call): Promise<void> {
  const found = labs.lab(lab);
  await labs.workspace.ensure(found.id);
  answer(response, 200, await labs.summary(found));
}

/** The text as it is on the disk, byte for byte, so that `curl -o server.ts` is a copy of it. */
export async function readFile({ labs, lab, file, request, response }: Call): Promise<void> {
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

export async function saveFile({ labs, lab, file, request, response }: Call): Promise<void> {
  const { id } = labs.lab(lab);
  const { text } = await readJson(request, response, fileBody);
  const { etag } = await labs.workspace.write(id, file, text, request.headers["if-match"]);
  answer(response, 200, { etag }, { ETag: etag });
}

export async function resetLab({ labs, lab, request, response }: Call): Promise<void> {
  const { id, files } = labs.lab(lab);
  await readJson(request, response, resetBody);
  const { file } = files[0]!;
  const reset = await labs.workspace.reset(id, file);
  answer(response, 200, { file, ...reset }, { ETag: reset.etag });
}

export async function startRun({ labs, lab, request, response }: Call): Promise<void> {
  const { id } = labs.lab(lab);
  const run = await labs.startProgram(id, await readJson(request, response, runBody), shell);
  throwIfRefused(run);
  // One that begins paused has, by then, or says what it does instead: a step that comes next is one.
  await run.pacer?.settled();
  const summary = run.summary();
  const address = `http://127.0.0.1:${summary.port}/`;
  answer(response, 201, { ...summary, address }, { Location: `/api/runs/${run.id}` });
}

/** The checker's events until it has ended: the last line is its `exited`. */
export async function startCheck(call: Call): Promise<void> {
  const { id } = call.labs.lab(call.lab);
  const run = await call.labs.startCheck(id, await readJson(call.request, call.response, checkBody));
  throwIfRefused(run);
  await stream(run, 0, call);
}

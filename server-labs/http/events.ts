// Event stream. A run's events over HTTP: one JSON object a line, or one line of text for each event.
import { once } from "node:events";
import { type Batch, follow } from "../events.ts";
import type { RunHandle } from "../labs.ts";
import { Refusal } from "../lib/refusal.ts";
import { limits, linesOf } from "../protocol.ts";
import type { Call } from "./call.ts";

type Form = "json" | "text";

const types: Record<Form, string> = { json: "application/x-ndjson", text: "text/plain" };
const write: Record<Form, (batch: Batch) => string> = {
  json: ({ texts }) => texts.map(text => `${text}\n`).join(""),
  text: ({ events }) =>
    events
      .flatMap(linesOf)
      .map(line => `${line}\n`)
      .join(""),
};

/** The form that the caller wants: ?as=text or ?as=json, else what its Accept header prefers. @throws Refusal */
export function formOf({ query, request }: Call<never, unknown>): Form {
  const as = query.get("as");
  if (as === "text" || as === "json") return as;
  if (as !== null) throw new Refusal({ code: "unfit-as", as: as.slice(0, 40) });
  return /^text\/plain\b/.test(request.headers.accept ?? "") ? "text" : "json";
}

/** Sends the events from number `from` until the run has ended, as fast as the caller reads and no faster. */
export async function stream(
  run: RunHandle,
  from: number,
  form: Form,
  { request, response }: Call<never, unknown>,
): Promise<void> {
  response.writeHead(200, { "Content-Type": `${types[form]}; charset=utf-8`, "Cache-Control": "no-store" });
  if (request.method === "HEAD") return void response.end();
  response.flushHeaders();
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  for await (const batch of follow(run.log, from, limits.windowBytes, gone.signal)) {
    const more = response.write(write[form](batch));
    // Without this wait a caller that does not read would make the lab server hold what the program prints.
    if (!more) await once(response, "drain", { signal: gone.signal }).catch(() => {});
  }
  response.end();
}

// One call of the API as its handlers get it, and the answer that does not end at once: a run's events.
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { follow } from "../follow.ts";
import type { Labs, Run } from "../labs.ts";
import { limits } from "../protocol.ts";

export interface Call {
  labs: Labs;
  request: IncomingMessage;
  response: ServerResponse;
  query: URLSearchParams;
  /** What stands in the address for `:chapter/:lesson`, `:file`, `:run`, `:visit`. */
  lab: string;
  file: string;
  run: string;
  visit: string;
}

/** Who asks over HTTP, as a driver: a shell comes and goes with each request, so all of them are one. */
export const shell = "a shell";

/** One JSON object a line, as fast as the caller reads and no faster. */
export async function stream(run: Run, from: number, { request, response }: Call): Promise<void> {
  response.writeHead(200, {
    "Content-Type": "application/x-ndjson; charset=utf-8",
    "Cache-Control": "no-store",
  });
  if (request.method === "HEAD") return void response.end();
  response.flushHeaders();
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  for await (const events of follow(run.log, from, limits.windowBytes, gone.signal)) {
    const more = response.write(events.map(event => `${JSON.stringify(event)}\n`).join(""));
    // Without this wait a caller who does not read would make us hold what the program prints.
    if (!more) await once(response, "drain", { signal: gone.signal }).catch(() => {});
  }
  response.end();
}

// Routes. The HTTP API, for the page's files and for curl: one row for each method of each address below /api.
// An address only chooses a row; its parts are looked up in the book and among the runs, never in the file system.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { GenericSchema, InferOutput } from "valibot";
import type { Labs } from "../labs.ts";
import { Refusal } from "../lib/refusal.ts";
import {
  checkBody,
  fileBody,
  paceBody,
  pageKeyPath,
  renameBody,
  resetBody,
  runBody,
  stepBody,
  visitBody,
} from "../protocol.ts";
import { answer, readJson } from "./answers.ts";
import type { Call } from "./call.ts";
import type { CallerKeys } from "./caller-keys.ts";
import type { Passed } from "./gate.ts";
import {
  listLabs,
  readFile,
  removeFile,
  renameFile,
  resetLab,
  saveFile,
  showLab,
  startCheck,
  startRun,
} from "./lab-routes.ts";
import {
  leaveAllVisits,
  leaveVisit,
  paceRun,
  sendEvents,
  showKernel,
  showRun,
  showTasks,
  startVisit,
  stepRun,
  stopRun,
} from "./run-routes.ts";

/** The names of the parameters of a path: "run" | "visit" for "/api/runs/:run/visits/:visit". */
type Names<Path extends string> = Path extends `${string}:${infer Name}/${infer Rest}`
  ? Name | Names<Rest>
  : Path extends `${string}:${infer Name}`
    ? Name
    : never;

type Method = "GET" | "PUT" | "POST" | "DELETE";

interface Row<Path extends string, Body extends GenericSchema | undefined> {
  method: Method;
  /** `:lab` is two parts of the address, because a lab's id is <chapter>/<lesson>; any other name is one part. */
  path: Path;
  /** What the request's body must be. It is read before the handler is called: the handler sees no older state. */
  body?: Body;
  handler: (
    call: Call<Names<Path>, Body extends GenericSchema ? InferOutput<Body> : undefined>,
  ) => void | Promise<void>;
}

interface Route {
  method: Method;
  path: string;
  body?: GenericSchema;
  handler: (call: Call<never, unknown>) => void | Promise<void>;
}

/** A row whose handler gets the parameters of its path, and its body, with their types. */
function row<Path extends string, Body extends GenericSchema | undefined = undefined>(
  route: Row<Path, Body>,
): Route {
  return route as unknown as Route;
}

/** Every address below /api. */
export const routes: readonly Route[] = [
  row({ method: "GET", path: "/api/labs", handler: listLabs }),
  row({ method: "GET", path: "/api/labs/:lab", handler: showLab }),
  row({ method: "GET", path: "/api/labs/:lab/files/:file", handler: readFile }),
  row({ method: "PUT", path: "/api/labs/:lab/files/:file", body: fileBody, handler: saveFile }),
  row({ method: "DELETE", path: "/api/labs/:lab/files/:file", handler: removeFile }),
  row({ method: "POST", path: "/api/labs/:lab/files/:file/rename", body: renameBody, handler: renameFile }),
  row({ method: "POST", path: "/api/labs/:lab/reset", body: resetBody, handler: resetLab }),
  row({ method: "POST", path: "/api/labs/:lab/run", body: runBody, handler: startRun }),
  row({ method: "POST", path: "/api/labs/:lab/check", body: checkBody, handler: startCheck }),
  row({ method: "GET", path: "/api/runs/:run", handler: showRun }),
  row({ method: "DELETE", path: "/api/runs/:run", handler: stopRun }),
  row({ method: "POST", path: "/api/runs/:run/pace", body: paceBody, handler: paceRun }),
  row({ method: "POST", path: "/api/runs/:run/step", body: stepBody, handler: stepRun }),
  row({ method: "GET", path: "/api/runs/:run/events", handler: sendEvents }),
  row({ method: "GET", path: "/api/runs/:run/kernel", handler: showKernel }),
  row({ method: "GET", path: "/api/runs/:run/tasks", handler: showTasks }),
  row({ method: "POST", path: "/api/runs/:run/visits", body: visitBody, handler: startVisit }),
  row({ method: "DELETE", path: "/api/runs/:run/visits", handler: leaveAllVisits }),
  row({ method: "DELETE", path: "/api/runs/:run/visits/:visit", handler: leaveVisit }),
  row({
    method: "GET",
    path: pageKeyPath,
    handler: ({ response, keys }) => answer(response, 200, keys.newPageKey()),
  }),
];

/** Answers a request below /api that the gate has let in. @throws Refusal */
export async function api(
  parts: { labs: Labs; keys: CallerKeys },
  passed: Passed,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { path, query } = passed;
  const matching = routes.flatMap(route => {
    const parameters = match(route.path, passed.segments);
    return parameters ? [{ route, parameters }] : [];
  });
  if (matching.length === 0) throw new Refusal({ code: "nothing-there", path });
  const method = request.method === "HEAD" ? "GET" : request.method;
  const chosen = matching.find(({ route }) => route.method === method);
  if (!chosen) {
    const allow = matching.map(({ route }) => route.method);
    throw new Refusal({ code: "method-not-allowed", method: request.method ?? "", path, allow });
  }
  const { route, parameters } = chosen;
  const body = route.body && (await readJson(request, response, route.body));
  await route.handler({ ...parts, request, response, query, body, ...parameters });
}

/** The parts of an address at the `:names` of a path; null if the address does not match the path. */
function match(path: string, segments: string[]): Record<string, string> | null {
  const parts = path.slice(1).replace(":lab", ":chapter/:lesson").split("/");
  if (parts.length !== segments.length) return null;
  const found: Record<string, string> = {};
  for (const [i, part] of parts.entries()) {
    if (part.startsWith(":")) found[part.slice(1)] = segments[i]!;
    else if (part !== segments[i]) return null;
  }
  const { chapter, lesson, ...parameters } = found;
  return chapter === undefined ? parameters : { ...parameters, lab: `${chapter}/${lesson}` };
}

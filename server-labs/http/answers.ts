// Answers. JSON in and out over HTTP: answers, problems, and bodies that fit a schema.
import type { IncomingMessage, ServerResponse } from "node:http";
import * as v from "valibot";
import { jsonText } from "../lib/json-text.ts";
import { Refusal } from "../lib/refusal.ts";
import { limits, withSentences } from "../protocol.ts";
import { answerPage, escapeHtml, wantsDocument } from "./plain-page.ts";
import type { ProblemAnswer } from "./problems.ts";

/** Sends a value as JSON, with a line end at the end for a shell. */
export function answer(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): void {
  // A problem has its sentence already.
  const shown = status < 400 ? withSentences(value) : value;
  const body = `${jsonText(shown, 1)}\n`;
  response.writeHead(status, {
    "Content-Type": "application/json; charset=utf-8",
    "Content-Length": Buffer.byteLength(body),
    "Cache-Control": "no-store",
    ...headers,
  });
  response.end(body);
}

/** Sends a problem. What still comes of the request's body is read and dropped, within Node's requestTimeout. */
export function answerProblem(
  request: IncomingMessage,
  response: ServerResponse,
  { status, body, headers }: ProblemAnswer,
): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  // A client that asked before it sends its body keeps the body now: the connection's next bytes would be taken for it.
  if (request.headers.expect !== undefined) response.setHeader("Connection", "close");
  const title = status === 404 ? "There is no such page" : "This page cannot be shown";
  if (wantsDocument(request))
    answerPage(response, status, { title, paragraph: escapeHtml(body.problem) }, headers);
  else answer(response, status, body, headers);
}

/**
 * The request's body, as JSON that fits the schema.
 * @throws Refusal "body-too-long" above limits.messageBytes, or with the place where it is not JSON or does not fit
 */
export async function readJson<S extends v.GenericSchema>(
  request: IncomingMessage,
  response: ServerResponse,
  schema: S,
): Promise<v.InferOutput<S>> {
  // curl asks before it sends a large body; by now the gate has let it in.
  if (request.headers.expect?.toLowerCase() === "100-continue") response.writeContinue();
  return fits(schema, parseBody(await readBody(request)), "body");
}

/** Not by iterating: leaving a loop over a request destroys its connection, and the answer with it. */
function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length <= limits.messageBytes) chunks.push(chunk);
      else reject(new Refusal({ code: "body-too-long", limit: limits.messageBytes }));
    });
    request.on("end", () => resolve(Buffer.concat(chunks)));
    request.on("close", () => reject(new Refusal({ code: "body-cut-off" })));
  });
}

/** The value, if it fits the schema. @throws Refusal that names the field */
export function fits<S extends v.GenericSchema>(
  schema: S,
  value: unknown,
  what: "body" | "request",
): v.InferOutput<S> {
  // To valibot a list is an object without the fields that it looks for.
  if (Array.isArray(value)) throw new Refusal({ code: "not-an-object", what });
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const issue = result.issues[0];
  const field = v.getDotPath(issue);
  // A strict object reports a field that it does not know as one of which it expected "never".
  if (issue.expected === "never" && field) throw new Refusal({ code: "unknown-field", what, field });
  throw new Refusal({ code: "unfit-value", what, field, why: issue.message });
}

/** @throws Refusal that says where the text stops being UTF-8 or JSON */
function parseBody(bytes: Uint8Array): unknown {
  if (bytes.length === 0) throw new Refusal({ code: "body-empty" });
  let text: string;
  try {
    // A body that is not UTF-8 would otherwise be saved with replacement characters in the student's file.
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Refusal({ code: "body-not-utf8" });
  }
  return parseJson(text, "body");
}

/** @throws Refusal that says where the text is not JSON */
export function parseJson(text: string, what: "body" | "request"): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Refusal({ code: "not-json", what, why: (error as Error).message });
  }
}

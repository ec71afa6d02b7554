// Answers over HTTP: JSON, and problems as {"problem": sentence}. Whoever cannot go on throws a Refusal; the
// front door turns it into its status and sentence.
import type { IncomingMessage, ServerResponse } from "node:http";
import * as v from "valibot";
import { limits } from "./protocol.ts";

/** Why something is not done: an HTTP status, one sentence with the next step, and fields beside the sentence. */
export class Refusal extends Error {
  override name = "Refusal";
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly fields: object;

  constructor(
    status: number,
    sentence: string,
    more: { headers?: Record<string, string>; fields?: object } = {},
  ) {
    super(sentence);
    this.status = status;
    this.headers = more.headers ?? {};
    this.fields = more.fields ?? {};
  }
}

/** Sends a value as JSON, with a line end for those who read it in a shell. */
export function answer(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): void {
  const body = `${JSON.stringify(value, null, 1)}\n`;
  response.writeHead(status, {
    "Content-Type": "application/json; charset=utf-8",
    "Content-Length": Buffer.byteLength(body),
    "Cache-Control": "no-store",
    ...headers,
  });
  response.end(body);
}

/** Sends a refusal. What still comes of the request's body is read and thrown away, within Node's requestTimeout. */
export function refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  // Who asked before sending a body now keeps it, and this connection's next bytes would be taken for it.
  if (request.headers.expect !== undefined) response.setHeader("Connection", "close");
  answer(response, refusal.status, { problem: refusal.message, ...refusal.fields }, refusal.headers);
}

/**
 * The request's body, as JSON that fits the schema.
 * @throws Refusal 413 above limits.messageBytes, 400 with the place where it is not JSON or not as it should be
 */
export async function readJson<S extends v.GenericSchema>(
  request: IncomingMessage,
  response: ServerResponse,
  schema: S,
): Promise<v.InferOutput<S>> {
  // curl asks before it sends a large body; by now the gate has let it in.
  if (request.headers.expect?.toLowerCase() === "100-continue") response.writeContinue();
  return fits(schema, parseJson(await readBody(request)), "The body");
}

/** Not by iterating: leaving a loop over a request destroys its connection, and the answer with it. */
function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length <= limits.messageBytes) chunks.push(chunk);
      else
        reject(new Refusal(413, `The body is longer than the ${limits.messageBytes} bytes that are taken.`));
    });
    request.on("end", () => resolve(Buffer.concat(chunks)));
    request.on("close", () => reject(new Refusal(400, "The body did not come to its end.")));
  });
}

/** The value, if it fits the schema. @throws Refusal 400 that names the field */
export function fits<S extends v.GenericSchema>(schema: S, value: unknown, what: string): v.InferOutput<S> {
  // To valibot a list is an object without the fields that it looks for.
  if (Array.isArray(value)) throw new Refusal(400, `${what} is not as it should be: it is a list, not {…}.`);
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const issue = result.issues[0];
  const field = v.getDotPath(issue);
  // A strict object reports a field that it does not know as one of which it expected "never".
  const sentence =
    issue.expected === "never" && field
      ? `${what} has a field "${field}" that is not known here.`
      : `${what} is not as it should be${field ? ` in "${field}"` : ""}: ${issue.message}.`;
  throw new Refusal(400, sentence);
}

/** @throws Refusal 400 that says where the text stops being UTF-8 or JSON */
function parseJson(bytes: Uint8Array): unknown {
  if (bytes.length === 0) throw new Refusal(400, "The body is empty; {} is the shortest that will do.");
  try {
    // A body that is not UTF-8 would otherwise be saved with replacement characters in the student's file.
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    const why = error instanceof SyntaxError ? error.message : "it is not UTF-8 text";
    throw new Refusal(400, `The body is not JSON: ${why}.`);
  }
}

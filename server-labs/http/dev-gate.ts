// Development gate. The gate's rules for callers, before Vite: in development Vite serves the page in the lab server's place.
// Vite's own rules let in every address and every name below localhost, and its /__open-in-editor obeys any page.
import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { answerProblem } from "./answers.ts";
import { Gate } from "./gate.ts";
import { problemOf } from "./problems.ts";

/** One request on its way through Vite. */
type Middleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

/**
 * @param port Vite's
 * @param nonce what Vite writes into the script elements of the page, because one of them has its text in the page
 */
export function devGate(port: number, nonce: string): Middleware {
  // No request needs this gate's token: what needs one goes on to the lab server, which has its own gate.
  const gate = new Gate({ port, token: randomBytes(24).toString("base64url"), tokenFile: "" });
  return (request, response, next) => {
    for (const [name, value] of Object.entries(gate.headers(request)))
      response.setHeader(
        name,
        name === "Content-Security-Policy" ? `${value}; script-src 'self' 'nonce-${nonce}'` : value,
      );
    const verdict = gate.checkCaller(request, "request");
    // Any program of this machine could ask for it, and a request carries no proof of who asks.
    const opensEditor = verdict.passed && verdict.segments[0] === "__open-in-editor";
    if (verdict.passed && !opensEditor) return next();
    const statement = verdict.passed
      ? { code: "no-such-page" as const, path: verdict.path }
      : verdict.statement;
    answerProblem(request, response, problemOf(statement));
  };
}

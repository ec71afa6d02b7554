// Problems. The HTTP status and headers of each refusal, and its body: { problem: sentence, code, …parameters }.
import {
  type EventOf,
  type Problem,
  type ProblemCode,
  type ProblemStatement,
  type RefusedReason,
  sentence,
} from "../protocol.ts";

/** What is answered to a request that was refused. */
export interface ProblemAnswer {
  status: number;
  headers: Record<string, string>;
  body: Problem;
}

const statusOf: Record<ProblemCode, number> = {
  // Addresses and methods
  "nothing-there": 404,
  "no-such-page": 404,
  "method-not-allowed": 405,
  "upgrade-required": 426,
  "unfit-from": 400,
  "unfit-as": 400,
  // Bodies and requests
  "body-too-long": 413,
  "body-not-plain-json": 415,
  "body-cut-off": 400,
  "body-empty": 400,
  "body-not-utf8": 400,
  "not-json": 400,
  "not-an-object": 400,
  "unknown-field": 400,
  "unfit-value": 400,
  "message-not-text": 400,
  // Labs, runs and checks
  "unknown-lab": 404,
  "unknown-run": 404,
  "unknown-check": 400,
  "no-rivals": 400,
  "check-under-way": 409,
  "check-cannot-pause": 409,
  "check-brings-clients": 409,
  "run-not-started": 409,
  "check-has-no-kernel-view": 409,
  "no-process": 409,
  "no-tasks": 409,
  // Pace
  "program-has-ended": 409,
  "driven-by-another": 409,
  "call-not-traced": 400,
  "errno-unknown": 400,
  // Files
  "unknown-file": 404,
  "unfit-name": 422,
  "too-many-files": 422,
  "file-needed": 409,
  "file-exists": 409,
  "file-removed": 404,
  "if-match-missing": 428,
  "file-changed": 412,
  "unfit-text": 422,
  "read-only-file": 422,
  "link-not-followed": 422,
  "storage-failed": 507,
  "workspace-unusable": 507,
  // Visits
  "visit-field-unknown": 400,
  "visit-field-of-kind": 400,
  "visit-text-missing": 400,
  "visit-text-unreadable": 400,
  "visit-too-long": 400,
  "visit-cut-outside": 400,
  "unknown-visit": 404,
  "run-is-ending": 409,
  "too-many-visits": 409,
  "too-many-clients": 409,
  "run-has-ended": 409,
  "not-listening-yet": 409,
  "listens-out-of-reach": 409,
  "listens-no-more": 409,
  // The gate and the server
  "wrong-host": 421,
  "odd-address": 400,
  "no-websocket-here": 404,
  "foreign-origin": 403,
  "foreign-page": 403,
  "token-missing": 401,
  "token-wrong": 401,
  "too-many-wrong-tokens": 429,
  "too-many-pages": 503,
  "not-http": 400,
  "headers-too-long": 431,
  "request-timed-out": 408,
  "server-mistake": 500,
};

/** The answer to a request that was refused. */
export function problemOf(statement: ProblemStatement): ProblemAnswer {
  return {
    status: statusOf[statement.code],
    headers: headersOf(statement),
    body: { problem: sentence(statement), ...statement },
  };
}

function headersOf(statement: ProblemStatement): Record<string, string> {
  switch (statement.code) {
    case "method-not-allowed":
      return { Allow: statement.allow.join(", ") };
    case "upgrade-required":
      return { Upgrade: "websocket" };
    case "token-missing":
    case "token-wrong":
      return { "WWW-Authenticate": 'Bearer realm="lab server"' };
    case "too-many-wrong-tokens":
      return { "Retry-After": String(statement.seconds) };
    case "file-changed":
    case "file-removed":
      return { ETag: statement.etag };
    default:
      return {};
  }
}

const statusOfRun: Record<RefusedReason, number> = {
  "port-taken": 409,
  syntax: 422,
  unsupported: 422,
  module: 422,
  "too-long": 422,
  unreadable: 422,
  "cannot-start": 500,
};

/** The answer to a start that came to nothing: the fields of the run's `refused`. */
export function problemOfRun(refused: EventOf<"refused">): ProblemAnswer {
  const { run, reason, statement } = refused;
  const body = { problem: sentence(statement), run, reason, ...statement };
  return { status: statusOfRun[reason], headers: {}, body };
}

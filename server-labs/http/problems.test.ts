// Problems: a refusal is a status, headers, and its code and parameters beside the sentence.
import assert from "node:assert/strict";
import { test } from "node:test";
import { sentence } from "../protocol.ts";
import { problemOf, problemOfRun } from "./problems.ts";

test("the parameters of a refusal are fields of the problem", () => {
  assert.deepEqual(problemOf({ code: "driven-by-another", driver: "page 3" }), {
    status: 409,
    headers: {},
    body: {
      problem: problemOf({ code: "driven-by-another", driver: "page 3" }).body.problem,
      code: "driven-by-another",
      driver: "page 3",
    },
  });
});

test("some refusals have headers of HTTP", () => {
  const file = { path: "/w/server.ts", file: "server.ts", text: "theirs", etag: '"2"' };
  assert.deepEqual(problemOf({ code: "file-changed", ...file }).headers, { ETag: '"2"' });
  const allow = ["GET", "PUT"];
  const method = problemOf({ code: "method-not-allowed", method: "POST", path: "/", allow });
  assert.deepEqual([method.status, method.headers], [405, { Allow: "GET, PUT" }]);
  const token = { tokenFile: "/home/it's me/token", host: "127.0.0.1:7800", way: "http" } as const;
  const late = problemOf({ code: "too-many-wrong-tokens", ...token, seconds: 7 });
  assert.deepEqual([late.status, late.headers], [429, { "Retry-After": "7" }]);
  assert.match(late.body.problem, /\$\(cat '\/home\/it'\\''s me\/token'\)/);
});

test("a run that did not start is answered with the fields of its event", () => {
  const event = {
    type: "refused",
    run: "r1",
    seq: 0,
    at: 0,
    reason: "syntax",
    statement: { code: "syntax-error", file: "server.ts", line: 3, column: 1, text: "Unexpected token" },
  } as const;
  assert.deepEqual(problemOfRun(event), {
    status: 422,
    headers: {},
    body: { problem: sentence(event.statement), run: "r1", reason: "syntax", ...event.statement },
  });
});

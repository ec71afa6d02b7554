// Visit words: the present state has no time of the past, and only a visit that got what it asked for has a check mark.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type ClientOutcome, type ManyClientsOutcome, sentence } from "../../../../server-labs/protocol.ts";
import type { VisitView } from "../../../labs.ts";
import { presentState, visitSign } from "./visit-words.ts";

const outcome = (change: Partial<ClientOutcome>): ClientOutcome => ({
  wanted: 1,
  statuses: [],
  bytes: 0,
  afterMs: null,
  early: false,
  connection: "open",
  errno: null,
  fault: null,
  has: "nothing",
  ...change,
});
const many = (answered: number): ManyClientsOutcome => ({
  clients: 50,
  answered,
  fromMs: 1,
  toMs: 2,
  waiting: 50 - answered,
  closed: 0,
  reset: 0,
  odd: 0,
  held: null,
});
const visit = (state: VisitView["state"], open = false): VisitView => ({
  visit: "v1",
  kind: "get",
  aim: { code: "visit-under-way" },
  command: "",
  steps: [],
  forgotten: 0,
  open,
  state,
  what: open ? "waits" : "done",
});

test("the state of a client that waits has no duration", () => {
  const said = (state: VisitView["state"]) => sentence(presentState(visit(state, true)));
  const waits = { code: "client-waits", outcome: outcome({}), ms: 1000 } as const;
  assert.equal(said({ ...waits, held: null }), "no answer: the client waits");
  assert.equal(said({ ...waits, held: "paused" }), "no answer; the program is paused, and the client waits");
  assert.equal(
    said({ code: "client-not-let-in", ms: 1000 }),
    "no connection yet: the kernel lets no client in while the accept queue is full",
  );
});

test("a visit that got all that it asked for has a check mark, and no other", () => {
  const sign = (state: VisitView["state"]) => visitSign(visit(state)).sign;
  const result = (change: Partial<ClientOutcome>) => sign({ code: "visit-result", outcome: outcome(change) });
  assert.equal(result({ statuses: [200] }), "✓");
  assert.equal(result({ statuses: [200, 200] }), "✗");
  assert.equal(result({ statuses: [200], early: true }), "○");
  assert.equal(result({ wanted: 3, statuses: [200] }), "○");
  assert.equal(result({ bytes: 5, fault: { expected: "a status line", received: '"what?"' } }), "○");
  assert.equal(sign({ code: "visit-crowd-result", outcome: many(50) }), "✓");
  assert.equal(sign({ code: "visit-crowd-result", outcome: many(1) }), "○");
  assert.equal(sign({ code: "visit-left-crowd", outcome: many(50) }), "○");
});

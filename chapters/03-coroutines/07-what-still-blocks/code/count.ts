// Computing. 300 ms of it in one piece, in pieces between which other tasks run, and in pieces with a call that does not wait.
import { pass, run, type Steps, sleep } from "workbook/tasks";
import { besideHeartbeat } from "./heartbeat.ts";

/** Keeps the processor busy. */
function compute(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

// #region pieces
function inOnePiece(): void {
  compute(300);
}

function* inPieces(): Steps<void> {
  for (let i = 0; i < 60; i++) {
    compute(5);
    yield* pass(); // other tasks run
  }
}

function* withCache(): Steps<void> {
  for (let i = 0; i < 60; i++) {
    compute(5);
    yield* priceOf("green tea");
  }
}

const prices = new Map([["green tea", 3]]);

function* priceOf(tea: string): Steps<number> {
  const known = prices.get(tea);
  if (known !== undefined) return known;
  yield* sleep(10); // asks another server
  return 2;
}
// #endregion pieces

run(besideHeartbeat("in one piece", inOnePiece));
run(besideHeartbeat("in pieces, with pass", inPieces));
run(besideHeartbeat("in pieces, with priceOf", withCache));

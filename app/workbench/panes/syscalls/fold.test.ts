// What the list shows of many calls: nothing is lost by folding, and a turn of a loop is one line.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CallRecord, TracedCall } from "../../../../server-labs/protocol.ts";
import { CallList } from "../../../labs/calls.ts";
import { parseFilter } from "./filter.ts";
import { Folds, rowsOf } from "./fold.ts";
import { idOf, Visible } from "./visible.ts";

function program(filter = "", keep = 100_000) {
  const calls = new CallList(keep);
  const folds = new Folds(calls, parseFilter(filter));
  let n = 0;
  const how = { apart: false };
  const common = { run: "r", seq: 0, at: 0 } as const;
  return {
    calls,
    folds,
    how,
    /** "recv 7 EAGAIN": one call each; "nanosleep …" has not returned. */
    makes(...words: string[]) {
      for (const word of words) {
        const [name = "", fd = "3", result = "1"] = word.split(" ");
        const asleep = result === "…";
        const errno = result.startsWith("E") ? result : null;
        const call: CallRecord = {
          n: n++,
          at: n,
          took: asleep ? null : 1,
          call: name as TracedCall,
          fd: Number(fd),
          args: [Number(fd), null, 1024, 0],
          returned: asleep ? 0 : errno ? -1 : Number(result),
          errno,
          peer: null,
          state: errno || asleep ? "waiting" : "ready",
          line: 9,
        };
        calls.add({ ...common, type: "syscalls", calls: [call] });
      }
      folds.follow(how.apart);
    },
    wakes(returned = 0) {
      const open = calls.row(calls.length - 1)!;
      if (open.type !== "call") throw new Error("nothing is asleep");
      calls.add({ ...common, type: "syscalls", calls: [{ ...open.call, took: 5, returned }] });
      folds.follow();
    },
    leavesOut(count: number) {
      calls.add({ ...common, type: "syscalls-omitted", first: n, count, byName: { recv: count } });
      n += count;
      folds.follow();
    },
    /** "recv 3×5": what the list shows. */
    shown() {
      return folds.list.map(fold => {
        const names = Array.from({ length: fold.period }, (_, i) => {
          const row = folds.row(fold.first + i)!;
          return row.type === "call" ? row.call.call : row.type;
        });
        return fold.turns > 1 ? `${names.join("+")} ×${fold.turns}` : names[0];
      });
    },
  };
}

test("equal calls are one line from the third on; others stand alone", () => {
  const { makes, shown } = program();
  makes("accept4 3 EAGAIN", "accept4 3 EAGAIN");
  assert.deepEqual(shown(), ["accept4", "accept4"]);
  makes("accept4 3 EAGAIN", "accept4 3 EAGAIN", "recv 7");
  assert.deepEqual(shown(), ["accept4 ×4", "recv"]);
});

test("the same call with another answer is another call", () => {
  const { makes, shown } = program();
  makes("recv 7 EAGAIN", "recv 7 12", "recv 7 EAGAIN", "recv 8 EAGAIN");
  assert.equal(shown().length, 4);
});

test("the turns of a polling loop are one line, and the turn that goes otherwise is seen call by call", () => {
  const { makes, shown, folds } = program();
  const turn = ["accept4 3 EAGAIN", "recv 5 EAGAIN", "recv 6 EAGAIN", "nanosleep 0 0"];
  for (let i = 0; i < 50; i++) makes(...turn);
  assert.deepEqual(shown(), ["accept4+recv+recv+nanosleep ×50"]);
  makes("accept4 3 EAGAIN", "recv 5 78", "send 5 78");
  assert.deepEqual(shown(), ["accept4+recv+recv+nanosleep ×50", "accept4", "recv", "send"]);
  assert.equal(
    folds.list.reduce((sum, fold) => sum + rowsOf(fold), 0),
    203,
  );
  for (let i = 0; i < 3; i++) makes(...turn);
  assert.equal(shown().at(-1), "accept4+recv+recv+nanosleep ×3");
});

test("of a program that is stepped, every call stands alone", () => {
  const server = program();
  server.makes("recv 7 EAGAIN", "recv 7 EAGAIN", "recv 7 EAGAIN");
  server.how.apart = true;
  for (let i = 0; i < 4; i++) server.makes("recv 7 EAGAIN");
  assert.deepEqual(server.shown(), ["recv ×3", "recv", "recv", "recv", "recv"]);
});

test("a call that sleeps stands at the end until it is done, and then counts", () => {
  const { makes, wakes, shown, folds } = program();
  makes("epoll_wait 4 0", "epoll_wait 4 0", "epoll_wait 4 0", "epoll_wait 4 …");
  assert.deepEqual(shown(), ["epoll_wait ×3"]);
  assert.equal(folds.open, 3);
  wakes();
  assert.deepEqual(shown(), ["epoll_wait ×4"]);
  assert.equal(folds.open, null);
});

test("what was counted instead of shown stands between", () => {
  const { makes, leavesOut, shown } = program();
  makes("recv 7 EAGAIN", "recv 7 EAGAIN", "recv 7 EAGAIN");
  leavesOut(90_000);
  makes("recv 7 EAGAIN", "recv 7 EAGAIN", "recv 7 EAGAIN");
  assert.deepEqual(shown(), ["recv ×3", "syscalls-omitted", "recv ×3"]);
});

test("a filter shows what it wants of what was shown one by one", () => {
  const { makes, leavesOut, shown, folds } = program("recv EAGAIN");
  makes("recv 7 EAGAIN", "accept4 3 EAGAIN", "recv 8 EAGAIN", "recv 7 12", "recv 7 …");
  leavesOut(10);
  assert.deepEqual(shown(), ["recv", "recv"]);
  assert.equal(folds.length, 2);
});

test("a million calls are a bounded list, and every line keeps its number", () => {
  const { makes, folds, calls } = program("", 1000);
  for (let i = 0; i < 100_000; i++) makes(...(i % 1000 === 0 ? [`send ${i}`] : ["recv 7 EAGAIN"]));
  assert.equal(calls.total, 100_000);
  assert.ok(folds.list.length < 10, `${folds.list.length} lines`);
  const visible = new Visible(folds, new Set([folds.placeOf(folds.list.at(-1)!.first)]));
  for (let i = 0; i < visible.count; i++) assert.equal(visible.indexOf(idOf(visible.line(i)!, folds)), i);
});

test("the folds of a list whose older rows are thinned out hold the rows that are there, each once", () => {
  const { makes, folds, calls } = program("", 500);
  for (let i = 0; i < 4000; i++) {
    makes(...["accept4 3 EAGAIN", "recv 5 EAGAIN", "nanosleep 0 0"].slice(i % 97 === 0 ? 1 : 0));
    if (i % 53 === 0) makes(`close ${i}`);
    assert.equal(folds.length, calls.length);
  }
  assert.ok(calls.thinnings > 5);
  let next = 0;
  for (const fold of folds.list) {
    assert.equal(fold.first, next);
    next += rowsOf(fold);
  }
  assert.equal(next, calls.length);
  const places = Array.from({ length: next }, (_, i) => folds.placeOf(i));
  assert.deepEqual(
    places,
    Array.from({ length: next }, (_, i) => calls.placeOf(i)),
  );
});

test("when older rows are thinned out, a line keeps its number, and an unfolded one stays unfolded", () => {
  const { makes, folds, calls } = program("", 1000);
  makes("send 1", "recv 7 EAGAIN", "recv 7 EAGAIN", "recv 7 EAGAIN");
  for (let i = 0; i < 1000; i++) makes(`close ${i}`);
  makes("recv 8 EAGAIN", "recv 8 EAGAIN", "recv 8 EAGAIN", "send 2");
  const [fold, last] = [folds.list.at(-2)!, folds.list.at(-1)!];
  const unfolded = new Set([folds.placeOf(fold.first)]);
  const before = new Visible(folds, unfolded);
  const ids = [before.count - 2, before.count - 1].map(index => idOf(before.line(index)!, folds));
  for (let i = 0; calls.thinnings === 0; i++) makes(`close ${i}`);
  const visible = new Visible(folds, unfolded);
  const [row, send] = ids.map(id => visible.line(visible.indexOf(id)));
  assert.deepEqual(row?.type === "row" && [row.inside, folds.row(row.row)?.type], [true, "call"]);
  assert.ok(send?.type === "row" && send.row !== last.first, "its index is another one");
  const shown = folds.row(send.row);
  assert.equal(shown?.type === "call" && shown.call.call, "send");
});

test("an unfolded line is followed by its calls, in order", () => {
  const { makes, folds } = program();
  makes("send 1", "recv 7 EAGAIN", "recv 7 EAGAIN", "recv 7 EAGAIN", "send 2", "recv 7 …");
  const visible = new Visible(folds, new Set([1]));
  const lines = Array.from({ length: visible.count }, (_, i) => {
    const line = visible.line(i)!;
    return line.type === "row" ? line.row : line.type;
  });
  assert.deepEqual(lines, [0, "fold", 1, 2, 3, 4, "asleep"]);
});

// Tests of cost-points.ts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { axesOf, costRowsIn, formatMicroseconds, onAxis, ticksOf } from "./cost-points.ts";

const line = '{"ready":"one","count":10,"sweep":17.7,"poll":6.1,"epoll":4.6}\n';
const row = { ready: "one", count: 10, costs: { sweep: 17.7, poll: 6.1, epoll: 4.6 } };

test("only whole lines that are rows are read", () => {
  assert.deepEqual(costRowsIn(`${line}{"limit":4096}\nError: none\n${line.slice(0, 20)}`), [row]);
  assert.deepEqual(
    costRowsIn('{"ready":"one","count":0,"poll":1}\n{"ready":"one","count":1,"poll":"x"}\nnull\n'),
    [],
  );
});

test("axes are whole powers of ten", () => {
  const axes = axesOf([row, { ready: "all", count: 10_000, costs: { sweep: 22_000 } }]);
  assert.deepEqual(axes, { x: [10, 10_000], y: [1, 100_000] });
  assert.deepEqual(ticksOf(axes.x), [10, 100, 1000, 10_000]);
  assert.equal(onAxis(100, [1, 10_000]), 0.5);
});

test("a time has two digits and a unit", () => {
  assert.deepEqual([4.56, 100, 1000, 22_345, 1e6].map(formatMicroseconds), [
    "4.6 µs",
    "100 µs",
    "1 ms",
    "22 ms",
    "1 s",
  ]);
});

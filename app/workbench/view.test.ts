// Which panes are in view: one, two side by side where there is room, or one that covers the rest.
import assert from "node:assert/strict";
import { test } from "node:test";
import { maximisedOrBack, opened, panesInView, placedFirst, type View, widths } from "./view.ts";

const base: View = {
  pane: "Output",
  second: null,
  maximised: null,
  width: widths.two,
  pointed: null,
  check: null,
  reveal: null,
};
const view = (change: Partial<View>): View => ({ ...base, ...change });

test("the pane that the reader chose is at the right where two have room, and nowhere else", () => {
  assert.deepEqual(panesInView(view({ second: "Kernel" })), { first: "Output", second: "Kernel" });
  const narrow = view({ second: "Kernel", width: widths.two - 1 });
  assert.deepEqual(panesInView(narrow), { first: "Output", second: null });
  assert.deepEqual(panesInView(view({ second: "Output" })), { first: "Output", second: null });
});

test("before the reader has chosen, Syscalls is beside Output where there is plenty of room", () => {
  assert.equal(panesInView(base).second, null);
  assert.equal(panesInView(view({ width: widths.unasked })).second, "Syscalls");
  assert.equal(panesInView(view({ width: widths.unasked, pane: "Syscalls" })).second, null);
  assert.equal(panesInView(view({ width: widths.unasked, pane: "Checks" })).second, null);
  assert.equal(panesInView(view({ width: widths.unasked, second: "none" })).second, null);
});

test("a pane that is in view at the right is not brought to the left by a word of the lesson", () => {
  assert.deepEqual(opened(view({ second: "Kernel" }), "Kernel"), {});
  assert.deepEqual(opened(view({ second: "Kernel" }), "Clients"), { pane: "Clients" });
  assert.deepEqual(opened(view({ second: "Kernel", width: 300 }), "Kernel"), { pane: "Kernel" });
});

test("a press on the tab of the pane at the right makes the two change places", () => {
  assert.deepEqual(placedFirst(view({ second: "Kernel" }), "Kernel"), { pane: "Kernel", second: "Output" });
  assert.deepEqual(placedFirst(view({ width: widths.unasked }), "Syscalls"), { pane: "Syscalls" });
});

test("a maximised pane is alone, and the others come back where they were", () => {
  const before = view({ second: "Kernel" });
  for (const pane of ["Output", "Kernel"] as const) {
    const whole = { ...before, ...maximisedOrBack(before, pane) };
    assert.deepEqual(panesInView(whole), { first: pane, second: null });
    const back = { ...whole, ...maximisedOrBack(whole, pane) };
    assert.deepEqual(panesInView(back), { first: "Output", second: "Kernel" });
  }
});

test("a pane that is opened while one is maximised is maximised, and stays open after it", () => {
  const whole = view({ second: "Kernel", maximised: "Output" });
  const other = { ...whole, ...opened(whole, "Clients") };
  assert.deepEqual(panesInView(other), { first: "Clients", second: null });
  assert.deepEqual(panesInView({ ...other, ...maximisedOrBack(other, "Clients") }), {
    first: "Clients",
    second: "Kernel",
  });
});

// The table of transitions: for each kind of state and each event, what the draft becomes and what it has done.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type DraftEvent, type DraftState, initialState, reduce } from "./draft-state.ts";

const file = { text: "file", etag: '"1"' };
const other = { tab: "other", n: 3, line: 1 };
const mine = { tab: "me", n: 1, line: 1 };

const empty = initialState("me");
const saved: DraftState = { ...empty, loaded: true, text: "file", base: file };
const edited: DraftState = { ...saved, text: "typed", status: "edited", revision: mine, made: 1 };
const put = { id: 1, text: "typed", revision: mine };
const saving: DraftState = { ...edited, status: "saving", put, asked: 1 };
const conflict: DraftState = {
  ...edited,
  status: "conflict",
  conflict: { mine: "typed", theirs: "vim", etag: '"2"' },
};
const mirror: DraftState = { ...saved, text: "shown", status: "edited", revision: other, mirror: true };
const states = { empty, saved, edited, saving, conflict, mirror };

const elsewhere: DraftEvent = {
  type: "received",
  message: { revision: { tab: "third", n: 1, line: 1 }, parent: null, text: "elsewhere", base: file },
};
const child: DraftEvent = {
  type: "received",
  message: { revision: { tab: "third", n: 1, line: 1 }, parent: mine, text: "typed on", base: file },
};
const typed: DraftEvent = { type: "typed", text: "more" };
const save: DraftEvent = { type: "save" };
const saveTimer: DraftEvent = { type: "saveTimer" };
const hidden: DraftEvent = { type: "hidden" };
const closed: DraftEvent = { type: "closed" };
const answered = (answer: Extract<DraftEvent, { type: "putAnswered" }>["answer"]): DraftEvent => ({
  type: "putAnswered",
  id: 1,
  answer,
});

/** State, event, then the text, status (and whose it is), and the effects. */
const table: [keyof typeof states, DraftEvent, string][] = [
  ["saved", typed, "more edited: broadcast, start persist 150, start save 500"],
  ["mirror", typed, "more edited: broadcast, start persist 150, start save 500"],
  ["conflict", typed, "more conflict: broadcast, start persist 150, start save 500"],
  ["saving", typed, "more edited: broadcast, start persist 150, start save 500"],
  ["empty", save, " saved: "],
  ["edited", save, "typed saving: stop save, put"],
  ["saving", save, "typed saving: "],
  ["conflict", save, "typed conflict: "],
  ["mirror", save, "shown edited mirror: "],
  ["mirror", saveTimer, "shown saving: stop persist, persist, stop save, put"],
  ["saving", answered({ etag: '"2"' }), "typed saved: broadcast, stop save, stop persist, persist"],
  ["saving", answered({ problem: "away" }), "typed unsaved: start save 5000"],
  ["saving", answered({ conflict: { text: "vim", etag: '"2"' } }), "typed conflict: stop save"],
  ["saved", elsewhere, "elsewhere edited mirror: stop persist, start save 20000"],
  ["edited", elsewhere, "typed edited: "],
  ["saving", elsewhere, "typed saving: "],
  ["conflict", elsewhere, "typed conflict: "],
  ["edited", child, "typed on edited mirror: stop persist, start save 20000"],
  ["conflict", { type: "chosen", which: "mine" }, "typed saving: stop persist, persist, stop save, put"],
  ["conflict", { type: "chosen", which: "theirs" }, "vim saved: broadcast, stop save, stop persist, persist"],
  ["edited", { type: "reset", file }, "file saved: broadcast, stop save, stop persist, persist"],
  ["edited", { type: "fileChanged", etag: '"1"' }, "typed edited: "],
  ["edited", { type: "fileChanged", etag: '"2"' }, "typed edited: read"],
  ["saving", { type: "fileChanged", etag: '"2"' }, "typed saving: "],
  ["saved", hidden, "file saved: "],
  ["mirror", hidden, "shown edited mirror: "],
  ["edited", hidden, "typed saving: stop persist, persist, stop save, put"],
  ["conflict", hidden, "typed conflict: stop persist, persist"],
  ["edited", closed, "typed saving: persist, put, stop save, stop persist"],
  ["mirror", closed, "shown edited mirror: stop save, stop persist"],
];

function outcome(state: DraftState, event: DraftEvent): string {
  const [after, effects] = reduce(state, event);
  const done = effects.map(effect =>
    [effect.do, "timer" in effect ? effect.timer : "", "ms" in effect ? effect.ms : ""].join(" ").trim(),
  );
  return `${after.text} ${after.status}${after.mirror ? " mirror" : ""}: ${done.join(", ")}`;
}

for (const [name, event, expected] of table)
  test(`${name} × ${event.type}: ${expected}`, () => assert.equal(outcome(states[name], event), expected));

test("a closed draft has no transitions", () => {
  for (const state of Object.values(states)) {
    const [after] = reduce(state, closed);
    for (const [, event] of table) assert.deepEqual(reduce(after, event), [after, []]);
  }
});

test("after a save the saved text is broadcast, not what was typed meanwhile", () => {
  const [typing] = reduce(saving, typed);
  const [, effects] = reduce(typing, answered({ etag: '"2"' }));
  const base = { text: "typed", etag: '"2"' };
  assert.deepEqual(effects[0], {
    do: "broadcast",
    message: { revision: mine, parent: null, text: "typed", base },
  });
});

test("an older text of this tab that this one was not typed on from is no ground to save over it", () => {
  const later: DraftState = { ...edited, revision: { tab: "me", n: 5, line: 5 }, made: 5 };
  const base = { text: "abandoned", etag: '"2"' };
  const report = (line: number): DraftEvent => ({
    type: "received",
    message: { revision: { tab: "me", n: 4, line }, parent: null, text: "abandoned", base },
  });
  assert.equal(reduce(later, report(1))[0].base, file, "only the workspace's answer changes the base");
  assert.equal(reduce(later, report(5))[0].base, base);
});

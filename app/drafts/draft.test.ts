// A draft between a hand that types, a browser's store and a workspace that others write to as well.
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Draft } from "./draft.ts";
import type { Kept, Surroundings, Word } from "./kept.ts";

let disk: { text: string; version: number };
let serverAway: boolean;
let kept: Map<string, Kept>;
let told: Word[];
let saves: string[];

const etag = () => `"${disk.version}"`;
const around: Surroundings = {
  read: async () => (serverAway ? { problem: "away" } : { text: disk.text, etag: etag() }),
  save: async (_lab, _file, text, match) => {
    if (serverAway) return { problem: "away" };
    if (match !== etag()) return { conflict: { text: disk.text, etag: etag() } };
    saves.push(text);
    disk = { text, version: disk.version + 1 };
    return { etag: etag() };
  },
  keep: { get: async key => kept.get(key), set: async (key, value) => void kept.set(key, value) },
  tell: word => void told.push(word),
};

beforeEach(() => {
  disk = { text: "starter", version: 1 };
  serverAway = false;
  kept = new Map();
  told = [];
  saves = [];
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
});
afterEach(() => mock.timers.reset());

/** Lets everything that waits only for promises come to its end. */
async function settle(): Promise<void> {
  for (let i = 0; i < 30; i++) await Promise.resolve();
}
async function pass(ms: number): Promise<void> {
  mock.timers.tick(ms);
  await settle();
}
async function opened(): Promise<Draft> {
  const draft = new Draft("non-blocking/polling-model", "server.ts", around);
  await draft.load("starter");
  return draft;
}
const key = "non-blocking/polling-model/server.ts";

test("what is typed is kept after 150 ms and saved after 500 ms, once", async () => {
  const draft = await opened();
  draft.edit("a");
  await pass(100);
  draft.edit("ab");
  await pass(149);
  assert.equal(kept.get(key)?.text, "starter");
  await pass(1);
  assert.equal(kept.get(key)?.text, "ab");
  assert.deepEqual(saves, []);
  await pass(350);
  assert.deepEqual(saves, ["ab"]);
  assert.equal(draft.state.saved, "saved");
});

test("typing with the lab server away loses nothing: the next page has it, and saves it when it is back", async () => {
  const draft = await opened();
  serverAway = true;
  draft.edit("typed in the dark");
  await pass(600);
  assert.equal(draft.state.saved, "unsaved");
  assert.equal(draft.state.problem, "away");

  const again = await opened();
  assert.equal(again.state.text, "typed in the dark");
  serverAway = false;
  await again.refresh();
  await pass(500);
  assert.equal(disk.text, "typed in the dark");
  assert.equal(again.state.saved, "saved");
  assert.equal(again.state.problem, null);
});

test("a browser that has never seen the lab server edits the starter, and meets an equal file without a question", async () => {
  serverAway = true;
  const draft = await opened();
  assert.equal(draft.state.text, "starter");
  draft.edit("mine");
  await pass(600);
  serverAway = false;
  await draft.refresh();
  await pass(500);
  assert.equal(disk.text, "mine");
});

test("a change from outside is shown at once while nothing was typed", async () => {
  const draft = await opened();
  disk = { text: "from vim", version: 2 };
  await draft.changed(etag());
  assert.equal(draft.state.text, "from vim");
  assert.equal(draft.state.saved, "saved");
});

test("a change from outside while typing keeps both; mine wins when chosen, and theirs can be had back", async () => {
  const draft = await opened();
  draft.edit("mine");
  disk = { text: "theirs", version: 2 };
  await pass(500);
  assert.deepEqual(draft.state.conflict, { mine: "mine", theirs: "theirs", etag: '"2"' });
  assert.equal(disk.text, "theirs");

  draft.edit("mine, longer");
  await pass(6000);
  assert.equal(disk.text, "theirs", "nothing is saved over theirs before the choice");
  await draft.choose("mine");
  assert.equal(disk.text, "mine, longer");
  assert.equal(draft.state.setAside, "theirs");
});

test("theirs, when chosen, is shown; mine is set aside, survives a reload, and can be brought back", async () => {
  const draft = await opened();
  draft.edit("mine");
  disk = { text: "theirs", version: 2 };
  await pass(500);
  await draft.choose("theirs");
  assert.equal(draft.state.text, "theirs");

  const again = await opened();
  assert.equal(again.state.setAside, "mine");
  again.restore();
  await pass(500);
  assert.equal(disk.text, "mine");
  assert.equal(again.state.setAside, "theirs");
});

test("a conflict in which both texts are the same is none", async () => {
  const draft = await opened();
  draft.edit("same");
  disk = { text: "same", version: 7 };
  await pass(500);
  assert.equal(draft.state.conflict, null);
  assert.equal(draft.state.saved, "saved");
});

test("what is typed while a save is on its way is saved after it", async () => {
  const draft = await opened();
  draft.edit("one");
  const saving = draft.save();
  draft.edit("one two");
  await saving;
  assert.deepEqual(saves, ["one", "one two"]);
  assert.equal(draft.state.saved, "saved");
});

test("another tab shows what is typed here, saves nothing itself, and types on from it", async () => {
  const here = await opened();
  const there = await opened();
  here.edit("typed here");
  there.mirror(told.at(-1)!);
  assert.equal(there.state.text, "typed here");
  await there.save();
  assert.deepEqual(saves, []);

  here.edit("typed here, more");
  await pass(500);
  for (const word of told) there.mirror(word);
  await there.changed(etag());
  assert.equal(there.state.conflict, null);
  assert.equal(there.state.saved, "saved");

  there.edit("typed there");
  await pass(500);
  assert.deepEqual(saves, ["typed here, more", "typed there"]);
});

test("a reset shows the starter and sets the student's text aside", async () => {
  const draft = await opened();
  draft.edit("my work");
  await pass(500);
  disk = { text: "starter", version: 9 };
  await draft.afterReset({ text: "starter", etag: etag() });
  assert.equal(draft.state.text, "starter");
  draft.restore();
  assert.equal(draft.state.text, "my work");
});

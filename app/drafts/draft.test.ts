// A draft between a hand that types, a browser's store and a workspace that others write to as well.
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Draft, type DraftEnvironment } from "./draft.ts";
import type { DraftMessage, DraftRecord } from "./draft-state.ts";

let disk: { text: string; version: number };
let serverAway: boolean;
let records: Map<string, DraftRecord>;
let sent: DraftMessage[];
let saves: string[];

const etag = () => `"${disk.version}"`;
const environment: DraftEnvironment = {
  read: async () => (serverAway ? { problem: "away" } : { text: disk.text, etag: etag() }),
  save: async (_lab, _file, text, match) => {
    if (serverAway) return { problem: "away" };
    if (match !== etag()) return { conflict: { text: disk.text, etag: etag() } };
    saves.push(text);
    disk = { text, version: disk.version + 1 };
    return { etag: etag() };
  },
  records: { get: async key => records.get(key), set: async (key, record) => void records.set(key, record) },
  broadcast: (_key, message) => void sent.push(message),
};

beforeEach(() => {
  disk = { text: "starter", version: 1 };
  serverAway = false;
  records = new Map();
  sent = [];
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
  const draft = new Draft("non-blocking/polling-model", "server.ts", environment);
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
  assert.equal(records.get(key)?.text, "starter");
  await pass(1);
  assert.equal(records.get(key)?.text, "ab");
  assert.deepEqual(saves, []);
  await pass(350);
  assert.deepEqual(saves, ["ab"]);
  assert.equal(draft.state.status, "saved");
});

test("typing with the lab server away loses nothing: the next page has it, and saves it when it is back", async () => {
  const draft = await opened();
  serverAway = true;
  draft.edit("typed in the dark");
  await pass(600);
  assert.equal(draft.state.status, "unsaved");
  assert.equal(draft.state.problem, "away");

  const again = await opened();
  assert.equal(again.state.text, "typed in the dark");
  serverAway = false;
  await again.refresh();
  await pass(500);
  assert.equal(disk.text, "typed in the dark");
  assert.equal(again.state.status, "saved");
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
  assert.equal(draft.state.status, "saved");
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
  assert.equal(draft.state.status, "saved");
});

test("what is typed while a save is on its way is saved after it", async () => {
  const draft = await opened();
  draft.edit("one");
  const saving = draft.save();
  draft.edit("one two");
  await saving;
  assert.deepEqual(saves, ["one", "one two"]);
  assert.equal(draft.state.status, "saved");
});

test("another tab shows what is typed here, saves nothing itself, and types on from it", async () => {
  const here = await opened();
  const there = await opened();
  here.edit("typed here");
  there.receive(sent.at(-1)!);
  assert.equal(there.state.text, "typed here");
  await there.save();
  assert.deepEqual(saves, []);

  here.edit("typed here, more");
  await pass(500);
  for (const message of sent) there.receive(message);
  await there.changed(etag());
  assert.equal(there.state.conflict, null);
  assert.equal(there.state.status, "saved");

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

test("a draft that was closed while its save was on its way writes, saves and broadcasts nothing more", async () => {
  const draft = await opened();
  draft.edit("older");
  let fail = (_: { problem: string }) => {};
  const { save } = environment;
  environment.save = () =>
    new Promise(resolve => {
      fail = resolve;
    });
  await pass(500);
  draft.close();
  environment.save = save;
  await settle();
  const after = await opened();
  after.edit("newer");
  await pass(200);
  const before = sent.length;
  fail({ problem: "away" });
  await pass(0);
  await pass(299);
  assert.equal(records.get(key)?.text, "newer");
  assert.equal(sent.length, before);
  await pass(10_000);
  assert.deepEqual(saves, ["newer"]);
});

test("a slow read does not show the text from before a save", async () => {
  const draft = await opened();
  const { read } = environment;
  const before = await read("", "");
  let answer = (_: typeof before) => {};
  environment.read = () =>
    new Promise(resolve => {
      answer = resolve;
    });
  void draft.refresh();
  environment.read = read;
  draft.edit("typed");
  await pass(500);
  answer(before);
  await settle();
  assert.equal(draft.state.text, "typed");
  assert.equal(draft.state.status, "saved");
  assert.equal(disk.text, "typed");
});

test("typing in two tabs at once: the saved text is broadcast, neither tab reverts, and the student chooses", async () => {
  const here = await opened();
  const there = await opened();
  here.edit("A");
  let answer = () => {};
  const { save } = environment;
  environment.save = async (...ask) => {
    await new Promise<void>(resolve => {
      answer = resolve;
    });
    return save(...ask);
  };
  const saving = here.save();
  there.edit("B"); // before the message from the other tab comes
  const typedThere = sent.at(-1)!;
  there.receive(sent[0]!);
  here.receive(typedThere);
  environment.save = save;
  answer();
  await saving;
  assert.deepEqual([sent.at(-1)!.text, sent.at(-1)!.base], ["A", { text: "A", etag: etag() }]);
  there.receive(sent.at(-1)!);
  await pass(500);
  assert.equal(here.state.text, "A");
  assert.equal(there.state.text, "B");
  assert.deepEqual(there.state.conflict, { mine: "B", theirs: "A", etag: etag() });
});

test("the text of a tab that has crashed is saved by the tab that shows it", async () => {
  const there = await opened();
  const crashed = { tab: "crashed", n: 1, line: 1 };
  there.receive({ revision: crashed, parent: null, text: "typed", base: { text: "starter", etag: etag() } });
  await pass(19_999);
  assert.deepEqual(saves, []);
  await pass(1);
  assert.deepEqual(saves, ["typed"]);
  assert.equal(there.state.status, "saved");
});

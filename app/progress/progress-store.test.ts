// Progress in two tabs of one browser, and in a storage that another version wrote.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TextStorage } from "../storage.ts";
import { openProgress, progressKey } from "./progress-store.ts";

function storageOf(text?: string): TextStorage {
  const texts = new Map(text === undefined ? [] : [[progressKey, text]]);
  return {
    get: key => texts.get(key) ?? null,
    set: (key, value) => void texts.set(key, value),
    remove: key => void texts.delete(key),
  };
}

test("answers given in two tabs are both kept, before either has heard of the other", () => {
  const storage = storageOf();
  const [here, there] = [openProgress(storage), openProgress(storage)];
  here.update(now => ({ ...now, answers: { ...now.answers, "a/first": 1 } }));
  there.update(now => ({ ...now, answers: { ...now.answers, "a/second": "words" } }));
  there.update(now => ({ ...now, checks: { ...now.checks, a: { binds: { state: "passed", etag: null } } } }));
  here.update(now => ({ ...now, last: "a" }));
  const all = {
    last: "a",
    checks: { a: { binds: { state: "passed", etag: null } } },
    scores: {},
    answers: { "a/first": 1, "a/second": "words" },
  };
  assert.deepEqual(here.store.getState(), all);
  assert.deepEqual(openProgress(storage).store.getState(), all);
  there.refresh();
  assert.deepEqual(there.store.getState(), all);
});

test("what an older page stored is read, and damaged parts are empty", () => {
  const answers = { "a/first": 2 };
  const old = openProgress(
    storageOf(JSON.stringify({ state: { last: "a", checks: [], answers }, version: 1 })),
  );
  assert.deepEqual(old.store.getState(), { last: "a", checks: {}, scores: {}, answers });
  assert.deepEqual(openProgress(storageOf("{ no JSON")).store.getState(), {
    last: null,
    checks: {},
    scores: {},
    answers: {},
  });
});

test("an older page's check results keep their states; the text that was checked is not known", () => {
  const state = { last: "a", checks: { a: { binds: "passed", reads: "failed" } }, answers: {} };
  const old = openProgress(storageOf(JSON.stringify({ state, version: 1 })));
  assert.deepEqual(old.store.getState().checks, {
    a: { binds: { state: "passed", etag: null }, reads: { state: "failed", etag: null } },
  });
});

test("what a newer page stored is not overwritten; this page remembers for itself", () => {
  const newer = JSON.stringify({ state: { answered: ["?"] }, version: 3 });
  const storage = storageOf(newer);
  const progress = openProgress(storage);
  progress.update(now => ({ ...now, last: "a" }));
  assert.equal(progress.store.getState().last, "a");
  assert.equal(storage.get(progressKey), newer);
});

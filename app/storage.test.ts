// Storage that the browser forbids, fills up, or does not have.
import assert from "node:assert/strict";
import { test } from "node:test";
import { guardStorage, isKept, openChannel, openRecords } from "./storage.ts";

function area(texts: Map<string, string>): Storage {
  return {
    getItem: (key: string) => texts.get(key) ?? null,
    setItem: (key: string, text: string) => void texts.set(key, text),
    removeItem: (key: string) => void texts.delete(key),
  } as Storage;
}
const forbidden = (): never => {
  throw new DOMException("Access is denied for this document.", "SecurityError");
};

test("an area that works holds the texts, and nothing else does", () => {
  const texts = new Map<string, string>();
  const storage = guardStorage(() => area(texts));
  storage.set("theme", "dark");
  assert.deepEqual([...texts], [["theme", "dark"]]);
  texts.set("theme", "light"); // by another tab
  assert.equal(storage.get("theme"), "light");
  storage.remove("theme");
  assert.equal(storage.get("theme"), null);
  assert.equal(texts.size, 0);
});

test("a getter that throws, as with all cookies blocked: the texts last as long as the page", () => {
  const storage = guardStorage(forbidden);
  assert.equal(storage.get("theme"), null);
  storage.set("theme", "dark");
  assert.equal(storage.get("theme"), "dark");
  storage.remove("theme");
  assert.equal(storage.get("theme"), null);
});

test("an area that is full: the newest text is read, and is written as soon as there is room", () => {
  const texts = new Map([["split", "42"]]);
  let full = true;
  const storage = guardStorage(() => ({
    ...area(texts),
    setItem(key: string, text: string) {
      if (full) throw new DOMException("The quota has been exceeded.", "QuotaExceededError");
      texts.set(key, text);
    },
  }));
  storage.set("split", "50");
  assert.equal(storage.get("split"), "50");
  assert.equal(texts.get("split"), "42");
  full = false;
  storage.set("split", "60");
  assert.equal(texts.get("split"), "60");
  texts.set("split", "70");
  assert.equal(storage.get("split"), "70", "memory does not hide the area any more");
});

test("a browser without IndexedDB: records last as long as the page", async () => {
  assert.equal(globalThis.indexedDB, undefined);
  const records = openRecords<{ text: string }>("workbook", "drafts");
  assert.equal(await records.get("a"), undefined);
  await records.set("a", { text: "typed" });
  assert.deepEqual(await records.get("a"), { text: "typed" });
});

test("a browser without channels between tabs: there is no channel, and no error", t => {
  const real = globalThis.BroadcastChannel;
  t.after(() => {
    globalThis.BroadcastChannel = real;
  });
  globalThis.BroadcastChannel = undefined as never;
  assert.equal(openChannel("workbook"), null);
  globalThis.BroadcastChannel = class {
    constructor() {
      forbidden();
    }
  } as never;
  assert.equal(openChannel("workbook"), null);
});

test("the page knows whether the browser keeps anything for it", () => {
  const texts = new Map<string, string>();
  assert.equal(
    isKept(() => area(texts)),
    true,
  );
  assert.equal(texts.size, 0, "the probe is not left behind");
  assert.equal(isKept(forbidden), false);
  assert.equal(
    isKept(() => undefined),
    false,
  );
});

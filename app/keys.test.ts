// The table of keys: each shortcut is bound once, and no two of them are the same where both hold.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { parseKeybinding } from "tinykeys";
import { type KeyId, type KeyScope, keyCaps, keyNames, keyOf, keyTable, scopes } from "./keys.ts";

const app = fileURLToPath(new URL(".", import.meta.url));
const sources = readdirSync(app, { recursive: true, encoding: "utf8" })
  .filter(file => /\.tsx?$/.test(file) && !/\.test\.ts$|^build\//.test(file))
  .map(file => ({ file, text: readFileSync(app + file, "utf8") }));
const ids = Object.keys(keyTable) as KeyId[];

/** A scope is bound by a call that takes a handler for each of its rows: a row without one is an error of types. */
const binders: Record<KeyScope, RegExp> = {
  lab: /\buseKeys\(\s*"lab"/,
  program: /\buseKeys\(\s*"program"/,
  halves: /\buseKeys\(\s*"halves"/,
  page: /\buseKeys\(\s*"page"/,
  panes: /\buseKeys\(\s*"panes"/,
  calls: /\bkeyOf\(\s*"calls"/,
  output: /\bkeyOf\(\s*"output"/,
  editor: /Record<keyof typeof editorKeys,/,
};

for (const scope of Object.keys(scopes) as KeyScope[])
  test(`the keys of "${scope}" have handlers, in one file`, () => {
    assert.ok(
      ids.some(id => keyTable[id].scope === scope),
      `no row of keys.ts has the scope "${scope}"`,
    );
    const bound = sources.filter(({ text }) => binders[scope].test(text)).map(({ file }) => file);
    assert.equal(bound.length, 1, `the scope "${scope}" is bound in: ${bound.join(", ") || "no file"}`);
  });

test("no two rows share a key in one scope, nor in two scopes that hold on the whole page", () => {
  const wholePage: KeyScope[] = ["lab", "program", "halves", "page", "panes"];
  const taken = new Map<string, KeyId>();
  for (const id of ids) {
    const { keys, scope } = keyTable[id];
    const presses = parseKeybinding(keys).map(([modifiers, , key]) => [...modifiers, key].join("+"));
    const where = wholePage.includes(scope) ? "page" : scope;
    const key = `${where}: ${presses.join(" ")}`.toLowerCase();
    assert.equal(taken.get(key), undefined, `${id} and ${taken.get(key)} are both "${keys}"`);
    taken.set(key, id);
  }
});

test("no shortcut is the beginning of another one", () => {
  const presses = ids.map(id => keyTable[id].keys);
  for (const one of presses)
    for (const other of presses) assert.ok(!other.startsWith(`${one} `), `"${one}" would take "${other}"`);
});

test("Ctrl+. is the editor's, for its quick fixes", () => {
  for (const id of ids) assert.ok(!/\+\.$/.test(keyTable[id].keys), `${id} is "${keyTable[id].keys}"`);
});

test("only keys.ts listens to the page's keys", () => {
  const listeners = sources.filter(({ text }) => /addEventListener\(\s*"key(down|up|press)"/.test(text));
  assert.deepEqual(
    listeners.map(({ file }) => file),
    [],
  );
});

test("a shortcut is written as its keys are labelled", () => {
  assert.deepEqual(keyCaps("check"), [["Ctrl", "Shift", "Enter"]]);
  assert.deepEqual(keyCaps("showSyscalls"), [["g"], ["s"]]);
  assert.deepEqual(keyCaps("nextPage"), [["]"]]);
  assert.equal(keyNames.check, "Ctrl+⇧⏎");
  assert.equal(keyNames.stop, "⇧F8");
  assert.equal(keyNames.pause, "F8");
});

test("an element finds the row of a key, also with the Shift that a keyboard needs for it", () => {
  const event = (key: string, ...held: string[]) =>
    ({
      key,
      code: "",
      ctrlKey: held.includes("Control"),
      metaKey: false,
      altKey: false,
      getModifierState: (name: string) => held.includes(name),
    }) as unknown as KeyboardEvent;
  assert.equal(keyOf("calls", event("/")), "filter");
  assert.equal(keyOf("calls", event("/", "Shift")), "filter");
  assert.equal(keyOf("calls", event("/", "Control")), null);
  assert.equal(keyOf("output", event("PageDown")), "pageDown");
  assert.equal(keyOf("output", event("Tab")), null);
});

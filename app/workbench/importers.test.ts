// Importers: by the whole name, without an ending, as .js, by import() and new URL; and not by a name that is only alike.
import assert from "node:assert/strict";
import { test } from "node:test";
import { importersOf } from "./importers.ts";

test("the files that import another one are found, however they write its name", () => {
  const texts: Record<string, string> = {
    "server.ts": 'import { greeting } from "./greet.ts";',
    "bare.ts": "export * from './greet';",
    "compiled.ts": 'await import("./greet.js");',
    "forks.ts": "fork(new URL(`./greet.ts`, import.meta.url));",
    "alike.ts": 'import "./greetings.ts"; import "../greet.ts"; import "greet"; // ./greet.ts',
    "none.ts": "console.log(1);",
  };
  const others = Object.entries(texts).map(([file, text]) => ({ file, text }));
  assert.deepEqual(importersOf("greet.ts", others), ["server.ts", "bare.ts", "compiled.ts", "forks.ts"]);
  const reads = [{ file: "server.ts", text: 'new URL("./menu.v1.json", import.meta.url)' }];
  assert.deepEqual(importersOf("menu.v1.json", reads), ["server.ts"]);
  assert.deepEqual(importersOf("menu-v1.json", reads), []);
});

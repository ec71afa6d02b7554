// What an other descriptor is, in a few words, whatever name the program has given to its file.
import assert from "node:assert/strict";
import { test } from "node:test";
import { whatIs } from "./descriptors.ts";

test("a descriptor is named by its kind, or by the path of its file, of which a long one is cut", () => {
  assert.equal(whatIs("anon_inode:[eventfd]", ""), "eventfd");
  assert.equal(whatIs("pipe:[4711]", ""), "pipe");
  assert.equal(whatIs("socket:[4711]", ""), "socket (no TCP connection)");
  assert.equal(whatIs("/lab/html/index.html", "/lab"), "file html/index.html");
  assert.equal(whatIs(`/lab/${"a/".repeat(2000)}end`, "/lab"), `file …${"a/".repeat(2000).slice(-197)}end`);
});

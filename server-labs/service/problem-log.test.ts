// The problem log: what an error quotes commands no terminal in which a person reads the log.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { temporaryFolder } from "../fixtures/test-lab-server.ts";
import { ProblemLog } from "./problem-log.ts";

test("what an error quotes is shown in the file, with its lines", t => {
  const { folder, gone } = temporaryFolder();
  t.after(gone);
  const log = new ProblemLog(folder, () => {});
  log.write(new Error("\x1b]0;title\x07 \u202e \u009b2J"));
  const text = readFileSync(log.file, "utf8");
  assert.match(text, /Error: ␛\]0;title␇ \\u202e \\u009b2J\n {4}at /);
});

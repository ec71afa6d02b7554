import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { historyOf, keepCopy, type LabFile, openHistory } from "./history.ts";

function labFile(t: TestContext): LabFile {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "workbook-history-test-")));
  t.after(() => rmSync(root, { recursive: true }));
  return { root, lab: "a/b", file: "server.ts" };
}

/** A file whose history is full: 200 copies, of an older year. */
function fullHistory(t: TestContext): { file: LabFile; history: string } {
  const file = labFile(t);
  const history = historyOf(file);
  mkdirSync(history, { recursive: true });
  for (let n = 0; n < 200; n++)
    writeFileSync(join(history, `2001-01-01T00-00-00.${String(n).padStart(3, "0")}Z.ts`), `${n}`);
  return { file, history };
}

test("many copies at once remove the oldest ones and do not meet", async t => {
  const { file, history } = fullHistory(t);
  const texts = Array.from({ length: 20 }, (_, n) => `text ${n}`);
  const kept = await Promise.all(texts.map(text => keepCopy(file, Buffer.from(text), false)));
  assert.deepEqual(
    kept.map(path => readFileSync(path, "utf8")),
    texts,
  );
  const names = readdirSync(history);
  assert.equal(names.length, 200);
  assert.ok(!names.includes("2001-01-01T00-00-00.019Z.ts") && names.includes("2001-01-01T00-00-00.020Z.ts"));
});

test("the same text at once is kept once", async t => {
  const { file } = fullHistory(t);
  const same = () => keepCopy(file, Buffer.from("the same"), false);
  const [one, two] = await Promise.all([same(), same()]);
  assert.equal(one, two);
});

test("copies of an earlier edition move out of the lab's folder once, and a program's own stay there", async t => {
  const file = labFile(t);
  const old = join(file.root, "a/b/.history/server.ts");
  mkdirSync(old, { recursive: true });
  for (let n = 0; n < 30; n++) writeFileSync(join(old, `2001-01-01T00-00-00.0${n + 10}Z.ts`), `text ${n}`);
  writeFileSync(join(old, "notes.txt"), "not a copy");
  symlinkSync("/etc/passwd", join(old, "2001-01-02T00-00-00.000Z.ts"));
  symlinkSync("/etc", join(file.root, "a/b/.history/linked.ts"));
  await openHistory(file.root, file.lab);
  const moved = readdirSync(historyOf(file)).sort();
  assert.equal(moved.length, 30);
  assert.equal(readFileSync(join(historyOf(file), moved[29]!), "utf8"), "text 29");
  assert.deepEqual(readdirSync(old).sort(), ["2001-01-02T00-00-00.000Z.ts", "notes.txt"]);
  // What a program puts there afterwards is not taken for copies: it would push out the real ones.
  writeFileSync(join(old, "2999-01-01T00-00-00.000Z.ts"), "planted");
  await openHistory(file.root, file.lab);
  assert.equal(readdirSync(historyOf(file)).length, 30);
});

test("a history of an earlier edition that is all copies leaves nothing behind", async t => {
  const file = labFile(t);
  const old = join(file.root, "a/b/.history/server.ts");
  mkdirSync(old, { recursive: true });
  writeFileSync(join(old, "2001-01-01T00-00-00.000Z.ts"), "text");
  await openHistory(file.root, file.lab);
  assert.deepEqual(readdirSync(join(file.root, "a/b")), []);
  assert.equal(readdirSync(historyOf(file)).length, 1);
});

test("a history of an earlier edition for which the disk has no room stays as it is, and no part of it is left", async t => {
  const file = labFile(t);
  const old = join(file.root, "a/b/.history/server.ts");
  mkdirSync(old, { recursive: true });
  writeFileSync(join(old, "2001-01-01T00-00-00.000Z.ts"), "text");
  const full = t.mock.method(fs, "rename", () =>
    Promise.reject(Object.assign(new Error(), { code: "ENOSPC" })),
  );
  syncBuiltinESMExports();
  await assert.rejects(openHistory(file.root, file.lab), { code: "ENOSPC" });
  full.mock.restore();
  syncBuiltinESMExports();
  assert.deepEqual(readdirSync(join(file.root, ".history/a")), []);
  await openHistory(file.root, file.lab);
  assert.equal(readdirSync(historyOf(file)).length, 1);
});

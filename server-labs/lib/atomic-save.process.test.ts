// A save is all or nothing, also when the writer is killed or the disk is full; and its errors are sentences.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import blankTypes from "ts-blank-space";
import { temporaryFolder } from "../fixtures/test-lab-server.ts";
import { createFile, errorInWords, replaceFile, sweep } from "./atomic-save.ts";

test("replaces a file, keeps nothing beside it, and gives it the mode", async t => {
  const { folder, gone } = temporaryFolder();
  t.after(gone);
  const file = join(folder, "server.ts");
  await replaceFile(file, "one", 0o600);
  await replaceFile(file, "two", 0o755);
  assert.equal(readFileSync(file, "utf8"), "two");
  assert.equal(statSync(file).mode & 0o777, 0o755);
  await assert.rejects(createFile(file, "three"), { code: "EEXIST" });
  assert.deepEqual(readdirSync(folder), ["server.ts"]);
});

test("a writer killed at any moment leaves the old text or the new one", { timeout: 60_000 }, async t => {
  const { folder, gone } = temporaryFolder();
  t.after(gone);
  const source = readFileSync(fileURLToPath(new URL("atomic-save.ts", import.meta.url)), "utf8");
  writeFileSync(join(folder, "save.mjs"), blankTypes(source));
  writeFileSync(
    join(folder, "writer.mjs"),
    `import { replaceFile } from "./save.mjs";
     import { writeSync } from "node:fs";
     for (let i = 0; ; i++) {
       await replaceFile(process.argv[2], String(i % 10).repeat(20_000));
       writeSync(1, ".");
     }`,
  );
  const file = join(folder, "work", "server.ts");
  mkdirSync(join(folder, "work"));
  let saves = 0;
  for (let round = 0; round < 20; round++) {
    const writer = spawn(process.execPath, [join(folder, "writer.mjs"), file], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let done = 0;
    // Killed after another number of saves each time, so in another place of the next one.
    for await (const chunk of writer.stdout) {
      done += (chunk as Buffer).length;
      if (done > round) break;
    }
    const exit = once(writer, "exit");
    writer.kill("SIGKILL");
    await exit;
    saves += done;
    const text = readFileSync(file, "utf8");
    assert.equal(text.length, 20_000, `round ${round}: torn`);
    assert.equal(text, text[0]!.repeat(20_000), `round ${round}: mixed`);
  }
  assert.ok(saves >= 20);
});

test("what killed writers left is removed when it is old, and nothing else", async t => {
  const { folder, gone } = temporaryFolder();
  t.after(gone);
  const names = [".server.ts.4711.0123abcd.tmp", ".server.ts.4712.0123abcd.tmp", "mine.tmp", ".mine.tmp"];
  for (const name of names) writeFileSync(join(folder, name), "");
  for (const name of names.filter((_, i) => i !== 1)) utimesSync(join(folder, name), 1, 1);
  await sweep(folder);
  assert.deepEqual(readdirSync(folder).sort(), [names[1], names[2], names[3]].sort());
});

test("a full disk: the old text stays, and the error is a sentence", async t => {
  const { folder, gone } = temporaryFolder();
  t.after(() => {
    spawnSync("umount", [folder]);
    gone();
  });
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]);
  if (mounted.status !== 0) return t.skip("A small disk cannot be mounted here: that needs root.");
  const file = join(folder, "server.ts");
  await replaceFile(file, "the old text");
  const error = await replaceFile(file, "x".repeat(100_000)).then(
    () => null,
    (error: unknown) => error,
  );
  assert.match(errorInWords(error), /the disk is full.*ENOSPC/);
  assert.equal(readFileSync(file, "utf8"), "the old text");
  assert.deepEqual(readdirSync(folder), ["server.ts"], "the half of the new one is gone");
});

test("a folder that may not be written: EACCES in words", async t => {
  const { folder, gone } = temporaryFolder();
  t.after(gone);
  const locked = join(folder, "locked");
  mkdirSync(locked);
  chmodSync(locked, 0o500);
  if (process.getuid!() === 0) return t.skip("Root may write everywhere.");
  const error = await replaceFile(join(locked, "server.ts"), "text").catch((error: unknown) => error);
  assert.match(errorInWords(error), /you may not write there.*EACCES/);
});

// Changes are noticed where inotify reports them, and where the files have to be looked at.
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../fixtures/test-lab-server.ts";
import { inotifyWorks, watchFolder } from "./changes.ts";

const onlyServer = { isShown: (name: string) => name === "server.ts" };

for (const polling of [false, true]) {
  test(`a change is noticed ${polling ? "by looking" : "by inotify"}`, { timeout: 60_000 }, async t => {
    const { folder, gone } = temporaryFolder();
    t.after(gone);
    writeFileSync(join(folder, "server.ts"), "first");
    const alive = setInterval(() => {}, 1000); // watching alone keeps no process alive
    t.after(() => clearInterval(alive));
    const changed = new Promise<string>(resolve => {
      const watching = watchFolder(folder, onlyServer, polling, resolve);
      t.after(() => watching.close());
      assert.ok(watching.alive());
    });
    writeFileSync(join(folder, "other.ts"), "not watched");
    writeFileSync(join(folder, "server.ts"), "two");
    assert.equal(await changed, "server.ts");
  });
}

test("a folder that was moved away is no longer watched", async t => {
  const { folder, gone } = temporaryFolder();
  t.after(gone);
  const inner = join(folder, "inner");
  mkdirSync(inner);
  const watching = watchFolder(inner, onlyServer, false, () => {});
  t.after(() => watching.close());
  renameSync(inner, join(folder, "elsewhere"));
  assert.ok(!watching.alive());
});

test("a trial shows whether the system reports changes", async t => {
  const { folder, gone } = temporaryFolder();
  t.after(gone);
  for (let trials = 0; trials < 50; trials++) {
    assert.equal(await inotifyWorks(folder), true);
    assert.deepEqual(readdirSync(folder), [], "it leaves nothing behind");
  }
  assert.equal(await inotifyWorks(join(folder, "missing")), false);
});

import assert from "node:assert/strict";
import { mkdirSync, realpathSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { temporaryFolder } from "../fixtures/test-lab-server.ts";
import { homeFolder, realHome } from "./home.ts";

function withHome(t: TestContext, home: string) {
  const before = process.env.HOME;
  process.env.HOME = home;
  t.after(() => {
    if (before === undefined) delete process.env.HOME;
    else process.env.HOME = before;
  });
}

test("a home folder behind a symbolic link has both names", t => {
  const { folder, gone } = temporaryFolder();
  t.after(gone);
  mkdirSync(join(folder, "real"));
  symlinkSync("real", join(folder, "link"));
  withHome(t, join(folder, "link"));
  assert.equal(homeFolder(), join(folder, "link"));
  assert.equal(realHome(), join(realpathSync(folder), "real"));
});

test("a home folder that does not exist has a name and no real path", t => {
  withHome(t, "/nonexistent");
  assert.equal(homeFolder(), "/nonexistent");
  assert.equal(realHome(), null);
});

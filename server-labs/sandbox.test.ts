import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { aLab } from "./fixtures/a-lab.ts";
import { findSandbox, programEnvironment } from "./sandbox.ts";

const folder = mkdtempSync(join(tmpdir(), "socket-workbook-sandbox-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const packageRoot = aLab.packageRoot;

/** A PATH that has only these: a script's text, or a link to the real program. */
function pathWith(programs: Record<string, string>): string {
  const path = mkdtempSync(join(folder, "path-"));
  for (const [name, text] of Object.entries(programs)) {
    if (text.startsWith("/")) symlinkSync(text, join(path, name));
    else {
      writeFileSync(join(path, name), `#!/bin/sh\n${text}\n`);
      chmodSync(join(path, name), 0o755);
    }
  }
  return path;
}

test("without bubblewrap programs run plain, and the page says so with the line that mends it", async () => {
  const { level, sentence } = await findSandbox(packageRoot, { PATH: pathWith({}) });
  assert.equal(level, "plain");
  assert.match(sentence, /unprotected, because bubblewrap is not installed \(sudo \w+ \S+ bubblewrap\)/);
});

test("a bubblewrap that does not work is quoted, never passed over in silence", async () => {
  const utilLinux = { prlimit: "/usr/bin/prlimit", setpriv: "/usr/bin/setpriv" };
  const bwrap = `case "$1" in --help) echo --json-status-fd;; *) echo "bwrap: no luck today" >&2; exit 1;; esac`;
  const env = { PATH: pathWith({ bwrap, ...utilLinux }) };
  const { level, sentence } = await findSandbox(packageRoot, env);
  assert.equal(level, "plain");
  assert.match(sentence, /because (bubblewrap does not work here: bwrap: no luck today|this system)/);
  await assert.rejects(
    findSandbox(packageRoot, { ...env, WORKBOOK_SANDBOX: "bubblewrap" }),
    /WORKBOOK_SANDBOX=bubblewrap cannot be done: /,
  );
});

test("a level can be asked for, by its name only", async () => {
  const off = await findSandbox(packageRoot, { ...process.env, WORKBOOK_SANDBOX: "off" });
  assert.equal(off.level, "plain");
  assert.match(off.sentence, /because WORKBOOK_SANDBOX=off asks for that/);
  await assert.rejects(findSandbox(packageRoot, { WORKBOOK_SANDBOX: "on" }), /WORKBOOK_SANDBOX is "on"/);
});

test("a home folder that does not exist changes nothing", async t => {
  const { HOME } = process.env;
  t.after(() => {
    process.env.HOME = HOME;
  });
  const { level } = await findSandbox(packageRoot);
  process.env.HOME = "/nonexistent/home";
  assert.equal((await findSandbox(packageRoot)).level, level);
});

test("as root without bubblewrap the sentence says what that means", {
  skip: process.getuid!() !== 0,
}, async () => {
  const { sentence } = await findSandbox(packageRoot, { PATH: pathWith({}) });
  assert.match(sentence, /everything on this machine, because you are root/);
});

test("only a few variables reach a program", () => {
  const env = {
    PATH: "/bin",
    HOME: "/home/a",
    LANG: "C",
    TZ: "UTC",
    NODE_OPTIONS: "--inspect",
    SSH_AUTH_SOCK: "/x",
  };
  assert.deepEqual(Object.keys(programEnvironment(env)).sort(), ["HOME", "LANG", "PATH", "TERM", "TZ"]);
});

test("a workbook below a private home works", { skip: process.getuid!() !== 0 }, async t => {
  const home = mkdtempSync(join(folder, "home-"));
  chmodSync(home, 0o700);
  const clone = join(home, "clone of mine");
  mkdirSync(join(clone, "dist"), { recursive: true });
  writeFileSync(join(clone, "package.json"), "{}");
  const env = { ...process.env, WORKBOOK_SANDBOX: "bubblewrap" };
  if (!(await findSandbox(packageRoot, env).catch(() => null)))
    return t.skip("bubblewrap does not work here");
  assert.equal((await findSandbox(clone, env)).level, "bubblewrap");
  mkdirSync(join(clone, "dist/server-labs/runtime"), { recursive: true, mode: 0o755 });
  const program = join(clone, "dist/server-labs/runtime/program.js");
  writeFileSync(program, "");
  assert.equal((await findSandbox(clone, env)).level, "bubblewrap");
  chmodSync(program, 0o600);
  await assert.rejects(findSandbox(clone, env), /may not read the workbook's files: .*program\.js/);
  chmodSync(program, 0o644);
  chmodSync(join(clone, "package.json"), 0o600);
  await assert.rejects(findSandbox(clone, env), /may not read the workbook's files: .*chmod -R o\+rX/);
});

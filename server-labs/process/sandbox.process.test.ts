import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { skipWithout } from "../fixtures/optional-program.ts";
import { projectRoot } from "../fixtures/temporary-lab.ts";
import { sentence } from "../protocol.ts";
import { flow } from "./held-streams.ts";
import { launch } from "./launch.ts";
import { isAlive } from "./processes.ts";
import { findSandbox } from "./sandbox.ts";
import { programEnvironment } from "./sandbox-level.ts";

const folder = mkdtempSync(join(tmpdir(), "socket-workbook-sandbox-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const packageRoot = projectRoot;

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
  const { level, statement } = await findSandbox(packageRoot, { PATH: pathWith({}) });
  assert.equal(level, "plain");
  assert.match(
    sentence(statement),
    /unprotected, because bubblewrap is not installed \(sudo \w+ \S+ bubblewrap\)/,
  );
});

test("a bubblewrap that does not work is quoted, never passed over in silence", async () => {
  const utilLinux = { prlimit: "/usr/bin/prlimit", setpriv: "/usr/bin/setpriv" };
  const bwrap = `case "$1" in --help) echo --json-status-fd;; *) echo "bwrap: no luck today" >&2; exit 1;; esac`;
  const env = { PATH: pathWith({ bwrap, ...utilLinux }) };
  const { level, statement } = await findSandbox(packageRoot, env);
  assert.equal(level, "plain");
  assert.match(
    sentence(statement),
    /because (bubblewrap does not work here: bwrap: no luck today|this system)/,
  );
  await assert.rejects(
    findSandbox(packageRoot, { ...env, WORKBOOK_SANDBOX: "bubblewrap" }),
    /WORKBOOK_SANDBOX=bubblewrap cannot be done: /,
  );
});

test("a level can be asked for, by its name only", async () => {
  const off = await findSandbox(packageRoot, { ...process.env, WORKBOOK_SANDBOX: "off" });
  assert.equal(off.level, "plain");
  assert.match(sentence(off.statement), /because WORKBOOK_SANDBOX=off asks for that/);
  await assert.rejects(findSandbox(packageRoot, { WORKBOOK_SANDBOX: "on" }), /WORKBOOK_SANDBOX is "on"/);
});

test("in a pid namespace a program ends as it does elsewhere, and nothing that it started outlives it", {
  timeout: 60_000,
}, async t => {
  const sandbox = await findSandbox(packageRoot, { ...process.env, WORKBOOK_SANDBOX: "namespace" }).catch(
    () => null,
  );
  if (!sandbox) return t.skip("This machine gives programs no pid namespace.");
  assert.match(sentence(sandbox.statement), /unprotected, because .*everything that it has started ends too/);
  const start = (script: string) =>
    launch({
      sandbox,
      command: [process.execPath, "-e", script],
      reach: { cwd: folder, readable: [], writable: [folder], descriptors: 256 },
      variables: {},
      mark: "namespace-test/1",
      descriptors: ["pipe"],
    });
  const exits = await start("process.exit(3)");
  assert.deepEqual(await exits.ended, { code: 3, signal: null, ambiguous: false });
  const aborts = await start("process.kill(process.pid, 'SIGUSR2'); setInterval(() => {}, 1e6)");
  assert.equal((await aborts.ended).signal, "SIGUSR2");
  const daemon = `require("node:child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1e6)"],
    { detached: true, stdio: "ignore", env: {} }).unref(); console.log(process.cwd()); setInterval(() => {}, 1e6)`;
  const tree = await start(daemon);
  const said = await new Promise<string>(resolve =>
    flow(tree.stdout, (chunk: Buffer) => resolve(String(chunk))),
  );
  assert.equal(said.trim(), realpathSync(folder));
  const members = tree.members();
  assert.ok(members.length >= 3, `its first process, the program and the daemon: ${members}`);
  assert.ok(tree.contains(tree.program()!));
  tree.terminate();
  assert.equal((await tree.ended).signal, "SIGTERM");
  assert.deepEqual(
    members.filter(pid => isAlive(pid)),
    [],
  );
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
  const { statement } = await findSandbox(packageRoot, { PATH: pathWith({}) });
  assert.match(sentence(statement), /everything on this machine, because you are root/);
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
    return t.skip(skipWithout("bwrap") || "bubblewrap does not work here");
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

test("a lab server that is out of descriptors says so", async () => {
  const file = fileURLToPath(new URL("../fixtures/sandbox-without-descriptors.ts", import.meta.url));
  const command = 'ulimit -n 64 && exec "$@"';
  const child = spawn("/bin/sh", ["-c", command, "sh", process.execPath, "--import", "tsx", file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  assert.match(await textOf(child.stdout), /^error: Node cannot be started to run labs: spawn .* EMFILE\n$/);
});

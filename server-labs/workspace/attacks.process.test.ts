// Attacks on the workspace by a program that may write in its lab's folder, and for some of them in the workspace: what
// lies outside is neither read nor changed, and nothing makes the lab server wait.
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { firstWords } from "../fixtures/first-words.ts";
import { labId, smallBook, temporaryFolder } from "../fixtures/test-lab-server.ts";
import { limits } from "../protocol.ts";
import { WorkspaceError } from "./error.ts";
import { Workspace } from "./workspace.ts";

const ownFile = fileURLToPath(import.meta.url);
const packageRoot = dirname(dirname(dirname(ownFile)));
const secret = "a private text\n";
/** As root each attack is made twice, for half as long: at the level of an ordinary user, too. */
const raceMs = process.getuid!() === 0 || process.env.ATTACKED_BY_ROOT ? 750 : 1_500;

async function open(t: TestContext) {
  const { folder, gone } = temporaryFolder();
  const root = join(folder, "work");
  const book = smallBook(folder);
  for (const lab of book.labs) lab.site = true;
  const workspace = await Workspace.open({ root, book, packageRoot });
  const attackers: ChildProcess[] = [];
  t.after(async () => {
    workspace.close();
    for (const one of attackers) {
      const exited = once(one, "exit");
      if (one.kill("SIGKILL")) await exited;
    }
    gone();
  });
  const lab = await workspace.ensure(labId);
  // Files as a history has them, as a page shows them, and as a lab has them.
  const outside = join(folder, "outside");
  mkdirSync(outside);
  for (let n = 0; n < 210; n++) writeFileSync(join(outside, `2001-01-01T00-00-00.${n + 100}Z.ts`), secret);
  for (const name of ["server.ts", "notes.txt", ".server.ts.1.0123abcd.tmp"])
    writeFileSync(join(outside, name), secret);
  chmodSync(join(outside, "server.ts"), 0o600);
  return { workspace, root, lab, outside, before: pictureOf(outside), attackers };
}

/** Every name in a folder with its mode and text. */
const pictureOf = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .sort()
    .map(name => {
      const stat = statSync(join(folder, name));
      const text = stat.isFile() ? readFileSync(join(folder, name), "utf8") : "";
      return `${name} ${(stat.mode & 0o777).toString(8)} ${text}`;
    });

/** A process that repeats this line of JavaScript, in which `fs`, `lab` and `outside` are known. It runs when this resolves. */
async function attack(at: Awaited<ReturnType<typeof open>>, line: string): Promise<void> {
  const script = `const fs = require("node:fs"); const [lab, outside] = process.argv.slice(1);
    const attempt = work => { try { work(); } catch {} };
    process.stdout.write("."); const end = Date.now() + 60_000; while (Date.now() < end) { ${line} }`;
  const child = spawn(process.execPath, ["-e", script, at.lab, at.outside], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  at.attackers.push(child);
  await firstWords(child);
}

/**
 * Does the work again and again while the attack lasts, and for longer while one of these has not come of it.
 * @returns what came of it, by its code
 */
async function meanwhile(
  work: (n: number) => Promise<unknown>,
  codes: readonly string[] = [],
): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const began = performance.now();
  const goesOn = (n: number) => {
    const ms = performance.now() - began;
    return ms < raceMs || n < 20 || (ms < 20 * raceMs && !codes.every(code => counts.has(code)));
  };
  for (let n = 0; goesOn(n); n++) {
    const code = await work(n).then(
      () => "done",
      (error: unknown) => {
        if (error instanceof WorkspaceError) return error.statement.code;
        throw error;
      },
    );
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  return counts;
}

test("a file that is now a file and now a link: the link's target is never read", async t => {
  const at = await open(t);
  await attack(
    at,
    `attempt(() => { fs.writeFileSync(lab + "/a", "mine"); fs.renameSync(lab + "/a", lab + "/server.ts"); });
     attempt(() => { fs.symlinkSync(outside + "/server.ts", lab + "/b"); fs.renameSync(lab + "/b", lab + "/server.ts"); });`,
  );
  const codes = ["link-not-followed", "done"];
  const counts = await meanwhile(async () => {
    const { text } = await at.workspace.read(labId, "server.ts");
    assert.notEqual(text, secret);
  }, codes);
  assert.ok(
    codes.every(code => counts.has(code)),
    JSON.stringify([...counts]),
  );
});

test("a folder of modules that is now a folder and now a link: nothing behind it is read", async t => {
  const at = await open(t);
  mkdirSync(join(at.lab, "real"));
  writeFileSync(join(at.lab, "real/notes.txt"), "mine");
  await attack(
    at,
    `attempt(() => fs.renameSync(lab + "/real", lab + "/lib")); attempt(() => fs.renameSync(lab + "/lib", lab + "/real"));
     attempt(() => fs.symlinkSync(outside, lab + "/lib")); attempt(() => fs.unlinkSync(lab + "/lib"));`,
  );
  await meanwhile(async () => {
    const bytes = await at.workspace.readModule(labId, join(at.lab, "lib/notes.txt"));
    assert.ok(bytes === null || bytes.toString() === "mine", String(bytes));
  });
});

test("a lab's folder that is exchanged for a link while the lab server works in it: nothing outside changes", async t => {
  const at = await open(t);
  await attack(
    at,
    `attempt(() => fs.renameSync(lab, lab + ".away")); attempt(() => fs.symlinkSync(outside, lab));
     attempt(() => fs.unlinkSync(lab)); attempt(() => fs.renameSync(lab + ".away", lab));`,
  );
  const counts = await meanwhile(async n => {
    const { workspace } = at;
    if (n % 5 === 0) await workspace.files(labId);
    if (n % 5 === 1) await workspace.keep(labId, "server.ts", `text ${n}\n`);
    if (n % 5 === 2) await workspace.remove(labId, "notes.txt", "*");
    if (n % 5 === 3) await workspace.reset(labId, "server.ts");
    await workspace.write(labId, n % 2 === 0 ? "server.ts" : "notes.txt", `text ${n}\n`, "*");
  });
  assert.deepEqual(pictureOf(at.outside), at.before, JSON.stringify([...counts]));
});

test("a document root that is exchanged while it is copied: nothing outside gets its files or its modes", async t => {
  const at = await open(t);
  await attack(
    at,
    `for (const name of fs.readdirSync(lab)) if (/^\\.html/.test(name)) {
       attempt(() => fs.renameSync(lab + "/" + name, lab + "/.away" + Math.random()));
       attempt(() => fs.symlinkSync(outside, lab + "/" + name));
     }`,
  );
  await meanwhile(async () => {
    rmSync(join(at.lab, "html"), { recursive: true, force: true });
    await at.workspace.ensure(labId);
  });
  assert.deepEqual(pictureOf(at.outside), at.before);
});

test("links where the lab server keeps copies: no copy is written or removed behind them", async t => {
  const at = await open(t);
  const { workspace, lab, outside, root } = at;
  // As a program can plant them, and then as only a person or a program without a sandbox can.
  symlinkSync(outside, join(lab, ".history"));
  for (let n = 0; n < 5; n++) await workspace.keep(labId, "server.ts", `text ${n}\n`);
  rmSync(join(lab, ".history"));
  mkdirSync(join(lab, ".history"));
  symlinkSync(outside, join(lab, ".history/server.ts"));
  rmSync(join(root, ".history"), { recursive: true });
  for (let n = 0; n < 5; n++) await workspace.keep(labId, "server.ts", `text ${n}\n`);
  assert.equal(readdirSync(join(root, ".history", labId, "server.ts")).length, 5);
  symlinkSync(outside, join(root, ".history", labId, "linked.ts"));
  rmSync(join(root, ".history", labId, "server.ts"), { recursive: true });
  symlinkSync(outside, join(root, ".history", labId, "server.ts"));
  for (let n = 0; n < 5; n++) await workspace.keep(labId, "server.ts", `text ${n}\n`);
  await assert.rejects(workspace.reset(labId, "server.ts"), /is a symbolic link/);
  assert.deepEqual(pictureOf(outside), at.before);
});

test("a hard link to a file outside: a save and a reset leave that file as it is", async t => {
  const at = await open(t);
  const { workspace, lab, outside } = at;
  rmSync(join(lab, "server.ts"));
  linkSync(join(outside, "server.ts"), join(lab, "server.ts"));
  await workspace.write(labId, "server.ts", "mine\n", "*");
  assert.equal(readFileSync(join(lab, "server.ts"), "utf8"), "mine\n");
  rmSync(join(lab, "server.ts"));
  linkSync(join(outside, "server.ts"), join(lab, "server.ts"));
  await workspace.reset(labId, "server.ts");
  linkSync(join(outside, "notes.txt"), join(lab, "notes.txt"));
  await workspace.remove(labId, "notes.txt", "*");
  assert.deepEqual(pictureOf(outside), at.before);
});

test("a FIFO, a socket, a device: each is answered at once, and none is read, listed or replaced", async t => {
  const { workspace, lab } = await open(t);
  assert.equal(spawnSync("mkfifo", [join(lab, "pipe.txt")]).status, 0);
  const server = createServer().listen(join(lab, "socket.txt"));
  t.after(() => server.close());
  await once(server, "listening");
  const names = ["pipe.txt", "socket.txt"];
  // Only root can make a device, and a program in the sandbox cannot.
  if (spawnSync("mknod", [join(lab, "zero.txt"), "c", "1", "5"]).status === 0) names.push("zero.txt");
  const listed = (await workspace.files(labId)).map(({ file }) => file);
  for (const name of names) {
    assert.ok(!listed.includes(name), name);
    await assert.rejects(workspace.read(labId, name), /has no file/);
    await assert.rejects(
      workspace.write(labId, name, "text", "*"),
      /if-match|has changed|something else|no file/i,
    );
    assert.equal(await workspace.readModule(labId, join(lab, name)), null);
    assert.ok(!statSync(join(lab, name)).isFile());
    rmSync(join(lab, "server.ts"), { force: true });
    renameSync(join(lab, name), join(lab, "server.ts"));
    await assert.rejects(workspace.read(labId, "server.ts"), /is not a regular file/);
    await assert.rejects(workspace.reset(labId, "server.ts"), /is not a regular file/);
  }
});

test("20,000 files: the list is short, says so, and takes no longer than a listing", {
  timeout: 60_000,
}, async t => {
  const { workspace, lab } = await open(t);
  for (let n = 0; n < 20_000; n++) writeFileSync(join(lab, `stray${n}.txt`), "");
  const began = performance.now();
  const { files, crowded } = await workspace.contents(labId);
  await workspace.read(labId, "server.ts");
  await workspace.write(labId, "server.ts", "mine\n", "*");
  const took = performance.now() - began;
  assert.equal(files[0]!.file, "server.ts");
  assert.equal(files.length, 1 + limits.labFiles);
  assert.equal(crowded?.code, "folder-crowded");
  assert.ok(took < 20_000, `${took} ms`);
});

test("odd names are no files of a lab", async t => {
  const { workspace, lab } = await open(t);
  const odd = [
    "new\nline.ts",
    "\u202egpj.ts",
    " .ts",
    "-rf.ts",
    "x".repeat(200).concat(".ts"),
    "a\u0301\u0301.ts",
  ];
  for (const name of odd) writeFileSync(join(lab, name), "");
  writeFileSync(Buffer.concat([Buffer.from(`${lab}/`), Buffer.from([0xff, 0xfe]), Buffer.from(".ts")]), "");
  assert.deepEqual(
    (await workspace.files(labId)).map(({ file }) => file),
    ["server.ts"],
  );
  const never = [...odd, "..", ".", "", "../one.ts", "a/../server.ts", "\0.ts", "server.ts\0", "/etc/passwd"];
  for (const name of never)
    for (const work of [
      () => workspace.read(labId, name),
      () => workspace.write(labId, name, "x", "*"),
      () => workspace.remove(labId, name, "*"),
    ])
      await assert.rejects(
        work,
        error => error instanceof WorkspaceError && error.statement.code === "unfit-name",
      );
  for (const path of [
    "..",
    "../../outside/notes.txt",
    "./server.ts",
    "lib/../../server.ts",
    "\0",
    "x".repeat(300),
    "",
  ])
    assert.equal(await workspace.readModule(labId, `${lab}/${path}`), null, path);
  assert.equal(await workspace.readModule(labId, "/etc/passwd"), null);
});

test("a program that makes files in a loop keeps the lab server from nothing", async t => {
  const at = await open(t);
  await attack(
    at,
    `for (let n = 0; n < 1000; n++) { fs.writeFileSync(lab + "/s" + n + ".txt", ""); fs.unlinkSync(lab + "/s" + n + ".txt"); }`,
  );
  let changes = 0;
  at.workspace.onChange(() => changes++);
  const late: number[] = [];
  const started = performance.now();
  for (let n = 0; n < 40; n++) {
    const began = performance.now();
    await new Promise(resolve => setTimeout(resolve, 25));
    late.push(performance.now() - began - 25);
  }
  late.sort((a, b) => a - b);
  // A busy machine has pauses of its own; a loop that reads every event would not come back at all.
  assert.ok(late[30]! < 1000, late.map(Math.round).join(" "));
  const seconds = (performance.now() - started) / 1000;
  assert.ok(changes < 500 * seconds, `${changes} changes in ${seconds} s`);
});

test("the same attacks at the level of an ordinary user", { timeout: 240_000 }, t => {
  if (process.getuid!() !== 0) return t.skip("They were at that level.");
  const nobody = 65_534;
  // Neither this process's test runner nor its home is the other user's.
  const { NODE_TEST_CONTEXT, HOME, ...env } = process.env;
  const ran = spawnSync(process.execPath, ["--import", "tsx", "--test", ownFile], {
    cwd: packageRoot,
    uid: nobody,
    gid: nobody,
    // A folder of root's PATH may be closed to the other user.
    env: { ...env, HOME: "/", PATH: `${env.PATH}:/usr/bin:/bin`, ATTACKED_BY_ROOT: "yes" },
    encoding: "utf8",
  });
  if (/EACCES/.test(ran.stderr + ran.stdout) && !/^# pass [1-9]/m.test(ran.stdout))
    return t.skip("Another user may not read this folder.");
  assert.equal(ran.status, 0, ran.stdout + ran.stderr);
});

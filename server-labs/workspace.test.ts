// The student's files: given once, never overwritten, saved without loss, and heard of when another editor saves.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { labId, smallBook, starterText, temporaryFolder } from "./fixtures/house.ts";
import { Workspace, WorkspaceError } from "./workspace.ts";

const ownPackage = dirname(dirname(fileURLToPath(import.meta.url)));

async function open(t: TestContext, packageRoot = ownPackage) {
  const { folder, gone } = temporaryFolder();
  t.after(gone);
  const root = join(folder, "my work & more");
  const workspace = await Workspace.open({ root, book: smallBook(folder), packageRoot });
  t.after(() => workspace.close());
  return { folder, workspace, path: join(root, labId, "server.ts"), root };
}

/** The next change that is told. Watching alone keeps no process alive, so the wait does. */
const nextChange = (workspace: Workspace) =>
  new Promise<{ file: string; etag: string }>(resolve => {
    const alive = setInterval(() => {}, 1000);
    const off = workspace.onChange((_lab, file, etag) => {
      off();
      clearInterval(alive);
      resolve({ file, etag });
    });
  });

const fails = (work: Promise<unknown>, problem: string, sentence: RegExp) =>
  assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof WorkspaceError, String(error));
    assert.equal(error.problem, problem);
    assert.match(error.message, sentence);
    return true;
  });

test("gives the starter once, and never over what is there", async t => {
  const { workspace, path, root } = await open(t);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, "written before the lab was opened\n");
  await workspace.ensure(labId);
  assert.equal(readFileSync(path, "utf8"), "written before the lab was opened\n");
  rmSync(path);
  await workspace.ensure(labId);
  assert.ok(!existsSync(path), "what a person removed stays removed");
  await fails(workspace.read(labId, "server.ts"), "missing", /was removed.*reset/);
  rmSync(dirname(path), { recursive: true });
  assert.equal(
    (await workspace.read(labId, "server.ts")).text,
    starterText,
    "with its folder gone it is new again",
  );
  rmSync(root, { recursive: true });
  assert.equal((await workspace.read(labId, "server.ts")).text, starterText);
  assert.equal(
    readlinkSync(join(root, "node_modules/workbook")),
    ownPackage,
    "and so is the whole workspace",
  );
  rmSync(root, { recursive: true });
  writeFileSync(root, "");
  await fails(workspace.read(labId, "server.ts"), "storage", /no folder stands in its path/);
});

test("any editor and any shell can work there: types, imports, npx tsx, offline", async t => {
  const { workspace, path, root } = await open(t);
  await workspace.ensure(labId);
  const cwd = dirname(path);
  assert.equal(readlinkSync(join(root, "node_modules/workbook")), ownPackage);
  assert.equal(readlinkSync(join(cwd, "html")), join(ownPackage, "html"));
  writeFileSync(
    path,
    'import { basename } from "node:path";\nconst port: number = 7;\nconsole.log(basename("/a/b"), port, process.argv[2]);\n',
  );
  const env = { PATH: process.env.PATH, HOME: root, npm_config_offline: "true" };
  const ran = spawnSync("npx", ["--no-install", "tsx", "server.ts", "7890"], { cwd, env, encoding: "utf8" });
  assert.equal(ran.stdout, "b 7 7890\n", ran.stderr);
  writeFileSync(path, 'const port: number = "7";\n');
  const checked = spawnSync("npx", ["--no-install", "tsc", "-p", root], { cwd, env, encoding: "utf8" });
  assert.match(checked.stdout, /server\.ts\(1,7\): error TS2322/);
});

test("links follow the clone when it moves; what the student put there stays", async t => {
  const { folder, root } = await open(t);
  const moved = join(folder, "moved");
  mkdirSync(moved);
  writeFileSync(join(moved, "package.json"), '{"name":"workbook"}');
  writeFileSync(join(root, "package.json"), '{"mine":true}');
  rmSync(join(root, "node_modules/tsx"));
  mkdirSync(join(root, "node_modules/tsx"));
  const again = await Workspace.open({ root, book: smallBook(folder), packageRoot: moved });
  t.after(() => again.close());
  assert.equal(readlinkSync(join(root, "node_modules/workbook")), moved);
  assert.equal(readFileSync(join(root, "package.json"), "utf8"), '{"mine":true}');
  assert.ok(lstatSync(join(root, "node_modules/tsx")).isDirectory());
});

test("two tabs and an outside editor lose nothing: who saves over an unseen text is told", async t => {
  const { workspace, path } = await open(t);
  const start = await workspace.read(labId, "server.ts");
  await workspace.write(labId, "server.ts", "", start.etag);
  // Each writer appends its lines by read, save, and again from the start on a conflict.
  let conflicts = 0;
  const append = async (line: string) => {
    for (;;) {
      const { text, etag } = await workspace.read(labId, "server.ts");
      try {
        return await workspace.write(labId, "server.ts", `${text}${line}\n`, etag);
      } catch (error) {
        assert.ok(error instanceof WorkspaceError && error.problem === "conflict");
        conflicts++;
      }
    }
  };
  const tab = async (name: string) => {
    for (let i = 0; i < 25; i++) await append(`${name}${i}`);
  };
  await Promise.all([tab("a"), tab("b"), tab("c")]);
  const lines = readFileSync(path, "utf8").trim().split("\n");
  assert.equal(new Set(lines).size, 75);
  assert.equal(lines.length, 75);
  assert.ok(conflicts > 0, "they did meet");
});

test("a save by another editor is heard of, however that editor saves", async t => {
  const { workspace, path } = await open(t);
  const { etag } = await workspace.read(labId, "server.ts");
  const inPlace = nextChange(workspace);
  writeFileSync(path, "in place\n");
  assert.notEqual((await inPlace).etag, etag);
  const renamed = nextChange(workspace);
  writeFileSync(join(dirname(path), "server.ts~new"), "renamed over it\n");
  renameSync(join(dirname(path), "server.ts~new"), path);
  assert.equal((await renamed).etag, (await workspace.read(labId, "server.ts")).etag);
  const removed = nextChange(workspace);
  rmSync(path);
  assert.equal((await removed).etag, '""');
});

test("an own save is heard of once, with the ETag that the saver got", async t => {
  const { workspace, path } = await open(t);
  const { etag } = await workspace.read(labId, "server.ts");
  const heard: string[] = [];
  workspace.onChange((_lab, _file, etag) => heard.push(etag));
  const saved = await workspace.write(labId, "server.ts", "saved\n", etag);
  const outside = nextChange(workspace);
  writeFileSync(path, "outside\n");
  const last = await outside;
  assert.deepEqual(heard, [saved.etag, last.etag]);
});

test("what stands in the file's place is said", async t => {
  const { workspace, path, folder } = await open(t);
  await workspace.ensure(labId);
  rmSync(path);
  mkdirSync(path);
  await fails(workspace.read(labId, "server.ts"), "unfit", /folder stands in the place/);
  await fails(workspace.write(labId, "server.ts", "x", "*"), "unfit", /folder stands/);
  rmSync(path, { recursive: true });
  const outside = join(folder, "outside.ts");
  writeFileSync(outside, "not the workspace's\n");
  symlinkSync(outside, path);
  await fails(workspace.read(labId, "server.ts"), "unfit", /leads out of the workspace/);
  await fails(workspace.write(labId, "server.ts", "x", "*"), "unfit", /leads out/);
  await fails(workspace.reset(labId, "server.ts"), "unfit", /leads out/);
  assert.equal(readFileSync(outside, "utf8"), "not the workspace's\n");
  rmSync(path);
  assert.equal(spawnSync("mkfifo", [path]).status, 0);
  await fails(workspace.read(labId, "server.ts"), "unfit", /no regular file/);
  rmSync(path);
  writeFileSync(path, Buffer.alloc(600_000, "x"));
  await fails(workspace.read(labId, "server.ts"), "unfit", /600000 bytes/);
});

test("a link inside the workspace stays a link; mode and read-only are respected", async t => {
  const { workspace, path } = await open(t);
  const { etag } = await workspace.read(labId, "server.ts");
  const real = join(dirname(path), "real.ts");
  renameSync(path, real);
  chmodSync(real, 0o750);
  symlinkSync("real.ts", path);
  await workspace.write(labId, "server.ts", "through the link\n", etag);
  assert.ok(lstatSync(path).isSymbolicLink());
  assert.equal(readFileSync(real, "utf8"), "through the link\n");
  assert.equal(statSync(real).mode & 0o777, 0o750);
  chmodSync(real, 0o440);
  await fails(workspace.write(labId, "server.ts", "x\n", "*"), "unfit", /read-only.*chmod u\+w/);
  assert.equal(readFileSync(real, "utf8"), "through the link\n");
});

test("the history keeps what is overwritten, each text once, and not without end", async t => {
  const { workspace, path } = await open(t);
  await workspace.ensure(labId);
  const history = join(dirname(path), ".history/server.ts");
  await workspace.keep(labId, "server.ts");
  await workspace.keep(labId, "server.ts");
  assert.equal(readdirSync(history).length, 1);
  for (let i = 0; i < 205; i++) await workspace.keep(labId, "server.ts", `version ${i}\n`);
  const names = readdirSync(history).sort();
  assert.equal(names.length, 200);
  assert.equal(readFileSync(join(history, names.at(-1)!), "utf8"), "version 204\n");
  const { kept } = await workspace.reset(labId, "server.ts");
  assert.equal(readFileSync(kept!, "utf8"), starterText);
});

test("a workspace that cannot be made is a sentence", async t => {
  const { folder, gone } = temporaryFolder();
  t.after(gone);
  writeFileSync(join(folder, "file"), "");
  const opened = Workspace.open({
    root: join(folder, "file/work"),
    book: smallBook(folder),
    packageRoot: ownPackage,
  });
  await fails(opened, "storage", /cannot be used: something that is no folder stands in its path.*ENOTDIR/);
});

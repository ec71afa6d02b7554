// Workspace: a starter is copied once and never over anything, a save loses nothing, another editor's save is noticed.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  promises,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  watch,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { labId, smallBook, starterText, temporaryFolder } from "../fixtures/test-lab-server.ts";
import { limits } from "../protocol.ts";
import { WorkspaceError } from "./error.ts";
import { Workspace } from "./workspace.ts";

const ownPackage = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

async function open(t: TestContext, packageRoot = ownPackage) {
  const { folder, gone } = temporaryFolder();
  t.after(gone);
  const root = join(folder, "my work & more");
  const workspace = await Workspace.open({ root, book: smallBook(folder), packageRoot });
  t.after(() => workspace.close());
  return { folder, workspace, path: join(root, labId, "server.ts"), root };
}

/** The next change. Watching alone keeps no process alive, so the wait does. */
const nextChange = (workspace: Workspace) =>
  new Promise<{ file: string; etag: string }>(resolve => {
    const alive = setInterval(() => {}, 1000);
    const off = workspace.onChange((_lab, file, etag) => {
      off();
      clearInterval(alive);
      resolve({ file, etag });
    });
  });

const fails = (work: Promise<unknown>, code: string, sentence: RegExp) =>
  assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof WorkspaceError, String(error));
    assert.equal(error.statement.code, code);
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
  await fails(workspace.read(labId, "server.ts"), "file-removed", /was removed.*reset/);
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
  await fails(
    workspace.read(labId, "server.ts"),
    "storage-failed",
    /a part of its path is a file, not a folder/,
  );
});

test("any editor and any shell can work there: types, imports, npx tsx, offline", async t => {
  const { workspace, path, root } = await open(t);
  await workspace.ensure(labId);
  const cwd = dirname(path);
  assert.equal(readlinkSync(join(root, "node_modules/workbook")), ownPackage);
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

test("a server's document root is a copy: the student may break it, and it is not made again", async t => {
  const { workspace, path, folder } = await open(t);
  const html = join(dirname(path), "html");
  // As the first edition left it.
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(join(ownPackage, "html"), html);
  const umask = process.umask(0o077);
  await workspace.ensure(labId).finally(() => process.umask(umask));
  assert.ok(lstatSync(html).isDirectory());
  const menu = readFileSync(join(ownPackage, "html/menu.txt"), "utf8");
  assert.equal(readFileSync(join(html, "menu.txt"), "utf8"), menu);
  assert.deepEqual(
    [statSync(html), statSync(join(html, "menu.txt"))].map(({ mode }) => mode & 0o777),
    [0o755, 0o644],
  );
  writeFileSync(join(html, "menu.txt"), "coffee\n");
  rmSync(join(html, "index.html"));
  const again = await Workspace.open({
    root: workspace.root,
    book: smallBook(folder),
    packageRoot: ownPackage,
  });
  t.after(() => again.close());
  await again.ensure(labId);
  assert.equal(readFileSync(join(html, "menu.txt"), "utf8"), "coffee\n");
  assert.ok(!existsSync(join(html, "index.html")));
  assert.equal(readFileSync(join(ownPackage, "html/menu.txt"), "utf8"), menu);
});

test("under root's umask 077 the user of the programs can read the lab's folder", async t => {
  const { workspace, path } = await open(t);
  const umask = process.umask(0o077);
  await workspace.ensure(labId).finally(() => process.umask(umask));
  const modes = [dirname(path), path].map(one => statSync(one).mode & 0o777);
  assert.deepEqual(modes, [process.getuid!() === 0 ? 0o755 : 0o700, 0o644]);
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

test("two tabs and an outside editor lose nothing: a save over an unseen text is refused", async t => {
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
        assert.ok(error instanceof WorkspaceError && error.statement.code === "file-changed");
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

test("another thing in the file's place is refused with its name", async t => {
  const { workspace, path, folder } = await open(t);
  await workspace.ensure(labId);
  rmSync(path);
  mkdirSync(path);
  await fails(workspace.read(labId, "server.ts"), "unfit-text", /There is a folder where .* should be/);
  await fails(workspace.write(labId, "server.ts", "x", "*"), "unfit-text", /There is a folder where/);
  rmSync(path, { recursive: true });
  const outside = join(folder, "outside.ts");
  writeFileSync(outside, "not the workspace's\n");
  symlinkSync(outside, path);
  await fails(workspace.read(labId, "server.ts"), "link-not-followed", /is a symbolic link/);
  await fails(workspace.write(labId, "server.ts", "x", "*"), "link-not-followed", /is a symbolic link/);
  await fails(workspace.reset(labId, "server.ts"), "link-not-followed", /is a symbolic link/);
  assert.equal(readFileSync(outside, "utf8"), "not the workspace's\n");
  rmSync(path);
  assert.equal(spawnSync("mkfifo", [path]).status, 0);
  await fails(workspace.read(labId, "server.ts"), "unfit-text", /not a regular file/);
  rmSync(path);
  writeFileSync(path, Buffer.alloc(600_000, "x"));
  await fails(workspace.read(labId, "server.ts"), "unfit-text", /600000 bytes/);
});

test("no link is followed, also not one that stays in the workspace; mode and read-only are respected", async t => {
  const { workspace, path } = await open(t);
  const { etag } = await workspace.read(labId, "server.ts");
  chmodSync(path, 0o750);
  const saved = await workspace.write(labId, "server.ts", "saved\n", etag);
  assert.equal(statSync(path).mode & 0o777, 0o750);
  chmodSync(path, 0o440);
  await fails(
    workspace.write(labId, "server.ts", "x\n", saved.etag),
    "read-only-file",
    /read-only.*chmod u\+w/,
  );
  const real = join(dirname(path), "real.ts");
  renameSync(path, real);
  symlinkSync("real.ts", path);
  await fails(workspace.write(labId, "server.ts", "x\n", "*"), "link-not-followed", /Put the file/);
  assert.equal(readFileSync(real, "utf8"), "saved\n");
});

test("what another editor saves while a save is being written is not overwritten", async t => {
  const { workspace, path } = await open(t);
  const { etag } = await workspace.read(labId, "server.ts");
  // The other editor saves once the temporary file is there: after this save's look at the file, before its rename.
  const other = new Promise<void>(resolve => {
    const watcher = watch(dirname(path), (_event, name) => {
      if (!name?.endsWith(".tmp")) return;
      watcher.close();
      writeFileSync(path, "the other editor's\n");
      resolve();
    });
  });
  const saving = workspace.write(labId, "server.ts", "x".repeat(500_000), etag);
  await fails(saving, "file-changed", /has changed on the disk/);
  await other;
  assert.equal(readFileSync(path, "utf8"), "the other editor's\n");
});

test("the history keeps what is overwritten, each text once, and not without end", async t => {
  const { workspace, root } = await open(t);
  await workspace.ensure(labId);
  const history = join(root, ".history", labId, "server.ts");
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
  await fails(
    opened,
    "workspace-unusable",
    /cannot be used: a part of its path is a file, not a folder.*ENOTDIR/,
  );
});

test("on a read-only file system the sentence names another folder", async t => {
  const { folder, gone } = temporaryFolder();
  const disk = join(folder, "disk");
  mkdirSync(disk);
  t.after(() => {
    spawnSync("umount", [disk]);
    gone();
  });
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "ro", "tmpfs", disk]).status !== 0)
    return t.skip("A read-only disk cannot be mounted here: that needs root.");
  for (const root of [join(disk, "work"), join(disk, "home/ada/work")])
    await fails(
      Workspace.open({ root, book: smallBook(folder), packageRoot: ownPackage }),
      "workspace-unusable",
      /read-only. Choose another folder with WORKBOOK_HOME/,
    );
});

test("on a file system without hard links a lab gets its files all the same", async t => {
  const { link: real } = promises;
  promises.link = async (from, to) => {
    throw Object.assign(new Error(`EPERM: operation not permitted, link '${from}' -> '${to}'`), {
      code: "EPERM",
    });
  };
  syncBuiltinESMExports();
  t.after(() => {
    promises.link = real;
    syncBuiltinESMExports();
  });
  const { workspace, path } = await open(t);
  await workspace.ensure(labId);
  assert.equal(readFileSync(path, "utf8"), starterText);
  assert.equal(statSync(path).mode & 0o777, 0o644);
  assert.deepEqual(
    readdirSync(dirname(path)).filter(name => name.endsWith(".tmp")),
    [],
  );
});

test("a file that the student makes is listed, announced, saved, and removed with a copy", async t => {
  const { workspace } = await open(t);
  const lab = labId;
  await workspace.ensure(lab);
  const announced: [string, string][] = [];
  workspace.onChange((_lab, file, etag) => announced.push([file, etag]));
  const made = await workspace.write(lab, "greet.ts", "export const a = 1;\n", '""');
  assert.deepEqual(
    (await workspace.files(lab)).map(({ file }) => file),
    ["server.ts", "greet.ts"],
  );
  assert.deepEqual(await workspace.read(lab, "greet.ts"), { text: "export const a = 1;\n", ...made });
  await assert.rejects(workspace.write(lab, "greet.ts", "other", '""'), /greet\.ts has changed on the disk/);
  await assert.rejects(workspace.remove(lab, "greet.ts", '"other"'), /greet\.ts has changed on the disk/);
  const { kept } = await workspace.remove(lab, "greet.ts", made.etag);
  assert.equal(readFileSync(kept, "utf8"), "export const a = 1;\n");
  await assert.rejects(workspace.read(lab, "greet.ts"), /has no file "greet\.ts"; it has server\.ts/);
  await assert.rejects(workspace.remove(lab, "server.ts", "*"), /the lab's own file and cannot be removed/);
  assert.deepEqual(announced, [
    ["greet.ts", made.etag],
    ["greet.ts", '""'],
  ]);
});

test("a file that the student made is renamed with its history, and never over another one", async t => {
  const { workspace, root } = await open(t);
  const lab = labId;
  await workspace.ensure(lab);
  const announced: [string, string][] = [];
  workspace.onChange((_lab, file, etag) => announced.push([file, etag]));
  const copies = (file: string) => {
    const folder = join(root, ".history", lab, file);
    return readdirSync(folder).map(name => readFileSync(join(folder, name), "utf8"));
  };
  await workspace.write(lab, "greet.ts", "first", '""');
  await workspace.keep(lab, "greet.ts");
  const made = await workspace.write(lab, "greet.ts", "second", "*");
  const other = await workspace.write(lab, "menu.ts", "menu", '""');
  announced.length = 0;
  await fails(workspace.rename(lab, "greet.ts", "menu.ts", "*"), "file-exists", /menu\.ts already: choose/);
  await fails(workspace.rename(lab, "greet.ts", "greet.ts", "*"), "file-exists", /greet\.ts already/);
  await fails(workspace.rename(lab, "greet.ts", "a.ts", '"x"'), "file-changed", /greet\.ts has changed/);
  await fails(workspace.rename(lab, "gone.ts", "a.ts", "*"), "unknown-file", /no file "gone\.ts"/);
  await fails(workspace.rename(lab, "server.ts", "a.ts", "*"), "file-needed", /cannot be removed or renamed/);
  await fails(workspace.rename(lab, "greet.ts", "../a.ts", "*"), "unfit-name", /cannot be named/);
  assert.deepEqual(await workspace.rename(lab, "greet.ts", "hello.ts", made.etag), made);
  assert.equal((await workspace.read(lab, "hello.ts")).text, "second");
  assert.deepEqual(copies("hello.ts").sort(), ["first", "second"]);
  assert.equal(existsSync(join(root, lab, "greet.ts")), false);
  assert.equal(existsSync(join(root, ".history", lab, "greet.ts")), false);
  assert.deepEqual(announced, [
    ["hello.ts", made.etag],
    ["greet.ts", '""'],
  ]);
  // Two that would take each other's name wait for each other in one order.
  const both = await Promise.allSettled([
    workspace.rename(lab, "hello.ts", "menu.ts", "*"),
    workspace.rename(lab, "menu.ts", "hello.ts", other.etag),
  ]);
  assert.deepEqual(
    both.map(({ status }) => status),
    ["rejected", "rejected"],
  );
});

test("a file has a plain name and a bounded number of companions, and a link is neither read nor replaced", async t => {
  const { workspace, root } = await open(t);
  const lab = labId;
  const folder = await workspace.ensure(lab);
  for (const name of [".history", "a/b.ts", "..", "run.sh", ".ts", `${"x".repeat(70)}.ts`])
    await assert.rejects(workspace.write(lab, name, "", '""'), /cannot be named/);
  writeFileSync(join(root, "private.txt"), "private");
  symlinkSync(join(root, "private.txt"), join(folder, "notes.txt"));
  await assert.rejects(workspace.read(lab, "notes.txt"), /is a symbolic link/);
  await assert.rejects(workspace.write(lab, "notes.txt", "over", "*"), /is a symbolic link/);
  assert.equal(readFileSync(join(root, "private.txt"), "utf8"), "private");
  for (let n = 1; n < limits.labFiles; n++) writeFileSync(join(folder, `m${n}.ts`), "");
  await assert.rejects(workspace.write(lab, "more.ts", "", '""'), /shows at most 32 files/);
});

// What is remembered between two starts, who may read it, and that there is one lab server for each state folder.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs, {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { type AddressInfo, createServer, type Server } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { firstWords } from "../fixtures/first-words.ts";
import { temporaryFolder } from "../fixtures/test-lab-server.ts";
import { listenOnLoopback } from "../http/listen.ts";
import { packageRoot } from "../lib/package-root.ts";
import { becomeInstance, type Instance } from "./instance.ts";
import { openState, stateFolder } from "./state.ts";

const mode = (path: string) => statSync(path).mode & 0o777;

test("the folder comes from the environment, as XDG says", () => {
  assert.equal(stateFolder({ WORKBOOK_STATE: "/a/b" }), "/a/b");
  assert.equal(stateFolder({ XDG_STATE_HOME: "/x" }), "/x/socket-workbook");
  assert.equal(stateFolder({ XDG_STATE_HOME: "relative" }), join(homedir(), ".local/state/socket-workbook"));
});

test("token and port are the same at the next start, and readable by their owner only", async t => {
  const { folder, gone } = temporaryFolder();
  t.after(gone);
  const path = join(folder, "deep/state");
  const first = await openState(path);
  assert.match(first.token, /^[\w-]{32}$/);
  assert.equal(first.port, null);
  await first.rememberPort(7805);
  assert.deepEqual([mode(path), mode(first.tokenFile), mode(join(path, "port"))], [0o700, 0o600, 0o600]);
  const second = await openState(path);
  assert.deepEqual([second.token, second.port], [first.token, 7805]);
  assert.equal(readFileSync(second.tokenFile, "utf8").trim(), second.token, "what curl reads");
});

test("a token that others could read, or a text that is no token, is replaced; an open folder is closed", async t => {
  const { folder, gone } = temporaryFolder();
  t.after(gone);
  const { token, tokenFile } = await openState(folder);
  chmodSync(tokenFile, 0o644);
  chmodSync(folder, 0o755);
  const second = await openState(folder);
  assert.notEqual(second.token, token);
  assert.deepEqual([mode(folder), mode(tokenFile)], [0o700, 0o600]);
  writeFileSync(tokenFile, "short\n");
  writeFileSync(join(folder, "port"), "many\n");
  const third = await openState(folder);
  assert.match(third.token, /^[\w-]{32}$/);
  assert.equal(third.port, null);
});

test("a state folder that cannot be made is an error that names the variable for another", async t => {
  const { folder, gone } = temporaryFolder();
  t.after(gone);
  writeFileSync(join(folder, "file"), "");
  await assert.rejects(
    openState(join(folder, "file/state")),
    /keeps its token in .*file\/state, and cannot: ENOTDIR.*Set WORKBOOK_STATE to a folder/,
  );
});

test("the second start gets the first one's link, also while the first is still starting", async t => {
  const { folder, gone } = temporaryFolder();
  t.after(gone);
  const first = (await becomeInstance(folder)) as Instance;
  assert.equal(mode(join(folder, "lock.1")), 0o600);
  const asking = becomeInstance(folder);
  const running = { link: "http://127.0.0.1:7800/#t=x", pid: 1, packageRoot: "/p" };
  first.announce(running);
  assert.deepEqual(await asking, { running });
  assert.deepEqual(await becomeInstance(folder), { running });
  first.release();
  const next = await becomeInstance(folder);
  assert.ok("announce" in next);
  next.release();
  assert.deepEqual(readdirSync(folder), ["lock.2"], "nothing is left but the last lock, stale");
});

test("of many starts at once over a stale lock, one wins and all others hear of it", async t => {
  const { folder, gone } = temporaryFolder();
  t.after(gone);
  // A lab server that was killed: its socket file stays, without a process behind it.
  const dead = spawn(
    process.execPath,
    [
      "-e",
      `require("net").createServer().listen(${JSON.stringify(join(folder, "lock.1"))}, () => console.log("there"))`,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  await firstWords(dead);
  dead.kill("SIGKILL");
  await once(dead, "exit");
  assert.ok(existsSync(join(folder, "lock.1")));
  const starter = `import { becomeInstance } from ${JSON.stringify(join(packageRoot, "dist/server-labs/service/instance.js"))};
    const instance = await becomeInstance(${JSON.stringify(folder)});
    if ("running" in instance) { console.log("second", instance.running.pid); }
    else { instance.announce({ link: "", pid: process.pid, packageRoot: "" }); console.log("first", process.pid); process.stdin.resume().on("end", () => instance.release()); }`;
  const starts = Array.from({ length: 4 }, () =>
    spawn(process.execPath, ["--input-type=module", "-e", starter], {
      stdio: ["pipe", "pipe", "inherit"],
    }),
  );
  const exits = starts.map(start => once(start, "exit"));
  const words = await Promise.all(starts.map(async start => (await firstWords(start)).split(" ")));
  const winners = words.filter(([which]) => which === "first");
  assert.equal(winners.length, 1, JSON.stringify(words));
  for (const [, pid] of words) assert.equal(pid, winners[0]![1]);
  for (const start of starts) start.stdin.end();
  await Promise.all(exits);
  assert.deepEqual(readdirSync(folder), ["lock.2"]);
});

test("a start that looked long ago gets the number of a lock that was removed since, and gives it back", async t => {
  const { folder, gone } = temporaryFolder();
  writeFileSync(join(folder, "lock.1"), ""); // no process is behind it
  const running = { link: "l", pid: 3, packageRoot: "p" };
  const third = createServer(socket => socket.end(JSON.stringify(running)));
  await new Promise<void>(resolve => third.listen(join(folder, "lock.3"), resolve));
  renameSync(join(folder, "lock.3"), join(folder, "later"));
  const real = fs.linkSync;
  fs.linkSync = (from, to) => {
    // Between the look and the link a second lab server came and went, and a third came.
    if (String(to).endsWith("lock.2")) {
      renameSync(join(folder, "later"), join(folder, "lock.3"));
      rmSync(join(folder, "lock.1"));
    }
    real(from, to);
  };
  syncBuiltinESMExports();
  t.after(async () => {
    fs.linkSync = real;
    syncBuiltinESMExports();
    await close([third]);
    gone();
  });
  assert.deepEqual(await becomeInstance(folder), { running });
  assert.deepEqual(readdirSync(folder), ["lock.3"]);
});

test("a state folder with a very long path has its lock, too", async t => {
  const { folder, gone } = temporaryFolder();
  t.after(gone);
  const long = join(folder, "x".repeat(120));
  mkdirSync(long);
  const first = (await becomeInstance(long)) as Instance;
  const running = { link: "l", pid: 2, packageRoot: "p" };
  first.announce(running);
  assert.deepEqual(await becomeInstance(long), { running });
  first.release();
});

const close = (servers: Server[]) =>
  Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))));

async function taken(host = "127.0.0.1"): Promise<{ port: number; server: Server }> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, host, resolve));
  return { port: (server.address() as AddressInfo).port, server };
}

test("the port that was remembered; another one, with a sentence, when it is taken", async () => {
  const { port, server } = await taken();
  const instead = await listenOnLoopback({ remembered: port });
  assert.notEqual(instead.port, port);
  assert.match(instead.sentence!, new RegExp(`Port ${port} is taken.*on ${instead.port}`));
  await close([...instead.servers, server]);
  const free = await listenOnLoopback({ remembered: port });
  assert.deepEqual([free.port, free.sentence], [port, null]);
  const hosts = free.servers.map(one => (one.address() as AddressInfo).address);
  assert.ok(hosts.every(host => host === "127.0.0.1" || host === "::1"));
  await close(free.servers);
});

test("a port that is asked for is taken or refused, never exchanged", async () => {
  const { port, server } = await taken();
  await assert.rejects(
    listenOnLoopback({ asked: port }),
    new RegExp(`Port ${port} is taken by another program`),
  );
  await close([server]);
});

test("a port that another program holds on ::1 only is not free: localhost would reach that program", async t => {
  const six = await taken("::1").catch(() => null);
  if (!six) return t.skip("This machine has no IPv6 loopback.");
  await assert.rejects(listenOnLoopback({ asked: six.port }), /is taken/);
  await close([six.server]);
});

test("on a file system without hard links the lock's sentence names another folder", async t => {
  const { folder, gone } = temporaryFolder();
  const real = fs.linkSync;
  fs.linkSync = (from, to) => {
    throw Object.assign(new Error(`EPERM: operation not permitted, link '${from}' -> '${to}'`), {
      code: "EPERM",
    });
  };
  syncBuiltinESMExports();
  t.after(() => {
    fs.linkSync = real;
    syncBuiltinESMExports();
    gone();
  });
  await assert.rejects(becomeInstance(folder), /without hard links.*WORKBOOK_STATE=/);
});

// The start script: it refuses an old Node (the test fakes the version); and what ends with npm, or with it.
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { projectRoot } from "./fixtures/temporary-lab.ts";
import { temporaryFolder } from "./fixtures/test-lab-server.ts";

/** The words of the start script under this Node. The test claims not to be on Linux: the script installs nothing. */
function startWith(node: string): { status: number | null; stderr: string } {
  const pretend = `
    Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${node}" } });
    Object.defineProperty(process, "version", { value: "v${node}" });
    Object.defineProperty(process, "platform", { value: "darwin" });`;
  const argv = ["--import", `data:text/javascript,${encodeURIComponent(pretend)}`, "server-labs/start.mjs"];
  return spawnSync(process.execPath, argv, { cwd: projectRoot, encoding: "utf8" });
}

for (const node of ["18.20.8", "20.18.3", "21.7.3", "22.11.0"])
  test(`under Node ${node} the script prints which version is needed`, () => {
    const { status, stderr } = startWith(node);
    assert.equal(status, 1);
    assert.equal(
      stderr,
      `The workbook needs Node 20.19, 22.12 or newer; this is v${node}. Install a newer one from https://nodejs.org/ and try again.\n`,
    );
  });

for (const node of ["20.19.0", "22.12.0", "23.0.0", "24.0.0", "26.9.0"])
  test(`Node ${node} will do`, () => {
    const { status, stderr } = startWith(node);
    assert.equal(status, 1);
    assert.match(stderr, /^The workbook runs on Linux, because it teaches epoll\./);
  });

/**
 * The start script in a clone where nothing is installed, with an npm that only notes how it was called, and installs
 * these packages.
 */
function startFresh(t: TestContext, packages: string[]) {
  const { folder, gone } = temporaryFolder();
  t.after(gone);
  const clone = join(folder, "clone");
  const modules = join(clone, "node_modules");
  mkdirSync(join(clone, "server-labs"), { recursive: true });
  copyFileSync(join(projectRoot, "server-labs/start.mjs"), join(clone, "server-labs/start.mjs"));
  const lists = { dependencies: { koffi: "1" }, devDependencies: { vite: "1", "@types/node": "1" } };
  writeFileSync(join(clone, "package.json"), JSON.stringify({ type: "module", ...lists }));
  writeFileSync(join(clone, "package-lock.json"), "{}");
  const installed = packages.map(
    name => `mkdir -p ${modules}/${name}; echo {} > ${modules}/${name}/package.json`,
  );
  const npm = [
    "#!/bin/sh",
    `echo "NODE_ENV=$NODE_ENV $*" >> ${folder}/called`,
    `mkdir -p ${modules}`,
    ...installed,
  ];
  writeFileSync(join(folder, "npm"), npm.join("\n"), { mode: 0o755 });
  const run = () => {
    rmSync(join(folder, "called"), { force: true });
    // The command does not exist: the script ends when it has installed and built.
    const env = { PATH: `${folder}:${process.env.PATH}`, NODE_ENV: "production", npm_config_omit: "dev" };
    const ended = spawnSync(process.execPath, ["server-labs/start.mjs", "test"], {
      cwd: clone,
      env,
      encoding: "utf8",
    });
    const called = existsSync(join(folder, "called")) ? readFileSync(join(folder, "called"), "utf8") : "";
    return { ...ended, called, stamped: existsSync(join(modules, ".installed-lock")) };
  };
  return { run, modules };
}

test("a user's settings of npm leave no package out", t => {
  const { run, modules } = startFresh(t, ["koffi", "vite", "@types/node"]);
  const first = run();
  assert.match(first.called, /^NODE_ENV= ci --include=dev --include=optional --ignore-scripts=false /);
  assert.ok(first.stamped);
  assert.equal(run().called, "", "what is installed is not installed again");
  rmSync(join(modules, "vite"), { recursive: true });
  assert.match(run().called, /^NODE_ENV= ci /, "a removed package is installed again");
});

test("an installation that left packages out is not remembered as a whole one", t => {
  const { run } = startFresh(t, ["koffi"]);
  for (let i = 0; i < 2; i++) {
    const { status, stderr, stamped } = run();
    assert.equal(status, 1);
    assert.match(stderr, /did not install vite, @types\/node\. A setting of npm may leave packages out/);
    assert.ok(!stamped);
  }
});

/** The home folder of each npm. */
const homes = new WeakMap<ChildProcess, string>();

/** npm runs a script of the workbook's, in a home of its own; when the test ends, so does all that it has started. */
function npm(t: TestContext, ...args: string[]): ChildProcess {
  const { folder: home, gone } = temporaryFolder();
  const child = spawn("npm", args, {
    cwd: projectRoot,
    env: { PATH: process.env.PATH, HOME: home, LANG: "C.UTF-8", npm_config_update_notifier: "false" },
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });
  homes.set(child, home);
  t.after(() => {
    try {
      process.kill(-child.pid!, "SIGKILL");
    } catch {
      // the whole group has ended
    }
    gone();
  });
  return child;
}

/** The first line that has this; fails when the output ends without it. */
async function line(child: ChildProcess, wanted: RegExp): Promise<RegExpExecArray> {
  const lines: string[] = [];
  for await (const text of createInterface({ input: child.stdout! })) {
    const found = wanted.exec(text);
    if (found) {
      // So that no writer is held up.
      child.stdout!.resume();
      return found;
    }
    lines.push(text);
  }
  assert.fail(`there is no line like ${wanted} in:\n${lines.join("\n")}`);
}

interface Process {
  pid: number;
  parent: number;
  command: string;
  /** When it was started, in the kernel's ticks: a pid may be given away again. */
  since: string;
}

function look(pid: number): Process | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)!.split(" ");
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
    return fields[0] === "Z" ? null : { pid, parent: Number(fields[1]), command, since: fields[19]! };
  } catch {
    return null;
  }
}

/** A process and all that it has started. */
function family(pid: number): Process[] {
  const all = readdirSync("/proc").flatMap(name => (/^\d+$/.test(name) ? (look(Number(name)) ?? []) : []));
  const found = all.filter(one => one.pid === pid);
  for (const one of found) found.push(...all.filter(other => other.parent === one.pid));
  return found;
}

/** Waits until they have all ended, for as long as the lab server may take, and a little longer. */
async function ended(processes: Process[]): Promise<void> {
  const lives = () => processes.filter(one => look(one.pid)?.since === one.since);
  for (const until = Date.now() + 30_000; lives().length > 0; await sleep(20))
    if (Date.now() > until)
      assert.fail(
        `still there:\n${lives()
          .map(one => one.command)
          .join("\n")}`,
      );
}

/** `npm start`, with a program that runs in a lab; npm, the start script, the lab server and all that it started. */
async function started(t: TestContext): Promise<Process[]> {
  const child = npm(t, "start", "--", "--no-open", "--port", "0");
  const [, origin] = await line(child, /(http:\/\/\S+)\/#t=/);
  const state = join(homes.get(child)!, ".local/state/socket-workbook");
  const token = readFileSync(join(state, "token"), "utf8").trim();
  const answer = await fetch(`${origin}/api/labs/non-blocking/polling-model/run`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ text: "setInterval(() => {}, 1000);", port: 0 }),
  });
  assert.equal(answer.status, 201, await answer.text());
  const processes = family(child.pid!);
  for (const what of [/^npm start/, /server-labs\/start\.mjs/, /dist\/server-labs\/main\.js/, /program\.js/])
    assert.ok(
      processes.some(one => what.test(one.command)),
      `${what} does not run`,
    );
  return processes;
}

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGKILL"] as const)
  test(`${signal} to npm alone ends the lab server and its runs`, { timeout: 180_000 }, async t => {
    const processes = await started(t);
    process.kill(processes[0]!.pid, signal);
    await ended(processes);
  });

test("SIGKILL to the start script ends the lab server and its runs", { timeout: 180_000 }, async t => {
  const processes = await started(t);
  process.kill(processes.find(one => /server-labs\/start\.mjs/.test(one.command))!.pid, "SIGKILL");
  await ended(processes);
});

test("SIGHUP to npm alone ends the checks, too", { timeout: 180_000 }, async t => {
  const child = npm(t, "run", "--silent", "check", "--", "non-blocking/polling-model", "--starter", "--json");
  // When the first check begins, all are still to come.
  await line(child, /"state":"running"/);
  const processes = family(child.pid!);
  assert.ok(processes.some(one => /check\/main\.js/.test(one.command)));
  process.kill(child.pid!, "SIGHUP");
  await ended(processes);
});

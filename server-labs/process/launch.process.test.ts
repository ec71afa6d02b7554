import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { plainLevel } from "../fixtures/plain-sandbox.ts";
import { flow } from "./held-streams.ts";
import { type LaunchOptions, launch, madeMs } from "./launch.ts";
import { isAlive } from "./processes.ts";
import type { SandboxLevel } from "./sandbox-level.ts";

const options: LaunchOptions = {
  sandbox: plainLevel,
  command: ["/bin/true"],
  reach: { cwd: "/", readable: [], writable: [], descriptors: 100 },
  variables: {},
  mark: "launch-test/1",
  descriptors: ["pipe"],
};

test("a process that ends is followed to its end", async () => {
  const tree = await launch({ ...options, command: ["/bin/sh", "-c", "exit 7"] });
  assert.deepEqual(await tree.ended, { code: 7, signal: null, ambiguous: false });
  assert.equal(tree.program(), null);
});

test("what a program prints before it is read is kept, though it has ended", async () => {
  const tree = await launch({
    ...options,
    command: ["/bin/sh", "-c", "echo here; echo there >&2; echo me >&3"],
  });
  await tree.ended;
  const said = [tree.stdout, tree.stderr, tree.pipes[0]!].map(async stream => {
    let text = "";
    flow(stream, (chunk: Buffer) => {
      text += chunk;
    });
    await once(stream, "close");
    return text;
  });
  assert.deepEqual(await Promise.all(said), ["here\n", "there\n", "me\n"]);
});

test("a program that is not there is a sentence", async () => {
  await assert.rejects(
    launch({ ...options, command: ["/nowhere/node"] }),
    /\/nowhere\/node cannot be started: .*ENOENT/,
  );
});

test("a sandbox that cannot be made is a sentence with what it said", async () => {
  const broken: SandboxLevel = {
    level: "bubblewrap",
    statement: { code: "sandboxed", root: false },
    wrap: () => ["/bin/sh", "-c", "echo 'bwrap: no room' >&2; exit 1"],
  };
  await assert.rejects(
    launch({ ...options, sandbox: broken }),
    /The sandbox could not be made: bwrap: no room/,
  );
});

test("a sandbox that hangs while it is made is given up", { timeout: 60_000 }, async t => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const hangs: SandboxLevel = {
    level: "bubblewrap",
    statement: { code: "sandboxed", root: false },
    wrap: () => ["/bin/sleep", "1000"],
  };
  const launched = launch({ ...options, sandbox: hangs });
  t.mock.timers.tick(madeMs);
  await assert.rejects(launched, /The sandbox could not be made: it said nothing/);
});

test("children in the background end with their program, also in sessions of their own", async () => {
  const script = "setsid sleep 1000 & sleep 1000 & echo $!; read line <&3";
  const tree = await launch({ ...options, command: ["/bin/sh", "-c", script], mark: "launch-test/2" });
  const pid = Number(await new Promise<Buffer>(resolve => flow(tree.stdout, resolve)));
  assert.ok(tree.contains(pid) && !tree.contains(process.pid));
  tree.pipes[0]!.end();
  await tree.ended;
  assert.equal(isAlive(pid), false);
});

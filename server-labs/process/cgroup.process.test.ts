// The kernel's bound of a run. Where the cgroup of this process is not delegated to it, all of it is skipped. To run it:
// systemd-run --user --scope -p Delegate=yes node --import tsx e2e/process-group.ts server-labs/process/cgroup.process.test.ts
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { skipWithout } from "../fixtures/optional-program.ts";
import { ending, first, textOf, whole } from "../fixtures/run-helpers.ts";
import { openTemporaryLab, projectRoot, type TemporaryLab } from "../fixtures/temporary-lab.ts";
import { limits } from "../protocol.ts";
import { cgroupFolder, findCgroups } from "./cgroup.ts";
import { findSandbox } from "./sandbox.ts";
import { inCgroups, type SandboxLevel } from "./sandbox-level.ts";

const cgroups = await findCgroups();
const skip = cgroups ? false : "skipped: no cgroup of version 2 is delegated to this process";
const pidsOf = (folder: string) =>
  readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);

describe("a run in a cgroup", { skip }, () => {
  let at: TemporaryLab;
  let sandbox: SandboxLevel;
  let folder: string;
  const runFolders = () => readdirSync(folder).filter(name => name.startsWith("run-"));
  const python = (script: string) => `
    import { spawnSync } from "node:child_process";
    process.exit(spawnSync("python3", ["-c", ${JSON.stringify(script)}], { stdio: ["ignore", "inherit", "inherit"] }).status);`;
  const start = (text: string) => at.runs.startProgram(at.lab, { text });
  before(async () => {
    const own = cgroupFolder(
      readFileSync("/proc/self/cgroup", "utf8"),
      readFileSync("/proc/self/mountinfo", "utf8"),
    );
    folder = dirname(own!);
    sandbox = inCgroups(await findSandbox(projectRoot), cgroups);
    at = await openTemporaryLab({ sandbox });
    mkdirSync(join(at.folder, "a/b"), { recursive: true, mode: 0o777 });
  });
  after(() => at.close());

  test("has its limits and its processes there, and nothing is left after its end", {
    timeout: 120_000,
  }, async () => {
    const run = await start("console.log('here'); setInterval(() => {}, 1e6)");
    await first(run, "output");
    const [name, ...others] = runFolders();
    assert.deepEqual(others, []);
    const of = (file: string) => readFileSync(join(folder, name!, file), "utf8").trim();
    const bounds = ["memory.max", "memory.swap.max", "memory.oom.group", "pids.max"].map(of).map(Number);
    assert.deepEqual(bounds, [limits.runMemoryBytes, 0, 1, limits.runThreads]);
    const pids = pidsOf(join(folder, name!));
    assert.ok(pids.includes(run.program()!), `${pids}`);
    assert.ok(!pids.includes(process.pid));
    await run.stop();
    assert.equal(ending(await whole(run)).statement.code, "stopped");
    assert.deepEqual(runFolders(), []);
  });

  test("is ended by the kernel for memory that no process maps", {
    timeout: 120_000,
    skip: skipWithout("python3"),
  }, async () => {
    const end = ending(
      await whole(
        await start(
          python(
            "import os\nfor n in range(40):\n  fd = os.memfd_create('m')\n  for m in range(50): os.write(fd, b'x' * (1 << 20))",
          ),
        ),
      ),
    );
    assert.equal(end.statement.code, "memory-refused", end.sentence);
    assert.match(end.sentence, /^ended: its processes together had no room in the 1024 MB of memory/);
    assert.deepEqual(runFolders(), []);
  });

  test("is ended for threads", { timeout: 120_000, skip: skipWithout("python3") }, async () => {
    const events = await whole(
      await start(
        python(
          "import threading, time\nthreading.stack_size(32768)\ntry:\n  for n in range(2000): threading.Thread(target=time.sleep, args=[1000]).start()\nexcept RuntimeError: print('refused', n, flush=True)\ntime.sleep(1000)",
        ),
      ),
    );
    assert.match(textOf(events), /^refused (9\d\d|10[012]\d)$/m);
    assert.equal(
      ending(events).sentence,
      "ended: its processes had 1024 threads together, and a run may have no more",
    );
  });

  test("ends with what left its family and its environment", { timeout: 120_000 }, async () => {
    const run = await start(`
      import { spawn } from "node:child_process";
      const child = spawn("/bin/sleep", ["1000"], { detached: true, stdio: "ignore", env: {} });
      child.unref();
      console.log("left");`);
    const events = await whole(run);
    assert.equal(ending(events).sentence, "exited with 0");
    assert.deepEqual(runFolders(), []);
  });

  test("of a lab server that ended in no order is swept", async () => {
    mkdirSync(join(folder, "run-1-1-dead-1"));
    await cgroups!.sweep();
    assert.deepEqual(runFolders(), []);
  });
});

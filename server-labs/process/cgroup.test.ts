// Where a cgroup is, whether it is delegated, and what its counts say: from texts and a folder that look like the kernel's.
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { limits, sentence } from "../protocol.ts";
import { cgroupFolder, exceededOf, isDelegated } from "./cgroup.ts";

const proc = "22 1 0:20 / /proc rw,nosuid - proc proc rw";
const mounted = (root: string, point: string) =>
  `30 22 0:26 ${root} ${point} rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate`;

describe("the folder of a cgroup", () => {
  const own = "/user.slice/user-1000.slice/user@1000.service/app.slice/run-r1.scope";

  test("is its path below the mount", () => {
    const mountinfo = `${proc}\n${mounted("/", "/sys/fs/cgroup")}\n`;
    assert.equal(cgroupFolder(`0::${own}\n`, mountinfo), `/sys/fs/cgroup${own}`);
    assert.equal(cgroupFolder("0::/\n", mountinfo), "/sys/fs/cgroup");
    // Beside the hierarchies of version 1, which have names and numbers.
    assert.equal(cgroupFolder("9:name=systemd:/x\n4:memory:/y\n0::/z\n", mountinfo), "/sys/fs/cgroup/z");
  });

  test("is below the part of the hierarchy that is mounted, whatever its mount point is called", () => {
    assert.equal(
      cgroupFolder("0::/a/b/c\n", `${mounted("/other", "/x")}\n${mounted("/a", "/my\\040cgroups")}`),
      "/my cgroups/b/c",
    );
  });

  test("is not known without version 2, without a mount, or outside of the namespace", () => {
    assert.equal(cgroupFolder("4:memory:/y\n", mounted("/", "/sys/fs/cgroup")), null);
    assert.equal(cgroupFolder("0::/a\n", `${proc}\n`), null);
    assert.equal(cgroupFolder("0::/a\n", mounted("/b", "/sys/fs/cgroup")), null);
    assert.equal(cgroupFolder("0::/../a\n", mounted("/", "/sys/fs/cgroup")), null);
    assert.equal(cgroupFolder("0::/a\n", mounted("/..", "/sys/fs/cgroup")), null);
    assert.equal(cgroupFolder("", ""), null);
  });
});

describe("a cgroup", () => {
  let folder: string;
  const files: Record<string, string> = {
    "cgroup.type": "domain\n",
    "cgroup.controllers": "cpu io memory pids\n",
    "cgroup.procs": "40\n41\n",
    "cgroup.subtree_control": "",
    "memory.swap.max": "max\n",
  };
  const ours = (pid: number) => pid === 40 || pid === 41;
  const put = (name: string, text: string) => writeFileSync(join(folder, name), text);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "socket-workbook-cgroup-"));
    for (const [name, text] of Object.entries(files)) put(name, text);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("that may be written, with both controllers and no stranger in it, is delegated", () => {
    assert.equal(isDelegated(folder, ours), true);
    put("cgroup.procs", "");
    assert.equal(isDelegated(folder, ours), true);
  });

  test("with a stranger in it is not, nor with a process of another pid namespace", () => {
    put("cgroup.procs", "40\n41\n42\n");
    assert.equal(isDelegated(folder, ours), false);
    put("cgroup.procs", "40\n0\n");
    assert.equal(isDelegated(folder, ours), false);
  });

  for (const [why, name, text] of [
    ["without memory", "cgroup.controllers", "cpu pids\n"],
    ["without pids", "cgroup.controllers", "cpu memory\n"],
    ["without any controller", "cgroup.controllers", "\n"],
    ["of threads", "cgroup.type", "threaded\n"],
    ["above one of threads", "cgroup.type", "domain threaded\n"],
  ] as const)
    test(`${why} is not`, () => {
      put(name, text);
      assert.equal(isDelegated(folder, ours), false);
    });

  for (const name of Object.keys(files))
    test(`without ${name} is not`, () => {
      rmSync(join(folder, name));
      assert.equal(isDelegated(folder, ours), false);
    });

  test("that may not be written is not", { skip: process.getuid!() === 0 && "root may write it" }, () => {
    chmodSync(join(folder, "cgroup.subtree_control"), 0o444);
    assert.equal(isDelegated(folder, ours), false);
  });
});

describe("what a run had too much of", () => {
  const memory = (oom: number, killed: number) =>
    `low 0\nhigh 0\nmax 250\noom ${oom}\noom_kill ${killed}\noom_group_kill ${Math.min(oom, 1)}\n`;

  test("is memory when the kernel ended it for its own bound", () => {
    const exceeded = exceededOf(memory(1, 7), "max 0\n");
    assert.equal(
      sentence(exceeded!),
      "ended: its processes together had no room in the 1024 MB of memory that a run may have",
    );
  });

  test("is not memory when it was the machine's, or was found in time", () => {
    assert.equal(exceededOf(memory(0, 1), "max 0\n"), null);
    assert.equal(exceededOf(memory(0, 0), "max 0\n"), null);
  });

  test("is threads when one was refused", () => {
    assert.deepEqual(exceededOf(memory(0, 0), "max 3\n"), {
      code: "too-many-threads",
      most: limits.runThreads,
    });
  });

  test("is nothing when the cgroup is gone", () => {
    assert.equal(exceededOf("", ""), null);
  });
});

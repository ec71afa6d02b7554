// A run's sum: what all its processes have together ends it, and the sentence says what it was.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { skipWithout } from "../fixtures/optional-program.ts";
import { atEachSandboxLevel, ending, textOf, whole } from "../fixtures/run-helpers.ts";
import type { TemporaryLab } from "../fixtures/temporary-lab.ts";
import { limits, sentence } from "../protocol.ts";
import { memoryOf } from "./watchdog.ts";

const megabyte = 1024 * 1024;

/** Starts so many processes that each fill so many megabytes, and waits for them. */
const fills = (children: number, megabytes: number) => `
  import { spawn } from "node:child_process";
  const fill = "const b = Buffer.alloc(${megabytes} * 1024 * 1024, 1); console.log('full'); setInterval(() => b, 1e6)";
  for (let n = 0; n < ${children}; n++) spawn(process.execPath, ["-e", fill], { stdio: "inherit" });
  setInterval(() => {}, 1e6);`;

await atEachSandboxLevel("a run's sum", (make, level) => {
  let at: TemporaryLab;
  before(async () => {
    at = await make();
    // The user of the sandbox may write in it, whichever user that is.
    mkdirSync(join(at.folder, "a/b"), { recursive: true, mode: 0o777 });
  });
  after(() => at.close());
  const endOf = async (text: string) => ending(await whole(await at.runs.startProgram(at.lab, { text })));

  test("several processes that each keep to their limit are ended for what they have together", {
    timeout: 60_000,
  }, async () => {
    const end = await endOf(fills(4, 380));
    assert.equal(end.statement.code, "too-much-memory");
    assert.match(
      end.sentence,
      /^ended: its \d+ processes had \d+ MB of memory together, and a run may have 1024 MB$/,
    );
    assert.equal(end.stopped, false);
  });

  test("what processes share is counted once", {
    timeout: 60_000,
    skip: skipWithout("python3"),
  }, async () => {
    const run = await at.runs.startProgram(at.lab, {
      text: `
        import { spawnSync } from "node:child_process";
        const python = "import mmap, os\\nm = mmap.mmap(-1, 300 << 20)\\nfor i in range(0, len(m), 4096): m[i] = 1\\nfor n in range(5):\\n  if os.fork() == 0: break\\nsum(m[i] for i in range(0, len(m), 4096))\\nimport time; time.sleep(1.5)\\nprint('shared', flush=True)";
        process.exit(spawnSync("python3", ["-c", python], { stdio: ["ignore", "inherit", "inherit"] }).status);`,
    });
    const events = await whole(run);
    assert.equal(ending(events).sentence, "exited with 0", textOf(events, "stderr"));
  });

  test("a folder that is filled ends the run", { timeout: 60_000 }, async t => {
    if (level === "bubblewrap" && process.getuid!() === 0)
      return t.skip("As root the sandbox's user may write nowhere in the lab's folder.");
    const end = await endOf(`
      import { writeFileSync } from "node:fs";
      for (let n = 0; n < 6; n++) writeFileSync("fill" + n + ".bin", Buffer.alloc(60 * 1024 * 1024, 1));
      setInterval(() => {}, 1e6);`);
    assert.equal(end.statement.code, "folder-too-large");
    assert.match(
      end.sentence,
      /^ended: it added \d+ MB to its lab's folder, and a run may add 256 MB\. Remove there/,
    );
  });

  test("more processes than a run may have", { timeout: 60_000 }, async () => {
    const events = await whole(
      await at.runs.startProgram(at.lab, {
        text: `
          import { spawn } from "node:child_process";
          for (let n = 0; n < 200; n++) spawn("/bin/sleep", ["100"], { stdio: "ignore" });
          setInterval(() => {}, 1e6);`,
      }),
    );
    assert.equal(ending(events).statement.code, "too-many-processes");
  });

  test("/dev/shm has an end, and nothing else of /dev is writable", {
    skip: level === "plain" && "Only a sandbox has a /dev of its own.",
  }, async () => {
    const events = await whole(
      await at.runs.startProgram(at.lab, {
        text: `
          import { writeFileSync } from "node:fs";
          const attempt = (path, bytes) => {
            try { writeFileSync(path, Buffer.alloc(bytes)); return "written"; } catch (error) { return error.code; }
          };
          console.log(attempt("/dev/shm/small", 1024), attempt("/dev/shm/a", 40 << 20), attempt("/dev/shm/b", 40 << 20),
            attempt("/dev/file", 1), attempt("/dev/null", 1));`,
      }),
    );
    assert.match(textOf(events), /^written written ENOSPC (EROFS|EACCES) written$/m);
  });
});

test("a process that ends between the two looks has no memory any more", () => {
  const alive = new Map([1, 2, 3].map(pid => [pid, 500]));
  const look = {
    residentBytes: (pid: number) => alive.get(pid) ?? 0,
    proportionalBytes: (pid: number) => {
      alive.delete(3);
      return alive.has(pid) ? 300 : null;
    },
  };
  assert.equal(memoryOf([1, 2, 3], 1000, look), 600);
});

test("the sandbox's sentence has the limits that hold", () => {
  const said = [false, true].map(cgroup => sentence({ code: "sandboxed", root: false, cgroup }));
  for (const bytes of [limits.runMemoryBytes, limits.runFolderBytes])
    for (const one of said) assert.ok(one.includes(`more than ${bytes / megabyte} MB`), one);
  assert.ok(said[1]!.includes(`more than ${limits.runThreads} threads`), said[1]);
});

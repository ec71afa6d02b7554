import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { firstWords } from "../fixtures/first-words.ts";
import { atBestLevel, ending, first, fixture, textOf, whole } from "../fixtures/run-helpers.ts";
import type { TemporaryLab } from "../fixtures/temporary-lab.ts";
import type { Event } from "../protocol.ts";
import type { ProcessRun } from "../runs/run.ts";
import { isAlive } from "./processes.ts";
import type { Spare } from "./spare.ts";
import { mostAgeMs } from "./spares.ts";

/** The timer of Node, also while a test mocks timers. */
const { setTimeout: realTimeout } = globalThis;
/** A process of another parent ends without an event: the next probe comes after 5 ms, off the processor. */
const soon = () => new Promise(resolve => realTimeout(resolve, 5));

async function untilGone(pid: number): Promise<void> {
  while (isAlive(pid)) await soon();
}

/** The spare of a lab server, when it waits; a newer one than this. */
async function waiting({ runs }: TemporaryLab, older: Spare | null = null): Promise<Spare & { pid: number }> {
  while (!runs.spare || runs.spare === older) await soon();
  const { spare } = runs;
  assert.ok(await spare.ready, "it waits");
  assert.ok(spare.pid !== null && isAlive(spare.pid));
  return spare as Spare & { pid: number };
}

/** What a run said, without what differs between any two runs. */
function story(run: ProcessRun, events: Event[]) {
  const kinds = events.filter(e => e.type !== "syscalls").map(e => e.type);
  const calls = new Map(
    events.flatMap(e => (e.type === "syscalls" ? e.calls.map(c => [c.n, `${c.call}:${c.line}`]) : [])),
  );
  const { code, signal, sentence } = ending(events);
  const plain = (text: string) => text.replaceAll(String(run.port), "PORT");
  return {
    kinds: kinds.filter((kind, i) => kind !== "output" || kinds[i - 1] !== "output"),
    calls: [...calls.values()],
    stdout: textOf(events),
    stderr: textOf(events, "stderr"),
    ending: [code, signal, plain(sentence)],
  };
}

await atBestLevel("a spare", (make, level) => {
  let at: TemporaryLab;
  before(async () => {
    at = await make({ spare: true });
  });
  after(() => at.close());
  const marked = "console.log(process.env.LAB_RUN, process.cwd());";
  const start = (text: string, lab = at.lab) => at.runs.startProgram(lab, { text, port: 0 });

  for (const [what, text] of Object.entries({
    prints: "console.log('one'); console.error('two'); console.log('three');",
    throws: fixture("throws.ts"),
    "exits by itself": fixture("exits-with.ts"),
    listens: fixture("listens.ts"),
    "is no JavaScript": "let a = 1; let a = 2;",
  })) {
    test(`a program that ${what} says the same, in the same order, from a cold and from a warm start`, async () => {
      const lab = await make({ spare: true });
      const read = async () => {
        const run = await lab.runs.startProgram(lab.lab, { text, port: 0 });
        if (what === "listens") {
          await first(run, "listening");
          await first(run, "syscalls", ({ calls }) => calls.some(call => call.call === "accept4"));
          await run.stop();
        }
        return story(run, await whole(run));
      };
      try {
        assert.equal(lab.runs.spare, null);
        const cold = await read();
        const spare = await waiting(lab);
        assert.deepEqual(await read(), cold);
        assert.ok(spare.used);
        if (what === "throws") assert.match(cold.stderr, /\/a\/b\/server\.ts:9\n/);
        if (what === "listens")
          assert.equal(cold.calls.join(" "), "socket:4 setsockopt:5 bind:6 listen:7 accept4:9");
      } finally {
        await lab.close();
      }
    });
  }

  test("it waits for the lab that is open, and another takes its place after each run", async () => {
    const close = at.runs.open(at.lab);
    const one = await waiting(at);
    assert.equal(at.runs.current(at.lab).program, null, "it is no run");
    const run = await start(marked);
    assert.equal(textOf(await whole(run)).split(" ")[0], one.folder.mark);
    const two = await waiting(at);
    assert.notEqual(two, one);
    assert.ok(!existsSync(one.folder.path) && existsSync(two.folder.path));
    close();
  });

  test("two runs in a row, the second before the first has printed", async () => {
    const spare = await waiting(at);
    const [one, two] = await Promise.all([
      start("console.log('one'); for (;;);"),
      start("console.log('two');"),
    ]);
    assert.ok(spare.used && one.log.ended);
    assert.equal(ending(await whole(one)).stopped, true);
    assert.equal(textOf(await whole(two)), "two\n");
  });

  test("when it has died, the next start is cold and not an error", async () => {
    const spare = await waiting(at);
    process.kill(spare.pid, "SIGKILL");
    await untilGone(spare.pid);
    const events = await whole(await start(marked));
    assert.deepEqual(
      events.map(e => e.type),
      ["starting", "output", "exited"],
    );
    assert.ok(!spare.used && textOf(events).split(" ")[0] !== spare.folder.mark);
  });

  test("one that does not get ready is used all the same: it is ahead of a new one", async () => {
    const spare = await waiting(at);
    process.kill(spare.pid, "SIGKILL");
    await untilGone(spare.pid);
    const close = at.runs.open(at.lab);
    while (at.runs.spare === spare) await soon();
    const loading = at.runs.spare!;
    assert.equal(textOf(await whole(await start(marked))).split(" ")[0], loading.folder.mark);
    close();
  });

  test("it is of no use to another lab, and goes where the runs go", async () => {
    const spare = await waiting(at);
    const text = textOf(await whole(await start(marked, at.other)));
    assert.ok(text.endsWith(` ${at.folder}/a/c\n`) && !spare.used);
    const next = await waiting(at, spare);
    await whole(await start(marked, at.other));
    assert.ok(next.used);
    await untilGone(spare.pid);
  });

  test("a workspace folder that was removed and made again is seen", async () => {
    const elsewhere = at.runs.spare;
    await whole(await start(marked));
    const spare = await waiting(at, elsewhere);
    rmSync(join(at.folder, "a/b"), { recursive: true });
    mkdirSync(join(at.folder, "a/b"));
    writeFileSync(join(at.folder, "a/b/new.txt"), "new");
    const run = await start(
      "import { readFileSync } from 'node:fs'; console.log(readFileSync('new.txt', 'utf8'));",
    );
    assert.equal(textOf(await whole(run)), "new\n");
    assert.ok(!spare.used);
  });

  test("where the document root is another, or is gone, the folder is made ready before a start", async () => {
    const elsewhere = at.runs.spare;
    await whole(await start(marked));
    const spare = await waiting(at, elsewhere);
    mkdirSync(join(at.folder, "a/b/html"));
    await whole(await start(marked));
    assert.ok(!spare.used);
    const next = await waiting(at, spare);
    await whole(await start(marked));
    assert.ok(next.used, "nothing has changed since");
    rmSync(join(at.folder, "a/b/html"), { recursive: true });
  });

  test("a runtime that was built anew is the one that runs, in whatever folder of the build its files lie", async () => {
    const packageRoot = realpathSync(mkdtempSync(join(tmpdir(), "socket-workbook-package-")));
    const built = join(packageRoot, "dist/server-labs");
    const write = (file: string, text: string) => {
      mkdirSync(dirname(join(built, file)), { recursive: true });
      writeFileSync(join(built, file), text);
    };
    write("../../package.json", '{ "type": "module" }');
    write(
      "runtime/program.js",
      `import { readSync, writeSync } from "node:fs";
      import { name } from "./sys/name.js";
      writeSync(3, "\\n");
      readSync(3, new Uint8Array(65536));
      console.log(name);`,
    );
    write("runtime/sys/name.js", 'export { name } from "../../trace/name.js";');
    write("trace/name.js", 'export const name = "beside";');
    const lab = await make({ packageRoot, spare: true });
    lab.runs.open(lab.lab);
    const run = async () => {
      await waiting(lab);
      return textOf(await whole(await lab.runs.startProgram(lab.lab, { text: "" })));
    };
    assert.equal(await run(), "beside\n");
    await waiting(lab);
    write("trace/name.js", 'export const name = "beside the runtime";');
    assert.equal(await run(), "beside the runtime\n");
    await waiting(lab);
    write("runtime/sys/name.js", 'export const name = "below";');
    assert.equal(await run(), "below\n");
    await waiting(lab);
    write("runtime/program.js", 'console.log("no spare");');
    assert.equal(textOf(await whole(await lab.runs.startProgram(lab.lab, { text: "" }))), "no spare\n");
    await lab.close();
    rmSync(packageRoot, { recursive: true });
  });

  test("one that has waited for long is renewed as long as its lab is open", async t => {
    const lab = await make({ spare: true });
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const close = lab.runs.open(lab.lab);
    const one = await waiting(lab);
    t.mock.timers.tick(mostAgeMs);
    const two = await waiting(lab, one);
    close();
    t.mock.timers.tick(mostAgeMs);
    assert.equal(lab.runs.spare, null);
    t.mock.timers.reset();
    await lab.close();
    assert.ok(!isAlive(one.pid) && !isAlive(two.pid));
  });

  test("it ends with the lab server, and leaves nothing", async () => {
    const lab = await make({ spare: true });
    lab.runs.open(lab.lab);
    const spare = await waiting(lab);
    await lab.close();
    assert.ok(!isAlive(spare.pid) && !existsSync(spare.folder.path));
    assert.equal(lab.runs.spare, null);
  });

  test("the lab server's SIGKILL takes it along", { timeout: 60_000 }, async () => {
    const keeper = fileURLToPath(new URL("../fixtures/spare-keeper.ts", import.meta.url));
    const server = spawn(process.execPath, ["--import", "tsx", keeper], {
      stdio: ["ignore", "pipe", "inherit"],
      // Its temporary files go with this test's: it cannot clean up after itself.
      env: { ...process.env, TMPDIR: at.folder, WORKBOOK_SANDBOX: level === "plain" ? "off" : level },
    });
    try {
      const said = await firstWords(server);
      const pid = Number(said);
      assert.ok(isAlive(pid), said);
      server.kill("SIGKILL");
      await untilGone(pid);
    } finally {
      server.kill("SIGKILL");
    }
  });
});

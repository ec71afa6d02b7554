import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Compiler } from "./compiler.ts";
import { strip } from "./strip.ts";

const typed = `const word: string = "first";\n`;
const blanked = { javascript: `const word         = "first";\n`, imports: [] };

function compiler(t: TestContext, idle?: number): Compiler {
  const made = new Compiler(idle);
  t.after(() => made.close());
  return made;
}

/** No event reports the end of a process that the compiler has let go. */
async function gone(pid: number): Promise<void> {
  while (existsSync(`/proc/${pid}`)) await sleep(10);
}

test("texts are blanked in another process as they are in this one, also several at once", async t => {
  const { strip: there } = compiler(t);
  const texts = [typed, "enum Colour { Red }", "const a = ;", `import { a } from "./a.ts";\na();\n`];
  const answers = await Promise.all(texts.map(text => there("server.ts", text)));
  assert.deepEqual(answers, await Promise.all(texts.map(text => strip("server.ts", text))));
  assert.deepEqual(answers[0], blanked);
});

test("the process is loaded ahead of time, ends when it has nothing to do, and is started again", async t => {
  const idle = compiler(t, 50);
  assert.equal(idle.pid, null);
  idle.load();
  const first = idle.pid!;
  await gone(first);
  assert.equal(idle.pid, null);
  assert.deepEqual(await idle.strip("server.ts", typed), blanked);
  const second = idle.pid!;
  assert.notEqual(second, first);
  await gone(second);
});

test("a text that waits keeps its process, however long the compiler takes to load", async t => {
  const idle = compiler(t, 0);
  idle.load();
  const { pid } = idle;
  const stripped = idle.strip("server.ts", typed);
  assert.equal(idle.pid, pid);
  assert.deepEqual(await stripped, blanked);
});

test("a process that is killed is replaced, and its texts are read by the next one", async t => {
  const killed = compiler(t);
  const stripped = killed.strip("server.ts", typed);
  process.kill(killed.pid!, "SIGKILL");
  assert.deepEqual(await stripped, blanked);
});

test("a text at which one process after the other ends is given up, and the next text is not", async t => {
  const killed = compiler(t);
  const stripped = killed.strip("server.ts", typed);
  const first = killed.pid!;
  const refused = assert.rejects(stripped, {
    message: "The compiler ended by itself (SIGKILL) while it read server.ts.",
  });
  process.kill(first, "SIGKILL");
  while (killed.pid === first) await sleep(1);
  process.kill(killed.pid!, "SIGKILL");
  await refused;
  assert.deepEqual(await killed.strip("server.ts", typed), blanked);
});

test("after close() nothing is left, and nothing is read", async t => {
  const closed = compiler(t);
  const stripped = closed.strip("server.ts", typed);
  const pid = closed.pid!;
  closed.close();
  await assert.rejects(stripped, { message: "The compiler was closed." });
  await gone(pid);
  await assert.rejects(closed.strip("server.ts", typed), { message: "The compiler was closed." });
  assert.equal(closed.pid, null);
});

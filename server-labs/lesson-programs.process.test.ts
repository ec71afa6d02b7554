// Lesson programs. What the programs of lessons without a lab print is what their lesson says that they print; of what
// depends on the machine, the order and not the time.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const chapter = fileURLToPath(new URL("../chapters/03-coroutines", import.meta.url));
const prose = (lesson: string) => readFileSync(join(chapter, lesson, "lesson.md"), "utf8").split("\n");

/** Runs a command in the folder of a lesson's programs. @returns its lines, of standard output and then of errors */
function linesOf(lesson: string, command: string, args: string[], env: NodeJS.ProcessEnv = {}) {
  return new Promise<string[]>(resolve => {
    const options = { cwd: join(chapter, lesson, "code"), env: { ...process.env, ...env }, timeout: 60_000 };
    execFile(command, args, options, (_error, output, errors) =>
      resolve(`${output}\n${errors}`.split("\n").filter(line => line.trim() !== "")),
    );
  });
}
const programOf = (lesson: string, file: string) =>
  linesOf(lesson, process.execPath, ["--import", "tsx", file]);

async function freePort(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return String(port);
}

for (const [lesson, file] of [
  ["01-callbacks", "finally.ts"],
  ["08-between-two-waits", "seats.ts"],
  ["08-between-two-waits", "queue.ts"],
] as const)
  test(`${lesson}: ${file} prints what its lesson shows`, async () => {
    const lines = await programOf(lesson, file);
    const text = prose(lesson);
    const from = text.indexOf(lines[0]!);
    assert.notEqual(from, -1, `"${lines[0]}" is not in the lesson.`);
    assert.deepEqual(text.slice(from, from + lines.length), lines);
  });

test("08-between-two-waits: bad-request.ts serves the others, and a nursery ends them", async () => {
  const lines = await programOf("08-between-two-waits", "bad-request.ts");
  assert.deepEqual(lines.slice(0, 4), [
    "served one",
    "served two",
    "alone: 3 tasks have ended",
    "together: bad request",
  ]);
});

test("01-callbacks: a stack trace names serve where its frame still exists, in the lines that the lesson says", async () => {
  const known = prose("01-callbacks");
  const PORT = await freePort();
  for (const [server, namesServe] of [
    ["blocking", true],
    ["callbacks", false],
    ["coroutines", true],
  ] as const) {
    const lines = await linesOf("01-callbacks", "bash", ["visit.sh", server, "1", "green", "lemonade"], {
      PORT,
    });
    assert.equal(lines[0], "Tip?");
    const frames = lines.filter(line => line.includes(".ts:"));
    assert.equal(
      frames.some(line => line.startsWith("  serve ")),
      namesServe,
      lines.join("\n"),
    );
    for (const frame of frames) assert.ok(known.includes(frame), `"${frame}" is not in the lesson.`);
  }
});

test("01-callbacks: beside a silent client, only the blocking server has no answer", async () => {
  const PORT = await freePort();
  const order = ["2", "green", "black", "3"];
  for (const [server, answer] of [
    ["blocking", "no answer"],
    ["callbacks", "Thank you for 3."],
    ["coroutines", "Thank you for 3."],
  ] as const) {
    const alone = await linesOf("01-callbacks", "bash", ["visit.sh", server, ...order], { PORT });
    assert.equal(alone[0], "Thank you for 3.");
    const beside = await linesOf("01-callbacks", "bash", ["visit.sh", server, ...order], {
      PORT,
      SILENT: "1",
    });
    assert.equal(beside[0], answer);
  }
});

test("07-what-still-blocks: computing, opening a FIFO and a full pipe keep the other tasks waiting", async () => {
  const lines = await programOf("07-what-still-blocks", "count.ts");
  const [whole, , cached] = lines.map(line => Number(/(\d+) ms$/.exec(line)?.[1]));
  assert.ok(whole! >= 250 && cached! >= 250, lines.join("\n"));
  const files = await programOf("07-what-still-blocks", "file.ts");
  assert.match(files[0]!, /EPERM/);
  assert.deepEqual(
    files.filter(line => line.startsWith("read")),
    ['read "tea\\n"', 'read "tea\\n"'],
  );
  const [log] = await programOf("07-what-still-blocks", "log.ts");
  assert.ok(Number(/(\d+) ms$/.exec(log!)?.[1]) >= 700, log);
});

// The program process: output, errors, bad commands, clocks, and the end of its parent.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { name, programFile, Running } from "../../fixtures/built-runtime.ts";
import { programFlags } from "../../lib/node-flags.ts";

test("it runs the file as a program of its own, without a sign of the lab server", async () => {
  const { code, stdout, stderr } = await new Running().program(
    `
    console.log(JSON.stringify([process.argv.slice(1), process.env.LAB_CONTROL_FD ?? null, process.env.LAB_TRACE_FD ?? null]));
    console.error("to stderr");
    process.stdout.write("a", "utf8", () => process.stdout.end("b"));`,
    "7890",
  ).ended;
  assert.equal(stdout, `${JSON.stringify([[name, "7890"], null, null])}\nab`);
  assert.equal(stderr, "to stderr\n");
  assert.equal(code, 0);
});

// Ten times what a pipe holds.
const lines = Array.from({ length: 30_000 }, (_, i) => `line ${i}, 你好\n`).join("");
for (const [end, how] of Object.entries({
  returns: "",
  "calls process.exit": "process.exit(0)",
  throws: "throw new Error('on purpose')",
  "is ended by SIGSEGV": "process.kill(process.pid, 'SIGSEGV')",
  "blocks and is killed": "console.error('there'); sleep(1e9)",
})) {
  for (const blocking of [true, false]) {
    const program = `
      import { Socket, sleep } from "workbook/net";
      new Socket({ fd: 1 }).setBlocking(${blocking});
      for (let i = 0; i < 30_000; i++) console.log("line %d, 你好", i);
      ${how}`;
    test(`no line is lost when a program with a ${blocking ? "" : "non-"}blocking stdout ${end}`, async () => {
      const running = new Running().program(program);
      if (how.includes("sleep")) {
        await once(running.child.stderr!, "data");
        running.child.kill("SIGKILL");
      }
      assert.equal((await running.ended).stdout === lines, true);
    });
  }
}

test("an uncaught error ends it as in Node, and names the student's line", async () => {
  const { code, stderr } = await new Running().program(`
import { Socket } from "workbook/net";
function open() {
  new Socket().bind({ port: "7890" });
}
open();`).ended;
  assert.equal(code, 1);
  assert.equal(
    stderr,
    `file://${name}:4
  new Socket().bind({ port: "7890" });
               ^

TypeError: bind takes a port that is a number, not "7890". Arguments of a program are strings: Number(process.argv[2]).
    at open (file://${name}:4:16)
    at file://${name}:6:1
`,
  );
});

for (const [what, program, expected] of [
  [
    "a rejection",
    "await null; Promise.reject(new Error('not awaited'));",
    /server\.ts:1\n[\s\S]*Error: not awaited\n/,
  ],
  [
    "an error in a timer",
    "setTimeout(() => { null.x; }, 1);",
    /server\.ts:1\n.*\n +\^\n\nTypeError: Cannot read/,
  ],
  [
    "a syntax error",
    "import { Sockett } from 'workbook/net';",
    /server\.ts:1\n[\s\S]*does not provide an export named 'Sockett'/,
  ],
  ["a module that is not there", "import 'workbook/nett';", /Package subpath '.\/nett' is not defined/],
  ["a string", "throw 'a string';", /Uncaught 'a string'/],
] as const) {
  test(`${what} that is not caught is reported, and the exit code is 1`, async () => {
    const { code, stderr } = await new Running().program(program).ended;
    assert.match(stderr, expected);
    assert.doesNotMatch(stderr, /dist\/server-labs\/runtime\/.*:\d+|node:internal/);
    assert.equal(code, 1);
  });
}

test("a program that handles its uncaught errors goes on", async () => {
  const { code, stdout, stderr } = await new Running().program(`
    process.on("uncaughtException", error => console.log("handled", error.message));
    setTimeout(() => console.log("goes on"), 10);
    throw new Error("on purpose");`).ended;
  assert.deepEqual(
    { code, stdout, stderr },
    { code: 0, stdout: "handled on purpose\ngoes on\n", stderr: "" },
  );
});

test("an await that never ends gives an error and exit code 13", async () => {
  const { code, stderr } = await new Running().program("await new Promise(() => {});").ended;
  assert.equal(code, 13);
  assert.match(stderr, /top-level await was still waiting/);
});

test("a program that waits for standard input reads that there is no input", async () => {
  const { code, stderr } = await new Running().program(
    'await new Promise(resolve => process.stdin.once("data", resolve));',
  ).ended;
  assert.equal(code, 13);
  assert.match(stderr, /there is no input here/);
  assert.doesNotMatch(stderr, /top-level await/);
});

const file = "/nowhere/server.mjs";
for (const [input, sentence] of [
  ["", /the control socket ended before a command came/],
  ["{", /the control socket ended before a command came/],
  ["hello\n", /a command is one line of JSON\. A line is not JSON: "hello"/],
  ["null\n", /must be of type "program", not undefined/],
  ['{"type":"pause"}\n', /must be of type "program", not "pause"/],
  ['{"type":"program"}\n', /file must be an absolute path/],
  ['{"type":"program","file":"server.mjs"}\n', /file must be an absolute path/],
  [`{"type":"program","file":"${file}","name":7}\n`, /name must be an absolute path/],
  [`{"type":"program","file":"${file}","name":"${file}","args":[7890]}\n`, /args must be a list of strings/],
  ["x".repeat(70_000), /a command is one line of JSON\. A line is longer than 65536 bytes: "x/],
] as const) {
  test(`a bad command gives a sentence and exit code 70: ${JSON.stringify(input.slice(0, 70))}`, async () => {
    const running = new Running();
    running.control.end(input);
    const { code, stdout, stderr } = await running.ended;
    assert.match(stderr, /^The workbook's runtime could not start a program: .*\.\n$/);
    assert.match(stderr, sentence);
    assert.deepEqual([code, stdout], [70, ""]);
  });
}

test("a trace memory that cannot be mapped gives a sentence and exit code 70", async () => {
  const { code, stderr } = await new Running({ LAB_CONTROL_FD: "3", LAB_TRACE_FD: "99" }).program("").ended;
  assert.match(
    stderr,
    /LAB_TRACE_FD=99 is not a trace memory: cannot map \d+ bytes of descriptor 99: Bad file descriptor\.\n$/,
  );
  assert.equal(code, 70);
});

for (const [environment, sentence] of [
  [{}, /the lab server must set LAB_CONTROL_FD/],
  [{ LAB_CONTROL_FD: "three" }, /LAB_CONTROL_FD must be the number of a descriptor, not "three"/],
  [{ LAB_CONTROL_FD: "99" }, /LAB_CONTROL_FD=99 cannot be read: EBADF/],
] as const) {
  test(`a bad environment gives a sentence and exit code 70: ${JSON.stringify(environment)}`, async () => {
    const { code, stderr } = await new Running(environment).ended;
    assert.match(stderr, sentence);
    assert.equal(code, 70);
  });
}

test("the program's clocks do not count the time before its command came", async () => {
  const began = Date.now();
  const running = new Running();
  await once(running.control, "data");
  const ready = Date.now();
  // While it waits, three other programs start and end: that takes longer than its own start, which its clocks count.
  for (let i = 0; i < 3; i++) await new Running().program("").ended;
  const commanded = Date.now();
  const { stdout } = await running.program(`
    console.log(performance.timeOrigin, performance.now(), process.uptime() * 1000, Date.now(), performance.now());
    `).ended;
  const [origin, before, uptime, date, after] = stdout.split(" ").map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ];
  // The clocks of Date and of performance may round by a millisecond or two, each.
  assert.ok(origin >= began + (commanded - ready) - 5, `${origin} ${began} ${ready} ${commanded}`);
  assert.ok(date >= origin + before - 5 && date <= origin + after + 5, stdout);
  assert.ok(uptime >= before - 50 && uptime <= after + 50, stdout);
});

test("a command can come in pieces", async () => {
  const running = new Running();
  const command = JSON.stringify({ type: "program", file, name, args: [] });
  running.send(command.slice(0, 20));
  await new Promise(resolve => setImmediate(resolve));
  running.send(`${command.slice(20)}\n{"type":"later"}\n`);
  const { code, stderr } = await running.ended;
  assert.match(stderr, /its text cannot be read: ENOENT/, "it has tried to load the file");
  assert.equal(code, 70);
});

test("it dies with the process that started it, even inside a call that never returns", async () => {
  const script = `
    const { spawn } = require("node:child_process");
    const child = spawn(process.execPath, ${JSON.stringify([...programFlags, programFile])}, {
      stdio: ["ignore", "inherit", "inherit", "pipe"], env: { ...process.env, LAB_CONTROL_FD: "3" } });
    child.stdio[3].write(process.argv[1]);`;
  const running = new Running();
  running.program('import { sleep } from "workbook/net"; console.log("asleep"); sleep(1e9);');
  await once(running.child.stdout!, "data");
  const server = `server-${running.child.pid}.mjs`;
  const command = JSON.stringify({
    type: "program",
    file: name.replace("server.ts", server),
    name,
    args: [],
  });
  const parent = spawn(process.execPath, ["-e", script, `${command}\n`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(parent.stdout!, "data");
  parent.kill("SIGKILL");
  // Parent and program hold this pipe: it ends when both have died.
  await once(parent.stdout!.resume(), "end");
  await running.kill();
});

// Small things: the journal, expectations, what is printed, /proc.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { expect } from "./expect.ts";
import { CheckFailure } from "./failure.ts";
import { count, Journal, quoted } from "./journal.ts";
import { Printed } from "./printed.ts";
import { descriptors, family, processState, socketInodes, tcpSockets } from "./proc.ts";

test("a long story keeps its beginning and its end, and says how much is missing", () => {
  const journal = new Journal();
  for (let i = 0; i < 100; i++) journal.note(`step ${i}`);
  const lines = journal.lines();
  assert.match(lines[0]!, /step 0$/);
  assert.match(lines.at(-1)!, /step 99$/);
  assert.match(lines[6]!, /… 80 more …/);
  assert.equal(lines.length, 21);
});

test("what many clients do one after another is one line", () => {
  const journal = new Journal();
  for (let i = 1; i <= 50; i++) journal.note(`client ${i} sends "x"`);
  journal.note("client 50 closes");
  journal.note("client 49 closes");
  const lines = journal.lines().map(line => line.replace(/^ *\d+ ms {2}/, ""));
  assert.deepEqual(lines, [
    'client 1 sends "x" (and so 49 others, to client 50)',
    "client 50 closes (and so 1 other, to client 49)",
  ]);
});

test("bytes are quoted with what cannot be seen, and cut in the middle", () => {
  assert.equal(quoted('a\r\n\x00é"'), '"a\\r\\n\\x00é\\""');
  assert.equal(quoted(Uint8Array.of(0x61, 0xff)), '"a\\xff"');
  assert.equal(quoted("小\u2028明\u3000\ufeff 🍵"), '"小\\xe2\\x80\\xa8明\\xe3\\x80\\x80\\xef\\xbb\\xbf 🍵"');
  assert.equal(
    quoted(Buffer.from("输入").subarray(1)),
    '"\\xbe\\x93入"',
    "half a character, and a whole one",
  );
  assert.equal(quoted("x".repeat(1000), 10), '"xxxxx … xxxxx" (1,000 bytes)');
  assert.equal(count(1, "byte"), "1 byte");
});

test("an expectation that fails is a sentence with what was expected and what was", () => {
  const failure = (act: () => void) => {
    try {
      act();
    } catch (error) {
      assert.ok(error instanceof CheckFailure);
      return error.failure;
    }
    throw new Error("it did not fail");
  };
  assert.deepEqual(
    failure(() => expect(7, "Too many.").atMost(3, { because: "it is so" })),
    { summary: "Too many.", expected: "at most 3", actual: "7", because: "it is so" },
  );
  assert.equal(failure(() => expect("abc", "No.").contains("x")).expected, '"x"');
  assert.equal(failure(() => expect(null, "Nothing.").ok()).summary, "Nothing.");
  assert.equal(failure(() => expect(Number.NaN, "No number.").atMost(3)).actual, "NaN");
  expect({ a: [1] }, "").equal({ a: [1] });
  expect(3, "").atLeast(3);
  expect(Buffer.from("GET /"), "").contains(/^GET/);
  assert.throws(() => expect("3", "").atMost(4), TypeError);
});

test("all output is counted; the end of it is kept", async () => {
  const printed = new Printed();
  const stream = new PassThrough();
  printed.drain(stream);
  for (let i = 0; i < 400; i++) stream.write(`${i} ${"x".repeat(9999)}\n`);
  stream.end("the end\n");
  await new Promise(resolve => stream.on("end", resolve));
  assert.equal(printed.lines, 401);
  assert.ok(printed.bytes > 4_000_000);
  assert.equal(printed.since(printed.bytes - 8), "the end\n");
  assert.ok(printed.since(0).length < 1.1 * 1024 * 1024);
  assert.equal(printed.tail(1)[0], "the end");
});

test("what the kernel knows of us", async () => {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const row = tcpSockets().find(one => one.localPort === port)!;
  assert.equal(row.state, "LISTEN");
  assert.ok(socketInodes(process.pid).has(row.inode));
  assert.ok(descriptors(process.pid).has(0));
  assert.equal(processState(process.pid), "R");
  assert.ok(family(process.ppid).includes(process.pid));
  assert.equal(processState(2 ** 22 + 1), null);
  server.close();
});

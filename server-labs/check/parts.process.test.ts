// Parts of a check: expectations, the server's output, process facts.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { tcpSockets } from "../clients/sock-diag.ts";
import { expect } from "./expect.ts";
import { CheckFailure } from "./outcome.ts";
import { openDescriptors, processTree, runState, socketInodes } from "./proc.ts";
import { OutputBuffer } from "./server-output.ts";

test("a failed expectation has its sentence, the expected and the actual value", () => {
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

test("all output is counted, and its end is kept", async () => {
  const output = new OutputBuffer();
  const stream = new PassThrough();
  output.drain(stream);
  for (let i = 0; i < 400; i++) stream.write(`${i} ${"x".repeat(9999)}\n`);
  stream.end("the end\n");
  await new Promise(resolve => stream.on("end", resolve));
  assert.equal(output.lines, 401);
  assert.ok(output.bytes > 4_000_000);
  assert.equal(output.since(output.bytes - 8), "the end\n");
  assert.ok(output.since(0).length < 1.1 * 1024 * 1024);
  assert.equal(output.lastLines(1)[0], "the end");
});

test("/proc describes this process", async () => {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const row = tcpSockets().find(one => one.localPort === port)!;
  assert.equal(row.state, "LISTEN");
  assert.ok(socketInodes(process.pid).has(row.inode));
  assert.ok(openDescriptors(process.pid).has(0));
  assert.equal(runState(process.pid), "R");
  assert.ok(processTree(process.ppid).includes(process.pid));
  assert.equal(runState(2 ** 22 + 1), null);
  server.close();
});

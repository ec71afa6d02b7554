// Clients and server as a check uses them, against an echo server: each test is one check.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { checkFixture } from "../check/fixtures/check-fixture.ts";
import type { Tools } from "../check/tools.ts";
import { clock } from "../lib/clock.ts";
import { socketByPorts } from "./sock-diag.ts";

/** A test in the form of a check: the test fails with what the check throws. */
const inCheck = (name: string, body: (tools: Tools) => Promise<void>) =>
  test(name, async () => {
    const outcome = await checkFixture("echoes/solution.ts", body);
    assert.equal(outcome.state, "passed", JSON.stringify(outcome.failure, null, 2));
  });

/** The line of the server that has this text. */
function lineOf(text: string): number {
  const source = readFileSync(new URL("../check/fixtures/echoes/solution.ts", import.meta.url), "utf8");
  return source.slice(0, source.indexOf(text)).split("\n").length;
}

inCheck("a client sends something and receives the answer", async ({ client }) => {
  const one = (await client()).send("hello");
  assert.match((await one.receives(/h.llo/)) ?? "", /hello/);
});

inCheck("what came between the last read and the stop is parsed", async ({ server, client }) => {
  const one = await client();
  await server.stop();
  await one.send("hello").sent();
  const whole = (bytes: Buffer) =>
    ({ [bytes.includes("hello") ? "length" : "need"]: 5 }) as { length: number };
  // This process reads nothing in here, as if the machine had no time for it.
  const stop = () => {
    server.continue();
    while (socketByPorts(one.port, server.port)?.recvQueue === 0);
    return true;
  };
  assert.deepEqual(await one.parses(whole, { stop }), { length: 5 });
});

inCheck("bytes come as they were sent", async ({ client, until }) => {
  const bytes = Buffer.from([0, 255, 128, 13, 10, 0]);
  const one = (await client()).send(bytes);
  await until(() => one.receivedBytes === bytes.length, 30_000);
  assert.deepEqual(one.received, bytes);
});

inCheck(
  "the kernel counts the segments that came, and knows when the last one came",
  async ({ server, client }) => {
    const one = await client();
    await server.stop();
    one.send("hello");
    const start = clock();
    while (clock() - start < 60) await new Promise(setImmediate);
    server.continue();
    assert.ok(await one.receives("hello"));
    const { segments, afterSending } = one.delivery();
    assert.equal(segments, 1);
    assert.ok(afterSending >= 40, `the answer came ${afterSending} ms after the request`);
  },
);

inCheck("the kernel knows how long a client that sent nothing was connected", async ({ server, client }) => {
  const one = await client();
  await server.accepts([one]);
  await server.stop();
  one.end();
  const start = clock();
  while (clock() - start < 60) await new Promise(setImmediate);
  server.continue();
  assert.equal(await one.closed(), "ended");
  assert.ok(one.connectedFor() >= 40, `it was connected for ${one.connectedFor()} ms`);
});

inCheck("fifty clients in one wake-up of the server", async ({ server, clients }) => {
  await server.stop();
  const many = await clients(50);
  assert.equal(server.acceptQueueLength, 50);
  server.continue();
  assert.equal(await server.accepts(many), 50);
  assert.equal(server.acceptQueueLength, 0);
});

inCheck("a client that ends its half still receives", async ({ client }) => {
  const one = (await client()).send("last words");
  one.end();
  assert.ok(await one.receives("last words"));
  assert.equal(await one.closed(), "ended");
});

inCheck("a client that resets its connection is gone from the server", async ({ server, client }) => {
  const one = await client();
  await server.accepts([one]);
  const held = server.sockets;
  one.reset();
  assert.equal(await server.holds(held - 1), held - 1);
});

inCheck("the bytes of a client that does not read stay in the kernel", async ({ client, until }) => {
  const one = (await client({ reads: false, receiveBuffer: 4096 })).send("word");
  assert.equal(await one.receives("word", { within: 50 }), null);
  one.setReading(true);
  assert.ok(await until(() => one.received.toString() === "word", 30_000));
});

inCheck(
  "sending to a server that has ended breaks the connection, and not the check",
  async ({ server, client }) => {
    const one = await client({ reads: false });
    await server.stop();
    one.send("this is never read, so the end of the server is a reset");
    assert.ok(await server.restart());
    assert.equal(one.state, "open", "a client that does not read has not seen the reset");
    one.send("is the server there?");
    assert.equal(one.state, "broken");
  },
);

inCheck("the output of a server, and its sleep", async ({ server }) => {
  assert.ok(await server.output.prints("ready"));
  const { busy } = await server.idle();
  assert.ok(busy < 0.5, `${busy}`);
  const { sleepCount } = server;
  const calls = await server.trace({ during: () => server.wait(50) });
  assert.equal(calls.length, 0);
  assert.equal(server.sleepCount, sleepCount);
  assert.equal(server.currentCall?.call, "epoll_wait");
});

inCheck("the calls that a server makes for one message", async ({ server, client, until }) => {
  const one = await client();
  await server.accepts([one]);
  await until(() => server.asleep, 30_000);
  const watch = server.watch();
  const { sleepCount } = server;
  one.send("word");
  const [recv] = (await watch.until(calls => calls.reads.length > 0 && calls.reads))!;
  assert.equal(recv!.returned, 4);
  assert.equal(recv!.line, lineOf("client.recv("));
  await one.receives("word");
  assert.deepEqual(
    watch.calls.named("send").list.map(call => call.returned),
    [4],
  );
  assert.ok(await until(() => server.sleepCount > sleepCount, 30_000), "it has not gone to sleep again");
});

inCheck("accept4 names the client by its port", async ({ server, client }) => {
  const watch = server.watch();
  const one = await client();
  const [accepted] = (await watch.until(calls => calls.accepted.length > 0 && calls.accepted))!;
  assert.equal(accepted!.peer, `127.0.0.1:${one.port}`);
});

inCheck(
  "without a free descriptor a new client stays in the accept queue",
  async ({ server, client, until }) => {
    assert.ok(await (await client()).send("hello").receives("hello"));
    server.limitDescriptors(1);
    const [first, second] = [await client(), await client()];
    assert.equal(await server.accepts([first]), 1);
    assert.ok(await until(() => !server.alive || server.acceptQueueLength === 1, 30_000));
    second.close();
  },
);

inCheck("a limit for now can be raised again", async ({ server, client }) => {
  assert.ok(await (await client()).send("hello").receives("hello"));
  server.limitDescriptors(0, { forNow: true });
  server.limitDescriptors(1, { forNow: true });
  assert.equal(await server.accepts([await client()]), 1);
});

test("a limit of descriptors from the start", async () => {
  const outcome = await checkFixture(
    "echoes/solution.ts",
    async ({ server, clients }) => {
      const many = await clients(64);
      const watch = server.watch();
      await watch.until(calls => calls.where(call => call.errno === "EMFILE").length > 0);
      const accepted = await server.accepts(many, { within: 0 });
      assert.ok(accepted > 0 && accepted < 40, `${accepted}`);
    },
    { check: { descriptors: 40 } },
  );
  assert.equal(outcome.state, "passed", JSON.stringify(outcome.failure, null, 2));
});

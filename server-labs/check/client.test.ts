// Clients and server as a check uses them, against a server that echoes: each claim in a check of its own.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Tools } from "./check.ts";
import { tryOut } from "./fixtures/try-out.ts";

/** What is thrown in a check is what the test has to say. */
const claim = (name: string, body: (tools: Tools) => Promise<void>) =>
  test(name, async () => {
    const outcome = await tryOut("echoes.ts", body);
    assert.equal(outcome.state, "passed", JSON.stringify(outcome.failure, null, 2));
  });

claim("a client says something and hears the answer", async ({ client }) => {
  const guest = (await client()).send("hello");
  assert.match((await guest.hears(/h.llo/)) ?? "", /hello/);
});

claim("octets come as they were sent", async ({ client, until }) => {
  const bytes = Buffer.from([0, 255, 128, 13, 10, 0]);
  const guest = (await client()).send(bytes);
  await until(() => guest.receivedBytes === bytes.length, 5000);
  assert.deepEqual(guest.received, bytes);
});

claim("fifty clients in one wake-up of the server", async ({ server, clients }) => {
  await server.stop();
  const crowd = await clients(50);
  assert.equal(server.waiting, 50);
  server.continue();
  assert.equal(await server.accepts(crowd), 50);
  assert.equal(server.waiting, 0);
});

claim("a client who ends its half still hears what comes", async ({ client }) => {
  const guest = (await client()).send("last words");
  guest.end();
  assert.ok(await guest.hears("last words"));
  assert.equal(await guest.closed(), "ended");
});

claim("a client who is cut off is gone from the server", async ({ server, client }) => {
  const guest = await client();
  await server.accepts([guest]);
  const held = server.sockets;
  guest.reset();
  assert.equal(await server.holds(held - 1), held - 1);
});

claim("a client who does not read lets the bytes lie in the kernel", async ({ client, until }) => {
  const guest = (await client({ reads: false, receiveBuffer: 4096 })).send("word");
  assert.equal(await guest.hears("word", { within: 50 }), null);
  guest.read(true);
  assert.ok(await until(() => guest.received.toString() === "word", 5000));
});

claim(
  "a word to a server that is gone breaks the connection, and not the check",
  async ({ server, client }) => {
    const guest = await client({ reads: false });
    await server.stop();
    guest.send("this is never read, so the end of the server is a reset");
    assert.ok(await server.restart());
    assert.equal(guest.state, "open", "who does not read has not seen it");
    guest.send("is somebody there?");
    assert.equal(guest.state, "broken");
  },
);

claim("what the server prints, and how it sleeps", async ({ server }) => {
  assert.ok(await server.output.says("ready"));
  const { busy } = await server.idle();
  assert.ok(busy < 0.5, `${busy}`);
  const { sleeps } = server;
  const calls = await server.trace({ during: () => server.quiet(50) });
  assert.equal(calls.length, 0);
  assert.equal(server.sleeps, sleeps);
  assert.equal(server.inside?.name, "epoll_wait");
});

claim("the calls that a server makes for one word", async ({ server, client, until }) => {
  const guest = await client();
  await server.accepts([guest]);
  await until(() => server.asleep, 5000);
  const watch = server.watch();
  const { sleeps } = server;
  guest.send("word");
  const [recv] = (await watch.until(calls => calls.reads.length > 0 && calls.reads))!;
  assert.equal(recv!.returned, 4);
  assert.equal(recv!.line, 35);
  await guest.hears("word");
  assert.deepEqual(
    watch.calls.named("send").list.map(call => call.returned),
    [4],
  );
  assert.ok(await until(() => server.sleeps > sleeps, 5000), "it has gone to sleep again");
});

claim("the client whom accept4 gave is known by its port", async ({ server, client }) => {
  const watch = server.watch();
  const guest = await client();
  const [accepted] = (await watch.until(calls => calls.accepted.length > 0 && calls.accepted))!;
  assert.equal(accepted!.port, guest.port);
});

claim("no more descriptors: who comes stays in the accept queue", async ({ server, client, until }) => {
  assert.ok(await (await client()).send("hello").hears("hello"));
  server.leaveDescriptors(1);
  const [first, second] = [await client(), await client()];
  assert.equal(await server.accepts([first]), 1);
  assert.ok(await until(() => !server.alive || server.waiting === 1, 5000));
  second.close();
});

test("a limit from the start", async () => {
  const outcome = await tryOut(
    "echoes.ts",
    async ({ server, clients }) => {
      const crowd = await clients(64);
      const watch = server.watch();
      await watch.until(calls => calls.where(call => call.errno === "EMFILE").length > 0);
      const accepted = await server.accepts(crowd, { within: 0 });
      assert.ok(accepted > 0 && accepted < 40, `${accepted}`);
    },
    { check: { descriptors: 40 } },
  );
  assert.equal(outcome.state, "passed", JSON.stringify(outcome.failure, null, 2));
});

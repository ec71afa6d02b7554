// The failures of broken servers, as golden files: a student learns from these sentences. And a check leaves no process
// and no listener behind.
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { test } from "node:test";
import { tcpSockets } from "../clients/sock-diag.ts";
import { Journal, Poller } from "../clients.ts";
import { isAlive } from "../process.ts";
import { assertGolden, checkFixture, subjectOf } from "./fixtures/check-fixture.ts";

import { runCheck } from "./run-checks.ts";
import { Server } from "./server.ts";
import { OutputBuffer } from "./server-output.ts";
import type { ServerProcess } from "./server-process.ts";

test("a server that does not listen", async () => {
  const start = { listenWithin: 5000 };
  assertGolden(await checkFixture("never-listens.ts", async () => {}, { start }), "never-listens");
});

test("a server that listens on another port", async () => {
  assertGolden(await checkFixture("listens-on-another-port.ts", async () => {}), "listens-on-another-port");
});

test("a server that throws before it listens names its line", async () => {
  const outcome = await checkFixture("throws-before-listen.ts", async () => {});
  assert.equal(outcome.failure?.line, 10);
  assertGolden(outcome, "throws-before-listen");
});

test("a program that exits before it listens", async () => {
  assertGolden(await checkFixture("exits-without-listening.ts", async () => {}), "exits-without-listening");
});

test("a server that does not answer", async () => {
  const outcome = await checkFixture("never-answers.ts", async ({ client, expect, server, until }) => {
    const one = (await client()).send("hello?\r\n");
    // The server has accepted the client and waits for the next: from here on the speed of the machine does not matter.
    await server.accepts([one], { within: 60_000 });
    expect(
      await until(() => server.stuck(400), 60_000),
      "The server does not wait for the next client.",
    ).ok();
    expect(await one.receives("hello", { within: 10 }), "The server did not answer.").ok({
      because: "A server must answer its client.",
      see: "curl --max-time 2 telnet://127.0.0.1:{port}",
    });
  });
  assertGolden(outcome, "never-answers");
});

test("a server that waits in a call: the failure names the call and the time", async () => {
  const outcome = await checkFixture("never-answers.ts", async ({ server, client, expect }) => {
    const one = (await client()).send("hello?");
    expect(await server.reads(one), "The server has not read the request.").ok();
  });
  assert.equal(outcome.failure?.line, 9);
  assertGolden(outcome, "waits-in-accept");
});

test("a server that dies during a check: its last output and its line", async () => {
  const outcome = await checkFixture("throws-on-input.ts", async ({ client, until }) => {
    const one = (await client()).send("boo");
    await until(() => one.over, 30_000);
    await until(() => false, 30_000);
  });
  assert.equal(outcome.failure?.line, 9);
  assertGolden(outcome, "throws-on-input");
});

test("a check with workers counts the children of a server as the server, and stops them with it", async () => {
  const outcome = await checkFixture(
    "accepts-in-a-child.ts",
    async ({ server, client, expect }) => {
      await server.settles(() => server.threads.size, { within: 60_000 });
      const [parent, child] = server.pids;
      expect(server.pids.length, "The processes of the server.").equal(2);
      const before = { sockets: server.sockets, threads: server.threads.size };
      const one = await client();
      expect(await one.receives("hello", { within: 60_000 }), "The child did not answer.").ok();
      expect(await server.holds(before.sockets + 1), "The child's socket.").equal(before.sockets + 1);
      expect(before.threads, "The threads of two Nodes.").atLeast(4);
      await server.stop();
      const waiting = await client();
      expect(await waiting.receives("hello", { within: 200 }), "A stopped child answered.").equal(null);
      server.continue();
      expect(await waiting.receives("hello", { within: 60_000 }), "The child did not go on.").ok();
      expect(await server.restart(), "It does not listen again.").ok();
      await server.settles(() => server.threads.size, { within: 60_000 });
      expect(server.pids.length, "The processes of the server that was started again.").equal(2);
      expect(isAlive(parent!) || isAlive(child!), "A process of the first server lives.").equal(false);
    },
    { check: { workers: true } },
  );
  assert.equal(outcome.state, "passed", outcome.failure?.summary);
});

test("a server that was restarted on its port is checked and traced as before", async () => {
  const outcome = await checkFixture("echoes/solution.ts", async ({ server, client, expect }) => {
    const [before] = server.pids;
    expect(await server.restart(), "It does not listen again.").ok();
    expect(server.pids.includes(before!), "The old process still runs.").equal(false);
    const watch = server.watch();
    expect(await (await client()).send("hello").receives("hello"), "It does not answer.").ok();
    await watch.until(calls => calls.bytesRead === 5);
    expect(watch.calls.bytesRead, "Its calls cannot be seen.").equal(5);
  });
  assert.equal(outcome.state, "passed", outcome.failure?.summary);
});

test("a server that is asked to end may end, and the check sees how", async () => {
  const outcome = await checkFixture("polls-with-sleep.ts", async ({ server, expect }) => {
    expect(server.listens, "It does not listen.").equal(true);
    expect(await server.ends({ within: 0 }), "It has ended.").equal(null);
    server.terminate();
    expect(await server.ends(), "How it ended.").equal({ status: null, signal: "SIGTERM" });
    expect(server.listens, "It listens.").equal(false);
    expect(server.end, "How it ended.").equal("ended by SIGTERM");
  });
  assert.equal(outcome.state, "passed", outcome.failure?.summary);
});

test("the failure of a server that cannot be restarted contains its error", async () => {
  const outcome = await checkFixture("closes-first.ts", async ({ server, client, expect }) => {
    const one = await client();
    await one.closed();
    one.close();
    expect(await server.restart(), "It does not listen again.").ok();
  });
  assert.equal(outcome.failure?.summary, "It does not listen again.");
  assert.match(outcome.failure?.evidence.join("\n") ?? "", /EADDRINUSE/);
});

test("a mistake in the check itself is not reported as a mistake of the server", async () => {
  const outcome = await checkFixture("echoes/solution.ts", async () => {
    JSON.parse("{");
  });
  assert.equal(outcome.broken, true);
  assert.match(outcome.failure!.summary, /the mistake is in the check, not in your program/);
});

test("a check that cannot observe its program has neither passed nor failed", async () => {
  const line = `${process.execPath} -e "require('net').createServer().listen({port}, '127.0.0.1')"`;
  const subject = { kind: "command", line, cwd: process.cwd() } as const;
  const body = async ({ server }: { server: { watch(): unknown } }) => void server.watch();
  const outcome = await runCheck({ id: "it", title: "does it", options: {}, body }, subject);
  assert.equal(outcome.state, "unobserved");
});

test("a command that does not exist", async () => {
  const subject = { kind: "command", line: "no-such-server {port}", cwd: process.cwd() } as const;
  const outcome = await runCheck({ id: "it", title: "does it", options: {}, body: async () => {} }, subject);
  assert.match(outcome.failure!.summary, /ended before it listened: exited with 127/);
  assert.match(outcome.failure!.evidence.join("\n"), /no-such-server: .*not found/);
});

test("a file with a syntax error", async () => {
  await assert.rejects(subjectOf("syntax-error.txt"), /syntax-error.txt:3:29: /);
});

test("a check leaves no process and no listener behind", async () => {
  let [pid, port] = [0, 0];
  const outcome = await checkFixture("echoes/solution.ts", async ({ server, clients }) => {
    await clients(5);
    [pid, port] = [server.pids[0]!, server.port];
    await server.stop(); // A stopped process must be ended too.
  });
  assert.equal(outcome.state, "passed");
  assert.equal(existsSync(`/proc/${pid}`), false);
  assert.equal(
    tcpSockets().some(row => row.localPort === port && row.state === "LISTEN"),
    false,
  );
});

test("a server that is not traced is checked from outside, and its calls are unobserved", async () => {
  for (const name of ["listens-in-node.ts", "listens-in-a-worker.ts", "listens-in-a-child.ts"]) {
    let pids: number[] = [];
    const outcome = await checkFixture(
      `../../fixtures/${name}`,
      async ({ client, server, expect, until }) => {
        pids = server.pids;
        const one = (await client()).send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        expect(await one.receives("200 OK"), "It does not answer.").ok();
        expect(server.traced, "Its calls are not those of the server.").equal(false);
        await server.stop();
        await client();
        expect(await until(() => server.acceptQueueLength === 1, 30_000), "It is not stopped.").ok();
        server.continue();
        expect(await until(() => server.acceptQueueLength === 0, 30_000), "It does not go on.").ok();
      },
    );
    assert.equal(outcome.state, "passed", `${name}: ${JSON.stringify(outcome.failure ?? outcome.note)}`);
    assert.equal(pids.length, name === "listens-in-a-child.ts" ? 2 : 1);
    for (const pid of pids) assert.equal(isAlive(pid), false, `${name} left ${pid}`);
  }
  const unseen = await checkFixture("../../fixtures/listens-in-node.ts", async ({ server }) => {
    server.watch();
  });
  assert.equal(unseen.state, "unobserved");
});

test("a client's port that another client has now is not the client's connection", async () => {
  const listening = createServer(socket => socket.on("error", () => {})).listen(0, "127.0.0.1");
  await once(listening, "listening");
  const { port } = listening.address() as AddressInfo;
  const program = { port, output: new OutputBuffer(), pids: () => [process.pid], tracing: null };
  const poller = new Poller(() => {});
  const server = new Server(program as unknown as ServerProcess, poller, new Journal());
  const client = async (localPort?: number) => {
    const socket = connect({ port, host: "127.0.0.1", ...(localPort ? { localPort } : {}) });
    await Promise.all([once(socket, "connect"), once(listening, "connection")]);
    return { socket, port: socket.localPort! };
  };
  const one = await client();
  assert.ok(server.socketOf(one));
  one.socket.resetAndDestroy();
  while (server.socketOf(one) !== null) await new Promise(resolve => setImmediate(resolve));
  const two = await client(one.port);
  assert.equal(server.socketOf(one), null);
  assert.ok(server.socketOf(two));
  two.socket.resetAndDestroy();
  listening.close();
});

// What a check says when a server does not do what it should: golden files, because a student learns from these
// words. And that nothing of a check is left when it is over.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { attack } from "./attack.ts";
import { isGolden, subjectOf, tryOut } from "./fixtures/try-out.ts";
import { tcpSockets } from "./proc.ts";

test("a server that does not listen", async () => {
  const start = { listenWithin: 5000 };
  isGolden(await tryOut("never-listens.ts", async () => {}, { start }), "never-listens");
});

test("a server that listens elsewhere", async () => {
  isGolden(await tryOut("listens-elsewhere.ts", async () => {}), "listens-elsewhere");
});

test("a server that throws before it listens names its line", async () => {
  const outcome = await tryOut("throws-at-once.ts", async () => {});
  assert.equal(outcome.failure?.line, 10);
  isGolden(outcome, "throws-at-once");
});

test("a program that comes to its end", async () => {
  isGolden(await tryOut("comes-to-its-end.ts", async () => {}), "comes-to-its-end");
});

test("a server that says nothing", async () => {
  const outcome = await tryOut("answers-nothing.ts", async ({ client, expect, server, until }) => {
    const guest = (await client()).send("hello?\r\n");
    // It has accepted the guest and waits for the next: from here on nothing depends on how fast the machine is.
    await server.accepts([guest], { within: 60_000 });
    expect(await until(() => server.stuck(400), 60_000), "It should wait for the next.").ok();
    expect(await guest.hears("hello", { within: 10 }), "Nobody answered.").ok({
      because: "Whoever is spoken to should say something.",
      see: "curl --max-time 2 telnet://127.0.0.1:{port}",
    });
  });
  isGolden(outcome, "answers-nothing");
});

test("a server that waits in a call: which, and for how long", async () => {
  const outcome = await tryOut("answers-nothing.ts", async ({ server, client, expect }) => {
    const guest = (await client()).send("hello?");
    expect(await server.reads(guest), "Nobody has read it.").ok();
  });
  assert.equal(outcome.failure?.line, 9);
  isGolden(outcome, "waits-in-accept");
});

test("a server that dies under attack: its last words and its line", async () => {
  const outcome = await tryOut("dies-of-a-word.ts", async ({ client, until }) => {
    const guest = (await client()).send("boo");
    await until(() => guest.over, 5000);
    await until(() => false, 5000);
  });
  assert.equal(outcome.failure?.line, 9);
  isGolden(outcome, "dies-of-a-word");
});

test("a server is ended and started again on its port, and is judged as before", async () => {
  const outcome = await tryOut("echoes.ts", async ({ server, client, expect }) => {
    const [before] = server.pids;
    expect(await server.restart(), "It does not listen again.").ok();
    expect(server.pids.includes(before!), "It is the old process.").equal(false);
    const watch = server.watch();
    expect(await (await client()).send("hello").hears("hello"), "It does not answer.").ok();
    await watch.until(calls => calls.bytesRead === 5);
    expect(watch.calls.bytesRead, "Its calls are not seen.").equal(5);
  });
  assert.equal(outcome.state, "passed", outcome.failure?.summary);
});

test("a server that cannot be started again says why", async () => {
  const outcome = await tryOut("keeps-its-port.ts", async ({ server, client, expect }) => {
    const guest = await client();
    await guest.closed();
    guest.close();
    expect(await server.restart(), "It does not listen again.").ok();
  });
  assert.equal(outcome.failure?.summary, "It does not listen again.");
  assert.match(outcome.failure?.evidence.join("\n") ?? "", /EADDRINUSE/);
});

test("a mistake in the check itself is not held against the server", async () => {
  const outcome = await tryOut("echoes.ts", async () => {
    JSON.parse("{");
  });
  assert.equal(outcome.broken, true);
  assert.match(outcome.failure!.summary, /the mistake is in the check, not in your program/);
});

test("what cannot be seen is neither passed nor failed", async () => {
  const line = `${process.execPath} -e "require('net').createServer().listen({port}, '127.0.0.1')"`;
  const subject = { kind: "command", line, cwd: process.cwd() } as const;
  const body = async ({ server }: { server: { watch(): unknown } }) => void server.watch();
  const outcome = await attack({ id: "it", title: "does it", options: {}, body }, subject);
  assert.equal(outcome.state, "unobserved");
});

test("a command that the shell does not know", async () => {
  const subject = { kind: "command", line: "no-such-server {port}", cwd: process.cwd() } as const;
  const outcome = await attack({ id: "it", title: "does it", options: {}, body: async () => {} }, subject);
  assert.match(outcome.failure!.summary, /ended before it listened: exited with 127/);
  assert.match(outcome.failure!.evidence.join("\n"), /no-such-server: .*not found/);
});

test("a file that is no TypeScript", async () => {
  await assert.rejects(subjectOf("is-no-typescript.txt"), /is-no-typescript.txt:3:29: /);
});

test("nothing is left of a check: no process, no listener", async () => {
  let [pid, port] = [0, 0];
  const outcome = await tryOut("echoes.ts", async ({ server, clients }) => {
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

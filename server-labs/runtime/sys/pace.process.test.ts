// The program's side of pace, driven by hand over its control socket: bytes in, lines out.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { listening } from "../../fixtures/connected.ts";
import { TestDriver } from "../../fixtures/test-driver.ts";

const EAGAIN = 11;

test("slow motion waits before each call, and by the program's own clock no time has passed", async () => {
  const driver = new TestDriver(
    `
import { Socket } from "workbook/net";
const [began, date] = [performance.now(), Date.now()];
for (let i = 0; i < 5; i++) new Socket().close();
const own = performance.now();
console.log(own - began, Date.now() - date, Date.now() - performance.timeOrigin - own, performance.now() - own);`,
    { delayMs: 40 },
  );
  const { stdout } = await driver.ended();
  const [own, wall, drift, meanwhile] = stdout.split(" ").map(Number) as [number, number, number, number];
  assert.ok(wall >= 10 * 40 - 10, `ten calls took ${wall} ms`);
  assert.ok(own < wall / 2, `${own} ms of its own, ${wall} ms on the wall`);
  assert.ok(drift > -20 && drift < meanwhile + 20, `${drift} ms of drift in ${meanwhile} ms`);
  const { records } = driver.running.trace();
  assert.equal(records.length, 10);
  // Of one call a busy machine may have taken the processor; the delay of 40 ms would be in each.
  const took = records.map(record => record.took).sort((a, b) => a - b);
  assert.ok(took[0]! >= 0 && took[5]! < 20_000, took.join(" "));
  for (const [i, { at }] of records.slice(1).entries())
    assert.ok(at - records[i]!.at >= 39, "a call begins when it is made, not when it waits to be");
});

test("a command ends a delay at once", async () => {
  const driver = new TestDriver(`import { Socket } from "workbook/net"; new Socket(); new Socket();`, {
    delayMs: 1e6,
  });
  await driver.running.traceWhere(records => records.length === 1);
  driver.pace({ delayMs: 0 });
  assert.equal((await driver.ended()).code, 0);
});

test("a step during a delay stops there", async () => {
  const driver = new TestDriver(`import { Socket } from "workbook/net"; new Socket();`, { delayMs: 1e6 });
  await driver.running.traceWhere(records => records.length === 1);
  driver.step("boundary");
  const stopped = { type: "stopped", where: "before", n: 0, because: "step" };
  assert.deepEqual(await driver.receives("stopped"), stopped);
  driver.pace({ paused: false });
  assert.equal((await driver.ended()).code, 0);
});

test("a step is to the next boundary, or to the next call", async () => {
  const program = `import { Socket } from "workbook/net"; const s = new Socket(); s.setBlocking(false); s.close();`;
  const driver = new TestDriver(program, { paused: true });
  assert.deepEqual(await driver.receives("stopped"), {
    type: "stopped",
    where: "before",
    n: 0,
    because: "asked",
  });
  driver.step("boundary");
  assert.deepEqual(await driver.receives("stopped"), {
    type: "stopped",
    where: "after",
    n: 0,
    because: "step",
  });
  driver.step("call");
  assert.deepEqual(await driver.receives("stopped"), {
    type: "stopped",
    where: "before",
    n: 1,
    because: "step",
  });
  driver.step("call");
  assert.deepEqual(await driver.receives("stopped"), {
    type: "stopped",
    where: "before",
    n: 2,
    because: "step",
  });
  driver.pace({ paused: false });
  await driver.receives("going");
  assert.equal((await driver.ended()).code, 0);
});

const serve = (port: number) => `
import { Socket, Epoll, EPOLLIN } from "workbook/net";
const client = new Socket();
client.connect({ port: ${port} });
client.setBlocking(false);
client.recv(10);
const epoll = new Epoll();
epoll.register(client, EPOLLIN);
console.log(client.fd, epoll.fd);
client.close();`;

test("breakpoints: by name, errno, descriptor, of one that is made, and of an epoll_ctl's target", async () => {
  const { port, listener } = listening();
  // Node gives the same numbers each time: the first run prints them.
  const { stdout } = await new TestDriver(serve(port), {}).ended();
  const [client, epoll] = stdout.split(" ").map(Number) as [number, number];
  const [RECV, EPOLL_CTL] = [6, 19];
  const any = { call: null, errno: null, fd: null };
  for (const [breakpoint, stops] of [
    [{ ...any, call: RECV }, ["before 4"]],
    [{ ...any, errno: EAGAIN }, ["after 4"]],
    [{ ...any, call: RECV, errno: 104 }, []],
    [{ ...any, call: RECV, fd: client }, ["before 4"]],
    [
      { ...any, fd: client },
      ["after 0", "before 1", "before 2", "before 3", "before 4", "before 6", "before 7"],
    ],
    [{ ...any, fd: epoll }, ["after 5", "before 6"]],
    [{ ...any, call: EPOLL_CTL, fd: client }, ["before 6"]],
    [{ ...any, errno: EAGAIN, fd: client }, ["after 4"]],
    [{ ...any, errno: EAGAIN, fd: epoll }, []],
  ] as const) {
    const driver = new TestDriver(serve(port), { breakpoints: [breakpoint] });
    const seen: string[] = [];
    for (;;) {
      const message = await driver.receives("stopped");
      if (message === null) break;
      assert.deepEqual([message.because, message.breakpoint], ["breakpoint", 0]);
      seen.push(`${message.where} ${message.n}`);
      driver.pace({ paused: false, breakpoints: [breakpoint] });
    }
    assert.deepEqual(seen, stops, JSON.stringify(breakpoint));
  }
  listener.close();
});

test("a call inside which it sleeps is finished first: it stops after it", async () => {
  const { port, listener } = listening();
  const program = `import { Socket } from "workbook/net";
    const s = new Socket(); s.connect({ port: ${port} }); s.recv(10); s.close();`;
  const driver = new TestDriver(program, {});
  await driver.running.traceWhere(records => records.at(-1)?.call === "recv");
  await driver.running.asleep();
  driver.pace({ paused: true });
  driver.peek(1, [0]);
  const server = listener.accept()!.client;
  server.send("now");
  assert.deepEqual(await driver.receives("stopped"), {
    type: "stopped",
    where: "after",
    n: 2,
    because: "asked",
  });
  driver.pace({ paused: false });
  assert.equal((await driver.ended()).code, 0);
  server.close();
  listener.close();
});

for (const [what, does] of [
  ["closes it itself", "new Socket({ fd: 3 }).close();"],
  ["closes it behind the runtime's back", "fs.closeSync(3);"],
  ["puts something else in its place", "fs.closeSync(3); if (fs.openSync('/dev/zero') !== 3) throw 1;"],
  ["shuts it down", "new Socket({ fd: 3 }).shutdown('both');"],
] as const) {
  test(`a program that ${what} goes on at full speed, for good`, async t => {
    const folder = await mkdtemp(join(tmpdir(), "workbook-pace-test-"));
    t.after(() => rm(folder, { recursive: true }));
    const file = join(folder, "end");
    const driver = new TestDriver(
      `
import fs from "node:fs";
import { Socket } from "workbook/net";
for (let i = 0; i < 3; i++) new Socket();
${does}
console.log("closed");
while (!fs.existsSync(process.argv[2])) new Socket().close();
console.log("still here");`,
      {},
      file,
    );
    await once(driver.running.child.stdout!, "data");
    driver.pace({ paused: true });
    const before = driver.running.trace().head;
    while (driver.running.trace().head < before + 100) await new Promise(setImmediate);
    await writeFile(file, "");
    const { code, stdout } = await driver.ended();
    assert.deepEqual([code, stdout], [0, "closed\nstill here\n"]);
  });
}

test("a socket of the student's that gets the control socket's number receives no byte of the runtime", async () => {
  const { listener, port } = listening();
  const driver = new TestDriver(
    `
import fs from "node:fs";
import { Socket, sleep } from "workbook/net";
fs.closeSync(3);
const s = new Socket();
console.log(s.fd);
s.connect({ port: ${port} });
for (let i = 0; i < 20; i++) sleep(1);
s.close();`,
    { delayMs: 1 },
  );
  const server = listener.accept()!.client;
  assert.equal(server.recv(10)!.length, 0);
  assert.equal((await driver.ended()).stdout, "3\n");
  server.close();
  listener.close();
});

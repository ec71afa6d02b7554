import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { connect } from "node:net";
import { test } from "node:test";
import { Running, type Traced } from "../../fixtures/built-runtime.ts";
import { listening } from "../../fixtures/connected.ts";
import { type CallRow, rowsByIndex, tracedCalls } from "../../protocol/calls.ts";
import { layout, preview } from "../../trace/layout.ts";
import { Socket } from "../net.ts";
import { waysOf } from "./repetition.ts";

const EAGAIN = 11;
const EINTR = 4;
const ECONNREFUSED = 111;

test("the table of calls that move bytes has room for more rows than a word has bits", () => {
  const still: Pick<CallRow, "moves"> = {};
  const rows = [...rowsByIndex, ...Array(64).fill(still), { moves: "out" as const }];
  const names = [...tracedCalls, ...Array.from({ length: 64 }, (_, i) => `call${i}`), "sendfile"];
  const ways = waysOf(rows);
  const moving = names.filter((_, call) => ways[call] !== 0);
  assert.deepEqual(moving, ["recv", "send", "read", "write", "sendfile"]);
  assert.equal(ways.length, names.length);
});

for (const part of ["enter", "leave"])
  test(`what each call passes, "${part}", is short enough that V8 compiles it into the code that makes the call`, async () => {
    const options = execFileSync(process.execPath, ["--v8-options"], { encoding: "utf8" });
    const most = Number(/ --max-inlined-bytecode-size=(\d+)/.exec(options)![1]);
    const flags = ["--print-bytecode", `--print-bytecode-filter=${part}`];
    const running = new Running(undefined, flags).program(
      `import { Socket } from "workbook/net";\nnew Socket().close();`,
    );
    const { stdout } = await running.ended;
    const lengths = Array.from(stdout.matchAll(/^Bytecode length: (\d+)$/gm), ([, length]) => Number(length));
    assert.equal(lengths.length, 2, "one in native-call.ts, one in trace.ts");
    for (const length of lengths) assert.ok(length <= most, `${length} bytes, of at most ${most}`);
  });

test("every call is there: arguments, result, errno, what it carried, and its line", async () => {
  const running =
    new Running().program(`import { Socket, Epoll, poll, sleep, EPOLLIN, EPOLLET, SO_REUSEADDR, SOL_SOCKET } from "workbook/net";
const listener = new Socket();
listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
listener.bind({ port: 0 });
listener.listen(5);
const client = new Socket();
client.connect(listener.localAddress());
const { client: server } = listener.accept();
client.send("GET / HTTP/1.1\\r\\n" + "x".repeat(100));
const epoll = new Epoll();
epoll.register(server, EPOLLIN | EPOLLET);
epoll.poll();
poll([{ fd: server, events: EPOLLIN }]);
server.setBlocking(false);
server.recv(4096);
server.recv(4096);
sleep(1.5);
server.close();
try { client.peerAddress(); client.recv(1); client.send("x"); client.send("y"); } catch {}`);
  const { code, stderr } = await running.ended;
  assert.deepEqual([code, stderr], [0, ""]);
  const { head, records } = running.trace();
  assert.equal(head, records.length);
  const [listener, client, server, epoll] = [0, 4, 7, 9].map(i => records[i]!.result);
  const port = records[5]!.preview.readUInt16BE(2);
  const address = Buffer.from([2, 0, port >> 8, port & 255, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
  const peer = records[7]!.preview;
  assert.deepEqual([peer.length, ...peer.subarray(4, 8)], [16, 127, 0, 0, 1]);
  const request = Buffer.from(`GET / HTTP/1.1\r\n${"x".repeat(56)}`);
  const pair = Buffer.alloc(8);
  pair.writeInt32LE(server!);
  pair.writeUInt32LE(1, 4);
  const pollfd = Buffer.from(pair);
  pollfd.writeInt16LE(1, 6);
  const none = Buffer.alloc(0);
  const CLOEXEC = 0o2000000;
  const EPOLLET = 1 << 31;
  const O_RDWR = 2;
  const O_NONBLOCK = 0o4000;
  const expected: [string, number[], number, number, number, Buffer, number][] = [
    ["socket", [2, 1 | CLOEXEC, 0], listener!, 0, preview.none, none, 2],
    ["setsockopt", [listener!, 1, 2, 1], 0, 0, preview.bytes, Buffer.from([1, 0, 0, 0]), 3],
    [
      "bind",
      [listener!, 0, 16],
      0,
      0,
      preview.address,
      Buffer.from([2, 0, 0, 0, 127, 0, 0, 1, ...Buffer.alloc(8)]),
      4,
    ],
    ["listen", [listener!, 5], 0, 0, preview.none, none, 5],
    ["socket", [2, 1 | CLOEXEC, 0], client!, 0, preview.none, none, 6],
    ["getsockname", [listener!], 0, 0, preview.address, address, 7],
    ["connect", [client!, 0, 16], 0, 0, preview.address, address, 7],
    ["accept4", [listener!, 0, 0, CLOEXEC], server!, 0, preview.address, peer, 8],
    ["send", [client!, 0, 116, 0], 116, 0, preview.bytes, request, 9],
    ["epoll_create1", [CLOEXEC], epoll!, 0, preview.none, none, 10],
    ["epoll_ctl", [epoll!, 1, server!, 1 | EPOLLET], 0, 0, preview.none, none, 11],
    ["epoll_wait", [epoll!, 0, 1024, -1], 1, 0, preview.epollEvents, pair, 12],
    ["poll", [0, 1, -1], 1, 0, preview.pollFds, pollfd, 13],
    ["fcntl", [server!, 3, 0], O_RDWR, 0, preview.none, none, 14],
    ["fcntl", [server!, 4, O_RDWR | O_NONBLOCK], 0, 0, preview.none, none, 14],
    ["recv", [server!, 0, 4096, 0], 116, 0, preview.bytes, request, 15],
    ["recv", [server!, 0, 4096, 0], -1, EAGAIN, preview.bytes, none, 16],
    ["nanosleep", [0, 1_500_000], 0, 0, preview.none, none, 17],
    ["close", [server!], 0, 0, preview.none, none, 18],
  ];
  const seen = records.slice(0, expected.length);
  for (const [i, [call, args, result, errno, kind, carried, line]] of expected.entries()) {
    const { at, took, ...record } = seen[i]!;
    const all = [...args, 0, 0, 0, 0].slice(0, 5);
    assert.deepEqual(record, { call, args: all, result, errno, line, kind, preview: carried });
    assert.ok(took >= 0 && Number.isFinite(took), `${call} took ${took} µs`);
    assert.ok(i === 0 || at >= seen[i - 1]!.at, `${call} came after the call before it`);
  }
  assert.ok(seen.at(-2)!.took >= 1500, "a sleep took as long as it was");
});

test("a call that sleeps is there while it sleeps, and is completed when it returns", async () => {
  const running = new Running().program(`
import { Socket } from "workbook/net";
const listener = new Socket();
listener.bind({ port: 0 });
listener.listen();
listener.localAddress();
const { client } = listener.accept();
client.recv(10);`);
  const asleep = await running.traceWhere(records => records.at(-1)?.call === "accept4");
  const { took, result, line } = asleep.at(-1)!;
  assert.deepEqual({ took, result, line }, { took: -1, result: 0, line: 7 });
  const client = connect(asleep.at(-2)!.preview.readUInt16BE(2), "127.0.0.1");
  const next = await running.traceWhere(records => records.at(-1)?.call === "recv");
  const accepted = next.at(-2)!;
  assert.equal(accepted.call, "accept4");
  assert.ok(accepted.took > 0 && accepted.result > 0);
  assert.equal(accepted.preview.readUInt16BE(2), client.localPort);
  assert.equal(next.at(-1)!.took, -1);
  client.destroy();
  await running.kill();
});

test("a wait that SIGSTOP and SIGCONT interrupt is taken up again, and each call of it is seen", async () => {
  const running = new Running().program(`
import { Epoll } from "workbook/net";
const epoll = new Epoll();
const began = performance.now();
epoll.poll(1500);
console.log(performance.now() - began);`);
  await running.traceWhere(records => records.at(-1)?.call === "epoll_wait");
  await running.interrupt();
  const { stdout } = await running.ended;
  const [first, ...again] = running.trace().records.filter(({ call }) => call === "epoll_wait");
  assert.deepEqual([first!.result, first!.errno, first!.args[3]], [-1, EINTR, 1500]);
  assert.equal(again.length, 1);
  assert.ok(again[0]!.args[3]! <= 1500 && again[0]!.result === 0, "for the time that was left");
  assert.ok(Number(stdout) >= 1499, `it waited ${stdout} ms in all`);
});

test("a connect that is interrupted is not called again: it is waited for", async () => {
  const { listener, port } = listening();
  listener.listen(0);
  // One more than the backlog fills the accept queue: the next handshake waits for room.
  const first = [new Socket(), new Socket()];
  first[0]!.connect({ port });
  first[1]!.setBlocking(false);
  first[1]!.connect({ port });
  const running = new Running().program(`
import { Socket, SOL_SOCKET, SO_SNDTIMEO } from "workbook/net";
const client = new Socket();
client.setOption(SOL_SOCKET, SO_SNDTIMEO, new BigInt64Array([60n, 0n])); // without it the kernel resumes it by itself
console.log(client.connect({ port: ${port} }));`);
  await running.traceWhere(records => records.at(-1)?.call === "connect");
  await running.interrupt();
  await running.traceWhere(records => records.at(-1)?.call === "poll");
  const accepted = [listener.accept()!.client, listener.accept()!.client];
  const { stdout, stderr } = await running.ended;
  assert.deepEqual([stdout, stderr], ["true\n", ""]);
  const [interrupted, ...rest] = running.trace().records.slice(2);
  assert.deepEqual([interrupted!.call, interrupted!.errno], ["connect", EINTR]);
  assert.deepEqual(
    rest.map(({ call }) => call),
    ["poll", "getsockopt"],
  );
  for (const socket of [listener, ...first, ...accepted]) socket.close();
});

test("the last records survive a crash", async () => {
  const running = new Running().program(`
import { Socket, sleep } from "workbook/net";
import koffi from "koffi";
const socket = new Socket();
socket.bind({ port: 0 });
koffi.decode(8n, "int");`);
  const { code, signal, stderr } = await running.ended;
  assert.deepEqual({ code, signal, stderr }, { code: null, signal: "SIGSEGV", stderr: "" });
  const { head, records } = running.trace();
  assert.equal(head, 2);
  assert.deepEqual([records[1]!.call, records[1]!.result, records[1]!.line], ["bind", 0, 5]);
});

test("a flood overruns the ring, but every call is counted; the newest are there, in brief", async () => {
  const running = new Running().program(`
import { Socket } from "workbook/net";
const socket = new Socket();
socket.setBlocking(false);
for (let i = 0; i < 200_000; i++) try { socket.localAddress() } catch {}`);
  const { code } = await running.ended;
  assert.equal(code, 0);
  const { head, records } = running.trace();
  assert.equal(head, 200_003);
  assert.equal(records.length, layout.capacity);
  assert.ok(records.every(({ call, result }) => call === "getsockname" && result === 0));
  assert.ok(
    records.some(({ took }) => Number.isNaN(took)),
    "not each was timed",
  );
  for (const { took, line } of records) assert.ok(Number.isNaN(took) ? line === 0 : line === 5);
});

test("a flood keeps what differs: accepts with peers, what was sent and received, closes, the ends of runs", async () => {
  const clients = 60;
  const running = new Running().program(`
import { Socket } from "workbook/net";
const listener = new Socket();
listener.bind({ port: 0 });
listener.listen(128);
const address = listener.localAddress();
listener.setBlocking(false);
for (let i = 0; i < 20_000; i++) listener.accept();
for (let i = 0; i < ${clients}; i++) {
  const client = new Socket();
  client.connect(address);
  const accepted = listener.accept().client;
  accepted.setBlocking(false);
  for (let i = 0; i < 200; i++) { listener.accept(); accepted.recv(100); }
  client.send("hello, server");
  accepted.recv(100);
  accepted.send("hello, client");
  for (let i = 0; i < 200; i++) { listener.accept(); accepted.recv(100); }
  accepted.close();
  client.close();
}`);
  const { code, stderr } = await running.ended;
  assert.deepEqual([code, stderr], [0, ""]);
  const { head, kept, counts } = running.kept();
  assert.equal(
    Object.values(counts).reduce((a, b) => a + b, 0),
    head,
  );
  const of = (name: string, wanted: (one: Traced) => boolean) =>
    kept.filter(one => one.call === name && wanted(one));
  const accepts = of("accept4", ({ result }) => result > 0);
  assert.equal(accepts.length, clients);
  assert.equal(new Set(accepts.map(({ preview }) => preview.readUInt16BE(2))).size, clients);
  assert.ok(accepts.every(({ line }) => line === 12 || line === 0));
  assert.equal(accepts[0]!.line, 12);
  assert.deepEqual(
    of("recv", ({ result }) => result > 0).map(({ preview }) => String(preview)),
    Array(clients).fill("hello, server"),
  );
  const answers = of("send", ({ preview }) => String(preview) === "hello, client");
  assert.equal(answers.length, clients);
  assert.equal(of("close", () => true).length, 2 * clients);
  assert.ok(kept.length < 30 * clients, `${kept.length} of ${head} calls are kept`);
});

test("what a flood moved is not written down; after a rest calls are written whole again", async () => {
  const running = new Running().program(`
import { Socket, sleep } from "workbook/net";
const listener = new Socket();
listener.bind({ port: 0 });
listener.listen();
const client = new Socket();
client.connect(listener.localAddress());
const { client: server } = listener.accept();
for (const end of [client, server]) end.setBlocking(false);
for (let i = 0; i < 50_000; i++) {
  client.send("hello");
  server.recv(100);
}
sleep(100);
client.send("again");`);
  const { code, stderr } = await running.ended;
  assert.deepEqual([code, stderr], [0, ""]);
  const { records } = running.trace();
  const flood = records.slice(0, -2);
  const brief = flood.filter(({ line }) => line === 0);
  assert.ok(brief.length > flood.length / 2, "but where the machine did something else for a while");
  assert.ok(brief.every(({ result, preview }) => result === 5 && preview.length === 0));
  const { call, line, preview } = records.at(-1)!;
  assert.deepEqual([call, line, String(preview)], ["send", 15, "again"]);
});

test("an error wakes the reader at once, and so does the end", async () => {
  const running = new Running().program(`
import { Socket } from "workbook/net";
try { new Socket().listen(); new Socket().connect({ port: 1 }) } catch {}
for (;;);`);
  const records = await running.traceWhere(records => records.at(-1)?.errno !== 0 && records.length > 0);
  assert.equal(records.at(-1)!.call, "connect");
  assert.equal(records.at(-1)!.errno, ECONNREFUSED);
  await running.kill();
});

test("a reader that never reads its newlines does not block the program", async () => {
  const running = new Running().program(`
import { sleep } from "workbook/net";
for (let i = 0; i < 2_000; i++) sleep(0);`);
  running.control.pause();
  assert.equal((await running.ended).code, 0);
  assert.equal(running.trace().head, 2_000);
});

test("without a trace nothing is written, and the program is the same", async () => {
  const running = new Running({ LAB_CONTROL_FD: "3" }).program(`
import { Socket } from "workbook/net";
console.log(new Socket().fd > 0);`);
  assert.equal((await running.ended).stdout, "true\n");
  assert.equal(running.trace().head, 0);
});

test("a worker thread's calls are its own, and are not traced", async () => {
  const running = new Running().program(`
import { Worker } from "node:worker_threads";
import { Socket } from "workbook/net";
new Socket();
new Worker(new URL("data:text/javascript,import { Socket } from '" + import.meta.resolve("workbook/net") + "'; new Socket()"));`);
  const { code, stderr } = await running.ended;
  assert.deepEqual([code, stderr], [0, ""]);
  assert.equal(running.trace().head, 1);
});

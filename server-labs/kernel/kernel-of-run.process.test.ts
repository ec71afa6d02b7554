// Real programs, real clients, and what is seen of them in /proc.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { atBestLevel, first, fixture, whole } from "../fixtures/run-helpers.ts";
import type { TemporaryLab } from "../fixtures/temporary-lab.ts";
import { allProcesses, descendsFrom, processFacts, signal } from "../process/processes.ts";
import { type KernelConnection, type KernelSample, type ReadyState, sentence } from "../protocol.ts";
import type { ProcessRun } from "../runs/run.ts";

await atBestLevel("the kernel's state of a program", make => {
  let at: TemporaryLab;
  const clients: Socket[] = [];
  before(async () => {
    at = await make();
  });
  after(async () => {
    for (const client of clients) client.destroy();
    await at.close();
  });

  async function started(name: string): Promise<ProcessRun> {
    const run = await at.runs.startProgram(at.lab, { text: fixture(name) });
    run.kernel!.want(1);
    return run;
  }
  /** The first sample for which something holds. */
  const sample = async (run: ProcessRun, holds: (sample: KernelSample) => boolean) =>
    (await first(run, "kernel", event => holds(event.sample))).sample;
  async function client(run: ProcessRun, more: { allowHalfOpen?: boolean } = {}): Promise<Socket> {
    const socket = connect({ port: run.port, host: "127.0.0.1", ...more });
    clients.push(socket);
    socket.on("error", () => {});
    await once(socket, "connect");
    return socket;
  }
  const sleepsInEpollWait = ({ doing }: KernelSample) =>
    doing.code === "asleep-in" && doing.call.name === "epoll_wait";
  const address = (socket: Socket) => `127.0.0.1:${socket.localPort}`;
  const of = (sample: KernelSample, socket: Socket): KernelConnection | undefined =>
    sample.connections.find(({ peer }) => peer === address(socket));
  const interest = (sample: KernelSample, fd: number | undefined) =>
    sample.epolls[0]?.interest.find(one => one.fd === fd);
  const ready = (sample: KernelSample, socket: Socket): ReadyState | undefined =>
    interest(sample, of(sample, socket)?.fd)?.ready;

  test("only what is the student's is shown: a listener, an epoll instance, a file", async () => {
    const run = await started("reads-one-byte.ts");
    const seen = await sample(run, s => sleepsInEpollWait(s) && s.listeners.length > 0);
    assert.deepEqual(seen.connections, []);
    const [listener] = seen.listeners;
    assert.equal(listener!.address, `127.0.0.1:${run.port}`);
    assert.deepEqual([listener!.queued, listener!.backlog, listener!.waiting], [0, 7, []]);
    assert.equal(seen.epolls.length, 1);
    assert.deepEqual(seen.epolls[0]!.interest, [
      { fd: listener!.fd, events: ["EPOLLIN"], trigger: "level", ready: "no" },
    ]);
    assert.equal(seen.epolls[0]!.ready, false);
    assert.equal(sentence(seen.doing), `asleep in epoll_wait(${seen.epolls[0]!.fd})`);
    assert.deepEqual(
      seen.others.map(({ what }) => what),
      ["file /dev/zero"],
    );
    assert.ok(seen.descriptors.open > 10 && seen.descriptors.limit === 4096);
    assert.ok(seen.rssBytes > 10e6 && seen.cpuMs > 0 && seen.threads > 1);
    assert.ok(seen.calls.ready > 5 && seen.calls.unseen === 0);
    assert.equal(seen.problem, null);
    await run.stop();
  });

  test("level-triggered is reported until all is read; edge-triggered and ONESHOT do not report the rest", async () => {
    const run = await started("reads-one-byte.ts");
    await first(run, "listening");
    const [level, edge, oneshot] = [await client(run), await client(run), await client(run)];
    await sample(run, s => s.connections.length === 3);
    for (const one of [level, edge, oneshot]) one!.write("hello");
    const seen = await sample(run, s => of(s, edge!)?.recvQ === 4 && ready(s, edge!) === "silent");
    const sampled = await sample(
      run,
      s => of(s, level!)?.recvQ === 0 && of(s, oneshot!)?.recvQ === 4 && ready(s, edge!) === "silent",
    );
    assert.equal(ready(sampled, level!), "no");
    assert.equal(ready(sampled, oneshot!), "silent");
    const ways = [level, edge, oneshot].map(one => interest(sampled, of(sampled, one!)!.fd)!);
    assert.deepEqual(
      ways.map(({ trigger }) => trigger),
      ["level", "edge", "disarmed"],
    );
    assert.deepEqual([ways[0]!.events, ways[1]!.events], [["EPOLLIN"], ["EPOLLIN", "EPOLLET"]]);
    assert.equal(sampled.epolls[0]!.ready, false);
    assert.deepEqual(
      [level, edge].map(one => of(seen, one!)!.nonblocking),
      [true, false],
    );
    assert.deepEqual(of(sampled, edge!)!.other, { state: "ESTABLISHED", recvQ: 0, sendQ: 0 });
    edge!.write("!");
    await sample(run, s => of(s, edge!)?.recvQ === 4 && s.calls.ready > sampled.calls.ready);
    await run.stop();
  });

  test("clients of a stopped program wait in the accept queue, with what they have sent", async () => {
    const run = await started("reads-one-byte.ts");
    await sample(run, s => sleepsInEpollWait(s) && s.listeners.length > 0);
    const pid = programOf(run);
    signal(pid, "SIGSTOP");
    const stopped = await sample(run, s => s.doing.code === "stopped-by-signal");
    assert.match(sentence(stopped.doing), /^stopped by a signal, inside epoll_wait\(\d+\)$/);
    const [one, two] = [await client(run), await client(run, { allowHalfOpen: true })];
    one!.write("hello");
    two!.end();
    const seen = await sample(
      run,
      ({ listeners: [l] }) =>
        l?.waiting.some(w => w.recvQ === 5) === true && l.waiting.some(w => w.state === "CLOSE_WAIT"),
    );
    assert.equal(seen.listeners[0]!.queued, 2);
    assert.equal(seen.listeners[0]!.waiting.find(w => w.peer === address(one!))!.recvQ, 5);
    assert.equal(interest(seen, seen.listeners[0]!.fd)!.ready, "listed");
    assert.equal(seen.epolls[0]!.ready, true);
    signal(pid, "SIGCONT");
    // A client that left, and that the program keeps open: what it has of it is its end.
    const kept = await sample(run, s => of(s, two!)?.state === "CLOSE_WAIT" && s.doing.code === "asleep-in");
    assert.equal(kept.listeners[0]!.queued, 0);
    await run.stop();
  });

  test("a reset connection is still held, though the kernel no longer lists it", async () => {
    const run = await started("reads-one-byte.ts");
    await first(run, "listening");
    const [, edge] = [await client(run), await client(run)];
    const before = of(await sample(run, s => of(s, edge!) !== undefined), edge!)!;
    const peer = address(edge!);
    edge!.resetAndDestroy();
    const seen = await sample(run, s => s.connections.some(c => c.peer === peer && c.state === "CLOSE"));
    assert.equal(seen.connections.length, 2);
    assert.deepEqual(
      seen.connections.find(c => c.peer === peer),
      {
        fd: before.fd,
        local: before.local,
        peer,
        state: "CLOSE",
        recvQ: 0,
        sendQ: 0,
        other: null,
        nonblocking: false,
      },
    );
    await run.stop();
  });

  test("a closed connection that a child holds is still registered, and is not the one that has its number", async () => {
    const run = await started("closes-what-a-child-holds.ts");
    await first(run, "listening");
    const held = await client(run);
    const other = await client(run);
    const { text } = await first(run, "output");
    const fd = Number(/^fd (\d+), again \1\n/.exec(text)?.[1]);
    const registered = (seen: KernelSample) => seen.epolls[0]?.interest.filter(one => one.fd === fd) ?? [];
    const both = await sample(run, s => registered(s).length === 2 && sleepsInEpollWait(s));
    const [closed, open] = [
      registered(both).find(one => one.closed !== undefined)!,
      registered(both).find(one => one.closed === undefined)!,
    ];
    assert.equal(closed.closed!.socket!.peer, address(held));
    assert.match(
      sentence(closed.closed!.statement),
      /^registered; its descriptor was closed, .*child process/,
    );
    assert.deepEqual([open.trigger, open.ready, closed.trigger], ["level", "no", "edge"]);
    assert.deepEqual(
      both.connections.map(one => [one.fd, one.peer]),
      [[fd, address(other)]],
    );
    held.write("for the first");
    await first(run, "output", ({ text }) => text.includes(`ready ${fd}`));
    const seen = await sample(
      run,
      s => registered(s).some(one => one.closed?.socket?.recvQ === 13) && sleepsInEpollWait(s),
    );
    assert.equal(of(seen, other)!.recvQ, 0);
    assert.deepEqual(
      registered(seen)
        .map(one => [one.closed !== undefined, one.ready])
        .sort(),
      [
        [false, "no"],
        [true, "silent"],
      ],
    );
    await run.stop();
  });

  test("a listener of IPv6 that takes IPv4 clients, made by Node's own library: both ends are found", async () => {
    const text = `import { createServer } from "node:net";
      createServer(() => {}).listen(Number(process.argv[2]), "::", () => console.log("ready"));`;
    const run = await at.runs.startProgram(at.lab, { text });
    run.kernel!.want(1);
    await first(run, "output");
    const one = await client(run);
    const seen = await sample(run, s => of(s, one)?.other != null);
    assert.equal(seen.listeners[0]!.address, `[::]:${run.port}`);
    assert.equal(seen.listeners[0]!.backlog, null, "listen(2) was not among the calls that are traced");
    assert.equal(of(seen, one)!.local, `127.0.0.1:${run.port}`);
    assert.deepEqual(of(seen, one)!.other, { state: "ESTABLISHED", recvQ: 0, sendQ: 0 });
    assert.deepEqual(seen.epolls, [], "Node's own epoll instances are not the student's");
    await run.stop();
  });

  test("when the program ends between two looks, there is the last sample and no more", async () => {
    const run = await started("exits-at-once.ts");
    const events = await whole(run);
    assert.equal(events.at(-1)!.type, "exited");
    assert.equal(await run.kernel!.once(), null);
  });

  test("a sample of a program that cannot wait costs it nothing, and counts the calls that were not read", async () => {
    const run = await started("makes-calls.ts");
    const seen = await sample(run, s => s.calls.ready + s.calls.unseen >= 50_000);
    assert.equal(seen.calls.ready + seen.calls.waiting + seen.calls.failed + seen.calls.unseen, 50_003);
    await run.stop();
  });

  /** The program's own process: what asks for it in a test is a signal. */
  function programOf(run: ProcessRun): number {
    const found = allProcesses().find(
      ({ pid }) => run.contains(pid) && descendsFrom(pid, process.pid) && nodes(pid),
    );
    return found!.pid;
  }
  const nodes = (pid: number) => processFacts(pid) !== null && childless(pid);
  const childless = (pid: number) => !allProcesses().some(({ parent }) => parent === pid);
});

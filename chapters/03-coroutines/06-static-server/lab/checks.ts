// What a web server with a task for each client must do, beside all that the web server of chapter 2 does: the checks of
// epoll/static-server are checks of this lab, too (`passes` in lesson.md).
import { type Client, check, type SiteFiles, staticSite, type Tools } from "workbook/check";

const { files, host, get, theMenu, thePage } = staticSite;

/** More than the kernel's buffers of one connection hold, both ends together, as long as the client does not read. */
const large = staticSite.distinctBytes(12 * 1024 * 1024 + 12_345);
const withLarge: SiteFiles = { ...files, "html/large.bin": large, "html/loop.txt": { link: "loop.txt" } };

/** A client that has asked for 12 MB and does not read: the server has sent a part. */
async function underWay(t: Tools): Promise<Client> {
  const client = await t.client({ reads: false, receiveBuffer: 64 * 1024 });
  client.send(get("/large.bin"));
  await t.server.fills([client]);
  return client;
}

/** All 12 MB must come. */
async function completes(t: Tools, client: Client, because: string): Promise<void> {
  client.setReading(true);
  await t.exchange({
    about: "the rest of 12 MB",
    client,
    sends: [],
    wants: [{ status: 200, body: large }],
    because,
  });
}

// ------------------------------------------------------------------------------------- a task for each client

/**
 * Ten clients get an answer, and ten connect and send nothing. All close. The server closes its sockets, and prints no
 * error.
 */
check("leaves", "lets clients leave without an error", { files }, async t => {
  const { server, expect } = t;
  const before = server.sockets;
  const from = server.output.bytes;
  const crowd = await t.oneByOne(20);
  for (const client of crowd.slice(10))
    await t.exchange({ about: "a client that will leave", client, sends: get("/"), wants: [thePage] });
  for (const client of crowd) client.close();
  const held = await server.holds(before);
  const printed = () => /.*(?:Error\b|Traceback).*/.exec(server.output.since(from))?.[0];
  // A task may close first, and print then.
  await t.comesTrue(() => printed() !== undefined);
  const error = printed();
  expect(
    error ?? null,
    "Clients closed their connections, as each client does, and the server printed an error.",
  ).equal(null, {
    because:
      "The end of the stream is not an error. Which name does the task close there, and whose variable is it? A function* sees its own parameters, not the variables of the function that spawned it.",
    see: "curl -s --max-time 2 -o /dev/null http://127.0.0.1:{port}/   # then look at Output",
  });
  expect(held - before, "20 clients have left: sockets of clients that the server holds.").equal(0, {
    because: "A task ends, and its socket stays open: close it in a finally block.",
    see: "curl -s --max-time 2 -o /dev/null http://127.0.0.1:{port}/; sleep 0.3; ss -tan 'sport = :{port}'   # CLOSE-WAIT: the server has not closed",
  });
});

/** Requests on which a handler easily throws, or whose client leaves in the middle. */
const poisons = [
  { about: "bytes that are not UTF-8", sends: Buffer.from("\xff\xfe\xfd\r\n\r\n", "latin1") },
  { about: "a request line without a target", sends: "GET\r\n\r\n" },
  { about: "a link that leads to itself", sends: get("/loop.txt") },
  { about: "a name of 300 characters", sends: get(`/${"n".repeat(300)}`) },
  { about: "a file as if it were a folder", sends: get("/menu.txt/tea") },
  { about: "a percent sign without digits", sends: get("/100%") },
  { about: "a zero byte", sends: get("/menu.txt%00") },
] as const;

/**
 * One client has half of 12 MB, and one is idle. Seven others send, in the same moment, requests on which a handler may
 * throw, twice, and ten reset. Each of the seven is refused or disconnected; the two others are served.
 */
check("one-bad", "ends a bad request, and no other", { files: withLarge }, async t => {
  const { server, expect } = t;
  const reader = await underWay(t);
  const [calm] = (await t.oneByOne(1)) as [Client];
  await t.exchange({ about: "a client before the others", client: calm, sends: get("/"), wants: [thePage] });
  const before = server.sockets;
  for (let round = 1; round <= 2; round++) {
    const bad = await t.oneByOne(poisons.length);
    const rude = await t.oneByOne(10);
    await server.stop();
    for (const [i, { sends }] of poisons.entries()) bad[i]!.send(sends);
    for (const client of rude) client.send(get("/menu.txt")).reset();
    server.continue();
    for (const [i, { about }] of poisons.entries()) {
      const client = bad[i]!;
      await t.until(() => client.over || client.unparsed.length > 12, 5000);
      const status = client.received.toString("latin1", 0, 12);
      expect(
        client.over || /^HTTP\/1\.[01] [45]/.test(status),
        status === ""
          ? `${client.name} sent ${about}: it got no answer, and its connection stays open.`
          : `${client.name} sent ${about}, and got "${status}".`,
      ).ok({
        because:
          "An error ended the task, and its socket stays open: this client waits for ever. Catch the error in the task of this client, answer or not, and close in a finally block.",
        see: "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; printf \"\\xff\\r\\n\\r\\n\" >&3; timeout 3 cat <&3; echo $?'   # 124: it still waits",
      });
    }
    for (const client of bad) client.close();
    expect(
      (await server.holds(before)) - before,
      "The clients of the bad requests have left: sockets of theirs that the server holds.",
    ).equal(0, { because: "A task that ends by an error must close its socket: finally does." });
  }
  const because =
    "In a nursery the first error ends all tasks. So the task of a client catches its own errors: they end this connection, and no other.";
  await t.exchange({
    about: "the idle client",
    client: calm,
    sends: get("/menu.txt"),
    wants: [theMenu],
    because,
  });
  await completes(t, reader, because);
});

/** What the lab asks for: a request that is not whole after this time is not waited for, in milliseconds. */
const requestWithinMs = 10_000;
/** How late that may be noticed. */
const noticedMs = 2000;

/**
 * Two clients send a whole head, and then a body of a thousand bytes: one byte every 250 ms, with a length and in chunks.
 * The server refuses or closes within twelve seconds. A client whose body needs three seconds gets its answer.
 */
check("slow-body", "waits at most ten seconds for a whole request", { files, patient: true }, async t => {
  const { expect } = t;
  const post = (fields: string) => `POST /menu.txt HTTP/1.1\r\n${host}${fields}\r\n`;
  const [counted, chunked, slow] = (await t.oneByOne(3)) as [Client, Client, Client];
  const lostMs = () => t.server.delayedMs + t.lateMs;
  const [began, lost] = [performance.now(), lostMs()];
  const past = () => performance.now() - began;
  counted.send(post("Content-Length: 1000\r\n"));
  chunked.send(`${post("Transfer-Encoding: chunked\r\n")}3e8\r\n`);
  slow.send(`${post("Content-Length: 4\r\n")}ab`);
  let sentAt = 0;
  const drips = [counted, chunked];
  // A server may refuse a body before it has come, and close.
  const isOver = (client: Client) => client.over || client.receivedBytes > 0;
  while (!drips.every(client => client.over) && past() < requestWithinMs + noticedMs + lostMs() - lost) {
    for (const client of drips) if (!client.over) client.send("x");
    if (sentAt === 0 && past() > 3000) {
      sentAt = past();
      if (!slow.over) slow.send("cd");
    }
    await t.until(() => drips.every(client => client.over), 250);
  }
  const refused = /^HTTP\/1\.[01] (400|403|405|408|411|413|501) /;
  await t.until(() => isOver(slow), 5000);
  const answer = slow.received.toString("latin1", 0, 13);
  if (sentAt > requestWithinMs / 2) t.tooBusy("a client that sends within three seconds");
  expect(
    refused.test(answer) && !answer.includes("408"),
    "A client sent its POST in three seconds. It must be refused as each POST, and not for its slowness.",
  ).ok({ because: "A client with a slow connection needs some seconds: less than three are too few." });
  for (const [client, how] of [
    [counted, "a length"],
    [chunked, "chunks"],
  ] as const)
    expect(
      client.over,
      `After twelve seconds the server still reads a body with ${how} that comes byte by byte.`,
    ).ok({
      because:
        "A time-out around each recv begins anew with each byte. Put one deadline around the whole request: its first line, its fields and its body.",
      see: "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; printf \"POST / HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 1000\\r\\n\\r\\n\" >&3; (while sleep 0.25; do printf x; done >&3) & time timeout 15 cat <&3; kill %1'",
      labRule: "HTTP names no time for a request: the ten seconds are a rule of this lab.",
    });
});

/** Each way in which twenty clients come and leave. */
const ways: readonly ((t: Tools) => Promise<Client[]>)[] = [
  async t => {
    const crowd = (await t.clients(20)).map(client => client.send(get("/menu.txt")));
    for (const client of crowd) await client.receives(staticSite.menu);
    return leave(crowd, "close");
  },
  async t => {
    const crowd = await t.clients(20);
    for (const client of crowd) client.send("GET /menu.txt HTTP/1.1\r\nHos");
    await t.server.accepts(crowd);
    await t.server.reads(crowd[19]!);
    return leave(crowd, "reset");
  },
  async t => {
    const crowd = await t.clients(20);
    for (const client of crowd)
      client.send(`POST / HTTP/1.1\r\n${host}Content-Length: 100\r\n\r\nthe first bytes`);
    await t.server.accepts(crowd);
    await t.server.reads(crowd[19]!);
    return leave(crowd, "close");
  },
  async t => {
    t.site.write("html/large.bin", large); // a new version, and so another open file
    const crowd = await t.clients(4, { reads: false, receiveBuffer: 4096 });
    for (const client of crowd) client.send(get("/large.bin"));
    await t.server.fills(crowd);
    return leave(crowd, "reset");
  },
];

function leave(crowd: Client[], how: "close" | "reset"): Client[] {
  for (const client of crowd) client[how]();
  return crowd;
}

/** So many clients come and leave, in each of the ways, `rounds` times. @returns how many */
async function crowds(t: Tools, rounds: number): Promise<number> {
  const { sockets } = t.server;
  let count = 0;
  for (let round = 0; round < rounds; round++)
    for (const way of ways) {
      count += (await way(t)).length;
      t.expect(
        (await t.server.holds(sockets)) - sockets,
        "Clients have left: sockets of theirs that the server holds.",
      ).equal(0, { because: "Close the socket in a finally block: it runs on every way out of a task." });
    }
  return count;
}

/** V8 may still compile functions, also between two measurements: that is nothing that a client has left. */
const slackBytes = 64 * 1024;

/** Bytes that the program uses without garbage; null where it cannot be asked. */
async function usedBytes(t: Tools): Promise<number | null> {
  const { server } = t;
  const { sockets } = server;
  const answer = server.askMemoryUse();
  if (answer === null) return null;
  // The answer comes with the server's next system call.
  (await t.client()).close();
  const use = await t.until(answer, 20_000);
  if (use === null) t.tooBusy("the memory that the server uses");
  await server.holds(sockets);
  return use.bytes;
}

/**
 * Hundreds of clients come and leave: after an answer, in the middle of a head, of a body, of a file. Then the server has
 * as many descriptors as before, sleeps, and has kept no memory for them.
 */
check(
  "nothing-left",
  "keeps nothing of hundreds of clients that have left",
  { files: withLarge },
  async t => {
    const { server, expect } = t;
    await crowds(t, 1);
    const { descriptors } = server;
    const used = [await usedBytes(t)];
    const counts: number[] = [];
    for (let step = 0; step < 2; step++) {
      counts.push(await crowds(t, 4));
      used.push(await usedBytes(t));
    }
    // One file may stay open for the next client.
    await t.until(() => server.descriptors <= descriptors + 1, 3000);
    expect(
      server.descriptors - descriptors,
      "Hundreds of clients have left: descriptors that the server has more than before.",
    ).atMost(2, { because: "A file is open while a client receives it: release it in a finally block." });
    const idle = await server.idle(200);
    expect(idle.busy, "All clients have left: share of a processor that the server uses.").atMost(0.2, {
      because: "A task that has no client any more still runs. What should have ended it?",
    });
    if (used.includes(null)) return;
    const grown = counts.map((count, i) => Math.round((used[i + 1]! - used[i]! - slackBytes) / count));
    t.note(`the server's memory: ${used.join(", ")} bytes`);
    expect(
      Math.min(...grown),
      "Hundreds of clients came and left, twice: bytes of memory that the server has kept for each.",
    ).atMost(512, {
      because:
        "A task that does not end, a timer that was not removed, an entry in a Map: each keeps all variables of a client. Whatever a task arranges before it waits, it must undo on each way on.",
    });
  },
);

/** The lab's promise: after SIGTERM the server has so long, in milliseconds. */
const endWithinMs = 5000;
/** Clients without an answer under way, and the listener, have no reason to wait: after so long they have been left alone. */
const atOnceMs = 1500;

/**
 * SIGTERM comes while one client is idle, one has sent half a request, and two have a part of 12 MB. The port has no
 * listener any more. The first two are disconnected. One of the others reads on, and gets all of its file; the other does
 * not read. The server ends with status 0 within five seconds.
 */
check(
  "sigterm",
  "finishes what is under way at SIGTERM, and ends",
  { files: withLarge, patient: true },
  endsWell,
);

async function endsWell(t: Tools): Promise<void> {
  const { server, expect } = t;
  const [idle, half] = (await t.oneByOne(2)) as [Client, Client];
  const stays = { about: "a client that stays", client: idle, sends: get("/"), wants: [thePage] };
  await t.exchange({ ...stays, after: "open" });
  half.send("GET /menu.txt HTTP/1.1\r\nHos");
  await server.reads(half);
  const late = await underWay(t);
  await underWay(t);
  const labRule = "No standard says how a server ends at SIGTERM: that is a rule of this lab.";
  const see =
    "curl -s --max-time 9 --limit-rate 4M -o /dev/null -w '%{size_download} bytes\\n' http://127.0.0.1:{port}/large.bin & sleep 0.5\nkill $(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+'); wait";
  server.terminate();
  const soon = fromNow(t);
  await soon(atOnceMs, () => !server.listens);
  const why = {
    labRule,
    see,
    because:
      "Block SIGTERM, and let a task wait until the SignalFd is readable. A task that sends is not cancelled then: it has some seconds to end.",
  };
  if (!server.alive) t.fail(`At SIGTERM the server ${server.end}, with two answers under way.`, why);
  expect(server.listens, "SIGTERM has come, and the port still has a listener.").equal(false, {
    labRule,
    because: "Close the listener first: as long as a socket listens, the kernel completes handshakes.",
    see: "ss -tln 'sport = :{port}'",
  });
  const left = await soon(atOnceMs, () => idle.over && half.over);
  expect(left, "SIGTERM has come, and an idle client or one with half a request is still connected.").ok({
    labRule,
    because:
      "No answer to these clients is under way, and their tasks could hold the server: cancel these tasks.",
  });
  late.setReading(true);
  const body = () => late.receivedBytes - late.received.indexOf("\r\n\r\n") - 4;
  await soon(endWithinMs, () => late.over || body() >= large.length);
  if (body() < large.length && soon.lostMs() > 500)
    t.tooBusy("a client that reads 12 MB in the seconds after SIGTERM");
  expect(body(), "Bytes that came of an answer that was under way at SIGTERM.").equal(large.length, why);
  const ending = (await soon(endWithinMs, () => !server.alive)) ? await server.ends() : null;
  expect(ending, "A client does not read, and five seconds after SIGTERM the server still runs.").ok({
    labRule,
    because:
      "One client that does not read can hold the server for ever. Give the answers under way some seconds, and then cancel all tasks.",
  });
  expect(ending, "How the server has ended.").equal(
    { status: 0, signal: null },
    { labRule, because: "The status 0 says that the server ended in order: let the first task return." },
  );
}

/** Waits until something is true, or this time has passed since now, without what a busy machine has taken of it. */
function fromNow(t: Tools) {
  const { server, until } = t;
  const lost = () => server.delayedMs + t.lateMs;
  const [from, before] = [performance.now(), lost()];
  const lostMs = () => Math.max(0, lost() - before);
  const isOver = (ms: number) => performance.now() - from > ms && performance.now() - from - lostMs() > ms;
  const soon = async (ms: number, probe: () => boolean) => {
    await until(() => probe() || isOver(ms), 30_000);
    return probe();
  };
  return Object.assign(soon, { lostMs });
}

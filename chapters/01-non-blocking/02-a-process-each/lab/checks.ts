// What must be true of a server that serves a bounded number of clients side by side: by processes, by threads, or in
// any other way. Its calls are made in several processes, so nothing here looks at them.
import { type Client, check, clock, fc, grammar, type Tools } from "workbook/check";

const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`;
const answer = (target: string) => ({ status: 200, body: `you asked for ${target}\n` });

/** The server consists of several processes or threads. */
const workers = { workers: true };
/** The limits of a silent client's deadline, in milliseconds: time to send a request, and the longest wait of the other clients. */
const deadline = { least: 200, most: 1000 };
/** The kernel keeps the times of segments in steps of a tick, in milliseconds. */
const tickMs = 10;
/** A timer of the kernel may be late by some ticks, and so may four processes that share a processor. */
const inexactMs = 800;
/** A server that has had so much time of its own, and sleeps, does not answer any more. */
const silentMs = 2500;
/** Whatever the machine does besides. */
const mostMs = 20_000;
/** A process of Node has some ten threads; V8 and libuv may start a few when they are first needed. */
const slack = 6;
/** A process has started when its threads are there and sleep. */
const settling = { over: 100, within: mostMs };

const silentClients = (count: number) =>
  `bash -c 'for i in $(seq ${count}); do exec {c}<>/dev/tcp/127.0.0.1/{port}; done; sleep 9' &   # ${count} silent clients`;
const asks = "curl -sS --max-time 8 http://127.0.0.1:{port}/tea";

/** Three clients connect and send nothing. A fourth sends its request, and has its answer before a silent client is disconnected. */
check("beside", "answers a client while three others are silent", workers, async t => {
  await everyWorkerIsUp(t);
  await answersBeside(t, {
    because:
      "A process that sleeps in recv() serves one client. For a fourth client beside three silent ones there must be a fourth process (or thread).",
    see: `${silentClients(3)}\nsleep 1; time ${asks}`,
  });
});

/** Six silent clients connect. When the server has disconnected them, twelve more connect: they start no further process and no further thread. */
check("bounded", "starts no further process or thread when more clients come", workers, async t => {
  const { server, clients, expect, note } = t;
  await everyWorkerIsUp(t);
  // Their workers are warm then: what V8 and libuv start when it is first needed has started.
  await over(t, await clients(6));
  await server.settles(() => server.threads.size, settling);
  const before = server.threads;
  const more = await clients(12);
  // A worker that ends and is replaced leaves their number as it was: only their ids show it.
  const started = new Set<string>();
  await over(t, more, () => {
    for (const id of server.threads) if (!before.has(id)) started.add(id);
    return started.size > slack;
  });
  note(
    `threads of all processes: ${before.size} before twelve silent clients came, and ${started.size} new ones after`,
  );
  expect(started.size, "Twelve more clients connected. Threads that the server started for them:").atMost(
    slack,
    {
      because:
        "A client that only connects must not cost a process: Node needs some 15 MB and a fifth of a second for one. Start a fixed number of processes, once, and let each serve one client after another. The other clients wait in the accept queue.",
      see: `${silentClients(12)}\nsleep 3; ps -o pid,etimes,args --ppid $(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+' | sort -n | head -1)`,
    },
  );
});

/**
 * Eight clients connect and send nothing. The next client has its answer after two deadlines of at most 1 s each, and the
 * server closes all silent connections. No silent client is disconnected within 0.2 s.
 */
check("deadline", "disconnects silent clients, so that they cannot use up the pool", workers, async t => {
  const { server, expect, note } = t;
  await everyWorkerIsUp(t);
  const why = {
    because:
      "Each silent client has a process that sleeps in recv(). When all processes of the pool sleep so, the other clients wait in the accept queue. SO_RCVTIMEO on the client's socket limits this sleep to a deadline of at most 1 s (socket(7)); then close the socket.",
    see: `${silentClients(8)}\nsleep 1; time ${asks}`,
  };
  const most = 2 * deadline.most + inexactMs;
  let behind = await asksBehind(t, 8);
  // A busy machine may need some tries.
  for (let tries = 0; tries < 2 && behind.answered && behind.waited > most; tries++)
    behind = await asksBehind(t, 8);
  const { silent, answered, waited } = behind;
  expect(answered, "Eight clients are silent, and the next client got no answer.").ok(whyNot(t, behind, why));
  expect(waited, "Eight clients are silent. The next client waited for its answer (ms).").atMost(most, why);
  note(`the next client got its answer after ${waited} ms`);
  const own = server.ownTime();
  const open = () => silent.filter(one => !one.over).length;
  await t.until(() => open() === 0 || (own.spent.asleep && own.spent.ms > silentMs), mostMs);
  expect(open(), "Silent clients that are connected when their deadline has passed:").equal(0, {
    because:
      "A client that has sent nothing until its deadline keeps a descriptor and a process. Close its socket, whichever process it has.",
    see: `${silentClients(8)}\nsleep 5; ss -tn 'sport = :{port}'   # expected: no connection`,
  });
  await notTooShort(t);
});

/**
 * Three clients close at once, three reset their connections, and three send `hello`. Then three clients are silent, and a
 * fourth has its answer before a silent client is disconnected.
 */
check("goes-on", "loses no worker by clients that leave, reset or send no request", workers, async t => {
  const { server, client } = t;
  await everyWorkerIsUp(t);
  await server.stop();
  for (let i = 0; i < 3; i++) {
    (await client()).close();
    (await client()).reset();
    (await client()).send("hello\r\n\r\n");
  }
  server.continue();
  await server.settles(() => server.sockets, { ...settling, over: 300 });
  await answersBeside(t, {
    because:
      "An error that is not caught ends its process, and the pool has one worker less. After a close recv() returns an empty Buffer; after a reset recv() throws a SyscallError; and the bytes that a client sends can be anything.",
    see: `for i in 1 2 3; do timeout 5 node -e 'require("net").connect({port}, "127.0.0.1", function () { this.resetAndDestroy() })'; done   # three resets\n${asks}`,
  });
});

/**
 * Generated clients send one request, other bytes, or nothing, and then close, half-close or reset, many at a time. The
 * server answers each request, keeps no socket of a client that has left, and then sleeps.
 */
check("conversations", "serves each client rightly in generated conversations", workers, async t => {
  await everyWorkerIsUp(t);
  const request = grammar
    .visibleAscii(1, 60, grammar.notInTargets)
    .map(name => ({ bytes: get(`/${name}`), wants: answer(`/${name}`), after: "close" as const }));
  const noRequest = grammar
    .anyBytes(1, 30)
    .map(bytes => ({ bytes: `\0${bytes}\r\n\r\n`, wants: null, after: "any" as const }));
  await t.conversations({
    says: fc.oneof({ arbitrary: request, weight: 3 }, { arbitrary: noRequest, weight: 1 }),
    messages: 1,
    cuts: 0,
    unfinished: false,
    // A silent client has a worker until its deadline: the check `deadline` is about that.
    only: ({ messages, end }) => messages.length > 0 || end === "leaves" || end === "is cut off",
    ends: ["closes", "leaves", "is cut off", "half-closes"],
    clients: 8,
    times: 12,
    idle: "sleeps",
    oneByOne: true,
    because:
      "Each client gets its own answer, whichever worker serves it, and every descriptor of a client that has left is closed.",
  });
});

/**
 * Three clients are silent, and a fourth gets its answer while they are connected. A busy checker may see that later than
 * it was: an answer that took less than any deadline did not wait for one. A busy machine may need some tries.
 */
async function answersBeside(t: Tools, why: { because: string; see: string }): Promise<void> {
  const { expect, note } = t;
  let least = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < 6 && least > 0; tries++) {
    const behind = await asksBehind(t, 3);
    const { silent, asker, answered, disconnected, waited } = behind;
    expect(answered, "Three clients are silent, and a fourth client got no answer.").ok(
      whyNot(t, behind, why),
    );
    note(
      `the fourth client got its answer after ${waited} ms, and ${disconnected} of three silent clients had been disconnected`,
    );
    least = Math.min(least, waited < deadline.least ? 0 : disconnected);
    for (const one of [...silent, asker]) one.close();
  }
  const summary = "Silent clients that had to be disconnected before a fourth client got its answer:";
  expect(least, summary).equal(0, why);
}

/**
 * Clients connect and send nothing, and one more connects and asks, all while the server is stopped: so it finds them in
 * this order, however busy the machine is. @returns `waited`: how long the answer took, by the kernel's record of both
 * segments, less the time in which the server was stopped or waited for a processor
 */
async function asksBehind(
  { server, clients, client, generate, until }: Tools,
  count: number,
): Promise<{ silent: Client[]; asker: Client; answered: boolean; disconnected: number; waited: number }> {
  await server.stop();
  const silent = await clients(count);
  const asker = await client();
  const target = `/${generate(grammar.word(3, 9))}`;
  asker.send(get(target));
  await asker.sent();
  const sentAt = clock();
  const own = server.ownTime();
  const stoppedMs = clock() - sentAt;
  server.continue();
  const answered = () => asker.received.includes(`you asked for ${target}\n`);
  const gone = () => silent.filter(one => one.over).length;
  const patience = server.ownTime();
  let before = 0;
  await until(() => {
    if (answered() || asker.over) return true;
    // A server that disconnects one after another goes on.
    if (gone() > before) patience.restart();
    before = gone();
    const { asleep, ms } = patience.spent;
    return asleep && ms > silentMs;
  }, mostMs);
  const disconnected = gone();
  const waited = Math.max(0, Math.round(asker.delivery().afterSending - stoppedMs - own.spent.waited));
  return { silent, asker, answered: answered(), disconnected, waited };
}

/** Why there was no answer: a client that is disconnected has not waited for a worker. */
function whyNot(
  { server }: Tools,
  { asker, answered }: { asker: Client; answered: boolean },
  why: { because: string; see: string },
): { because: string; see: string } {
  if (answered || !asker.over || !server.alive) return why;
  return {
    because:
      "The server has closed the connection of this client without an answer. Either the process that accepted it has ended, or a process closes the clients for which no worker is free. Let the workers alone call accept(): then these clients wait in the accept queue.",
    see: why.see,
  };
}

/** Waits until the server has disconnected all of these clients, does nothing any more, or `enough` is true. */
async function over(
  { server, until }: Tools,
  silent: readonly Client[],
  enough: () => boolean = () => false,
): Promise<void> {
  const own = server.ownTime();
  let before = 0;
  await until(() => {
    const gone = silent.filter(one => one.over).length;
    if (gone > before) own.restart();
    before = gone;
    const { asleep, ms } = own.spent;
    return enough() || gone === silent.length || (asleep && ms > silentMs);
  }, mostMs);
}

/** A pool takes time to start, and on a busy machine much of it. */
async function everyWorkerIsUp({ server }: Tools): Promise<void> {
  await server.settles(() => server.threads.size, settling);
}

/** The deadline is not too short: three clients are silent beside each other, and each has a worker at once. */
async function notTooShort({ server, clients, expect, note, until }: Tools): Promise<void> {
  const three = await clients(3);
  const own = server.ownTime();
  await until(() => three.every(one => one.over) || (own.spent.asleep && own.spent.ms > silentMs), mostMs);
  const least = Math.min(...three.filter(one => one.over).map(one => one.connectedFor()));
  note(`silent clients were disconnected after ${least} ms, by the kernel's record`);
  expect(least, "A silent client was disconnected so soon (ms).").atLeast(deadline.least - tickMs, {
    because:
      "A deadline that is too short disconnects honest clients: Linux repeats a lost packet after about 0.2 s. A struct timeval is two 64-bit numbers: seconds, then microseconds.",
    see: "time timeout 5 bash -c 'cat </dev/tcp/127.0.0.1/{port}'   # how long a silent client is connected",
  });
}

// What must be true of a server whose clients read as slowly as they like: every byte comes, no other client waits, and what
// waits for a client costs neither memory nor time. How the server keeps what is not sent is not asked.
import { type Client, type ClientOptions, check, fc, grammar, type Tools } from "workbook/check";

const MB = 1024 * 1024;
const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`;
const asked = (target: string) => ({ status: 200, body: `you asked for ${target}\n` });
const leaves = (bytes: number) => ({ status: 200, body: Buffer.alloc(bytes, "tea ") });
/** More than both kernels hold of one connection. */
const many = 12 * MB;

/** A client that does not read has little room, so that the kernel soon takes no more for it. */
const lazy: ClientOptions = { reads: false, receiveBuffer: 4096 };
/** A client that will read has more room; with less the kernels would send tiny pieces. */
const late: ClientOptions = { reads: false, receiveBuffer: 64 * 1024 };

/** So many clients that have asked for a long answer and do not read: the kernel takes no more bytes for them. */
async function full(t: Tools, count: number, options = lazy): Promise<Client[]> {
  const clients = await t.clients(count, options);
  for (const client of clients) client.send(get(`/leaves/${many}`));
  const begun = () => clients.every(client => (t.server.socketOf(client)?.sendQueue ?? 0) > 0);
  const tired = t.server.exhaustion();
  await t.until(() => begun() || t.server.stuck() !== null || tired(), 15_000);
  t.expect(
    begun(),
    "Several clients asked for a long answer and do not read. The server has begun to answer all of them:",
  ).ok({
    because:
      "A send() on a blocking socket sleeps until the kernel has taken all bytes, and a loop around a non-blocking send() does not end before. Call send() once, keep the rest, and go on with the next client.",
    see: beside,
  });
  await t.server.fills(clients);
  return clients;
}

const beside =
  "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; printf \"GET /leaves/12000000 HTTP/1.1\\r\\n\\r\\n\" >&3; sleep 0.5; curl -sS --max-time 2 http://127.0.0.1:{port}/tea'";

/** Three clients ask for 12 MB and do not read. A fourth client asks for `/tea`, and receives it. */
check("others", "answers other clients while three clients do not read", async t => {
  await full(t, 3);
  t.note("three clients have asked for 12 MB and do not read");
  const name = `/${t.generate(grammar.word(3, 9))}`;
  await t.exchange({
    about: "a small answer for a fourth client",
    sends: get(name),
    wants: [asked(name)],
    because:
      "The server waits for one client in a call, or in a loop around a call. Only epoll_wait may wait: for all clients together.",
    see: beside,
  });
});

/**
 * A client asks for 12 MB and two small answers, and reads a second later. Another client asks for several MB and a
 * small answer in one piece, and reads at once. Each receives every byte, in the order of its requests.
 */
check("whole", "sends every byte, in the order of the requests", async t => {
  const [client] = (await full(t, 1, late)) as [Client];
  const [one, two] = [1, 2].map(() => `/${t.generate(grammar.word(3, 9))}`) as [string, string];
  client.send(get(one) + get(two));
  // A server that calls recv() meanwhile has the requests now, and another finds them later. Both are right.
  await t.until(() => t.server.hasRead(client), 100);
  client.setReading(true);
  const because =
    "send() takes a part, or nothing (null). Keep the rest and wait for EPOLLOUT. When an answer is sent, look first into the bytes that you have read already: no event will tell you of them again.";
  const see =
    "curl -s --limit-rate 4M --max-time 4 -o /dev/null -w '%{size_download} of 12000000\\n' http://127.0.0.1:{port}/leaves/12000000";
  await t.exchange({
    about: "12 MB and two small answers, for a client that reads late",
    client,
    sends: [],
    wants: [leaves(many), asked(one), asked(two)],
    after: "open",
    because,
    see,
  });
  const odd = t.generate(fc.integer({ min: 3 * MB, max: 4 * MB }));
  await t.exchange({
    about: `${odd} bytes and a small answer, asked for in one piece by a client that reads at once`,
    sends: get(`/leaves/${odd}`) + get(one),
    wants: [leaves(odd), asked(one)],
    because,
    see,
  });
});

/** Three clients ask for 12 MB and do not read; then they read everything. The server sleeps both times. */
check("sleeps", "sleeps while clients do not read, and when all is sent", async t => {
  const { server } = t;
  const three = await full(t, 3, late);
  await sleepsNow(
    t,
    "Three clients do not read, and the kernel takes no more bytes for them.",
    "A socket whose send queue is full is not writable: wait for it with EPOLLOUT in epoll_wait, without a timeout and without asking again.",
  );
  for (const client of three) client.setReading(true);
  const total = (client: Client) => client.receivedBytes - client.received.indexOf("\r\n\r\n") - 4;
  const done = () => three.filter(client => client.over || total(client) >= many).length;
  await t.until(() => done() === 3, 15_000);
  t.expect(done(), "Three clients read now. Those that have received their 12 MB:").equal(3, {
    because: "When the client reads, the kernel has room again and epoll reports EPOLLOUT: send on then.",
  });
  await server.settles(() => server.sleepCount);
  await sleepsNow(
    t,
    "All answers are sent. The three clients are connected and silent.",
    "An idle socket is writable nearly always. As long as EPOLLOUT is registered, level-triggered epoll reports it in each turn: take it off when nothing is left to send.",
  );
});

async function sleepsNow({ server, expect }: Tools, what: string, because: string): Promise<void> {
  const { busy, restless, calls, watch } = await server.idle(200);
  const why = {
    because,
    see: "top -p $(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+')",
    at: watch?.calls.named("epoll_wait", "poll", "send").last ?? null,
  };
  const rounded = Number((busy * 100).toFixed(0));
  expect(rounded, `${what} Processor time that the server uses (%):`).atMost(20, why);
  if (calls !== null) expect(calls, `${what} System calls in 200 ms:`).atMost(40, why);
  expect(Number(restless.toFixed(1)), `${what} Turns without a sleep, for each sleep:`).atMost(3, why);
}

/** Twenty clients ask for 12 MB and do not read: the server takes at most 60 MB more memory. */
check("memory", "keeps at most a piece of each answer", async t => {
  const { server } = t;
  const name = `/${t.generate(grammar.word(3, 9))}`;
  await t.exchange({ about: "a client before the others", sends: get(name), wants: [asked(name)] });
  const before = server.memory;
  await full(t, 20);
  t.note("twenty clients have asked for 12 MB each, and do not read");
  t.expect(
    await server.growth(before, 160),
    "Memory for twenty clients that wait for the rest of 12 MB each (in MB).",
  ).atMost(60, {
    because:
      "Twenty answers of 12 MB are 240 MB. The client decides when the rest may go, so keep only the piece that comes next, and a number: how many bytes follow it.",
    see: "for i in $(seq 20); do curl -s --limit-rate 1 --max-time 9 -o /dev/null http://127.0.0.1:{port}/leaves/12000000 & done; sleep 2\ngrep RssAnon /proc/$(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+' | head -1)/status; wait",
  });
});

/**
 * A client sends 8 MB of requests, one behind the other, and reads no answer. The server stops reading them before it
 * has 1 MB. Other clients get their answers meanwhile.
 */
check("stops-reading", "stops reading from a client that takes no answers", async t => {
  const { server, expect } = t;
  const client = await t.client(lazy);
  const request = get(`/leaves/${t.generate(fc.integer({ min: 90_000, max: 110_000 }))}`);
  client.send(Buffer.alloc(8 * MB - ((8 * MB) % request.length), request));
  await t.until(() => server.bytesReadFrom(client) > 0, 5000);
  const read = await server.settles(() => server.bytesReadFrom(client), { enough: MB });
  const why = {
    because:
      "A client that sends and does not read makes the server keep requests or answers without a limit. While an answer is not sent, do not ask for EPOLLIN: the requests stay in the kernel, its buffer fills, and then the client has to wait.",
    see: 'bash -c \'exec 3<>/dev/tcp/127.0.0.1/{port}; yes "$(printf "GET /leaves/99999 HTTP/1.1\\r\\n\\r")" | timeout 3 cat >&3; ss -tn "sport = :{port}"\'   # Recv-Q: not read by the server',
  };
  expect(read, "A client sent 8 MB of requests and read nothing. Bytes that the server has read:").atMost(
    MB,
    why,
  );
  const name = `/${t.generate(grammar.word(3, 9))}`;
  await t.exchange({
    about: "a small answer for another client",
    sends: get(name),
    wants: [asked(name)],
    ...why,
  });
});

/** The most that a client may get in a turn; what a turn and the rest of the turn before may send to it together. */
const [share, twoShares] = [MB, 2 * MB];
const lateShares = 30 * MB;

/**
 * One client takes 60 MB as fast as it can. Meanwhile two others ask for a small answer. Before they have it, the server
 * sends at most 2 MB to the first: what is left of its share of one turn, and its share of the next.
 */
check("fair", "sends at most 1 MB to one client in a turn", async t => {
  const { server, expect } = t;
  const others = await t.clients(2);
  await server.accepts(others);
  const greedy = await t.client();
  greedy.send(get(`/leaves/${60_000_000}`));
  await t.until(() => greedy.receivedBytes >= 2 * share, 10_000);
  expect(greedy.receivedBytes, "A client asked for 60 MB, and reads. Bytes that it has received:").atLeast(
    2 * share,
    {
      because:
        "The client has room, and the server does not send. A share ends with the turn, and the answer does not: keep EPOLLOUT registered, and the next epoll_wait reports the client again.",
    },
  );
  await server.stop();
  // The client takes what is on its way, so that there is room for more than a share.
  await t.until(() => server.socketOf(greedy)?.sendQueue === 0, 5000);
  const watch = server.traced ? server.watch() : null;
  const names = others.map(() => `/${t.generate(grammar.word(3, 9))}`);
  for (const [i, other] of others.entries()) {
    other.send(get(names[i]!));
    await other.sent();
  }
  server.continue();
  const why = {
    because:
      "The client takes bytes while the server sends, so a loop until send() returns null sends megabytes to one client, and every other client waits for that. Give each client a share of the turn, and keep EPOLLOUT registered: the next epoll_wait reports it again, behind the others.",
    see: "curl -s --max-time 9 -o /dev/null http://127.0.0.1:{port}/leaves/60000000   # in Syscalls: what send() took between two calls of epoll_wait",
  };
  const before = greedy.receivedBytes;
  for (const [i, other] of others.entries()) {
    expect(await other.receives(asked(names[i]!).body), `${other.name} has its small answer.`).ok(why);
  }
  if (!watch) {
    // This check reads for all clients in turn, so it has seen the small answers at most some megabytes late.
    expect(
      greedy.receivedBytes - before,
      "Bytes that the first client got before both others had their answers:",
    ).atMost(lateShares, why);
    return;
  }
  const ports = others.map(({ port }) => port);
  const sends = () => watch.calls.named("send", "sendto", "sendmsg", "write", "writev", "sendfile");
  // The client may have an answer before its call is recorded.
  await watch.until(() => ports.every(port => sends().with(port).length > 0));
  let [sent, most] = [0, 0];
  for (const call of sends()) {
    if (ports.some(port => call.peer?.endsWith(`:${port}`))) most = Math.max(most, sent);
    else if (call.peer?.endsWith(`:${greedy.port}`)) sent += Math.max(0, call.returned);
  }
  expect(most, "Bytes for the first client before both others had their answers:").atMost(twoShares, why);
});

/**
 * Generated clients ask for short and long answers; some read late, leave or reset. Each answer arrives whole and in
 * order, and the server sleeps while no byte moves.
 */
check("conversations", "keeps every promise in generated conversations", async t => {
  const target = grammar.word(1, 12).map(name => `/x${name}`);
  const small = target.map(name => ({ bytes: get(name), wants: asked(name) }));
  const some = fc
    .integer({ min: 1, max: 300_000 })
    .map(bytes => ({ bytes: get(`/leaves/${bytes}`), wants: leaves(bytes) }));
  const large = fc
    .integer({ min: 3 * MB, max: 5 * MB })
    .map(bytes => ({ bytes: get(`/leaves/${bytes}`), wants: leaves(bytes) }));
  await t.conversations({
    says: fc.oneof({ weight: 3, arbitrary: small }, { weight: 2, arbitrary: some }, large),
    clients: 8,
    readsLate: true,
    idle: "sleeps",
    because:
      "Every byte of every answer arrives, in the order of the requests. A client that leaves in the middle leaves nothing behind in the server, and while no byte moves the server sleeps in epoll_wait.",
  });
});

// What must be true of a server that is edge-triggered, forgets no byte, and lets no client wait for another. How it reads
// to the end, and how it remembers where there is more, is not asked.
import {
  type BrokenPromise,
  type Calls,
  type Client,
  check,
  fc,
  grammar,
  type Tools,
  type Why,
} from "workbook/check";

const EPOLLET = 0x80000000;
const EPOLL_CTL_DEL = 2;
const KB = 1024;
/** What a server may read of a client that never stops before it has read from all others, in bytes: a few shares. */
const mostAhead = 512 * KB;
/** More than any share: it waits in the kernel when its event is reported. */
const remainder = 256 * KB;
/** A line that makes the kernel enlarge the receive buffer of its connection, tcp(7). */
const warmLine = 4 * KB * KB;

const text = (length: number) => Buffer.alloc(length, "a line ");
const line = (length: number) => Buffer.concat([text(length), Buffer.from("\n")]);
const answer = (length: number) => `${length} bytes\n`;

const serverPid = "P=$(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+')";
/** Sends these bytes, and waits for an answer. */
const sends = (bytes: string) =>
  `bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; ${bytes} >&3; read -t 3 <&3 && echo "$REPLY"; ss -tn "sport = :{port}"'   # Recv-Q: bytes that the server has not read`;

/** Other checks need long lines: where these are read in part, the check of that judges it. */
const draining: BrokenPromise = {
  promise: "draining",
  saying: "the server leaves a part of a long line unread",
};

/** While the server is stopped, these clients send in one moment: then one event reports all that has come of each. */
async function inOneMoment(t: Tools, says: readonly (readonly [Client, Buffer | string])[]): Promise<void> {
  await t.server.stop();
  for (const [client, bytes] of says) client.send(bytes);
  await Promise.all(says.map(([client]) => client.sent()));
}

/** This client must get these answers, and nothing else. */
async function answered(t: Tools, client: Client, wanted: string, what: string, why: Why): Promise<void> {
  await soon(t, () => client.receivedBytes >= wanted.length || client.over);
  t.expect(client.received.toString("latin1"), what).equal(wanted, why);
}

/** A client sends a line. epoll_ctl has registered its connection with EPOLLET. */
check("edge", "registers each client with EPOLLET", async t => {
  const watch = t.server.watch();
  const client = await t.client();
  client.send("tea\n");
  const registrations = (calls: Calls) =>
    calls
      .named("epoll_ctl")
      .with(client.port)
      .where(call => call.args[1] !== EPOLL_CTL_DEL).list;
  await watch.until(calls => registrations(calls).length > 0, { within: 2000 });
  const last = registrations(watch.calls).at(-1);
  t.expect(last, "A client has connected, and no call of epoll_ctl has registered it.").ok({
    because: "This lab is about epoll: register each client that accept() returns.",
  });
  t.expect((Number(last!.args[3]) & EPOLLET) !== 0, "The mask of a client’s registration has EPOLLET.").equal(
    true,
    {
      because:
        "Without EPOLLET the kernel repeats each report, and no byte is forgotten. Such a server is right, and is that of the last lesson. Here the clients are edge-triggered, and your program must remember what the kernel does not repeat.",
      at: last!,
    },
  );
});

/** 50 clients connect in one moment, and each sends a line. Each gets its answer. */
check("burst", "answers all of 50 clients that connect in one moment", async t => {
  const { server, clients, expect } = t;
  await server.stop();
  const burst = await clients(50);
  const words = burst.map(() => t.generate(grammar.word(1, 30)));
  for (const [i, client] of burst.entries()) client.send(`${words[i]}\n`);
  server.continue();
  const right = () =>
    burst.filter(({ received }, i) => received.toString() === answer(words[i]!.length)).length;
  await soon(t, () => right() === 50);
  expect(right(), "50 clients connected in one moment. Answered of these:").equal(50, {
    because:
      "One event says that clients wait, and not how many. With EPOLLET the kernel reports the listener again only when one more client connects. Call accept() until it returns null.",
    see: `${serverPid}; kill -STOP $P; bash -c "for i in {1..50}; do exec {fd}<>/dev/tcp/127.0.0.1/{port}; done; kill -CONT $P; sleep 1; ss -tln 'sport = :{port}'"   # Recv-Q: clients in the accept queue`,
  });
});

/**
 * Clients send lines of 1023 to 3000 bytes, and of some other lengths, each in one moment: one event reports it. Each
 * gets its answer, and so does its next line.
 */
check("drains", "answers a line that is longer than one recv()", { judges: draining.promise }, async t => {
  const lengths = [1023, 1024, 2047, 2999, t.generate(fc.integer({ min: 3000, max: 60_000 }))];
  const all = await t.oneByOne(lengths.length);
  const why: Why = {
    breaks: draining,
    because:
      "One event reports the arrival of all these bytes, and recv() took a part of them. With EPOLLET the kernel reports this client again only when more arrives. Call recv() until it returns null.",
    see: sends('env printf "%2999s\\n"'),
  };
  await inOneMoment(
    t,
    all.map((client, i) => [client, line(lengths[i]!)]),
  );
  t.server.continue();
  for (const [i, client] of all.entries())
    await answered(t, client, answer(lengths[i]!), `The answer to a line of ${lengths[i]} bytes.`, why);
  const [first] = all as [Client];
  await inOneMoment(t, [[first, Buffer.concat([line(1500), line(2), line(1500)])]]);
  t.server.continue();
  const four = [lengths[0]!, 1500, 2, 1500].map(answer).join("");
  await answered(t, first, four, "The answers to four lines, three of which came in one moment.", why);
});

/**
 * Clients send 3000 bytes, 6 bytes or 100,000 bytes, and close in the same moment; another resets its connection. None
 * of these bytes ends a line. The server closes all four connections.
 */
check("ends", "closes the connection of each client that has gone, whatever it has sent before", async t => {
  const { server, expect } = t;
  const all = (await t.oneByOne(4)) as [Client, Client, Client, Client];
  const sent = [3000, 6, 100_000, 3000];
  await inOneMoment(
    t,
    all.map((client, i) => [client, text(sent[i]!)]),
  );
  for (const client of all.slice(0, 3)) client.close();
  all[3].reset();
  server.continue();
  for (const [i, client] of all.entries()) {
    await soon(t, () => !held(t, client));
    const how = i === 3 ? "reset its connection" : "closed";
    const onYourList =
      sent[i]! > 64 * KB ? " If you stop sooner, because of a share, keep the client on your own list." : "";
    expect(
      held(t, client) ? 0 : 1,
      `A client sent ${sent[i]} bytes and ${how} in one moment. Connections closed:`,
    ).equal(1, {
      because: `The end of the stream is behind the bytes, and the same event has reported both. Call recv() until it returns null, an empty Buffer, or an error: fewer bytes than you asked for are not the end.${onYourList}`,
      see: `${serverPid}; kill -STOP $P; bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; head -c ${sent[i]} /dev/zero >&3'; kill -CONT $P; sleep 1; ss -tan 'sport = :{port}'   # CLOSE-WAIT: the server has not closed`,
    });
  }
});

/**
 * One client sends 4 MB without a line feed. In the same moment another sends a line of 100,000 bytes, two send a short
 * line, and one connects and sends one. Before the server has read all four lines, it reads at most 512 KB of the first client.
 */
check("fair", "reads from all other clients while one client never stops", async t => {
  const { server, expect } = t;
  const busy = await warmed(t);
  const known = (await t.oneByOne(3)) as [Client, Client, Client];
  // A list from which the newest entry is taken first would serve the busy client before this one.
  const longLine = 100_000;
  await inOneMoment(t, [
    [known[0], line(longLine)],
    [busy, text(KB)],
  ]);
  busy.send(text(warmLine));
  await filled(t, busy);
  const others = [...known, await t.client()];
  for (const other of others.slice(1)) other.send("hello\n");
  const from = server.bytesReadFrom(busy);
  const watch = server.traced ? server.watch() : null;
  server.continue();
  const all = () => others.every(({ receivedBytes }) => receivedBytes > 0);
  await soon(t, () => all() || server.bytesReadFrom(busy) - from > warmLine);
  const why: Why = {
    because:
      "The bytes of the busy client arrive as fast as the server reads them, so a loop until null may not end. Give each client a share of the turn, such as 64 KB, then each other client its share, and ask epoll once in each turn.",
    see: "bash -c 'timeout 5 cat /dev/zero >/dev/tcp/127.0.0.1/{port} & sleep 1; exec 3<>/dev/tcp/127.0.0.1/{port}; time { echo hello >&3; read -t 9 <&3; }'",
  };
  for (const [i, other] of others.entries()) {
    const bytes = i === 0 ? longLine : 5;
    await answered(
      t,
      other,
      answer(bytes),
      `The answer to a line of ${bytes} bytes, while another client never stops.`,
      why,
    );
  }
  if (watch === null)
    server.watch(); // Only its calls show how much it has read before.
  else
    expect(
      readAhead(watch.calls, busy, others),
      "Bytes read of the busy client, before the lines of all others were read.",
    ).atMost(mostAhead, why);
  busy.send("\n");
  await answered(t, busy, answer(warmLine) + answer(KB + warmLine), "The answers to the busy client.", {
    because: "The busy client gets its answer, too, when its line is whole.",
  });
});

/**
 * A client sends 256 KB in one moment, and nothing after that: one event reports it. The server reads all of it, and
 * does not sleep in between.
 */
check("remembers", "reads on when a client’s share is used up, without an event", async t => {
  const { server, expect } = t;
  const client = await warmed(t);
  await inOneMoment(t, [[client, line(remainder)]]);
  await filled(t, client);
  const watch = server.traced ? server.watch() : null;
  server.continue();
  const why: Why = {
    because:
      "When a client has had its share, bytes wait in the kernel, and no event will report them. Keep this client on a list of your own, and go on with that list in the next turn. As long as the list is not empty, epoll_wait must not sleep: give it a timeout of 0.",
    see: sends('env printf "%262144s\\n"'),
  };
  await answered(t, client, answer(warmLine) + answer(remainder), "The answers to two long lines.", why);
  if (watch === null) return;
  const reads = watch.calls.reads.with(client.port);
  const last = reads.where(call => call.returned > 0).last;
  const naps = watch.calls.rests.where(call => last !== undefined && call.n < last.n).length;
  expect(naps, "Times that the server slept while bytes of this client waited.").equal(0, why);
});

/**
 * Hundreds of generated clients send lines of 1 to 200,000 bytes, cut anywhere, and stay, close, half-close, leave or
 * reset. Each gets its answers, and the server keeps nothing of those that have gone.
 */
check("conversations", "answers, closes and sleeps rightly in generated conversations", async t => {
  const lines = fc.oneof(
    { arbitrary: grammar.word(0, 40), weight: 6 },
    { arbitrary: grammar.longText(900, 5000), weight: 3 },
    { arbitrary: grammar.longText(60_000, 200_000), weight: 1 },
  );
  await t.conversations({
    says: lines.map(text => ({ bytes: `${text}\n`, wants: answer(text.length) })),
    clients: 16,
    times: 8,
    answersHalfClosed: true,
    idle: "sleeps",
    because:
      "Each line has one answer, also when it comes in many pieces, together with others, or with the end of the stream behind it. A client that has gone leaves no socket behind and no place on your list, and the server sleeps when all is read.",
  });
});

/** A client that has sent a long line and has its answer: the kernel holds much for it by now. */
async function warmed(t: Tools): Promise<Client> {
  const client = await t.client();
  client.send(line(warmLine));
  await answered(t, client, answer(warmLine), "The answer to a line of 4 MB.", {
    breaks: draining,
    because:
      "The rest of this line waits in the kernel, and no event will report it. The server must read all that has come, now, or in its next turns, from a list of your own.",
    see: sends('env printf "%4194304s\\n"'),
  });
  return client;
}

/** The server still has the descriptor of this client’s connection. */
function held({ server }: Tools, client: Client): boolean {
  const socket = server.socketOf(client);
  return socket !== null && (socket.state === "CLOSE_WAIT" || socket.inode !== 0);
}

/**
 * Waits until this is true; in vain if the server sleeps for ever. Two looks must find it asleep in the same call: between
 * the probe and the first of them it may have done what the probe asks for.
 */
async function soon({ server, until }: Tools, probe: () => boolean): Promise<void> {
  let before: number | undefined;
  await until(() => {
    if (probe()) return true;
    const asleepIn = server.stuck()?.n;
    const twice = asleepIn !== undefined && asleepIn === before;
    before = asleepIn;
    return twice;
  }, 8000);
}

/** Waits until the server’s kernel has taken all that it has room for of this client. */
async function filled(t: Tools, client: Client): Promise<void> {
  const queued = () => t.server.socketOf(client)?.recvQueue ?? 0;
  const bytes = await t.server.settles(queued, { over: 30 });
  t.note(`${bytes} bytes of ${client.name} wait in the server’s receive buffer`);
}

/** Bytes that were read of the busy client before the last byte of the others was read. */
function readAhead(calls: Calls, busy: Client, others: readonly Client[]): number {
  const lasts = others.map(({ port }) => {
    const { last } = calls.reads.with(port).where(call => call.returned > 0);
    return last?.n ?? Number.POSITIVE_INFINITY;
  });
  return calls.with(busy.port).where(call => call.n < Math.max(...lasts)).bytesRead;
}

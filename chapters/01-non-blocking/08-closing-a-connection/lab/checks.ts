// What must be true of a server that ends its connections so that no answer is lost. How it counts and waits is not asked.
import { type Client, check, clock, fc, grammar, lastAnswer, type Tools, type Why } from "workbook/check";

const { holdsSocketOf: held, receivesLast: receives, untilAnswered: answered } = lastAnswer;

const post = (length: number, order = "") =>
  `POST /order HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${order}`;
const order = (text: string) => post(text.length, text);
const answer = (text: string) => ({ status: 200, body: `you ordered ${text}\n` });
const tooLong = { status: 413 };

/** The longest order that is not refused, in bytes. */
const mostOrder = 1000;
/** What the server reads and discards behind an answer, in bytes; and what it may read beyond until it notices. */
const discarded = { most: 1_000_000, beyond: 500_000 };
/** How long a server waits for the end of what the client sends, in milliseconds. */
const linger = { least: 500, most: 1000 };
/** On a busy machine a right deadline ends late, by at most this. */
const lateMs = 600;
/** A client that does not have to wait for the end of another has its answer sooner, in milliseconds of the server's own time. */
const quickMs = 0.4 * linger.most;

const halfCloses = (sends: string) =>
  `timeout 5 node -e 'require("net").connect({port}, "127.0.0.1").end("${sends}").pipe(process.stdout)'`;
const uploads = (bytes: number) =>
  `head -c ${bytes} /dev/zero | curl -sS --max-time 5 -H "Expect:" --data-binary @- http://127.0.0.1:{port}/order; echo "exit $?"`;

/**
 * Clients send an order and FIN in one moment, half an order and then the rest with FIN, and too long an order with
 * FIN. Each receives its answer and the end of the stream. One client ends in the middle of its order: the server
 * closes that connection.
 */
check("half-closed", "answers a client that has ended its own direction", async t => {
  const { server } = t;
  const tea = `tea ${t.generate(grammar.word(3, 12))}`;
  const why: Why = {
    because:
      "A Buffer of length 0 says that the client sends no more. It does not say that the client has gone: it may have used shutdown(), and read. Answer what you have read of it, and then close.",
    see: halfCloses("POST /order HTTP/1.1\\r\\nContent-Length: 5\\r\\n\\r\\ntea 2"),
  };
  const [whole, cut, refused] = (await t.clients(3)) as [Client, Client, Client];
  await server.accepts([whole, cut, refused]);
  cut.send(order(tea).slice(0, -2));
  await server.reads(cut);
  await server.stop();
  whole.send(order(tea));
  cut.send(order(tea).slice(-2));
  refused.send(post(mostOrder + 1, "a".repeat(mostOrder + 1)));
  for (const client of [whole, cut, refused]) client.end();
  server.continue();
  await receives(t, whole, answer(tea), "an order and FIN, in one moment", why);
  await receives(t, cut, answer(tea), "the rest of an order and FIN, in one moment", why);
  await receives(t, refused, tooLong, "too long an order and FIN, in one moment", why);

  const unfinished = await t.client();
  unfinished.send(order(tea).slice(0, -2));
  unfinished.end();
  const released = await server.releases([unfinished], { within: 2500 });
  t.expect(released, "A client has ended in the middle of its order, and the server keeps its socket.").equal(
    1,
    { because: "This order will never be whole: close the connection, or the descriptor is lost." },
  );
});

/**
 * A client sends the head of too long an order, and waits: it receives 413 and the end of the stream at once. Another
 * client sends 500,000 bytes before it reads: it receives the same, and no reset. A third client sends an order of 1,000
 * bytes, and then a second request: it receives the answer to its order, and no reset.
 */
check("refused", "delivers its refusal to a client that is still sending", async t => {
  const { server } = t;
  const why: Why = {
    because:
      "close() sends RST when received bytes are unread, and the kernel answers bytes for a closed socket with RST, too. RST discards the answer, or the client's send() fails first. End your own direction with shutdown, read and discard what the client still sends, and close at its end.",
    see: uploads(900_000),
  };
  await endsAtOnce(t, why);

  await inTime(
    t,
    tooLong,
    "an order of 500,000 bytes, of a client that reads when it has sent",
    why,
    async () => {
      const busy = await t.client({ reads: false });
      await server.accepts([busy]);
      await server.stop();
      busy.send(post(500_000, "a".repeat(100_000)));
      const since = clock();
      server.continue();
      await answered(t, busy);
      busy.send("a".repeat(400_000));
      return [busy, clock() - since];
    },
  );

  const most = "a".repeat(mostOrder);
  const whyNot = `An order of ${mostOrder} bytes is not too long. A client may send more behind it, so linger behind each answer, not only behind a refusal.`;
  await inTime(
    t,
    answer(most),
    `an order of ${mostOrder} bytes, and then a second request`,
    {
      because: whyNot,
      see: `timeout 5 bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; printf "POST /order HTTP/1.1\\r\\nContent-Length: 5\\r\\n\\r\\ntea 2" >&3; sleep 0.2; echo more >&3; sleep 0.2; cat <&3'   # an error behind the answer?`,
    },
    async () => {
      const again = await t.client({ reads: false });
      const since = clock();
      again.send(order(most));
      await answered(t, again);
      again.send(order("cake"));
      return [again, clock() - since];
    },
  );
});

/** A client that has sent the head of too long an order, and does not end, has the end of the stream before the server closes. */
async function endsAtOnce(t: Tools, why: Why): Promise<void> {
  const what = "the head of an order of 500,000 bytes";
  // A busy machine may use up the time in which the server waits for this client: then it tries again.
  for (let tries = 0; ; tries++) {
    const early = await t.client();
    const [since, delayed] = [clock(), t.server.delayedMs];
    early.send(post(500_000, "a".repeat(100)));
    await t.until(() => early.over, 3000);
    const isHeld = held(t, early);
    const late = clock() - since > linger.most * 0.8;
    await receives(t, early, tooLong, what, why);
    if (isHeld) return;
    if (late && tries < 3) continue;
    if (late && t.server.delayedMs - delayed > linger.most / 2)
      t.tooBusy("a client that waits for its refusal");
    if (!late) t.fail("The server closed the socket of a refused client that had not ended.", why);
    t.fail("A refused client received the end of the stream only when the server closed its socket.", {
      ...why,
      because:
        "The head announces too long an order: refuse it at once, and send the end of the stream behind the answer. The answer has no length, so the client needs the end to know that it has all of it.",
    });
  }
}

/**
 * Two clients are refused. One says nothing more, the other sends a byte every 50 ms: after a second the server closes
 * both. A third, which has been connected for a while, sends the rest of its order half a second after the refusal, and
 * receives the refusal.
 */
check("deadline", "waits a second for a client to end, and no longer", async t => {
  const connected = [await t.client({ reads: false })];
  // The client that sends now and then has to do so: a busy machine may stop it for too long, and then it tries again.
  for (let tries = 0; (await longestPause(t)) > linger.most / 2; tries++)
    if (tries === 4) t.tooBusy("a client that sends a byte every 50 ms");
  const why: Why = {
    because: `The client was still sending when the server closed, so it received RST. Wait ${linger.most} ms for its end, from your answer on.`,
    see: `bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; printf "POST /order HTTP/1.1\\r\\nContent-Length: 5000\\r\\n\\r\\n" >&3; sleep 0.5; head -c 5000 /dev/zero >&3 && timeout 3 cat <&3'`,
  };
  await inTime(
    t,
    tooLong,
    "the rest of too long an order, half a second after the refusal",
    why,
    async () => {
      const late = connected.pop() ?? (await t.client({ reads: false }));
      const since = clock();
      late.send(post(5000));
      await answered(t, late);
      await t.server.wait(linger.least);
      late.send("a".repeat(5000));
      return [late, clock() - since];
    },
  );
});

/**
 * Fails the check if the server keeps a client that is silent, or one that sends a byte now and then.
 * @returns the longest pause between two such bytes, in milliseconds
 */
async function longestPause(t: Tools): Promise<number> {
  const [silent, drips] = (await t.clients(2, { reads: false })) as [Client, Client];
  for (const client of [silent, drips]) client.send(post(5000));
  for (const client of [silent, drips]) await answered(t, client);
  const since = clock();
  const most = linger.most + lateMs;
  let [pause, last] = [0, since];
  while (clock() - since < most && (held(t, silent) || held(t, drips))) {
    if (!drips.over) drips.send("a");
    pause = Math.max(pause, clock() - last);
    last = clock();
    await t.server.wait(50);
  }
  for (const [client, does] of [
    [silent, "says nothing more, and does not close"],
    [drips, "sends a byte every 50 ms"],
  ] as const) {
    const what = `A refused client ${does}. ${most} ms later the server still holds its socket.`;
    t.expect(held(t, client), what).equal(false, {
      because: `A client that never ends would keep a descriptor for ever. Close ${linger.most} ms after your answer, also when bytes still come.`,
      see: `bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; printf "POST /order HTTP/1.1\\r\\nContent-Length: 5000\\r\\n\\r\\n" >&3; sleep 3; ss -tnp "sport = :{port}"'   # right: no process holds the connection`,
    });
  }
  return Math.max(pause, clock() - last - 50);
}

/**
 * A client sends an order of 1,000,000 bytes, and then reads: it receives its refusal. Another client sends without an
 * end: the server closes the connection when it has discarded 1,000,000 bytes, and at most 500,000 more.
 */
check("bound", "discards 1,000,000 bytes of one client, and no more", async t => {
  const connected: Client[] = [];
  const why: Why = {
    because: "Read and discard 1,000,000 bytes behind an answer before you give up.",
    see: uploads(990_000),
  };
  await inTime(t, tooLong, "an order of 1,000,000 bytes", why, async () => {
    const long = await t.client({ reads: false });
    connected.push(long);
    const since = clock();
    long.send(post(discarded.most)).send(Buffer.alloc(discarded.most, "a"));
    await t.until(() => long.over || t.server.hasRead(long) || (long.unsent === 0 && !held(t, long)), 3000);
    return [long, clock() - since];
  });
  // Until the server has discarded the last bytes of this client, they would be counted with those of the next one.
  await t.server.releases(connected);
  t.expect(
    connected.at(-1)!.takeError(),
    "The error behind the refusal of an order of 1,000,000 bytes:",
  ).equal(null, why);
  // A busy machine may be too slow to send so much before the server's second is over: then another client tries.
  for (let tries = 0; (await sendsWithoutEnd(t)) > 0.8 * linger.most; tries++)
    if (tries === 8) t.tooBusy(`a client that sends ${discarded.most} bytes within a second`);
});

/**
 * Fails the check if the server reads more of a client than it should discard.
 * @returns how long the client could send, in milliseconds
 */
async function sendsWithoutEnd(t: Tools): Promise<number> {
  const endless = await t.client({ reads: false });
  const watch = t.server.traced ? t.server.watch() : null;
  const size = 20 * discarded.most;
  const most = discarded.most + discarded.beyond;
  endless.send(post(size)).send(Buffer.alloc(size, "a"));
  const since = clock();
  // Bytes in the buffers of both kernels count as sent, too: some ten million.
  const read = () => watch?.calls.with(endless.port).bytesRead ?? endless.sentBytes - 12 * discarded.most;
  await t.until(() => endless.over || endless.unsent === 0 || read() > most, 5000);
  const took = clock() - since;
  t.expect(read(), "A refused client sends without an end. Bytes that the server has read of it:").atMost(
    most,
    {
      because:
        "A fast client can send a gigabyte before the deadline is over. Count the bytes that you discard, and close when they are too many.",
      see: 'bash -c \'exec 3<>/dev/tcp/127.0.0.1/{port}; printf "POST /order HTTP/1.1\\r\\nContent-Length: 900000000\\r\\n\\r\\n" >&3; timeout 5 head -c 900000000 /dev/zero >&3; ss -tn "sport = :{port}"\'',
    },
  );
  const released = await t.server.releases([endless]);
  t.expect(released, "The server has discarded enough, and keeps the socket.").equal(1);
  return took;
}

/**
 * A client is refused, says nothing more and does not close. While the server waits for its end, it answers the order of
 * another client, and sleeps between its turns.
 */
check("others", "answers other clients, and sleeps, while it waits for the end of one", async t => {
  let quickest = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < 8 && quickest > quickMs; tries++) {
    const [refused, other] = (await t.clients(2)) as [Client, Client];
    await t.server.accepts([refused, other]);
    const since = clock();
    refused.send(post(5000));
    await t.until(() => refused.over, 3000);
    other.send(order("tea"));
    // On a busy machine the server's wait for the first client may nearly be over, and this would show nothing.
    const shows = clock() - since < linger.most - quickMs;
    const own = t.server.ownTime();
    await t.exchange({
      about: "an order, while the server waits for the end of another client",
      client: other,
      sends: [],
      wants: [answer("tea")],
    });
    // By the kernel's record of both segments, less the time in which the server waited for a processor.
    const waited = Math.round(other.delivery().afterSending - own.spent.waited);
    // While that server waited, the wait for the first client may have ended: only before its end is "quick" a proof.
    if (shows && (waited > quickMs || held(t, refused))) quickest = Math.min(quickest, waited);
  }
  if (quickest === Number.POSITIVE_INFINITY) t.tooBusy("an order, while the server waits for another client");
  t.expect(quickest, "A refused client does not end. Another client waited for its answer (ms).").atMost(
    quickMs,
    {
      because:
        "The server waits for one client, and all others wait, too. Make one non-blocking recv() in a turn for each client that you wait for, and go on to the next client.",
      see: `bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; printf "POST /order HTTP/1.1\\r\\nContent-Length: 5000\\r\\n\\r\\n" >&3; sleep 0.2; time curl -s --max-time 5 -d tea http://127.0.0.1:{port}/order'`,
    },
  );
  await restsMeanwhile(t);
});

/** Fails the check if the server does not sleep while it waits for the end of a silent client. */
async function restsMeanwhile(t: Tools): Promise<void> {
  const why: Why = {
    because:
      "The server asks a silent client again and again, without a sleep, until its second is over. A recv() that returned null is no reason for another turn at once.",
    see: `bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; printf "POST /order HTTP/1.1\\r\\nContent-Length: 5000\\r\\n\\r\\n" >&3; sleep 0.9'; top -bn1 -p $(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+') | tail -1`,
  };
  const seen: { busy: number; restless: number }[] = [];
  for (let tries = 1; tries <= 6 && seen.length < 3; tries++) {
    const silent = await t.client();
    silent.send(post(5000));
    await t.until(() => silent.over, 3000);
    // What it did just before may still take its time: each try is longer.
    const { busy, restless } = await t.server.idle(60 * tries);
    // On a busy machine the server may have waited long enough before all this was measured.
    if (!held(t, silent)) continue;
    if (busy <= 0.3 && restless <= 3) return;
    seen.push({ busy, restless });
  }
  if (seen.length === 0) t.tooBusy("the server’s sleep, while it waits for a silent client");
  const busy = Math.min(...seen.map(one => one.busy));
  const restless = Math.min(...seen.map(one => one.restless));
  t.expect(busy, "Processor time used while the server waits for a silent client (1 is a full core).").atMost(
    0.3,
    why,
  );
  t.expect(restless, "Turns for each sleep while the server waits for a silent client.").atMost(3, why);
}

/**
 * Generated clients send orders and orders that are too long, cut anywhere, and then stay, close, half-close, leave or
 * reset. Each order has its answer and the end of the stream behind it, and the server keeps no socket.
 */
check("conversations", "answers and ends rightly in generated conversations", async t => {
  const whole = grammar
    .word(1, 30)
    .map(text => ({ bytes: order(text), wants: answer(text), after: "close" as const }));
  const long = fc
    .integer({ min: mostOrder + 1, max: 3 * mostOrder })
    .map(length => ({ bytes: post(length, "a".repeat(length)), wants: tooLong, after: "close" as const }));
  await t.conversations({
    says: fc.oneof({ arbitrary: whole, weight: 3 }, { arbitrary: long, weight: 1 }),
    messages: 1,
    // Too long an order is refused before it is whole.
    only: ({ messages, unfinished }) => unfinished === 0 || messages.at(-1)?.wants !== tooLong,
    answersHalfClosed: true,
    idle: "rests",
    because:
      "Every order has one answer, and the end of the stream behind it, also when the client has ended its own direction. A client that has gone leaves no socket behind, and the server sleeps while it waits for clients to end.",
  });
});

/** A client that has not read yet has sent all: it receives this answer and the end of the stream. */
const inTime = (
  t: Tools,
  wanted: { status: number },
  what: string,
  why: Why,
  sends: () => Promise<[client: Client, after: number]>,
) => lastAnswer.receivesInTime(t, { lingerMs: linger.most, wanted, what, why, sends });

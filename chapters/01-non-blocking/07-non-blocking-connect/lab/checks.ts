// What must be true of a server that is a client itself. A back end of the checker is the kitchen: it answers, drops the
// SYN because its accept queue is full, or refuses. How the server learns the end of a handshake is not asked.
import { type BackEnd, type Client, check, clock, fc, grammar, type Tools } from "workbook/check";

/** A kitchen that answers each dish at once. */
const cooks = (t: Tools): BackEnd =>
  t.backEnd({ onLine: (dish, connection) => connection.send(`${dish} is ready\n`) });

/** What needs a few turns of the server is done in so many milliseconds of the server's own time. */
const soonMs = 500;

/** Waits until this is true, for so much of the server's own time. @returns whether it is */
async function soon({ server, until }: Tools, probe: () => boolean): Promise<boolean> {
  const own = server.ownTime();
  await until(() => probe() || own.spent.ms > soonMs, 20_000);
  return probe();
}

const oneLine = "For each order the client gets one line: the kitchen's answer, or the name of an error.";

/**
 * A client sends two orders at once, each for another kitchen. It gets both answers, in the order of its lines, though
 * the first kitchen answers late, in three pieces, with a line of 2,000 bytes.
 */
check("answers", "passes on each order, and its answer, in order", async t => {
  const { client, expect } = t;
  const late = t.backEnd();
  const quick = cooks(t);
  const dish = t.generate(grammar.utf8(4, 12));
  const guest = await client();
  guest.send(Buffer.from(`${late.port} ${dish}\n${quick.port} soup\n`, "latin1"));
  expect(await late.receives(1), "An order is sent to a kitchen. Lines that came to the kitchen:").equal(1, {
    because: "The kitchen gets the words behind its port, and a line feed, on a connection of its own.",
    see: see("9001 tea"),
  });
  expect(late.lines, "The kitchen got another order than the client sent.").equal([dish]);
  const [connection] = late.connections;
  const things = "things ".repeat(300);
  for (const part of ["first ", things]) {
    connection?.send(part);
    await t.until(() => connection?.isRead, 1000);
  }
  connection?.send("first\n");
  const wanted = `first ${things}first\nsoup is ready\n`;
  await guest.receives(wanted);
  expect(guest.received.toString("latin1"), "A client sent two orders. Its answers:").equal(wanted, {
    because: `${oneLine} A line ends at its line feed, and recv() may return a part of it. The next order of a client waits until this one is answered.`,
    see: see("9001 tea"),
  });
  expect(late.lines, "One order was sent to a kitchen. Lines that came to the kitchen:").equal([dish], {
    because: "The dish is sent once, in the turn that finds the handshake over. Later turns only read.",
  });
  expect(await late.releases(), "Connections to a kitchen that has answered:").equal(0, {
    because: "One order, one connection: close the kitchen's socket when its answer is complete.",
  });
});

/**
 * One client orders from a kitchen whose accept queue is full, so that its SYN is not answered. Meanwhile another client
 * gets its answer from another kitchen, and the server sleeps between its turns.
 */
check("others", "serves other clients while a handshake is in progress", async t => {
  const { server, client, expect, note } = t;
  const full = t.backEnd({ state: "full" });
  const kitchen = cooks(t);
  const first = await client();
  // Whenever the server gives up one of these orders, the next handshake begins: one is always in progress.
  first.send(`${full.port} tea\n`.repeat(20));
  expect(await full.receivesSyn(), "The server did not connect to the kitchen of an order.").ok({
    because: "Each order names its kitchen by a port on 127.0.0.1.",
  });
  const why = {
    because:
      "connect() of a blocking socket sleeps until the handshake has ended. With O_NONBLOCK it returns at once, and your loop asks later how it has ended. A poll() with a time-out other than 0 sleeps as well.",
    see: besideTheFull,
  };
  let quickest = Number.POSITIVE_INFINITY;
  // On a busy machine the kitchen, too, may be late. Then another client tries it.
  for (let tries = 0; tries < 3 && quickest > soonMs; tries++) {
    const second = await client();
    const own = server.ownTime();
    second.send(`${kitchen.port} soup\n`);
    await t.until(() => second.receivedBytes > 0 || server.stuck(), 5000);
    expect(
      second.receivedBytes > 0,
      "While one kitchen did not answer a SYN, another client got no answer from another kitchen.",
    ).ok(why);
    // By the kernel's record of both segments, less the time in which the server waited for a processor.
    quickest = Math.min(quickest, Math.round(second.delivery().afterSending - own.spent.waited));
  }
  expect(
    quickest,
    "While one kitchen did not answer a SYN, another client waited for another kitchen's answer (ms):",
  ).atMost(soonMs, why);
  const { busy, restless, watch } = await server.idle(200);
  note("the handshake is still in progress, and no client sends");
  const rests = {
    because:
      "A handshake that is in progress is nothing to do: a turn that only found it in progress ends with a sleep.",
    see: "top -p $(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+')",
  };
  // Where its calls are seen, its sleeps are counted: on a busy machine a turn costs more time.
  if (watch === null)
    expect(busy, "Processor time used while a handshake is in progress (1 is a full core).").atMost(
      0.3,
      rests,
    );
  expect(restless, "Turns for each sleep while a handshake is in progress.").atMost(3, rests);
});

/**
 * A client orders from a port where no socket listens. It gets `ECONNREFUSED`, then the answer to an order from another
 * kitchen, then `ECONNRESET` from a kitchen that resets its connection, and the server has closed all three sockets.
 */
check("refused", "answers ECONNREFUSED when a kitchen refuses, and goes on", async t => {
  const { server, client, expect } = t;
  const [closed, kitchen] = [t.backEnd({ state: "refuses" }), cooks(t)];
  const guest = await client();
  await server.accepts([guest]);
  const before = server.sockets;
  guest.send(`${closed.port} tea\n`);
  await guest.receives("ECONNREFUSED\n");
  expect(guest.received.toString("latin1"), "A kitchen refused the connection. The client's answer:").equal(
    "ECONNREFUSED\n",
    {
      because:
        "A socket is writable when its handshake has ended, also when it has failed. takeError() tells which, and only once: the first call clears the error. After that, send() fails with EPIPE, and recv() returns the end of a stream.",
      see: see("9003 tea"),
    },
  );
  guest.send(`${kitchen.port} soup\n`);
  expect(await guest.receives("soup is ready\n"), "The next order of the same client was not answered.").ok({
    because:
      "The error belongs to the kitchen's socket. The client's connection is in order: answer the client, and go on.",
  });
  const breaks = t.backEnd();
  guest.send(`${breaks.port} cake\n`);
  await breaks.receives(1);
  const [broken] = breaks.connections;
  broken?.reset();
  await guest.receives("ECONNRESET\n");
  expect(
    guest.received.toString("latin1"),
    "A kitchen reset its connection in place of an answer. What the client has received in all:",
  ).equal("ECONNREFUSED\nsoup is ready\nECONNRESET\n", {
    because: `${oneLine} Each error has its own name, in the code of the SyscallError.`,
  });
  expect(await server.holds(before), "All orders are answered. Sockets that the server holds:").equal(
    before,
    {
      because:
        "A socket whose connect has failed is still a descriptor: close it, and make a new one for the next order.",
    },
  );
});

/**
 * Two clients order from kitchens that do not answer the SYN. One kitchen answers the second SYN, a second later: its
 * client gets that kitchen's answer, even after the two seconds. The other client, whose order before was answered, gets
 * `ETIMEDOUT` after two seconds, though a third client keeps the loop busy with hundreds of orders.
 */
check("deadline", "gives up a handshake after two seconds, and no other", { patient: true }, async t => {
  const { server, client, expect } = t;
  const before = server.sockets;
  const hungry = await client();
  hungry.send(`${cooks(t).port} cake\n`);
  expect(await hungry.receives("cake is ready\n"), "A client's first order was not answered.").ok();
  const { patient, late } = await withLateKitchen(t);
  const [dead, closed, eager] = [
    t.backEnd({ state: "full" }),
    t.backEnd({ state: "refuses" }),
    await client(),
  ];
  // A deadline of the order before would show now: it comes too early.
  await server.wait(200);
  const own = server.ownTime();
  hungry.send(`${dead.port} tea\n`);
  await dead.receivesSyn();
  // A third client has many orders, so that the server makes hundreds of turns without a sleep.
  eager.send(`${closed.port} cake\n`.repeat(1000));
  expect(await late.receives(1), "A kitchen answered the second SYN. Orders that came to it:").equal(1, {
    because:
      "The kernel sends a lost SYN again after one second, and then this handshake succeeds: two seconds are not over.",
  });
  const gaveUp = await hungry.receives("ETIMEDOUT\n", { within: 10_000 });
  // By the kernel's record of both segments; what the server waited for a processor does not make it late.
  const took = hungry.delivery().afterSending;
  const why = {
    because:
      "The kernel gives up after some two minutes. Note the time of each connect, and compare it with the clock in each turn: turns are no measure of time. A SO_ERROR of 0 does not say that the handshake is over: only a writable socket does.",
    see: besideTheFull,
  };
  expect(gaveUp, "A kitchen has answered no SYN for ten seconds, and its client waits.").ok(why);
  expect(took, "The server gave up a handshake after (ms):").atLeast(1900, why);
  const inOwnTime = Math.round(took - own.spent.waited);
  expect(inOwnTime, "The server gave up a handshake after (ms):").atMost(3000, why);
  if (took > 3000) t.tooBusy("a deadline of two seconds");
  for (const connection of late.connections) connection.send("soup is ready\n");
  expect(await patient.receives("soup is ready\n"), "A kitchen answered after more than two seconds.").ok({
    because: "The two seconds are for the handshake. A kitchen that is connected may take its time.",
  });
  eager.close(); // it may have orders left
  const held = await server.holds(before + 2);
  expect(held, "Two clients have their answers, and a third has left. Sockets that the server holds:").equal(
    before + 2,
    {
      because:
        "Of these orders only two clients are left. Closing a kitchen's socket ends a handshake too: the kernel sends no further SYN.",
    },
  );
});

/** A client whose kitchen has dropped its first SYN, and will answer the second. @param tries how often to try it */
async function withLateKitchen(t: Tools, tries = 4): Promise<{ patient: Client; late: BackEnd }> {
  const patient = await t.client();
  const late = t.backEnd({ state: "full" });
  const sent = clock();
  patient.send(`${late.port} soup\n`);
  t.expect(await late.receivesSyn(), "The server did not connect to the kitchen of an order.").ok({
    because: "Each order names its kitchen by a port on 127.0.0.1.",
  });
  late.accept();
  // On a busy machine the second SYN, too, may have been dropped by now. Then another client tries it.
  if (clock() - sent < 900) return { patient, late };
  if (tries === 1) t.tooBusy("a kitchen that has room when the second SYN comes");
  patient.close();
  await late.releases();
  return withLateKitchen(t, tries - 1);
}

/**
 * Three clients leave: one while the handshake with its kitchen is in progress, two while theirs cooks. The server closes
 * their sockets and those of their kitchens, before that handshake has ended.
 */
check("leaves", "closes the kitchen's socket when its client leaves", async t => {
  const { server, clients, expect } = t;
  const [full, slow] = [t.backEnd({ state: "full" }), t.backEnd()];
  const before = server.sockets;
  const [a, b, c] = await clients(3);
  b!.send(`${slow.port} tea\n`);
  c!.send(`${slow.port} cake\n`);
  await slow.receives(2);
  a!.send(`${full.port} soup\n`);
  await full.receivesSyn();
  b!.close();
  c!.reset();
  expect(await slow.releases(), "Clients have left. Connections to their kitchen that are open:").equal(0, {
    because:
      "Their sockets go together: a client that leaves needs no answer, and its kitchen need not cook. Call recv() for a client also while its order is on its way, or you do not notice that it leaves.",
    see: `bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; echo "9002 tea" >&3'\nsleep 1; ss -tn state syn-sent   # with the kitchens of the lesson`,
  });
  a!.close();
  await soon(t, () => server.sockets === before);
  expect(server.sockets, "All clients have left. Sockets that the server holds:").equal(before, {
    because:
      "The socket of a handshake that is in progress is a descriptor as well: close it with its client. Call recv() for the client also during the handshake, or you notice its end two seconds later.",
  });
});

/**
 * Hundreds of generated clients order from kitchens that answer, refuse, or close without an answer (`ENODATA`), and leave
 * at any moment. Each gets the answers to its own orders, in order. A line that is no order ends its connection. The
 * server closes every socket.
 */
check("conversations", "answers every order in generated conversations", async t => {
  const kitchens = ["tea", "soup"].map(what => ({
    says: (dish: string) => `${dish} with ${what}`,
    port: t.backEnd({ onLine: (dish, connection) => connection.send(`${dish} with ${what}\n`) }).port,
  }));
  const quits = t.backEnd({ onLine: (_, connection) => connection.end() });
  const all = [
    ...kitchens,
    { port: t.backEnd({ state: "refuses" }).port, says: () => "ECONNREFUSED" },
    { port: quits.port, says: () => "ENODATA" },
  ];
  const orders = fc
    .tuple(fc.constantFrom(...all), grammar.utf8(1, 30))
    .map(([{ port, says }, dish]) => ({ bytes: `${port} ${dish}\n`, wants: `${says(dish)}\n` }));
  // A line that is no order ends the connection. It is the last, because a close() with unread bytes would be a reset.
  const others = grammar.visibleAscii(1, 12, "0123456789").map(word => ({
    bytes: `${word}\n`,
    wants: null,
    after: "close" as const,
  }));
  await t.conversations({
    says: fc.oneof({ arbitrary: orders, weight: 8 }, { arbitrary: others, weight: 1 }),
    only: ({ messages }) => messages.slice(0, -1).every(({ after }) => after === undefined),
    idle: "rests",
    because: `${oneLine} Its own client gets it, however the others come and go.`,
  });
});

const order = (line: string) =>
  `exec 3<>/dev/tcp/127.0.0.1/{port}; echo "${line}" >&3; timeout 5 head -n 1 <&3`;
/** The kitchens of the lesson must run: 9001 answers, 9002 is full, 9003 does not listen. */
function see(line: string): string {
  return `bash -c '${order(line)}'   # with the kitchens of the lesson`;
}
const besideTheFull = `bash -c 'exec 4<>/dev/tcp/127.0.0.1/{port}; echo "9002 tea" >&4; ${order("9001 soup")}'   # with the kitchens of the lesson`;

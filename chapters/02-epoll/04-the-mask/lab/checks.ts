// What must be true of a server that understands each mask of epoll. Back ends of the checker are the kitchens. Whether
// the server is level-triggered or edge-triggered is not asked.
import { type BackEnd, type Client, check, fc, grammar, type Tools, type Why } from "workbook/check";

/** What the server may read of a client whose order is under way, in bytes: one recv() more. */
const mostAhead = 16 * 1024;
/** More than that, and it fits into the receive buffer of a new connection. */
const ahead = 40_000;

/** A kitchen that answers each dish at once. */
const cooks = (t: Tools): BackEnd =>
  t.backEnd({
    onLine: (dish, connection) => {
      connection.send(`${dish} is ready\n`);
      connection.end();
    },
  });

const order = (line: string) => `exec 3<>/dev/tcp/127.0.0.1/{port}; echo "${line}" >&3; timeout 3 cat <&3`;
/** The kitchens of the lesson must run: 9001 answers, 9002 cooks until its order ends, 9003 does not listen. */
const see = (line: string) => `bash -c '${order(line)}'   # with the kitchens of the lesson`;
const halfCloses = (lines: string) =>
  `timeout 9 node -e 'require("net").connect({port}, "127.0.0.1").end("${lines}").pipe(process.stdout)'   # with the kitchens of the lesson`;
const resets = `timeout 5 node -e 'const s = require("net").connect({port}, "127.0.0.1"); s.write("9002 tea\\n"); setTimeout(() => s.resetAndDestroy(), 500)'   # with the kitchens of the lesson
top -bn1 -p $(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+') | tail -1`;

/** What came to this client so far. */
const heard = (client: Client) => client.received.toString("latin1");

/** A client has ordered from this silent kitchen, which has the dish. */
async function ordersFrom(t: Tools, kitchen: BackEnd, dish = "tea"): Promise<Client> {
  const client = await t.client();
  const before = kitchen.lines.length;
  client.send(`${kitchen.port} ${dish}\n`);
  await t.until(() => kitchen.lines.length > before || client.over, 5000);
  t.expect(kitchen.lines.length, "A client has ordered. Lines that the kitchen has received:").equal(
    before + 1,
    {
      because: "The kitchen of an order gets the dish and a line feed when the handshake is over.",
      see: see("9001 tea"),
    },
  );
  return client;
}

/** Fails the check if the server does not sleep. */
async function sleeps(t: Tools, when: string, why: Why): Promise<void> {
  let least = { busy: Number.POSITIVE_INFINITY, calls: 0 as number | null };
  // What it did just before may still take its time: each try is longer.
  for (const ms of [40, 120, 300]) {
    const { busy, calls } = await t.server.idle(ms);
    if (busy <= 0.2 && (calls ?? 0) <= 10) return;
    least = { busy, calls };
  }
  const made = least.calls === null ? "" : `, and makes ${least.calls} system calls in 0.3 s`;
  t.fail(
    `${when} The server does not sleep: it uses ${Math.round(least.busy * 100)} % of a processor${made}.`,
    why,
  );
}

/**
 * A client sends two orders at once, in two pieces. Its first kitchen answers late, in two pieces, and ends its stream.
 * The client gets both answers. Another client is answered meanwhile.
 */
check("answers", "passes on each order, and its answer, in order", async t => {
  const { expect } = t;
  const [late, quick] = [t.backEnd(), cooks(t)];
  const dish = t.generate(grammar.word(4, 12));
  const client = await ordersFrom(t, late, dish);
  client.send(`${quick.port} soup\n`);
  const other = await t.client();
  other.send(`${quick.port} cake\n`);
  await other.receives("cake is ready\n");
  expect(heard(other), "While one kitchen cooks, another client has ordered from another kitchen.").equal(
    "cake is ready\n",
    {
      because: "Each order has a kitchen of its own, and no client waits for that of another.",
      see: see("9001 cake"),
    },
  );
  const [connection] = late.connections;
  connection?.send(`${dish} is `);
  await t.until(() => connection?.isRead, 1000);
  connection?.send("ready\n");
  connection?.end();
  await client.receives("soup is ready\n");
  expect(heard(client), "A client has sent two orders. Its answers:").equal(
    `${dish} is ready\nsoup is ready\n`,
    {
      because: "An answer ends with the stream of its kitchen. Then the client's next order begins.",
      see: see("9001 tea"),
    },
  );
  expect(await late.releases(), "Connections to a kitchen that has answered.").equal(0);
});

/**
 * Clients reset their connections: silent ones, one during the handshake with its kitchen, and some whose kitchen cooks, of
 * which one has sent more orders. The server closes their sockets and those of their kitchens. Then it sleeps, and answers
 * another client.
 */
check("reset", "closes a client that resets, whatever its mask is, and then sleeps", async t => {
  const { server, expect } = t;
  const [silent, full] = [t.backEnd(), t.backEnd({ state: "full" })];
  const before = server.sockets;
  const why: Why = {
    because:
      "A reset sets several bits at once. ERR and HUP are reported for every registered socket, whatever the program has asked for. If no branch handles a mask, a level-triggered epoll reports it again and again, and an edge-triggered one never again.",
    see: resets,
  };
  const clients = await t.clients(4);
  for (let i = 0; i < 3; i++) clients.push(await ordersFrom(t, silent));
  clients.at(-1)!.send(`${silent.port} soup\n`.repeat(20));
  clients.push(await t.client());
  clients.at(-1)!.send(`${full.port} tea\n`);
  expect(await full.receivesSyn(), "The server has begun a handshake with the kitchen of an order.").ok();
  await server.accepts(clients);
  const [first, second] = [clients.filter((_, i) => i % 2 === 1), clients.filter((_, i) => i % 2 === 0)];
  for (const client of first) client.reset();
  await server.releases(first);
  await server.stop();
  for (const client of second) client.reset();
  server.continue();
  const held = await server.holds(before);
  expect(
    held - before,
    "Eight clients have reset their connections, and four had a kitchen. Sockets that the server still holds for clients and kitchens:",
  ).equal(0, why);
  await sleeps(t, "Eight clients have reset their connections.", why);
  const next = await t.client();
  next.send(`${cooks(t).port} cake\n`);
  await next.receives("cake is ready\n");
  expect(heard(next), "The answer to the client that came next.").equal("cake is ready\n");
});

/**
 * Three clients order: from a port where no socket listens, from a kitchen that resets the connection, and from one that
 * resets in the middle of its answer. They get `ECONNREFUSED`, `ECONNRESET` and, at the end, `ECONNRESET`. Each of them
 * then gets the answer to its next order.
 */
check("cause", "answers with the cause when a kitchen refuses or resets", async t => {
  const { server, expect } = t;
  const good = cooks(t);
  const next = `${good.port} soup\n`;
  const why: Why = {
    because:
      "ERR says that this socket has an error, and takeError() says which, once; send() and recv() throw the same error. It is the kitchen's: the client's own connection is in order.",
    see: see("9003 tea"),
  };
  const before = server.sockets;
  const refused = await t.client();
  refused.send(`${t.backEnd({ state: "refuses" }).port} tea\n${next}`);
  await refused.receives("soup is ready\n");
  expect(heard(refused), "A kitchen refuses the connection. What its client has received:").equal(
    "ECONNREFUSED\nsoup is ready\n",
    why,
  );
  const kitchen = t.backEnd();
  for (const part of ["", "half of it"]) {
    const client = await ordersFrom(t, kitchen);
    client.send(next);
    const [connection] = kitchen.connections;
    if (part !== "") connection?.send(part);
    connection?.reset();
    await client.receives("soup is ready\n");
    expect(
      heard(client).replace(part, ""),
      `A kitchen has received the dish, and ${part ? "resets in the middle of its answer" : "resets"}. What its client has received:`,
    ).equal("ECONNRESET\nsoup is ready\n", {
      ...why,
      because:
        "A reset is not the end of a stream: the answer is not whole. If takeError() has taken the error, recv() reports an orderly end.",
    });
  }
  const held = await server.holds(before + 3);
  expect(
    held - before,
    "All orders of three clients are answered. Sockets that the server holds for them:",
  ).equal(3, {
    because: "A socket that has failed is still a descriptor, until your program closes it.",
  });
});

/**
 * A client orders, sends 40,000 bytes of further orders, and FIN, while its kitchen cooks. The server reads at most 16 KB
 * ahead, and yet ends its direction to the kitchen. Then it sleeps. Another client closes, and its kitchen gives up.
 */
check("end", "passes on the end of a client that it does not read", async t => {
  const { server, expect } = t;
  const before = server.sockets;
  const patient = t.backEnd({ onEnd: () => {} });
  const client = await ordersFrom(t, patient);
  const more = `${patient.port} ${"cake".repeat(20)}\n`;
  await server.reads(client);
  client.send(more.repeat(Math.ceil(ahead / more.length)));
  await client.sent();
  await sleeps(t, "A client has sent more orders while its kitchen cooks.", {
    because: "What the server does not want to read now, it must not ask for: leave EPOLLIN out of the mask.",
  });
  const [connection] = patient.connections;
  expect(
    connection?.ended ?? true,
    "A client has not sent FIN, and its kitchen cooks. Its kitchen has received the end:",
  ).equal(false, {
    because:
      "A kitchen may give up when it receives the end. So pass the end on when the client has sent it, and not before.",
    see: see("9002 tea"),
  });
  client.end();
  await t.until(() => connection?.ended || client.over, 3000);
  const socket = server.socketOf(client);
  expect(
    socket !== null,
    "A client has sent FIN behind its orders, and waits for the answers. The server still has its connection:",
  ).equal(true, {
    because:
      "RDHUP is the same for a client that has gone and for one that waits for its answers. So do not close: pass the end on to the kitchen.",
    see: halfCloses("9002 tea\\n9001 soup\\n"),
  });
  expect(
    socket?.recvQueue ?? 0,
    "A client has sent 40,000 bytes while its kitchen cooks. Bytes that the server has left in the kernel:",
  ).atLeast(ahead - mostAhead, {
    because: "The other orders of a client wait in the kernel until this one is answered.",
  });
  const why: Why = {
    because:
      "FIN is behind bytes that the server does not read, so recv() cannot tell. EPOLLRDHUP can: ask for it while the kitchen cooks. Then call shutdown('write') on the kitchen's socket, when the dish is sent.",
    see: halfCloses("9002 tea\\n9001 soup\\n"),
  };
  expect(
    connection?.ended ?? false,
    "A client has sent FIN behind its orders. Its kitchen has received the end:",
  ).equal(true, why);
  await sleeps(t, "The kitchen of a client that has sent FIN still cooks.", {
    because:
      "The end of a stream stays, so a level-triggered epoll reports RDHUP again and again. When the program knows it, it asks for it no more: modify().",
    see: why.see!,
  });
  client.reset();
  const gone = await ordersFrom(t, t.backEnd());
  gone.close();
  const held = await server.holds(before);
  expect(
    held - before,
    "Two clients have gone, and their kitchens. Sockets that the server holds for them:",
  ).equal(0, {
    because: "The end of a client whose kitchen then ends, too, is an end for both of its sockets.",
  });
});

/** Waits until the kitchen of this order has received the dish and the end. @returns its connection */
async function orderAndEnd(t: Tools, client: Client, kitchen: BackEnd, which: number, see: string) {
  await t.until(() => client.over || [...kitchen.connections].some(({ ended }) => ended), 3000);
  const [connection] = kitchen.connections;
  const farewell =
    "A client that has sent FIN waits for its answers. So RDHUP is no reason to close: pass the end on to the kitchen.";
  t.expect(
    connection?.ended ?? false,
    `A client has sent two orders and FIN. Kitchen ${which} has received the end of its order:`,
  ).equal(true, {
    because: client.over
      ? farewell
      : "These kitchens answer when their order has ended, so the server has to pass on the end of its client first.",
    see,
  });
  t.expect(
    kitchen.lines.length,
    `A client has sent two orders and FIN. Dishes that kitchen ${which} has received before the end:`,
  ).equal(1, {
    because: client.over
      ? farewell
      : "After shutdown('write') a send() on this socket fails. So send the dish first, and pass the end on when the dish is sent.",
    see,
  });
  return connection!;
}

/**
 * A client sends two orders and FIN. Its kitchens answer when the server has ended its direction, and close at once: HUP
 * comes with an answer that is not read. The client gets both answers, whole, and then FIN. Then an answer and FIN come in
 * one moment.
 */
check("last-answer", "delivers an answer that comes with HUP, to a client that has sent FIN", async t => {
  const { server, expect } = t;
  const words = t.generate(grammar.word(4, 8));
  const long = `${words} `.repeat(300);
  const why: Why = {
    because:
      "HUP says that both directions have ended. It does not say that all is read: read until recv() returns an empty Buffer. And a client that has sent FIN still waits for its answers.",
    see: halfCloses("9002 tea\\n"),
  };
  const kitchens = [t.backEnd({ onEnd: () => {} }), t.backEnd({ onEnd: () => {} })];
  const client = await t.client();
  await server.accepts([client]);
  await server.stop();
  client.send(kitchens.map(({ port }) => `${port} tea\n`).join(""));
  client.end();
  server.continue();
  for (const [i, kitchen] of kitchens.entries()) {
    const connection = await orderAndEnd(t, client, kitchen, i + 1, why.see!);
    // The bytes and the end are one event.
    await server.stop();
    connection.send(`${i === 0 ? long : words}\n`);
    connection.end();
    server.continue();
  }
  await client.closed();
  const wanted = `${long}\n${words}\n`;
  expect(
    heard(client).length,
    "Two kitchens have answered and closed. Bytes that the client has received:",
  ).equal(wanted.length, why);
  expect(heard(client) === wanted, "The client has received both answers, in order.").ok(why);
  expect(client.state, "How the connection of the client has ended.").equal("ended", why);
  await answeredAsItEnds(t);
});

/** A kitchen answers and closes, and its client sends FIN: one batch of epoll reports both, the kitchen first. */
async function answeredAsItEnds(t: Tools): Promise<void> {
  const { server, expect } = t;
  const words = t.generate(grammar.word(4, 8));
  const first = t.backEnd();
  const second = t.backEnd({
    onLine: (dish, connection) => {
      connection.send(`${dish} with ${words}\n`);
      connection.end();
    },
  });
  const client = await ordersFrom(t, first);
  client.send(`${second.port} soup\n`);
  const [connection] = first.connections;
  await server.stop();
  connection!.send(`${words}\n`);
  connection!.end();
  client.end();
  server.continue();
  await client.closed();
  const why = {
    because:
      "By the time of the client's event, an event of the same batch has answered its order, and the next one is on its way. Look at what the client waits for now, and not at what it waited for when you asked for the bit.",
    see: halfCloses("9002 tea\\n9001 soup\\n"),
  };
  expect(
    heard(client),
    "The answer to the first of two orders came in one moment with the client's FIN. The client has received:",
  ).equal(`${words}\nsoup with ${words}\n`, why);
  expect(client.state, "How the connection of the client has ended.").equal("ended", why);
}

/**
 * Hundreds of generated clients order from kitchens that answer, refuse, reset, or close without an answer (`ENODATA`),
 * and leave, half-close or reset at any moment. Each gets its answers. The server closes every socket, and sleeps.
 */
check("conversations", "answers every order in generated conversations", async t => {
  const kitchens = ["tea", "soup"].map(what => ({
    says: (dish: string) => `${dish} with ${what}`,
    port: t.backEnd({
      onLine: (dish, connection) => {
        connection.send(`${dish} with ${what}\n`);
        connection.end();
      },
    }).port,
  }));
  const all = [
    ...kitchens,
    { port: t.backEnd({ state: "refuses" }).port, says: () => "ECONNREFUSED" },
    { port: t.backEnd({ onLine: (_, connection) => connection.reset() }).port, says: () => "ECONNRESET" },
    { port: t.backEnd({ onLine: (_, connection) => connection.end() }).port, says: () => "ENODATA" },
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
    answersHalfClosed: true,
    idle: "sleeps",
    because:
      "Each order has one answer, also when its client has sent FIN. Each ending sets bits of its own, alone or with others, and one batch of epoll may hold several.",
  });
});

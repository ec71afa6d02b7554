// What must be true of a server that sends more than the kernel has room for. Where it keeps what is not sent, and
// in which form, is not asked.
import {
  type Client,
  type ClientOptions,
  check,
  fc,
  grammar,
  type SiteFiles,
  staticSite,
  type Tools,
  type Why,
} from "workbook/check";

const MB = 1024 * 1024;
const menu = "green tea 3\n";
/** More than both kernels' buffers of one connection hold, if the client takes nothing. */
const large = staticSite.distinctBytes(12 * MB + 12_345);
/** Still more than the kernels' buffers hold, for checks in which many ask for it. */
const lessLarge = staticSite.distinctBytes(5 * MB + 12_345);
const files: SiteFiles = { "html/menu.txt": menu, "html/large.bin": large };
const smaller: SiteFiles = { "html/menu.txt": menu, "html/large.bin": lessLarge };

/** A menu, and so many requests for it that the small answers are more than the kernels' buffers hold. */
const longMenu = "green tea 3\n".repeat(700);
const many = 1200;
const longMenus: SiteFiles = { "html/menu.txt": longMenu, "html/large.bin": large };
const theLongMenu = { status: 200, body: longMenu };

const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`;
const theMenu = { status: 200, body: menu };
const theLarge = { status: 200, body: large };

/** A client that does not read has little room, so that the kernel soon takes no more for it. */
const lazy: ClientOptions = { reads: false, receiveBuffer: 4096 };
/** A client that will read has more room; with less the kernels would send tiny pieces. */
const late: ClientOptions = { reads: false, receiveBuffer: 64 * 1024 };

/** These clients ask for the large file, and perhaps for more after it. Waits until the server sends it to each of them. */
async function ask({ server, until, expect }: Tools, clients: readonly Client[], more = ""): Promise<void> {
  for (const client of clients) client.send(get("/large.bin") + more);
  const begun = () => clients.every(client => (server.socketOf(client)?.sendQueue ?? 0) > 0);
  expect(
    await until(begun, 5000),
    "A client asked for the large file, and the server has sent none of it.",
  ).ok();
}

/** A client that asks for the menu so often that the kernel takes no more of the small answers, and does not read. */
async function askOften({ server, client, note }: Tools, options: ClientOptions): Promise<Client> {
  const often = await client(options);
  often.send(get("/menu.txt").repeat(many));
  await server.fills([often]);
  // V8 may sleep for a moment, too, in the middle of its work.
  await server.settles(() => server.socketOf(often)?.sendQueue ?? 0, { over: 200 });
  note(
    `${often.name} has sent ${many} requests for the menu and does not read: the kernel takes no more bytes`,
  );
  return often;
}

const slowly =
  "curl -s --limit-rate 4M --max-time 4 -o /dev/null -w '%{size_download} of 8388608\\n' http://127.0.0.1:{port}/large.bin";

/** Two clients ask for a file of 12 MB: one reads late, the other at once. Each receives every byte. */
check("whole", "sends every byte of a large file", { files }, async t => {
  const because =
    "send() takes as many bytes as the kernel has room for, and returns that number; null means none. The rest is still yours: keep the number of bytes sent, and send on from there in the next turn.";
  const client = await t.client(late);
  await ask(t, [client]);
  client.setReading(true);
  await t.exchange({
    about: "12 MB, for a client that reads late",
    client,
    sends: [],
    wants: [theLarge],
    after: "open",
    because,
    see: slowly,
  });
  await t.exchange({
    about: "12 MB, for a client that reads at once",
    sends: get("/large.bin"),
    wants: [theLarge],
    because,
  });
});

const twoInOnePiece = `bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; env printf "GET %s HTTP/1.1\\r\\n\\r\\n" /large.bin /menu.txt >&3; timeout 3 cat <&3' | grep -abo "HTTP/1.1 200"   # where answers begin: at 0, and at 8388678`;

/**
 * A client asks for a large file, and sends three more requests before it reads; another client sends two requests
 * in one piece. A third sends 1200 requests for a menu of 8 KB before it reads. All answers arrive whole, in the order
 * of the requests.
 */
check("order", "finishes one answer before it begins the next", { files: longMenus }, async t => {
  const client = await t.client(late);
  await ask(t, [client]);
  client.send(get("/menu.txt") + get("/nothing") + get("/menu.txt"));
  // A server that calls recv() meanwhile has the requests now, and another finds them later. Both are right.
  await t.until(() => t.server.hasRead(client), 100);
  client.setReading(true);
  await t.exchange({
    about: "three more requests, sent while a large file is on its way",
    client,
    sends: [],
    wants: [theLarge, theLongMenu, 404, theLongMenu],
    after: "open",
    because:
      "All answers of a connection are one stream, in the order of the requests. While a part of one answer is not sent, no other answer may begin on this connection: begin the next one afterwards, or queue it behind.",
    see: twoInOnePiece,
  });
  const inOnePiece = await t.client(late);
  await ask(t, [inOnePiece], get("/menu.txt"));
  inOnePiece.setReading(true);
  await t.exchange({
    about: "a large file and a small one, asked for in one piece",
    client: inOnePiece,
    sends: [],
    wants: [theLarge, theLongMenu],
    after: "open",
    because:
      "One recv() may return two requests, and no other recv() returns the second one again. When an answer is sent, look into the bytes that you have read already before you call recv().",
    see: twoInOnePiece,
  });
  const asksOften = await askOften(t, late);
  asksOften.setReading(true);
  await t.exchange({
    about: `${many} requests for the menu, of a client that reads late`,
    client: asksOften,
    sends: [],
    wants: Array.from({ length: many }, () => theLongMenu),
    after: "open",
    because:
      "A small answer may find no room, too, if the client has not taken the answers before it. Look at what each send() returned, not only at those of the large file.",
  });
});

/**
 * Three clients ask for 12 MB and do not read. A fourth client asks for the menu, and receives it. While the three do not
 * read, the server sleeps between its turns. Then another client does not read 1200 small answers, and one more client
 * receives the menu.
 */
check(
  "nobody-waits",
  "answers other clients while three clients do not read",
  { files: longMenus },
  async t => {
    const three = await t.clients(3, lazy);
    for (const client of three) client.send(get("/large.bin"));
    await t.server.fills(three);
    t.note("three clients have asked for 12 MB and do not read: the kernel takes no more bytes");
    await t.exchange({
      about: "a small file for a fourth client, while three clients do not read",
      sends: get("/menu.txt"),
      wants: [theLongMenu],
      because:
        "The server waits until one client has taken everything, so all other clients wait, too: in a blocking send(), or in a loop around a non-blocking send(). Call send() once, and go on to the next client.",
      see: "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; printf \"GET /large.bin HTTP/1.1\\r\\n\\r\\n\" >&3; sleep 0.5; curl -sS --max-time 2 http://127.0.0.1:{port}/menu.txt'",
    });
    const { busy, restless, watch } = await t.server.idle(200);
    t.note("the three clients still do not read, and no client sends");
    const why: Why = {
      because:
        "A send() that returned null has moved no byte. A turn in which no byte moved ends with a sleep, also while an answer is not finished.",
      see: "curl -s --limit-rate 1 --max-time 9 -o /dev/null http://127.0.0.1:{port}/large.bin & sleep 2; top -bn1 -p $(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+' | head -1) | tail -1",
    };
    // A server that polls each millisecond may be busy and still sleep: where its calls are seen, its sleeps are counted.
    if (watch === null)
      t.expect(busy, "Processor time used while three clients do not read (1 is a full core).").atMost(
        0.3,
        why,
      );
    t.expect(restless, "Turns for each sleep while three clients do not read.").atMost(3, why);
    await askOften(t, lazy);
    await t.exchange({
      about: "a small file, while a client does not read 1200 small answers",
      sends: get("/menu.txt"),
      wants: [theLongMenu],
      because:
        "A small answer finds no room either, if the client has not taken the answers before it. No send() may wait, not even for the end of an answer.",
    });
  },
);

/**
 * Twenty clients ask for a file of 12 MB and do not read: the server takes at most 100 MB more memory. Then two of
 * them read, and receive every byte. Another client sends requests without an end and does not read: the server reads at
 * most 1 MB of them.
 */
check("memory", "keeps no copy of the file for each client that does not read", { files }, async t => {
  const { server } = t;
  await t.exchange({ about: "a client before the others", sends: get("/menu.txt"), wants: [theMenu] });
  const before = server.memory;
  const readers = await t.clients(2, late);
  const crowd = [...readers, ...(await t.clients(18, lazy))];
  await ask(t, crowd);
  t.note("twenty clients have asked for 12 MB, and do not read yet");
  const grown = await server.growth(before, 160);
  t.expect(grown, "Memory for twenty clients that wait for the rest of a file of 12 MB (in MB).").atMost(
    100,
    {
      because:
        "Twenty copies of 12 MB are 240 MB. The file is in memory once, for all clients. For each client keep a number, its place in the file, and cut out the next piece when you offer it. Buffer.concat() and Buffer.from() copy, subarray() does not.",
      see: "for i in $(seq 20); do curl -s --limit-rate 1 --max-time 9 -o /dev/null http://127.0.0.1:{port}/large.bin & done; sleep 2\ngrep RssAnon /proc/$(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+' | head -1)/status",
    },
  );
  for (const client of readers) client.setReading(true);
  for (const [i, client] of readers.entries()) {
    await t.exchange({
      about: `client ${i + 1} of two that read now`,
      client,
      sends: [],
      wants: [theLarge],
      because:
        "Each client is at its own place in the file: keep that place with the client, not with the file. (If no client gets the whole file, begin with the check for one client.)",
    });
  }
  await asksWithoutEnd(t);
});

/** Fails the check if the server reads on and on from a client that asks without an end, and takes no answer. */
async function asksWithoutEnd(t: Tools): Promise<void> {
  const client = await t.client(lazy);
  const watch = t.server.traced ? t.server.watch() : null;
  client.send(get("/large.bin")).send(get("/menu.txt").repeat(16 * (MB / 32)));
  // Where calls are not seen, bytes in the buffers of both kernels count as read, too: some ten million.
  const read = () => watch?.calls.bytesRead ?? client.sentBytes - 12 * MB;
  await t.server.settles(() => t.server.bytesReadFrom(client), { enough: 2 * MB });
  t.note("a client sends 16 MB of requests, and takes no answer");
  t.expect(read(), "Bytes of its requests that the server has read:").atMost(MB, {
    because:
      "What you read and do not answer yet is in your memory, and a client can send requests for ever. Do not call recv() for a client whose answer is not finished: then its kernel and yours hold the rest back.",
    see: `timeout 9 node -e 'const s = require("net").connect({port}, "127.0.0.1").pause(), ask = "GET /large.bin HTTP/1.1\\r\\n\\r\\n".repeat(1000); const more = () => { while (s.write(ask)); }; s.on("drain", more); more()' & sleep 5\ngrep RssAnon /proc/$(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+' | head -1)/status; wait`,
  });
}

/**
 * Three clients ask for a file of 12 MB: one resets its connection, and two close theirs. The server closes all
 * three sockets, and answers the next client.
 */
check("leaves", "goes on when a client leaves in the middle of an answer", { files }, async t => {
  const { server } = t;
  const before = server.sockets;
  const [cut, gone] = (await t.clients(2, lazy)) as [Client, Client];
  await ask(t, [cut, gone]);
  cut.reset();
  gone.close();
  const early = await t.client();
  // Otherwise the check could count the sockets before the server has accepted this client.
  await server.accepts([early]);
  // The server finds request and end in one look. The kernel of a closed client answers the first send with RST.
  await server.stop();
  early.send(get("/large.bin"));
  early.close();
  server.continue();
  const because =
    "The client is gone, so the next send() throws ECONNRESET or EPIPE. That ends this connection, wherever in the program it happens: close its socket, and go on with the other clients.";
  const see =
    "curl -s --max-time 1 --limit-rate 1 -o /dev/null http://127.0.0.1:{port}/large.bin; curl -sS --max-time 5 http://127.0.0.1:{port}/menu.txt";
  await server.holds(before, { within: 2000 });
  t.expect(
    server.sockets - before,
    "Three clients left while the server was sending them a file: number of their sockets that the server still holds.",
  ).equal(0, {
    because,
    see: "curl -s --max-time 1 --limit-rate 1 -o /dev/null http://127.0.0.1:{port}/large.bin; ls -l /proc/$(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+' | head -1)/fd | grep -c socket   # one more each time?",
  });
  await t.exchange({
    about: "another client, afterwards",
    sends: get("/menu.txt"),
    wants: [theMenu],
    because,
    see,
  });
});

/**
 * A client that acknowledges late sends 12 requests for small answers, one after another. At least ten answers
 * arrive in one segment, or their last segment within 25 ms.
 */
check("at-once", "sends a small answer without waiting for an acknowledgement", { files }, async t => {
  const requests = Array.from({ length: 12 }, (_, i) => get(i % 2 === 0 ? "/nothing" : "/menu.txt"));
  const delayed = await t.delayedParts(requests);
  t.expect(
    delayed,
    "Number of the 12 small answers whose second part came 25 ms or more after the request.",
  ).atMost(2, {
    because:
      "The kernel keeps a small second send() until the client has acknowledged the first (Nagle's algorithm). The client's kernel acknowledges late, after some 40 ms, because it has nothing to send. Put head and body into one buffer, and send that.",
    see: "curl -s --max-time 5 -o /dev/null -w '%{time_starttransfer} %{time_total}\\n' 'http://127.0.0.1:{port}/nothing[1-9]'   # seconds to the first byte, and to the last",
  });
});

/**
 * Generated clients ask for small, missing and large files; some read late, leave or reset. Each answer arrives
 * whole and in order, and the server sleeps while no byte moves.
 */
check("conversations", "keeps every promise in generated conversations", { files: smaller }, async t => {
  const large = { bytes: get("/large.bin"), wants: { status: 200, body: lessLarge } };
  const small = { bytes: get("/menu.txt"), wants: theMenu };
  const nothing = grammar.word(1, 12).map(name => ({ bytes: get(`/x${name}`), wants: { status: 404 } }));
  await t.conversations({
    says: fc.oneof(fc.constant(small), nothing, fc.constant(large)),
    clients: 8,
    readsLate: true,
    idle: "rests",
    because:
      "Every byte of every answer arrives, in the order of the requests. A client that leaves in the middle leaves nothing behind in the server. After a turn in which no byte moved, the server sleeps, also while a client does not read.",
  });
});

// What must be true of a server that finds requests in a stream. A network may cut the stream at any byte, so each
// check makes cuts that a network could make.
import { check, fc, grammar } from "workbook/check";

const get = (target: string, fields = "") => `GET ${target} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
const answer = (target: string) => ({ status: 200, body: `you asked for ${target}\n` });
const tea = get("/tea");
/** Longer than a server that gives up half a request may wait, in milliseconds: no server may give it up. */
const pauseMs = 1200;

/**
 * Clients send one request whole, in two pieces cut at different bytes, and byte by byte. The server answers
 * each whole request once, and sends nothing for half a request, or for one that lacks its last two bytes. If the
 * client ends there, the server does not take that for the end of the request.
 */
check("pieces", "understands a request in whatever pieces it arrives", async t => {
  const cut = (at: number) => [tea.slice(0, at), tea.slice(at)];
  await t.exchanges(
    "One recv() returns a piece of the stream, cut anywhere. Keep the piece, add the next one, and answer when \\r\\n\\r\\n has arrived.",
    [
      { about: "a whole request", sends: tea, wants: [answer("/tea")], after: "open" },
      { about: "half a request", sends: tea.slice(0, 7), wants: [], after: "open" },
      { about: "a request without its last two bytes", sends: tea.slice(0, -2), wants: [], after: "open" },
      ...[7, 2, t.generate(fc.integer({ min: 3, max: tea.length - 5 }))].map(at => ({
        about: `a request cut after byte ${at}`,
        sends: cut(at),
        wants: [answer("/tea")],
        after: "open" as const,
      })),
      ...[3, 2, 1].map(before => ({
        about: `a request cut inside its empty line, ${before} bytes before the end`,
        sends: cut(tea.length - before),
        wants: [answer("/tea")],
      })),
      { about: "a request, byte by byte", sends: [...tea], wants: [answer("/tea")], after: "open" },
    ],
  );
  const unfinished = await t.client();
  unfinished.send(tea.slice(0, -2)).end();
  await t.until(() => unfinished.over, 5000);
  // An error would be right (RFC 9112, 8): the request is not.
  t.expect(
    unfinished.received.includes("you asked for"),
    "A client ended before the last two bytes of its request, and the server answered the request.",
  ).equal(false, {
    because:
      "The end of the stream does not complete a request: only its empty line does. Close the connection.",
  });
});

/**
 * Clients send two requests, one request and a half, and 200 requests in one piece. The server answers
 * all of them in order, the half one when its rest has come.
 */
check("together", "answers all requests that arrive together, in order", async t => {
  const names = Array.from({ length: 200 }, () => `/${t.generate(grammar.word(1, 9))}`);
  await t.exchanges(
    "A client may send its next request before it has received the last answer (RFC 9112, 9.3.2), and one recv() can return both. The bytes after an empty line are the start of the next request, or all of it.",
    [
      {
        about: "two requests in one piece",
        sends: tea + get("/cake"),
        wants: [answer("/tea"), answer("/cake")],
        after: "open",
      },
      {
        about: "one request and a half, then the other half",
        sends: [tea + get("/cake").slice(0, 9), get("/cake").slice(9)],
        wants: [answer("/tea"), answer("/cake")],
        after: "open",
      },
      {
        about: "200 requests in one piece",
        sends: names.map(name => get(name)).join(""),
        wants: names.map(answer),
        after: "open",
      },
    ],
  );
});

/**
 * A client sends a request of 1024, 1025, 2048, 7000 or a random number of bytes, and a short request right behind
 * it. The server answers both and keeps the connection open.
 */
check("long", "understands a request that is longer than one recv() returns", async t => {
  await t.exchanges(
    "The size that you pass to recv() limits one call, not a request. A browser with cookies sends more than 1024 bytes.",
    [1024, 1025, 2048, 7000, t.generate(fc.integer({ min: 1026, max: 6999 }))].map(size => {
      const cookie = "c".repeat(size - get("/tea", "Cookie: \r\n").length);
      return {
        about: `a request of ${size} bytes, then another`,
        sends: get("/tea", `Cookie: ${cookie}\r\n`) + get("/cake"),
        wants: [answer("/tea"), answer("/cake")],
        after: "open" as const,
        see: `bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; env printf "GET /tea HTTP/1.1\\r\\nCookie: %0${size}d\\r\\n\\r\\n" 0 >&3; timeout 2 cat <&3'   # one request`,
      };
    }),
  );
});

/**
 * One client sends half a request, and a second client a whole one in two pieces. The second client receives its
 * answer. The first client sends the rest more than a second later, and receives its answer.
 */
check("apart", "keeps the bytes of different clients apart", async t => {
  const because =
    "Each connection is a stream of its own. Keep its unfinished request in a buffer of its own.";
  const [first, second] = await t.clients(2);
  const cake = get("/cake");
  await t.exchange({
    because,
    about: "half a request",
    client: first!,
    sends: tea.slice(0, 7),
    wants: [],
    after: "open",
  });
  await t.exchange({
    because,
    about: "a whole request, while another client has sent half of one",
    client: second!,
    sends: [cake.slice(0, 11), cake.slice(11)],
    wants: [answer("/cake")],
    after: "open",
  });
  await t.server.wait(pauseMs);
  await t.exchange({
    because: "The rest of a request can arrive after any time: keep the first half until the client leaves.",
    about: "the other half, more than a second later",
    client: first!,
    sends: tea.slice(7),
    wants: [answer("/tea")],
    after: "open",
  });
});

/** The bytes of one request that the server may keep, and those that it may read beyond until it notices. */
const most = { kept: 1024 * 1024, beyond: 128 * 1024 };

/**
 * Three clients each send more than 1.1 MB of a head that does not end, one of them behind a whole request, and the
 * server closes their connections. Another client sends 170 requests of 7,000 bytes at once and receives all answers.
 */
check("endless", "does not keep more than 1 MB of a request that never ends", async t => {
  const { server, client, expect } = t;
  const before = server.sockets;
  const size = most.kept + most.beyond;
  const endless = [
    { about: "a head of lines", bytes: `GET /tea HTTP/1.1\r\n${"Cookie: more\r\n".repeat(90_000)}` },
    { about: "a head of one line", bytes: `GET /${"a".repeat(size)}` },
    { about: "a head of Chinese characters", bytes: `GET /tea HTTP/1.1\r\nName: ${"茶".repeat(size / 3)}` },
  ];
  for (const { about, bytes } of endless) {
    const sender = await client();
    // The limit is for each request, not only for the first one of a connection.
    if (bytes === endless[0]!.bytes)
      await t.exchange({ about: "a whole request", client: sender, sends: tea, wants: [answer("/tea")] });
    sender.send(Buffer.from(bytes).subarray(0, size));
    // A server with a limit closes at it, or when it has read what there is.
    await t.until(() => sender.over, 5000);
    expect(
      sender.over,
      `A client has sent 1.1 MB of ${about} that does not end, and the connection is still open.`,
    ).ok({
      because:
        "Limit the bytes that you keep for one client, whatever the head is made of: 100 such clients would fill the memory. When a head is too long, answer with an error or close the connection.",
      see: `bash -c '(printf "GET / HTTP/1.1\\r\\n"; yes "Cookie: more" | head -n 90000) >/dev/tcp/127.0.0.1/{port}'   # right: the server closes the connection`,
    });
  }
  expect(await server.holds(before), "The connection is over, and the server still holds its socket.").equal(
    before,
    { because: "Close the connection of this client only, and go on with the others." },
  );
  const cookie = `Cookie: ${"c".repeat(6900)}\r\n`;
  await t.exchange({
    about: "another client, which sends 170 requests of 7,000 bytes at once",
    sends: get("/tea", cookie).repeat(170),
    wants: Array.from({ length: 170 }, () => answer("/tea")),
    because:
      "The limit is for one request, and each of these is short. Remove a request from the buffer when you have answered it: its bytes no longer count.",
  });
});

/**
 * Generated clients send up to eight requests each, cut anywhere, and then stay, close, half-close or reset. The
 * server answers every whole request in order, keeps nothing of a client that has left, and sleeps while no client sends.
 */
check("conversations", "answers every request in generated conversations", async t => {
  const says = fc
    .tuple(
      fc.oneof(grammar.visibleAscii(1, 20, grammar.notInTargets), grammar.longText(20, 2000)),
      // A request need not have a field: the lesson's own commands send none.
      fc.constantFrom("Host: a\r\n", ""),
      grammar.fields(3),
    )
    .map(([name, host, fields]) => ({
      bytes: `GET /${name} HTTP/1.1\r\n${host}${fields}\r\n`,
      wants: answer(`/${name}`),
    }));
  await t.conversations({
    says,
    messages: 8,
    idle: "rests",
    because:
      "A request ends with its empty line and nowhere else, wherever the stream is cut, and even while other clients connect, leave or reset.",
  });
});

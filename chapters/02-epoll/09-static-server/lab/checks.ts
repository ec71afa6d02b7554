// What a web server for files must do that you can leave running. Each check is one promise of HTTP/1.1 or of a
// server with many clients; of the course's listing most are false. How it is written is not asked.
import { type Client, check, type SiteFiles, staticSite, type Tools, type Why } from "workbook/check";

const { files, filesAndTraps, host, get, menu, theMenu, thePage, picture } = staticSite;

/** More than the kernel's buffers of one connection hold, both ends together, as long as the client does not read. */
const large = staticSite.distinctBytes(12 * 1024 * 1024 + 12_345);
/** A page long enough that a few hundred of them fill the kernel's buffers. */
const list = "green tea 3\n".repeat(700);
const withLarge: SiteFiles = { ...files, "html/large.bin": large };
const withList: SiteFiles = { ...files, "html/list.txt": list };

const MB = 1024 * 1024;

// --------------------------------------------------------------------------------------- bytes and requests

/**
 * Clients send half a request, requests cut into pieces, and twelve long requests, each with the first byte of the
 * next. The server answers each request once it is whole.
 */
check("pieces", "reads a request in whatever pieces it arrives", { files }, async t => {
  const long = get("/menu.txt", `Cookie: ${"c".repeat(6900)}\r\n`);
  await t.exchanges(
    "TCP carries a stream of bytes: one recv() returns any piece of it. Keep the bytes until the empty line has arrived that ends a head (RFC 9112, 2.2 and 3).",
    [
      ...staticSite.pieces,
      ...[1023, 1024, 1025, 2048, 7000].map(staticSite.long),
      {
        about: "twelve long requests, each with the first byte of the next",
        // Together they are more than a head may have: only what is not yet answered may count.
        sends: Array.from({ length: 12 }, (_, i) => long.slice(i && 1) + (i < 11 ? "G" : "")),
        wants: Array.from({ length: 12 }, () => theMenu),
        after: "open",
        because:
          "Remove an answered request from the buffer, even if the beginning of the next request is behind it. Otherwise the buffer grows while the client stays, or a client that did nothing wrong meets your limit.",
      },
    ],
  );
});

/**
 * Clients send two, three or a hundred requests together, or one and a half and then the rest. The answers arrive
 * in the order of the requests.
 */
check("pipeline", "answers all requests that arrive together, in their order", { files }, async t => {
  const hundred = Array.from({ length: 50 }, () => get("/menu.txt") + get("/")).join("");
  await t.exchanges(
    "A client may send its next requests without waiting for the answers; they must come in the same order (RFC 9112, 9.3.2). The bytes behind the first request begin the second one.",
    [
      ...staticSite.together,
      {
        about: "a hundred requests at once",
        sends: hundred,
        wants: Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? theMenu : thePage)),
      },
    ],
  );
});

/**
 * Clients ask for a missing or an empty file, and then for another file. The first answer ends where its head
 * says, so the second arrives whole.
 */
check("octets", "counts bytes, not characters", { files }, async t => {
  await t.exchanges(
    "Content-Length counts bytes (RFC 9110, 8.6). Most Chinese characters have three bytes in UTF-8. The client takes the bytes that you did not count for the beginning of the next answer.",
    staticSite.lengths,
  );
});

/**
 * Three requests on one connection get three answers, and the connection stays open. After its answer to
 * `Connection: close` or to HTTP/1.0, the server closes, and answers no further request; it does not wait for ever
 * until the client closes, too.
 */
check(
  "connection",
  "keeps a connection open, or closes it, as HTTP requires",
  { files, judges: "persistence" },
  async t => {
    await t.exchanges(
      "HTTP/1.1 keeps the connection unless one side says Connection: close; HTTP/1.0 closes it unless the client says keep-alive (RFC 9112, 9.3 and 9.6). A client of HTTP/1.0 reads until the stream ends, and waits for ever if the server does not close.",
      staticSite.persistence,
    );
    await staticSite.endsAlone(t);
  },
);

/**
 * A client sends HEAD, then GET: it receives a head without a body, then the page. HEAD of a missing file announces the
 * length that GET has, or none. DELETE and an unknown method get a refusal, such as 405 or 501.
 */
check(
  "head",
  "answers HEAD with a head and no body, and other methods without the file",
  { files },
  staticSite.answersMethods,
);

/**
 * Clients send POST and PUT requests with a length or in chunks. The server refuses each, reads its body, and answers
 * the request behind it; after contradictory or unknown lengths it refuses and closes.
 */
check("bodies", "does not take a body for a request", { files }, async t => {
  const post = (fields: string, body: string) => `POST /menu.txt HTTP/1.1\r\n${host}${fields}\r\n${body}`;
  const refused = { status: [405, 501, 403] };
  const next = { sends: "", wants: [refused, theMenu], after: "open" } as const;
  await t.exchanges(
    "Content-Length or the chunks say where a body ends (RFC 9112, 6.3), and the next request begins behind it. Read the body, even if you do not need it, or refuse it and close. Otherwise the author of the body writes your next request.",
    [
      ...["POST", "PUT", "BREW"].flatMap(method =>
        (["length", "chunks"] as const).map(framing => ({
          ...next,
          about: `a body of ${method} with ${framing === "length" ? "a length" : "chunks"}, which looks like a request`,
          sends: t.generate(staticSite.withBody(method, framing)) + get("/menu.txt"),
        })),
      ),
      {
        ...next,
        about: "a body in pieces",
        sends: [post("Content-Length: 10\r\n", "abc"), "defg", `hij${get("/menu.txt")}`],
      },
      ...staticSite.unclearLengths(t.generate(staticSite.wrongLengths), staticSite.refusesBody),
    ],
  );
});

/**
 * Clients send malformed first lines and malformed fields. The server answers with 400 (or 505 for an unknown
 * version), and closes after a malformed first line.
 */
check("malformed", "answers a malformed request with 400, and closes", { files }, async t => {
  await t.exchanges(
    "Answer a malformed request with 400 and close: you cannot know where the next request begins (RFC 9112, 2.2 and 3).",
    [...staticSite.malformed, ...staticSite.badFields],
  );
});

/**
 * Clients send HTTP/1.1 requests without `Host`, with two, and with an invalid one: each gets 400. An IPv6 address
 * with a port is valid, and HTTP/1.0 needs no `Host`.
 */
check("host", "requires exactly one valid Host field", { files }, async t => {
  await t.exchanges(
    "A server must answer 400 to a request of HTTP/1.1 without Host, with two, or with an invalid one (RFC 9112, 3.2).",
    staticSite.hostFields(theMenu),
  );
});

/**
 * A target of 7,900 bytes gets 404. A target or a head that does not end, and 20,000 fields, get 414, 431 or 400,
 * and the server closes.
 */
check("limits", "limits the length of a request", { files }, async t => {
  await t.exchanges(
    "Limit everything that a client can make grow, or one client takes all memory: 414 for a target (RFC 9112, 3), 431 for the fields (RFC 6585, 5); then close.",
    [
      {
        about: "a target of 7,900 bytes",
        sends: get(`/${"p".repeat(7899)}`),
        wants: [404],
        because: "RFC 9112, 3 recommends that a server accepts request lines of at least 8000 bytes.",
      },
      {
        about: "a target that does not end",
        see: "curl -i --max-time 2 \"http://127.0.0.1:{port}/$(printf '%0100000d' 0)\"",
        sends: `GET /${"p".repeat(100_000)}`,
        wants: [{ status: [414, 400, 431] }],
        after: "close",
      },
      {
        about: "a head that does not end",
        see: "curl -i --max-time 2 -H \"Cookie: $(printf '%0100000d' 0)\" http://127.0.0.1:{port}/menu.txt",
        sends: `GET /menu.txt HTTP/1.1\r\n${host}${`X: ${"h".repeat(100)}\r\n`.repeat(2000)}`,
        wants: [{ status: [431, 400] }],
        after: "close",
      },
      {
        about: "twenty thousand header lines",
        sends: get("/menu.txt", "a: b\r\n".repeat(20_000)),
        wants: [{ status: [431, 400] }],
        after: "close",
      },
    ],
  );
});

// -------------------------------------------------------------------------------------------- many clients

/**
 * A client asks for 12 MB, and then for the menu; a second client does the same and reads late. Both receive both
 * files whole, and both connections stay open.
 */
check(
  "large",
  "sends a large file whole, also to a client that reads late",
  { files: withLarge },
  async t => {
    const because =
      "send() takes what the kernel has room for, and returns the number of bytes. The rest is yours: send it when epoll reports EPOLLOUT, that there is room again.";
    const see =
      "curl -s --max-time 20 --limit-rate 8M http://127.0.0.1:{port}/large.bin | cmp - {folder}/html/large.bin && echo whole";
    const wants = [{ status: 200, body: large }];
    const next = {
      about: "a small file behind a large one",
      sends: get("/menu.txt"),
      wants: [theMenu],
      because,
    };
    const client = await t.client();
    await t.exchange({
      about: "12 MB",
      client,
      sends: get("/large.bin"),
      wants,
      after: "open",
      because,
      see,
    });
    await t.exchange({ ...next, client, after: "open" });

    const late = await t.client({ reads: false, receiveBuffer: 64 * 1024 });
    late.send(get("/large.bin"));
    await t.server.fills([late]);
    late.setReading(true);
    await t.exchange({
      about: "12 MB for a client that reads late",
      client: late,
      sends: [],
      wants,
      because,
      see,
    });
    await t.exchange({ ...next, client: late, after: "open" });
  },
);

/**
 * Three clients ask for 12 MB, and do not read. A fourth client receives the menu, and the server uses at most
 * half a processor.
 */
check(
  "slow-readers",
  "answers other clients while three clients do not read",
  { files: withLarge },
  async t => {
    const rude = await t.oneByOne(3, { reads: false, receiveBuffer: 4096 });
    for (const client of rude) client.send(get("/large.bin"));
    t.note("three clients have asked for 12 MB, and do not read");
    await t.server.fills(rude);
    await t.exchange({
      about: "a fourth client, while three clients do not read",
      sends: get("/menu.txt"),
      wants: [theMenu],
      because:
        "accept() returns a blocking socket. So send() waits until a client that does not read has taken the whole file, and all other clients wait, too. Call setBlocking(false), and keep the unsent bytes.",
      see: "for i in 1 2 3; do curl -s --max-time 9 --limit-rate 1 -o /dev/null http://127.0.0.1:{port}/large.bin & done; sleep 1; time curl -s --max-time 5 http://127.0.0.1:{port}/menu.txt",
    });
    const idle = await t.server.idle(150);
    t.expect(
      idle.busy,
      "Three clients do not read: share of a processor that the server uses (1 is a whole processor).",
    ).atMost(0.5, {
      because:
        "Watch a socket for EPOLLOUT only while you have bytes that the kernel had no room for. After EAGAIN, wait for that event instead of trying again.",
    });
  },
);

/**
 * A client sends 2 MB of requests and reads no answer: the server reads at most 1 MB of them, then sleeps. Another
 * client is answered, and a late reader receives all 600 answers.
 */
check("unread", "stops reading requests from a client that reads no answer", { files: withList }, async t => {
  const { server } = t;
  const before = server.memory;
  const ask = get("/list.txt");
  const flood = await t.client({ reads: false, receiveBuffer: 4096 });
  const offered = 2 * MB;
  flood.send(ask.repeat(Math.ceil(offered / ask.length)));
  await t.until(() => flood.over || server.bytesReadFrom(flood) > 0, 5000);
  // The server has stopped reading when bytes lie unread in its socket and it sleeps. With an empty socket it only waits for
  // this client, whose process may have had no time to send. All checks share the memory: at 300 MB the wait ends.
  const much = () => server.bytesReadFrom(flood) > MB || server.memory - before > 300 * MB;
  const full = () => flood.over || much() || (server.socketOf(flood)?.recvQueue ?? 0) > 0;
  let read = 0;
  do {
    await t.until(full, 20_000);
    read = await server.settles(() => (much() ? 2 * MB : server.bytesReadFrom(flood)), {
      over: 150,
      enough: MB,
      within: 20_000,
    });
  } while (!full());
  const grown = Math.round((server.memory - before) / MB);
  t.note(
    `the server has read ${server.bytesReadFrom(flood)} bytes of requests and taken ${grown} MB of memory; ${flood.name} has read nothing`,
  );
  const labRule =
    "HTTP does not limit what one client may take of a server: the limit is a rule of this lab.";
  const because =
    "Each answer is about 200 times as large as its request, and you must keep what the client does not read. While unsent bytes wait for this client, do not read its requests: they wait in your kernel, then in the client's.";
  if (read === 0 && !flood.over) t.fail("A client sent requests, and the server read none of them.");
  // A server that has stopped reading sleeps; one that still works on the requests will read on.
  if (read > MB || !server.asleep) {
    t.fail(
      "One client sends request after request and reads no answer, and the server reads all its requests.",
      { because, labRule },
    );
  }
  await t.exchange({
    about: "another client, meanwhile",
    labRule,
    sends: get("/menu.txt"),
    wants: [theMenu],
    because:
      "The requests of one client used up what all clients share: time, descriptors, threads. Begin with a request only when the previous answer is in the kernel.",
  });

  const late = await t.client({ reads: false, receiveBuffer: 64 * 1024 });
  late.send(ask.repeat(600));
  await server.fills([late]);
  late.setReading(true);
  await t.exchange({
    about: "600 requests of a client that begins to read late",
    client: late,
    sends: [],
    wants: Array.from({ length: 600 }, () => ({ status: 200, body: list })),
    after: "open",
    because:
      "If a part of an answer is lost: send() takes what the kernel has room for, so keep the rest. If an answer did not come: when the answers are sent, read from this client again. And look into your buffer first: epoll does not report requests that you have read already.",
  });
});

/**
 * Thirty clients ask for 12 MB and do not read: the server takes at most 120 MB more memory. Then four of them
 * read, and receive every byte.
 */
check(
  "many-large",
  "sends large files to many clients at once, and keeps only pieces in memory",
  { files: withLarge },
  async t => {
    const { server } = t;
    const before = server.memory;
    // A client that will read has some room, or the kernels would send in tiny pieces.
    const readers = await t.oneByOne(4, { reads: false, receiveBuffer: 64 * 1024 });
    const crowd = [...readers, ...(await t.oneByOne(26, { reads: false, receiveBuffer: 4096 }))];
    for (const client of crowd) client.send(get("/large.bin"));
    t.note("thirty clients have asked for 12 MB, and do not read yet");
    await server.reads(crowd[29] as Client);
    const grown = await server.growth(before, 200);
    for (const client of crowd) t.demandOpen(client);
    t.expect(grown, "Memory for thirty clients that wait for the rest of a 12 MB file (in MB).").atMost(120, {
      because:
        "Thirty copies of 12 MB are 360 MB. The file is on the disk already: for each client keep its place in the file, and read the next piece when there is room to send it.",
    });
    for (const client of readers) client.setReading(true);
    for (const [i, client] of readers.entries()) {
      await t.exchange({
        about: `client ${i + 1} of four that read now`,
        client,
        sends: [],
        wants: [{ status: 200, body: large }],
        because:
          "A non-blocking send() takes a part: send the rest when epoll reports EPOLLOUT. Each client is at its own place in the file, and no client waits for another. Keep that place as a number with the client, not as the position of a shared descriptor. A blocking send() makes all clients wait.",
      });
    }
    await t.exchange({ about: "a small file meanwhile", sends: get("/menu.txt"), wants: [theMenu] });
  },
);

/**
 * 50 clients connect and send a request while the server is stopped. After it goes on, each client receives the
 * menu.
 */
check("burst", "answers all 50 clients of a burst", { files }, async t => {
  const { server } = t;
  await server.stop();
  const crowd = await t.clients(50);
  for (const client of crowd) client.send(get("/menu.txt"));
  server.continue();
  for (const [i, client] of crowd.entries()) {
    await t.exchange({
      about: `client ${i + 1} of 50 that connected in the same moment`,
      client,
      sends: [],
      wants: [theMenu],
      because:
        "All 50 wait in the accept queue, and epoll reports once that the listener is readable. With EPOLLET it does not report the clients that wait already, so call accept() until it returns null.",
      see: "seq 50 | xargs -P 50 -I @ curl -s --max-time 2 -o /dev/null -w '%{http_code}\\n' http://127.0.0.1:{port}/menu.txt | sort | uniq -c",
    });
  }
});

/**
 * 30 clients reset their connections, silent or with half a request; then three clients reset in the middle of 12
 * MB. The server closes all their sockets and files, rests, and answers a new client.
 */
check("reset", "releases the sockets of clients that reset", { files: withLarge }, async t => {
  const { server } = t;
  const before = server.sockets;
  const crowd = await t.oneByOne(30);
  for (const client of crowd.slice(15)) client.send("GET /menu.txt HTTP/1.1\r\nHos");
  await server.reads(crowd[29] as Client);
  for (const client of crowd) client.reset();
  const held = await server.holds(before);
  t.expect(held, "30 clients have reset their connections: sockets that the server holds.").equal(before, {
    because:
      "After a reset epoll reports EPOLLIN | EPOLLERR | EPOLLHUP in one number, which is not equal to EPOLLIN. Test for bits with &, or call recv(), which throws the error; then close.",
    see: "(for i in 1 2 3; do timeout -s KILL 1 curl -s --limit-rate 1 -o /dev/null http://127.0.0.1:{port}/large.bin & done; wait)\nss -tanp 'sport = :{port}'   # connections that the server still holds",
  });
  const { descriptors } = server;
  const busy = await t.clients(3, { reads: false, receiveBuffer: 4096 });
  for (const client of busy) client.send(get("/large.bin"));
  await server.fills(busy);
  for (const client of busy) client.reset();
  t.expect(
    await server.holds(before),
    "Three clients have reset in the middle of a file: sockets that the server holds.",
  ).equal(before, {
    because:
      "send() to a client that has left fails with ECONNRESET or EPIPE. That ends this connection, and no other.",
  });
  // One file may stay open for the next client.
  await t.until(() => server.descriptors <= descriptors + 1, 3000);
  t.expect(
    server.descriptors - descriptors,
    "Three clients have reset in the middle of a file: descriptors that the server has more than before.",
  ).atMost(2, {
    because:
      "The file of an answer is open while the answer is on its way. Close it on each way on which a client leaves, and not only when all of it is sent.",
    see: "(for i in 1 2 3; do timeout -s KILL 1 curl -s --limit-rate 1 -o /dev/null http://127.0.0.1:{port}/large.bin & done; wait)\nls -l /proc/$(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+' | head -1)/fd | grep large.bin",
  });
  const idle = await server.idle(150);
  t.expect(
    idle.busy,
    "The clients have left: share of a processor that the server uses (1 is a whole processor).",
  ).atMost(0.4);
  await t.exchange({ about: "a new client after that", sends: get("/menu.txt"), wants: [theMenu] });
});

const at = "http://127.0.0.1:{port}";
const tcp = "/dev/tcp/127.0.0.1/{port}";
/** Commands for "same-number": how one leaves, and then the next one comes. */
const leaving = {
  close: `bash -c 'exec 3<>${tcp}; printf "GET /nothing.html HTTP/1.1\\r\\nHos" >&3; sleep 0.3'`,
  reset: `timeout 5 node -e 'const s = require("net").connect({port}, "127.0.0.1", () => s.write("GET /nothing.html HTTP/1.1\\r\\nHos", () => setTimeout(() => s.resetAndDestroy(), 300)))'`,
  inAFile: `curl -s --max-time 1 --limit-rate 1 -o /dev/null ${at}/large.bin`,
  // What is closed with an answer unread is closed with an RST.
  inOneWakeUp: `bash -c 'P=$(ss -Htlnp "sport = :{port}" | grep -oP "pid=\\K\\d+" | head -1); exec 3<>${tcp}; env printf "GET /menu.txt HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n" >&3; sleep 0.3; kill -STOP $P; exec 3>&-; exec 4<>${tcp}; env printf "GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n" >&4; sleep 0.3; kill -CONT $P; timeout 2 cat <&4'`,
};
const comesNext = `sleep 0.3; curl -i --max-time 2 ${at}/menu.txt`;

/**
 * A client leaves with half a request or in the middle of a file, and the next client connects, once within the
 * same wake-up. The next client receives its own answers only.
 */
check(
  "same-number",
  "does not mix up clients that get the same descriptor",
  { files: withLarge },
  async t => {
    const { server } = t;
    const because =
      "The kernel gives the number of a closed descriptor to the next client. Remove what you keep by that number (bytes that arrived, an unfinished answer, the events that epoll watches for) when its client leaves.";
    const leaves = async (client: Client, how: "close" | "reset", see: string) => {
      client[how]();
      t.expect(
        await server.releases([client]),
        `${client.name} has left, and the server still holds its socket.`,
      ).equal(1, {
        because,
        see: `${see}; sleep 0.3; ss -tanp 'sport = :{port}'   # connections that the server still holds`,
      });
    };
    for (const how of ["close", "reset"] as const) {
      const half = (await t.client()).send("GET /nothing.html HTTP/1.1\r\nHos");
      await server.reads(half);
      await leaves(half, how, leaving[how]);
      await t.exchange({
        about: "the next client, after one that left with half a request",
        sends: get("/menu.txt"),
        wants: [theMenu],
        after: "open",
        because,
        see: `${leaving[how]}; ${comesNext}`,
      });
    }
    const reader = (await t.client({ reads: false, receiveBuffer: 4096 })).send(get("/large.bin"));
    await server.reads(reader);
    await server.wait(50);
    await leaves(reader, "reset", leaving.inAFile);
    await t.exchange({
      about: "the next client, after one that left in the middle of a file",
      sends: [get("/menu.txt"), get("/")],
      wants: [theMenu, thePage],
      after: "open",
      because,
      see: `${leaving.inAFile}; ${comesNext} ${at}/`,
    });

    // One leaves and the next has come, in one wake-up: the old one's event is not the new one's.
    const old = await t.client();
    const see = `curl -i --max-time 2 ${at}/menu.txt`;
    await t.exchange({
      about: "a client that will leave",
      client: old,
      sends: get("/menu.txt"),
      wants: [theMenu],
      see,
    });
    await server.stop();
    old.reset();
    const fresh = (await t.client()).send(get("/"));
    server.continue();
    await t.exchange({
      about: "a client that connected in the moment in which another left",
      client: fresh,
      sends: [],
      wants: [thePage],
      after: "open",
      because,
      see: leaving.inOneWakeUp,
    });
  },
);

/**
 * A client sends a request and ends its sending side: it receives the whole answer, and then the server closes.
 * After half a request and the end, the server closes, too.
 */
check(
  "half-close",
  "answers a client that has ended its sending side, then closes",
  { files: withLarge },
  async t => {
    const because =
      "shutdown(SHUT_WR) ends the sending side only: the client may still read (shutdown(2)). HTTP leaves it to the server whether it answers then; this lab requires the answer, whole: close when all of it is sent. With EPOLLET no second event comes for an end that arrived with the request: call recv() until it returns null.";
    const see = (target: string) =>
      `timeout 5 node -e 'require("net").connect({ port: {port}, allowHalfOpen: true }).end("GET ${target} HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n").pipe(process.stdout)' | wc -c`;
    for (const [target, body] of [
      ["/menu.txt", menu],
      ["/large.bin", large],
    ] as const) {
      const client = await t.client();
      // Request and end are found in one wake-up: it is not a matter of luck which comes first.
      await t.server.stop();
      client.send(get(target));
      client.end();
      t.server.continue();
      const wants = [{ status: 200, body }];
      await t.exchange({
        about: `${target}, and the end`,
        client,
        sends: [],
        wants,
        because,
        see: see(target),
        labRule:
          "HTTP leaves it to the server whether it answers a client that has ended its sending side (RFC 9112, 9.5 and 9.6).",
      });
      const end = {
        about: `the end behind ${target}`,
        client,
        sends: [],
        wants: [],
        after: "close",
      } as const;
      await t.exchange({ ...end, because, see: see(target) });
    }
    const half = await t.client();
    half.send("GET /menu.txt HTTP/1.1\r\nHos");
    await t.server.reads(half);
    half.end();
    t.expect(
      await half.closed(),
      "A client sent half a request and ended its stream, and the server does not close.",
    ).ok({
      because: "The rest of this request will never come, so do not wait for it (RFC 9112, 8).",
    });
  },
);

/**
 * A client that acknowledges late sends 12 requests for a missing file, one after another. At least eight answers
 * arrive in one segment, or their last segment within 25 ms.
 */
check("at-once", "sends a small answer without waiting for an acknowledgement", { files }, async t => {
  const delayed = await t.delayedParts(Array.from({ length: 12 }, () => get("/nothing.html")));
  t.expect(
    delayed,
    "Number of the 12 small answers whose second part came 25 ms or more after the request.",
  ).atMost(4, {
    because:
      "The kernel keeps a small second send() until the client has acknowledged the first (Nagle's algorithm). The client's kernel acknowledges late, after about 40 ms, because it has nothing to send (tcp(7), TCP_NODELAY). Put head and body into one buffer, and send that.",
    see: "curl -s --max-time 5 -o /dev/null -w '%{time_starttransfer} %{time_total}\\n' 'http://127.0.0.1:{port}/nothing[1-9].html'   # seconds to the first byte, and to the last",
  });
});

/**
 * With few free descriptors, a client receives its answers about 20 versions of a picture. Without a free one, the
 * server prints `EMFILE`, uses at most half a processor, and accepts the waiting client when another leaves.
 */
check("descriptors", "reports EMFILE when no descriptor is free, and goes on", { files }, async t => {
  const { server } = t;
  // A first client is served: now all files that the server opens for itself are open.
  const [first] = (await t.oneByOne(1)) as [Client];
  await t.exchange({
    about: "a client before the others",
    client: first,
    sends: get("/menu.txt"),
    wants: [theMenu],
  });
  // A server may open the file of each edition, and sends none of it. No descriptor is lacking yet at the first.
  const headIsWrong = {
    because:
      "The answer to HEAD ends with its head, and the answer to the next request follows (RFC 9110, 9.3.2).",
  };
  const fileStaysOpen = {
    because:
      "The answers about an earlier version were right. Close an opened file on every way out, also when its content is not sent (HEAD, 304) or is outdated. Otherwise each version costs a descriptor for ever.",
    see: "cd {folder}; cp html/large.bin html/copy.bin\nfor i in 1 2 3 4 5; do touch html/copy.bin; curl -sI --max-time 5 http://127.0.0.1:{port}/copy.bin; curl --max-time 5 -so /dev/null -H 'If-None-Match: *' http://127.0.0.1:{port}/copy.bin; done\nls -l /proc/$(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+' | head -1)/fd; rm html/copy.bin",
  };
  server.limitDescriptors(8);
  for (let edition = 1; edition <= 20; edition++) {
    t.site.write("html/teahouse.png", picture.subarray(edition));
    await t.exchange({
      about: `HEAD of a picture, version ${edition} of 20`,
      client: first,
      sends: `HEAD /teahouse.png HTTP/1.1\r\n${host}\r\n${get("/teahouse.png", "If-None-Match: *\r\n")}`,
      wants: [{ status: 200, to: "HEAD" }, { status: [200, 304] }],
      ...(edition === 1 ? headIsWrong : fileStaysOpen),
    });
  }
  first.close();
  await server.releases([first]);
  const from = server.output.bytes;
  server.limitDescriptors(1);
  const [second] = (await t.oneByOne(1)) as [Client];
  const third = await t.client();
  const labRule =
    "No standard says what a server prints or does while no descriptor is free: that is a rule of this lab.";
  const words = await server.output.prints(/EMFILE|too many open files/i, { from });
  t.expect(words, "The server has no free descriptor, and does not print EMFILE.").ok({
    labRule,
    because:
      "accept() fails with EMFILE while no descriptor is free, and the client stays in the accept queue. Print that once: the operator must know why no client is accepted.",
    see: "prlimit --nofile=28: --pid $(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+' | head -1)\nbash -c 'for i in $(seq 10); do exec {fd}<>/dev/tcp/127.0.0.1/{port}; done; sleep 3'",
  });
  const idle = await server.idle(150);
  t.expect(
    idle.busy,
    "No descriptor is free: share of a processor that the server uses (1 is a whole processor).",
  ).atMost(0.5, {
    labRule,
    because:
      "The accept queue is not empty, so a level-triggered listener stays ready, and accept() fails again and again. Stop watching the listener until a descriptor may be free: when a client leaves, or after a while.",
  });
  second.close();
  third.send(get("/menu.txt"));
  await t.exchange({
    about: "a client that waited in the accept queue until another left",
    labRule,
    client: third,
    sends: [],
    // Another client may have got the last descriptor; then the server may say so.
    wants: [{ status: [200, 503, 500] }],
    because:
      "If the answer has the status 404: the file exists, and no descriptor is left for it, so answer 503. If no answer came: a closed descriptor is free again, so accept the client that waits. With EPOLLET epoll does not report it a second time: call accept() after each close.",
  });
});

/**
 * 200 clients receive one answer each and are silent: the server takes at most 64 MB more memory. Then it makes at
 * most 30 calls in 250 ms, and uses at most a fifth of a processor.
 */
check("idle", "costs next to nothing while 200 clients are silent", { files }, async t => {
  const { server } = t;
  const before = server.memory;
  const crowd: Client[] = [];
  for (let i = 0; i < 200; i++) {
    const client = (await t.client()).send(get("/menu.txt"));
    const answer = await client.receives(menu);
    t.expect(answer, "One of 200 clients, which connected one after another, got no answer.").ok();
    crowd.push(client);
  }
  const grown = await server.growth(before, 200);
  t.expect(grown, "Memory for 200 clients that got one answer each and are silent (in MB).").atMost(64, {
    because:
      "A third of a megabyte for each is more than that. A silent client needs no buffer: keep only the bytes of an unfinished request.",
  });
  const { busy, calls, watch } = await server.idle(250);
  const because =
    "epoll_wait() sleeps until a descriptor is ready, and costs nothing meanwhile, however many it watches. A server that wakes up every few milliseconds is polling again.";
  t.expect(calls ?? 0, "System calls while all clients are silent.").atMost(30, {
    because,
    at: watch?.calls.last ?? null,
  });
  t.expect(
    busy,
    "All clients are silent: share of a processor that the server uses (1 is a whole processor).",
  ).atMost(0.2, {
    because,
  });
  await t.exchange({
    about: "one of 200",
    client: crowd[127],
    sends: get("/menu.txt"),
    wants: [theMenu],
  });
});

// ---------------------------------------------------------------------------------------------------- time

/** What the lab asks for: a head that is not whole after this time is not waited for, in milliseconds. */
const headWithinMs = 10_000;
/** How late that may be noticed. */
const noticedMs = 2000;
/** A client on a bad line needs so long for a head. */
const slowMs = 3000;

/**
 * Three clients begin a head. The client that completes it after three seconds gets its answer. The server closes the
 * connections of the other two within twelve seconds, also while no client sends.
 */
check("drip", "waits at most ten seconds for a head", { files, patient: true }, async t => {
  const because =
    "Ten thousand clients that send a byte now and then hold ten thousand descriptors, at almost no cost for them (Slowloris). Set a deadline when the first byte of a head arrives, and do not set it again with later bytes. Sleep in epoll.poll() until the next deadline at most: where no client sends, no event comes.";
  const [drips, slow] = (await t.oneByOne(2)) as [Client, Client];
  const time = since(performance.now());
  drips.send("GET /menu.txt HTTP/1.1\r\nHost: localhost\r\nX: ");
  slow.send("GET /menu.txt HTT");
  let stalls: Client | null = null;
  let stalled = time;
  const see =
    "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; printf \"GET / HTTP/1.1\\r\\nX: \" >&3; (while sleep 0.25; do printf x; done >&3) & time timeout 15 cat <&3; kill %1'";
  while (!drips.over && drips.receivedBytes === 0 && time() < headWithinMs + noticedMs) {
    drips.send("x");
    if (stalls === null && time() > 1000) {
      // Its deadline is the last one, and passes while no client sends.
      stalls = await t.client();
      stalls.send("GET /menu.txt HTTP/1.1\r\nHost: local");
      stalled = since(performance.now());
    }
    if (slow.sentBytes < 20 && time() > slowMs) slow.send("P/1.1\r\nHost: localhost\r\n\r\n");
    await t.until(() => drips.over || drips.receivedBytes > 0, 250);
  }
  const answered = slow.sentBytes > 20 && (await slow.receives(menu, { within: 1000 }));
  const isEarly = slow.sentBytes <= 20; // this client has not come to the rest of its head
  t.expect(
    answered,
    isEarly
      ? "The server answered half a head, or closed its connection, in less than three seconds."
      : "A head that needed three seconds got no answer.",
  ).ok({
    because:
      "Keep the bytes of a head until its empty line has come. A client on a bad line needs some seconds for that: a deadline of less than three is too short.",
  });
  await refusesHead(t, { client: drips, how: "sends its head byte by byte", time }, { because, see });
  await refusesHead(
    t,
    { client: stalls!, how: "has stopped in the middle of its head, while no client sends", time: stalled },
    {
      because,
      see: "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; printf \"GET / HTTP/1.1\\r\\nX: \" >&3; time timeout 15 cat <&3'",
    },
  );
  await t.exchange({ about: "another client, after that", sends: get("/menu.txt"), wants: [theMenu] });
});

/** How many milliseconds have passed since then. */
const since = (began: number) => () => performance.now() - began;

/** The server refuses or closes within the time for a head, and does not answer half a head. */
async function refusesHead(
  t: Tools,
  { client, how, time }: { client: Client; how: string; time: () => number },
  { because, see }: Why,
): Promise<void> {
  const why = {
    because,
    see,
    labRule: "HTTP names no time for a head: the ten seconds are a rule of this lab.",
  };
  await t.until(
    () => client.over || client.receivedBytes > 0,
    Math.max(0, headWithinMs + noticedMs - time()),
  );
  const answer = client.received.toString();
  if (answer !== "" && !/^HTTP\/1\.[01] 4/.test(answer))
    t.fail(`A client that ${how} got an answer, as if its request were complete.`, {
      expected: "408 (RFC 9110, 15.5.9), or the end and no answer",
      actual: JSON.stringify(answer.slice(0, 80)),
      because: "Half a head is not a request. Wait for the rest, but not for ever.",
    });
  await t.until(() => client.over, 1000);
  t.expect(
    client.over,
    `After ${Math.round(time() / 1000)} s the server still waits for a client that ${how}.`,
  ).ok(why);
  t.note(`the server waited ${(time() / 1000).toFixed(1)} s for ${client.name}`);
}

const imf = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/;

/**
 * Clients ask for a page, a text and a picture: each answer has the right `Content-Type`. Three seconds later, a
 * 200 and a 404 have a `Date` that is at most 2.5 seconds wrong.
 */
check("fields", "sends Content-Type and the current Date", { files, patient: true }, async t => {
  const typed = (target: string, type: RegExp) => ({
    about: `Content-Type of ${target}`,
    sends: get(target),
    wants: [{ status: 200, head: { "content-type": type } }],
  });
  await t.exchanges(
    "A browser shows a body as its Content-Type says. Without that field it guesses, and an attacker can mislead the guess (RFC 9110, 8.3).",
    [
      typed("/", /^text\/html\b/),
      typed("/menu.txt", /^text\/plain\b/),
      typed("/teahouse.png", /^image\/png\b/),
    ],
  );
  const because =
    "A server with a clock sends the time of each answer, for instance Date: Sun, 06 Nov 1994 08:49:37 GMT (RFC 9110, 6.6.1 and 5.6.7). Caches count from it.";
  // Long enough that a Date which was written down at the start is an old one.
  await t.server.wait(3000);
  for (const [target, status] of [
    ["/menu.txt", 200],
    ["/nothing.html", 404],
  ] as const) {
    const wants = [{ status, head: { date: imf } }];
    const about = `Date of ${target}`;
    const [answer] = await t.exchange({ about, sends: get(target), wants, because });
    const off = Math.abs(Date.now() - Date.parse(answer!.fields.get("date")!)) / 1000;
    t.expect(off, `${about}: difference from the current time (in seconds).`).atMost(2.5, {
      because: `${because} You may keep its text for a second, not for longer.`,
      see: `curl -si --max-time 5 http://127.0.0.1:{port}${target} | grep -i ^date; date -u`,
    });
  }
});

// --------------------------------------------------------------------------------------------------- files

/**
 * Clients send targets with dots, plain and encoded, that lead out of the folder. The server answers each with an
 * error or a redirection; it serves `/sub/../menu.txt`.
 */
check("outside", "serves no file outside its folder", { files }, async t => {
  await t.exchanges(
    "Any client can send any target. Decode it first, then remove the dots, segment by segment (RFC 3986, 5.2.4); the result is a name below the root. curl removes dots before it sends, other clients do not.",
    staticSite.traversals,
  );
});

/**
 * Clients send encoded names, a query and a whole URL, and receive the files. A zero byte, bytes that are not
 * UTF-8 and a `%` without digits get 400 or 404.
 */
check("names", "finds files by the names that a browser sends", { files }, async t => {
  await t.exchanges(
    "A browser writes a byte that a target may not hold as % and two hexadecimal digits (RFC 3986, 2.1). Behind ? it sends a query, which is not a part of the name.",
    staticSite.encodedTargets,
  );
});

/**
 * Clients ask for a folder, a FIFO, a device, and files behind links that lead outside. The server answers each
 * with an error or a redirection, and serves the menu afterwards.
 */
check("no-file", "serves regular files only", { files: filesAndTraps }, async t => {
  await t.exchanges(
    "A name in the folder may be a folder, a FIFO, a device, or a link to another place. Open with O_NONBLOCK, then ask fstat() for the type, and ask for the real path.",
    staticSite.notFiles,
  );
});

/**
 * The check edits a file five times, and a client asks for the file after each edit. Each answer has the new
 * content.
 */
check("edited", "serves an edited file as it is now", { files }, async t => {
  const client = await t.client();
  for (let edition = 1; edition <= 5; edition++) {
    const body = `green tea ${edition}\n`;
    t.site.write("html/menu.txt", body);
    t.note(`html/menu.txt is edited: "${body.trim()}"`);
    await t.exchange({
      about: `the file, version ${edition}`,
      client,
      sends: get("/menu.txt"),
      wants: [{ status: 200, body }],
      because:
        "Compare what you keep of a file with the file before you use it: its size and its time of change, from stat(), cost little. That time can be coarse: a file that changed just now may change again without a new time.",
      see: "cd {folder}; for tea in green black; do echo $tea > html/list.txt; curl -s --max-time 5 http://127.0.0.1:{port}/list.txt; done; rm html/list.txt",
    });
  }
});

/**
 * Generated clients send valid, malformed and malicious requests; some read late, leave, reset, or end their
 * sending side. Each request gets its own answer in order, and the server sleeps while no client sends.
 */
check(
  "conversations",
  "keeps every promise in generated conversations",
  {
    files: staticSite.conversationSite,
    labRule:
      "The conversations demand each promise of this lab, also where HTTP leaves a choice to the server.",
  },
  async t => {
    await t.conversations({ ...staticSite.conversations, answersHalfClosed: true, idle: "sleeps" });
  },
);

// What a static web server in one process must do when it cannot be told who is ready. Each check is one promise of
// HTTP/1.1, or of a server that no client can hold up; of the course's listing most are false. How it is written is
// not asked, and what only a server that sleeps can promise is asked in chapter 2.
import { check, staticSite, type Tools, type Why } from "workbook/check";

const { files, filesAndTraps, host, get, theMenu, thePage, picture, refused } = staticSite;

/** More than the kernel's buffers of one connection hold, both ends together, as long as the client does not read. */
const large = staticSite.distinctBytes(12 * 1024 * 1024 + 12_345);
const withLarge = { ...files, "html/large.bin": large };

// ----------------------------------------------------------------------------------------- a request, whole

/**
 * Clients send half a request, requests cut into pieces, and requests of up to 7,000 bytes. The server answers
 * each request once it is whole.
 */
check("pieces", "reads a request in whatever pieces it arrives", { files }, async t => {
  await t.exchanges(
    "TCP carries a stream of bytes: one recv() returns any piece of it. Keep the bytes until the empty line has arrived that ends a head (RFC 9112, 2.2 and 3).",
    [...staticSite.pieces, ...[1024, 1025, 7000].map(staticSite.long)],
  );
});

/**
 * Clients send two or three requests together, or one and a half and then the rest. The answers arrive in the
 * order of the requests.
 */
check("pipeline", "answers all requests that arrive together, in their order", { files }, async t => {
  await t.exchanges(
    "A client may send its next requests without waiting for the answers; they must come in the same order (RFC 9112, 9.3.2). The bytes behind the first request begin the second one, and a small answer waits for the large answer before it.",
    staticSite.together,
  );
});

/**
 * Clients send requests of several methods whose bodies look like requests. The server answers no body, and answers
 * the request behind it or closes; after a wrong length or contradictory lengths it closes.
 */
check("bodies", "does not take a body for a request", { files }, async t => {
  const post = (fields: string, body: string) => `POST /menu.txt HTTP/1.1\r\n${host}${fields}\r\n${body}`;
  const hidden = get("/");
  await staticSite.behindABody(t, "a body in two pieces, then a request", [
    post(`Content-Length: ${hidden.length + 3}\r\n`, "abc"),
    hidden + get("/menu.txt"),
  ]);
  for (const method of ["POST", "PUT", "DELETE", "BREW", "GET"]) {
    for (const framing of ["length", "chunks"] as const) {
      const request = t.generate(staticSite.withBody(method, framing));
      const about = `a body of ${method} with ${framing === "length" ? "a length" : "chunks"}, then a request`;
      await staticSite.behindABody(t, about, [request + get("/menu.txt")]);
    }
  }
  const wrong = t.generate(staticSite.wrongLengths);
  await t.exchanges(
    "Two programs that believe different lengths see different requests: that is how they are smuggled. Refuse, and close (RFC 9112, 6.3).",
    [
      refused("two lengths that differ", post("Content-Length: 3\r\nContent-Length: 5\r\n", "abc")),
      refused(
        "a length that is not a number, then a request",
        post(`Content-Length: ${wrong}\r\n`, `12345${get("/menu.txt")}`),
        staticSite.refusesBody,
      ),
      refused(
        "a length and chunks, then a request",
        post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", `0\r\n\r\n${get("/menu.txt")}`),
        staticSite.refusesBody,
      ),
    ],
  );
});

/**
 * Clients send malformed first lines and fields, a request without `Host`, and a head that does not end. The
 * server answers with 400 (505 or 431 where they fit), and closes after a malformed first line or an endless head.
 */
check("malformed", "answers a malformed request with 400, and closes", { files }, async t => {
  await t.exchanges(
    "Answer a malformed request with 400 and close: you cannot know where the next request begins (RFC 9112, 2.2 and 3).",
    [
      ...staticSite.malformed,
      ...staticSite.badFields,
      {
        about: "HTTP/1.1 without Host",
        sends: "GET /menu.txt HTTP/1.1\r\n\r\n",
        wants: [400],
        because: "A request of HTTP/1.1 without Host must be answered with 400 (RFC 9112, 3.2).",
      },
      {
        ...refused(
          "a head that does not end",
          `GET /menu.txt HTTP/1.1\r\n${host}${`X: ${"h".repeat(100)}\r\n`.repeat(2000)}`,
          [431, 400],
        ),
        because:
          "Limit everything that a client can make grow, or one client takes all memory: 431 for the fields (RFC 6585, 5), 414 for a target; then close.",
        see: "curl -i --max-time 2 -H \"Cookie: $(printf '%0100000d' 0)\" http://127.0.0.1:{port}/menu.txt",
      },
    ],
  );
});

// --------------------------------------------------------------------------------------- an answer, exactly

/**
 * Clients ask for a missing or an empty file, and then for another file. The first answer ends where its head
 * says, so the second arrives whole.
 */
check("octets", "counts bytes, not characters", { files }, async t => {
  await t.exchanges(
    "Content-Length counts bytes (RFC 9110, 8.6). A Chinese character has three bytes in UTF-8. The client takes the bytes that you did not count for the beginning of the next answer.",
    staticSite.lengths,
  );
});

/**
 * A client sends HEAD, then GET: it receives a head without a body, then the page. HEAD of a missing file announces the
 * length that GET has, or none. DELETE and an unknown method get a refusal, such as 405 or 501; a 405 has `Allow`. A
 * page and a picture come with their `Content-Type`, and with `Date`.
 */
check(
  "head",
  "answers HEAD with a head and no body, and other methods without the file",
  { files },
  async t => {
    await staticSite.answersMethods(t);
    await allows(t);
    await t.exchanges(
      "Content-Type tells what the body is (RFC 9110, 8.3), and Date when the server made the answer (RFC 9110, 6.6.1).",
      [
        { about: "a page", sends: get("/"), wants: [{ ...thePage, head: typed("text/html") }] },
        {
          about: "a picture",
          sends: get("/teahouse.png"),
          wants: [{ status: 200, body: picture, head: typed("image/png") }],
        },
      ],
    );
  },
);

/** What the head of every file says, besides its length. */
const typed = (type: string) => ({
  "content-type": { like: new RegExp(`^${type}\\s*(;|$)`, "i"), words: type },
  date: {
    like: /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/,
    words: "a date such as Sun, 06 Nov 1994 08:49:37 GMT",
  },
});

/** Fails the check if a 405 does not name the methods that are allowed. */
async function allows(t: Tools): Promise<void> {
  const [refusal] = await t.exchange({
    about: "DELETE",
    sends: `DELETE /menu.txt HTTP/1.1\r\n${host}\r\n`,
    wants: [{ status: [405, 501, 403, 400] }],
    because: "This server changes no file.",
  });
  if (refusal?.status !== 405) return;
  t.expect(refusal.fields.get("allow") ?? "", "The field Allow of an answer with 405.").contains("GET", {
    because: "405 says that this method is not allowed, and Allow names those that are (RFC 9110, 15.5.6).",
    see: "curl -si --max-time 2 -X DELETE http://127.0.0.1:{port}/menu.txt",
  });
}

/**
 * Three requests on one connection get three answers, and the connection stays open; so does that of HTTP/1.0 with
 * `keep-alive`. After its answer to `Connection: close`, which says the same, or to HTTP/1.0, the server closes, and
 * answers no further request. An answer of 12 MB arrives
 * whole, though requests lie unread behind it. The server does not wait for ever until the client closes, too.
 */
check(
  "connection",
  "keeps a connection open, or closes it, as HTTP requires",
  { files: withLarge, judges: "persistence" },
  async t => {
    await t.exchanges(
      "HTTP/1.1 keeps the connection unless one side says Connection: close; HTTP/1.0 closes it unless the client says keep-alive (RFC 9112, 9.3 and 9.6). A client of HTTP/1.0 reads until the stream ends, and waits for ever if the server does not close.",
      staticSite.persistence,
    );
    await t.exchanges(
      "An answer tells the client whether the connection stays open (RFC 9112, 9.3 and 9.6). Send `Connection: close` with the last one, and `keep-alive` to a client of HTTP/1.0 that has asked for it.",
      [
        {
          about: "Connection: close, and what the answer says of it",
          sends: get("/menu.txt", "Connection: close\r\n"),
          wants: [{ ...theMenu, head: { connection: { like: /\bclose\b/i, words: "close" } } }],
          after: "close",
        },
        {
          about: "HTTP/1.0 with Connection: keep-alive, two requests",
          sends: get("/menu.txt", "Connection: keep-alive\r\n", "HTTP/1.0").repeat(2),
          wants: [theMenu, theMenu].map(menu => ({
            ...menu,
            head: { connection: { like: /\bkeep-alive\b/i, words: "keep-alive" } },
          })),
          after: "open",
          labRule: "HTTP lets a server close any connection: that this one stays open is a rule of this lab.",
        },
      ],
    );
    // A client with little room: when the server hands over its last bytes, its kernel still has many.
    for (let round = 0; round < 3; round++)
      await t.exchange({
        about: "Connection: close, 12 MB, and three thousand requests behind it",
        client: await t.client({ receiveBuffer: 16 * 1024 }),
        sends: [get("/large.bin", "Connection: close\r\n"), get("/").repeat(3000)],
        wants: [{ status: 200, body: large }],
        after: "close",
        because:
          "A close() while bytes of the client lie unread sends RST, and what the kernel has not sent yet is lost. Call shutdown(), read until the client closes or a deadline passes, and then call close() (RFC 9112, 9.6).",
      });
    await staticSite.endsAlone(t);
  },
);

// --------------------------------------------------------------------------------------------- many clients

/**
 * A client asks for 12 MB and for the menu, and does not read. A second client asks for the same and reads it. Then the
 * first reads, too. Both receive both files whole, and both connections stay open.
 */
check(
  "large",
  "sends a large file whole, also to a client that reads late",
  { files: withLarge },
  async t => {
    const why = {
      because:
        "send() takes what the kernel has room for, and returns the number of bytes, or null for none. The rest is yours: keep it, and try again in each turn. The next answer must wait behind it.",
      see: "curl -s --max-time 20 --limit-rate 8M http://127.0.0.1:{port}/large.bin | cmp - {folder}/html/large.bin && echo whole",
    };
    const wants = [{ status: 200, body: large }, theMenu];
    const sends = get("/large.bin") + get("/menu.txt");
    const late = await t.client({ reads: false, receiveBuffer: 64 * 1024 });
    late.send(sends);
    await t.server.fills([late]);
    // While the first client does not read: what is kept for one client is not another's.
    await t.exchange({ ...why, about: "12 MB, and a small file behind it", sends, wants, after: "open" });

    late.setReading(true);
    const about = "the same for a client that asked earlier and reads late";
    await t.exchange({ ...why, about, client: late, sends: [], wants, after: "open" });
  },
);

/**
 * Three clients ask for 12 MB twice, and do not read. A fourth client sends two requests, and receives both
 * answers.
 */
check(
  "slow-readers",
  "answers other clients while three clients do not read",
  { files: withLarge },
  async t => {
    const rude = await t.oneByOne(3, { reads: false, receiveBuffer: 4096 });
    for (const client of rude) client.send(get("/large.bin") + get("/large.bin"));
    t.note("three clients have asked for 12 MB twice, and do not read");
    await t.server.fills(rude);
    await t.exchange({
      about: "a fourth client, while three clients do not read",
      sends: [get("/menu.txt"), get("/menu.txt")],
      wants: [theMenu, theMenu],
      after: "open",
      because:
        "While the server waits for one client, all other clients wait. In each turn, take one step for each client: send what the kernel takes now, and do not loop until it has taken everything.",
      see: "for i in 1 2 3; do curl -s --max-time 9 --limit-rate 1 -o /dev/null http://127.0.0.1:{port}/large.bin & done; sleep 1; time curl -s --max-time 5 http://127.0.0.1:{port}/menu.txt",
    });
  },
);

/**
 * 50 clients connect and send a request while the server is stopped. After it goes on, each client receives the
 * menu.
 */
check("burst", "answers all 50 clients of a burst", { files }, async t => {
  await t.server.stop();
  const crowd = await t.clients(50);
  for (const client of crowd) client.send(get("/menu.txt"));
  t.server.continue();
  for (const [i, client] of crowd.entries()) {
    await t.exchange({
      about: `client ${i + 1} of 50 that connected in the same moment`,
      client,
      sends: [],
      wants: [theMenu],
      because:
        "The accept queue holds as many clients as listen() was given. Each client waits there until an accept() takes it out, one client per call.",
      see: "seq 50 | xargs -P 50 -I @ curl -s --max-time 2 -o /dev/null -w '%{http_code}\\n' http://127.0.0.1:{port}/menu.txt | sort | uniq -c",
    });
  }
});

/**
 * Six clients ask for a missing file and leave at once; three more reset in the middle of 12 MB. The server frees
 * their sockets and descriptors, and answers new clients.
 */
check("reset", "releases the sockets and files of clients that leave", { files: withLarge }, async t => {
  const { server } = t;
  const before = server.sockets;
  await server.stop();
  const crowd = await t.clients(6);
  for (const client of crowd) client.send(get("/nothing.html"));
  for (const [i, client] of crowd.entries()) client[i % 2 === 0 ? "close" : "reset"]();
  server.continue();
  const because =
    "send() to a client that has left fails with EPIPE, and recv() after a reset fails with ECONNRESET. That ends this connection, and no other: close it, remove what you kept for it, and go on.";
  const see =
    "bash -c 'for i in 1 2 3; do exec 3<>/dev/tcp/127.0.0.1/{port}; env printf \"GET /nothing HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n\" >&3; exec 3>&-; done'; curl -i --max-time 2 http://127.0.0.1:{port}/menu.txt";
  // They are gone before the server has looked: only who comes after them tells that it has.
  await t.exchange({
    about: "a client after six that have left",
    sends: get("/menu.txt"),
    wants: [theMenu],
    because,
    see,
  });
  const held = await server.holds(before + 1);
  t.expect(
    held,
    "Six clients have left, and one is connected: sockets that the server holds (listener + 1 client expected).",
  ).equal(before + 1, {
    because,
    see: "ss -tanp 'sport = :{port}'   # connections that the server still holds",
  });

  const busy = await t.oneByOne(3, { reads: false, receiveBuffer: 4096 });
  const descriptors = server.descriptors;
  for (const client of busy) client.send(get("/large.bin"));
  await server.fills(busy);
  for (const client of busy) client.reset();
  await t.until(() => server.descriptors <= descriptors - 3, 2000);
  t.expect(
    server.descriptors - descriptors,
    "Three clients reset their connections in the middle of a file: change in the number of the server's descriptors.",
  ).atMost(-3, {
    because: `${because} If you opened a file for a client, close it when the client has left.`,
    see: "timeout 1 curl -s --limit-rate 1 -o /dev/null http://127.0.0.1:{port}/large.bin; ls -l /proc/$(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+')/fd",
  });
  await t.exchange({
    about: "a new client after that",
    sends: get("/menu.txt"),
    wants: [theMenu],
    because,
    see,
  });
});

/**
 * Three clients are connected and silent. Then three more ask for 12 MB and do not read. Each time the server sleeps at
 * least once in three turns, and uses at most half a processor. A new client still receives its answer.
 */
check("rests", "sleeps while all clients are silent", { files: withLarge }, async t => {
  await t.oneByOne(3);
  await rests(t, "Three clients are silent", {
    because:
      "The server asks every client again and again, without a pause. After a turn that found nothing, sleep for a few milliseconds: the next client waits a few milliseconds, and the processor is free.",
    see: "top -p $(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+')",
  });
  const rude = await t.oneByOne(3, { reads: false, receiveBuffer: 4096 });
  for (const client of rude) client.send(get("/large.bin"));
  await t.server.fills(rude);
  await rests(t, "Three clients do not read, and three are silent", {
    because:
      "A send() that returned null has done nothing. If a turn has done nothing else, sleep after it: a client that does not read makes no room.",
    see: "for i in 1 2 3; do curl -s --max-time 9 --limit-rate 1 -o /dev/null http://127.0.0.1:{port}/large.bin & done; sleep 1; top -p $(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+')",
  });
  await t.exchange({ about: "a client that sends after that", sends: get("/menu.txt"), wants: [theMenu] });
});

/** By its own time, and by what it did with it: on a busy machine one that never rests gets little of a processor, too. */
async function rests(t: Tools, when: string, why: Why): Promise<void> {
  const { busy, restless } = await t.server.idle(200);
  t.expect(restless, `${when}: turns of the server for each sleep (at most 3 expected).`).atMost(3, why);
  t.expect(busy, `${when}: share of a processor that the server uses (1 is a whole processor).`).atMost(
    0.5,
    why,
  );
}

// --------------------------------------------------------------------------------------------------- paths

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
    "A browser writes a byte that a target may not hold as % and two digits (RFC 3986, 2.1). Behind ? it sends a query, which is not a part of the name.",
    staticSite.encodedTargets,
  );
});

/** A server may keep so many files open, for later. */
const fewFiles = 8;

/**
 * Clients ask for a folder, a FIFO, a device, and files behind links that lead outside. The server answers each
 * with an error or a redirection, and serves the menu afterwards. After 40 such requests, and HEAD among them, no
 * descriptor is left open.
 */
check("no-file", "serves regular files only", { files: filesAndTraps }, async t => {
  await t.exchanges(
    "A name in the folder may be a folder, a FIFO, a device, or a link to another place. Ask for its real path, and for its type, before you read from it.",
    staticSite.notFiles,
  );
  const before = t.server.descriptors;
  const asks = ["/sub", "/fifo", "/zero", "/out.txt"].map(target => get(target)).join("");
  const client = await t.client();
  for (let round = 0; round < 5; round++)
    for (const piece of [asks, `HEAD /menu.txt HTTP/1.1\r\n${host}\r\n`.repeat(4)]) client.send(piece);
  client.send(get("/menu.txt")).end();
  await t.until(() => client.over, 5000);
  await t.server.releases([client]);
  t.expect(
    t.server.descriptors - before,
    "A client has asked 40 times for what is no file, or for the head of one, and has left. Descriptors that the server has more:",
  ).atMost(fewFiles, {
    because:
      "What the server opens, it closes: also the folder that it does not serve, and the file of which it sends only the head. Otherwise it soon has no descriptor left.",
    see: "for i in $(seq 20); do curl -s --max-time 2 -o /dev/null http://127.0.0.1:{port}/sub; done; ls -l /proc/$(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+')/fd",
  });
});

/**
 * Generated clients send valid, malformed and malicious requests; some read late, leave or reset. Each request
 * gets its own answer in order; the server sleeps and prints nothing while no client sends.
 */
check(
  "conversations",
  "keeps every promise in generated conversations",
  { files: staticSite.conversationSite },
  async t => {
    await t.conversations({ ...staticSite.conversations, idle: "rests", prints: false });
  },
);

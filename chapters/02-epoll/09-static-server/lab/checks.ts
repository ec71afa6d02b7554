// What a web server for files must do that one could leave running. Each check is one promise of HTTP/1.1 or of a
// server with many clients; of the course's listing most are false. How it is written is not asked.
import { type Client, check, clock, type Files, type Tools, teahouse } from "workbook/check";

const { files, strange, host, get, menu, theMenu, thePage, picture } = teahouse;

/** More than the kernel's buffers of one connection hold, both ends together, as long as the client does not read. */
const large = teahouse.octets(12 * 1024 * 1024);
/** A page long enough that a few hundred of them fill the kernel's buffers. */
const list = "green tea 3\n".repeat(700);
const withLarge: Files = { ...files, "html/large.bin": large };
const withList: Files = { ...files, "html/list.txt": list };

const MB = 1024 * 1024;

/** How many octets of memory the server has taken more than before, once that does not change any more. */
async function growth(t: Tools, before: number, atMost: number): Promise<number> {
  // Memory is everybody's: whoever takes far too much is not waited for.
  const grown = await t.server.settles(() => t.server.memory - before, { slack: MB, enough: atMost });
  t.note(`the server has taken ${Math.round(grown / MB)} MB of memory more`);
  return Math.round(grown / MB);
}

// -------------------------------------------------------------------------------------- octets and requests

check("pieces", "understands a request, in whatever pieces it arrives", { files }, async t => {
  const long = get("/menu.txt", `Cookie: ${"c".repeat(6900)}\r\n`);
  await t.exchanges(
    "TCP carries octets and knows no requests: what one recv() gives is any piece of the stream. Keep it until the empty line has come that ends a head (RFC 9112, 2.2 and 3).",
    [
      ...teahouse.pieces,
      ...[1023, 1024, 1025, 2048, 7000].map(teahouse.long),
      {
        about: "twelve long requests, and with each the first octet of the next",
        // Together they are more than a head may have: only what is not yet answered may count.
        sends: Array.from({ length: 12 }, (_, i) => long.slice(i && 1) + (i < 11 ? "G" : "")),
        wants: Array.from({ length: 12 }, () => theMenu),
        after: "open",
        because:
          "What is answered must leave the buffer, also when the beginning of the next request lies behind it: else the buffer grows as long as its client stays, or the bound that you give it is met by one who has done no wrong.",
      },
    ],
  );
});

check("pipeline", "answers all requests that arrive together, in their order", { files }, async t => {
  const hundred = Array.from({ length: 50 }, () => get("/menu.txt") + get("/")).join("");
  await t.exchanges(
    "A client may send its next requests without waiting for the answers; they must come in the same order (RFC 9112, 9.3.2). What is left behind the first request is the beginning of the second.",
    [
      ...teahouse.together,
      {
        about: "a hundred requests at once",
        sends: hundred,
        wants: Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? theMenu : thePage)),
      },
    ],
  );
});

check("octets", "counts octets, not characters", { files }, async t => {
  await t.exchanges(
    "Content-Length counts octets (RFC 9110, 8.6). A Chinese character in UTF-8 has three: what was not counted is taken by the client for the beginning of the next answer.",
    teahouse.lengths,
  );
});

check("connection", "keeps a connection open, or closes it, as was agreed", { files }, async t => {
  await t.exchanges(
    "HTTP/1.1 keeps the connection unless one side says Connection: close; HTTP/1.0 closes it unless the client says keep-alive (RFC 9112, 9.3 and 9.6). A client of that kind reads until the end, and waits for ever if none comes.",
    teahouse.agreements,
  );
});

check(
  "head",
  "answers HEAD with a head and no body, and other methods not with the file",
  { files },
  async t => {
    await t.exchanges(
      "HEAD is answered as GET would be, without the body (RFC 9110, 9.3.2); an octet more, and the next answer cannot be found.",
      teahouse.methods,
    );
  },
);

check("bodies", "takes no body for a request", { files }, async t => {
  const inside = get("/");
  const post = (fields: string, body: string) => `POST /menu.txt HTTP/1.1\r\n${host}${fields}\r\n${body}`;
  const refused = { status: [405, 501, 403] };
  const next = { sends: "", wants: [refused, theMenu], after: "open" } as const;
  await t.exchanges(
    "Where a body ends is said by Content-Length or by its chunks (RFC 9112, 6.3); only behind it begins the next request. Read it, even if nobody wants it, or refuse and close: else whoever writes the body writes your next request.",
    [
      {
        ...next,
        about: "a body that looks like a request",
        sends: post(`Content-Length: ${inside.length}\r\n`, inside) + get("/menu.txt"),
      },
      {
        ...next,
        about: "a body in pieces",
        sends: [post("Content-Length: 10\r\n", "abc"), "defg", `hij${get("/menu.txt")}`],
      },
      {
        ...next,
        about: "a body in chunks",
        sends:
          post(
            "Transfer-Encoding: chunked\r\n",
            `${inside.length.toString(16)}\r\n${inside}\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n`,
          ) + get("/menu.txt"),
      },
      {
        about: "two lengths that differ",
        sends: post("Content-Length: 3\r\nContent-Length: 5\r\n", "abc"),
        wants: [400],
        after: "close",
        because:
          "Two programs that believe different lengths see different requests: that is how they are smuggled. Refuse, and close (RFC 9112, 6.3, rule 5).",
      },
      {
        about: "a length and chunks, and a second request",
        sends: post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", `0\r\n\r\n${get("/menu.txt")}`),
        wants: [{ status: [400, 405, 501, 403] }],
        after: "close",
        because:
          "A length and chunks contradict each other; whatever is answered, the connection must be closed after it (RFC 9112, 6.1).",
      },
      ...["", " ,"].map(coding => ({
        about: `"Transfer-Encoding:${coding}", chunks, and a second request`,
        sends: post(`Transfer-Encoding:${coding}\r\n`, `0\r\n\r\n${get("/menu.txt")}`),
        wants: [{ status: [400, 405, 501, 403] }],
        after: "close" as const,
        because:
          "Only a Transfer-Encoding that ends with chunked says that there are chunks. One that names nothing does not say where the body ends: 400, and close (RFC 9112, 6.3, rule 4).",
      })),
    ],
  );
});

check("malformed", "refuses what is no request with 400, and closes", { files }, async t => {
  await t.exchanges(
    "What is no request is answered with 400, and the connection closed: nobody knows where the next one begins (RFC 9112, 2.2 and 3).",
    [...teahouse.malformed, ...teahouse.badFields],
  );
});

check("host", "asks for a Host, and for one only", { files }, async t => {
  const without = (fields: string, version = "HTTP/1.1") => `GET /menu.txt ${version}\r\n${fields}\r\n`;
  await t.exchanges(
    "A request of HTTP/1.1 without Host, with two, or with one that is none must be answered with 400 (RFC 9112, 3.2).",
    [
      { about: "HTTP/1.1 without Host", sends: without(""), wants: [400] },
      { about: "two Hosts", sends: without("Host: a\r\nX: y\r\nHOST: b\r\n"), wants: [400] },
      { about: "a Host with a slash", sends: without("Host: a/b\r\n"), wants: [400] },
      {
        about: "an address and a port as Host",
        sends: without("hOsT:[::1]:80\r\n"),
        wants: [theMenu],
        after: "open",
      },
      {
        about: "HTTP/1.0 without Host",
        sends: without("", "HTTP/1.0"),
        wants: [theMenu],
        because: "HTTP/1.0 knows no Host (RFC 9112, 3.2).",
      },
    ],
  );
});

check("limits", "gives what a client sends a bound", { files }, async t => {
  await t.exchanges(
    "Whatever a client can make grow needs a bound, or one client takes all memory: 414 for a target (RFC 9112, 3), 431 for the header lines (RFC 6585, 5); and then close.",
    [
      {
        about: "a target of 7,900 octets",
        sends: get(`/${"p".repeat(7899)}`),
        wants: [404],
        because: "Eight thousand octets are the least that a server should take (RFC 9112, 3).",
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

check("large", "sends a large file whole, also to one who reads late", { files: withLarge }, async t => {
  const because =
    "send() takes as much as the kernel has room for, and says how much that was. The rest is yours to send, when EPOLLOUT says that there is room again.";
  const see =
    "curl --limit-rate 8M -so /tmp/large http://127.0.0.1:{port}/large.bin; cmp /tmp/large html/large.bin";
  const wants = [{ status: 200, body: large }];
  const next = {
    about: "a small file behind a large one",
    sends: get("/menu.txt"),
    wants: [theMenu],
    because,
  };
  const client = await t.client();
  await t.exchange({ about: "12 MB", client, sends: get("/large.bin"), wants, after: "open", because, see });
  await t.exchange({ ...next, client, after: "open" });

  const late = await t.client({ reads: false, receiveBuffer: 64 * 1024 });
  late.send(get("/large.bin"));
  await t.server.fills([late]);
  late.read(true);
  await t.exchange({ about: "12 MB to one who reads late", client: late, sends: [], wants, because, see });
  await t.exchange({ ...next, client: late, after: "open" });
});

check("slow-readers", "is held up by nobody who does not read", { files: withLarge }, async t => {
  const rude = await t.oneByOne(3, { reads: false, receiveBuffer: 4096 });
  for (const client of rude) client.send(get("/large.bin"));
  t.note("three have asked for 12 MB, and do not read");
  await t.server.fills(rude);
  await t.exchange({
    about: "a fourth client, while three do not read",
    sends: get("/menu.txt"),
    wants: [theMenu],
    because:
      "accept() gives a socket that blocks: send() waits until the whole file is taken, by one who takes nothing, and everybody waits with it. setBlocking(false), and keep what could not be sent.",
    see: "for i in 1 2 3; do curl -s --limit-rate 1 -o /dev/null http://127.0.0.1:{port}/large.bin & done; sleep 1; time curl -s --max-time 5 http://127.0.0.1:{port}/menu.txt",
  });
  const idle = await t.server.idle(150);
  t.expect(idle.busy, "While three do not read, the server keeps a processor busy (1 is all of it).").atMost(
    0.5,
    {
      because:
        "A socket is watched for EPOLLOUT only while there is something that the kernel had no room for; and after EAGAIN one waits for it.",
    },
  );
});

check("unread", "takes no more requests from one who reads no answer", { files: withList }, async t => {
  const { server } = t;
  const before = server.memory;
  const ask = get("/list.txt");
  const flood = await t.client({ reads: false, receiveBuffer: 4096 });
  const offered = 2 * MB;
  flood.send(ask.repeat(Math.ceil(offered / ask.length)));
  await t.until(() => flood.over || server.readOf(flood) > 0, 5000);
  // It reads no more: it has stopped. Or it has read far too much: memory is everybody's, so nobody waits for that.
  const much = () => server.readOf(flood) > MB || server.memory - before > 300 * MB;
  const read = await server.settles(() => (much() ? 2 * MB : server.readOf(flood)), {
    over: 150,
    enough: MB,
  });
  const grown = Math.round((server.memory - before) / MB);
  t.note(
    `the server has read ${server.readOf(flood)} octets of requests and taken ${grown} MB of memory; ${flood.name} has read nothing`,
  );
  const because =
    "Each request makes an answer 150 times its size, and nobody takes it: all of it is yours to keep. While there is something to send that the kernel has no room for, do not read on from this client: its requests wait in the kernel, then in its own.";
  if (read === 0 && !flood.over) t.fail("The server has read nothing of what a client asks.");
  if (read > MB) {
    t.fail("One client asks and asks, and reads nothing; and the server takes all its requests.", {
      because,
    });
  }
  await t.exchange({
    about: "another client, meanwhile",
    sends: get("/menu.txt"),
    wants: [theMenu],
    because:
      "The requests of one client took what all share: time, descriptors, threads. Begin with one only when the answer before it is on its way.",
  });

  const late = await t.client({ reads: false, receiveBuffer: 64 * 1024 });
  late.send(ask.repeat(600));
  await server.fills([late]);
  late.read(true);
  await t.exchange({
    about: "600 requests of one who begins to read late",
    client: late,
    sends: [],
    wants: Array.from({ length: 600 }, () => ({ status: 200, body: list })),
    after: "open",
    because:
      "Who was not read from for a while must be read from again when the answers are out. And what has arrived already is announced by no event: look into the buffer.",
  });
});

check(
  "many-large",
  "sends large files to many at once, and keeps only pieces",
  { files: withLarge },
  async t => {
    const { server } = t;
    const before = server.memory;
    // Who will read has some room, or the kernels would send in tiny pieces.
    const readers = await t.oneByOne(4, { reads: false, receiveBuffer: 64 * 1024 });
    const crowd = [...readers, ...(await t.oneByOne(26, { reads: false, receiveBuffer: 4096 }))];
    for (const client of crowd) client.send(get("/large.bin"));
    t.note("thirty have asked for 12 MB, and do not read yet");
    await server.reads(crowd[29] as Client);
    const grown = await growth(t, before, 200 * MB);
    t.expect(
      grown,
      "Thirty clients wait for the rest of a 12 MB file, and the server keeps it in memory (in MB).",
    ).atMost(120, {
      because:
        "Thirty times twelve is 360. A file lies on the disk already: of each client keep where it is in the file, and read the next piece when there is room to send it.",
    });
    for (const client of readers) client.read(true);
    for (const [i, client] of readers.entries()) {
      await t.exchange({
        about: `number ${i + 1} of four who now read`,
        client,
        sends: [],
        wants: [{ status: 200, body: large }],
        because:
          "Each of them is at another place of the file, and none waits for another. Where one is, is a number kept for this client, and not the position of a descriptor that all share; and a send() that blocks holds up everybody.",
      });
    }
    await t.exchange({ about: "a small file meanwhile", sends: get("/menu.txt"), wants: [theMenu] });
  },
);

check("burst", "answers everybody of a burst of 50", { files }, async t => {
  const { server } = t;
  await server.stop();
  const crowd = await t.clients(50);
  for (const client of crowd) client.send(get("/menu.txt"));
  server.continue();
  for (const [i, client] of crowd.entries()) {
    await t.exchange({
      about: `number ${i + 1} of 50 who came in the same moment`,
      client,
      sends: [],
      wants: [theMenu],
      because:
        "All of them wait in the accept queue, and epoll says so once: the listener is readable. With EPOLLET it says no more about those who were there already, so call accept() until it says null.",
      see: "seq 50 | xargs -P 50 -I @ curl -s --max-time 2 -o /dev/null -w '%{http_code}\\n' http://127.0.0.1:{port}/menu.txt | sort | uniq -c",
    });
  }
});

check("reset", "is left with nothing of clients who are cut off", { files: withLarge }, async t => {
  const { server } = t;
  const before = server.sockets;
  const crowd = await t.oneByOne(30);
  for (const client of crowd.slice(15)) client.send("GET /menu.txt HTTP/1.1\r\nHos");
  await server.reads(crowd[29] as Client);
  for (const client of crowd) client.reset();
  const held = await server.holds(before);
  t.expect(held, "30 clients were cut off, and the server still holds sockets of theirs.").equal(before, {
    because:
      "Of a reset epoll says EPOLLIN | EPOLLERR | EPOLLHUP, all at once: such a mask is not equal to EPOLLIN. Test for bits with &, or simply call recv(), which tells what has happened; and close.",
    see: "(for i in 1 2 3; do timeout -s KILL 1 curl -s --limit-rate 1 -o /dev/null http://127.0.0.1:{port}/large.bin & done; wait)\nss -tanp 'sport = :{port}'   # who is still there",
  });
  const busy = await t.clients(3, { reads: false, receiveBuffer: 4096 });
  for (const client of busy) client.send(get("/large.bin"));
  await server.fills(busy);
  for (const client of busy) client.reset();
  t.expect(await server.holds(before), "Three were cut off while a file was being sent to them.").equal(
    before,
    {
      because:
        "send() to one who is gone fails with ECONNRESET or EPIPE: that is the end of this connection, and of no other.",
    },
  );
  const idle = await server.idle(150);
  t.expect(idle.busy, "The clients are gone, and the server keeps a processor busy (1 is all of it).").atMost(
    0.4,
  );
  await t.exchange({ about: "a newcomer after that", sends: get("/menu.txt"), wants: [theMenu] });
});

check(
  "same-number",
  "takes nobody for the one who had the descriptor before",
  { files: withLarge },
  async t => {
    const { server } = t;
    const because =
      "A descriptor that is closed is given to the next who comes. What is kept by its number (octets that had arrived, an answer that was half sent, what epoll watches for) must go with the one who leaves.";
    const leaves = async (client: Client, how: "close" | "reset") => {
      client[how]();
      t.expect(
        await server.releases([client]),
        `${client.name} has left, and the server keeps its socket.`,
      ).equal(1, { because });
    };
    for (const how of ["close", "reset"] as const) {
      const half = (await t.client()).send("GET /nothing.html HTTP/1.1\r\nHos");
      await server.reads(half);
      await leaves(half, how);
      await t.exchange({
        about: "the next one, after one who left with half a request",
        sends: get("/menu.txt"),
        wants: [theMenu],
        after: "open",
        because,
      });
    }
    const reader = (await t.client({ reads: false, receiveBuffer: 4096 })).send(get("/large.bin"));
    await server.reads(reader);
    await server.quiet(50);
    await leaves(reader, "reset");
    await t.exchange({
      about: "the next one, after one who left in the middle of a file",
      sends: [get("/menu.txt"), get("/")],
      wants: [theMenu, thePage],
      after: "open",
      because,
    });

    // One leaves and the next has come, in one wake-up: the old one's event is not the new one's.
    const old = await t.client();
    await t.exchange({ about: "one who will leave", client: old, sends: get("/menu.txt"), wants: [theMenu] });
    await server.stop();
    old.reset();
    const fresh = (await t.client()).send(get("/"));
    server.continue();
    await t.exchange({
      about: "one who came in the moment in which another left",
      client: fresh,
      sends: [],
      wants: [thePage],
      after: "open",
      because,
    });
  },
);

check("half-close", "answers one who ends its half, and then ends its own", { files: withLarge }, async t => {
  const because =
    "shutdown(SHUT_WR) says: I will send no more. It is no farewell: who says it may still read (shutdown(2)). HTTP leaves it to the server, and some give up here; this lab asks for the answer. With EPOLLET there is no second event for an end that had arrived with the request: read until null.";
  const see = (target: string) =>
    `node -e 'require("net").connect({ port: {port}, allowHalfOpen: true }).end("GET ${target} HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n").pipe(process.stdout)' | wc -c`;
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
      after: "close",
      because,
      see: see(target),
    });
  }
  const half = await t.client();
  half.send("GET /menu.txt HTTP/1.1\r\nHos");
  await t.server.reads(half);
  half.end();
  t.expect(await half.closed(), "Half a request and the end: the server does not close.").ok({
    because: "The rest of this request will never come: there is nothing left to wait for (RFC 9112, 8).",
  });
});

/** As far as its own head says: a length that is wrong is another check's affair. */
function isWhole(answer: Buffer): boolean {
  const text = answer.toString("latin1");
  const end = text.indexOf("\r\n\r\n");
  const length = /^content-length: *(\d+)/im.exec(text.slice(0, end));
  return end >= 0 && (length ? text.length >= end + 4 + Number(length[1]) : text.endsWith("\r\n0\r\n\r\n"));
}

check("at-once", "lets no part of an answer wait for an acknowledgement", { files }, async t => {
  let client = await t.client({ acknowledgesLate: true });
  const late: number[] = [];
  for (let i = 0; i < 12; i++) {
    if (client.over) client = await t.client({ acknowledgesLate: true });
    const before = client.receivedBytes;
    client.send(get("/nothing.html"));
    const began = await t.until(() => client.receivedBytes > before && clock(), 5000);
    if (began === null) return t.fail("One who asks for what is not there gets no answer.");
    await t.until(() => client.over || isWhole(client.received.subarray(before)), 1000);
    late.push(Math.max(0, client.heardAt - began));
  }
  const slow = late.filter(ms => ms >= 25).length;
  t.note(`from the first octets of an answer to the last: ${late.map(Math.round).join(", ")} ms`);
  t.expect(slow, "Of 12 small answers, so many came in two parts, the second long after the first.").atMost(
    4,
    {
      because:
        "A small second send() waits until the first is acknowledged (Nagle), and the client acknowledges late, after 40 ms, because it has nothing to say (tcp(7), TCP_NODELAY). Put head and body into one buffer, and send that.",
      see: "curl -s -o /dev/null -w '%{time_starttransfer} %{time_total}\\n' 'http://127.0.0.1:{port}/nothing[1-9].html'   # seconds to the first octet, and to the last",
    },
  );
});

check("descriptors", "says EMFILE when it has no descriptor left, and goes on", { files }, async t => {
  const { server } = t;
  // One is served first: by then whatever it opens for itself is open.
  const [first] = (await t.oneByOne(1)) as [Client];
  await t.exchange({ about: "somebody, before", client: first, sends: get("/menu.txt"), wants: [theMenu] });
  // Each edition is a file that perhaps is opened, and of which nothing is sent.
  server.leaveDescriptors(8);
  for (let edition = 1; edition <= 20; edition++) {
    t.site.write("html/teahouse.png", picture.subarray(edition));
    await t.exchange({
      about: `a picture of which only the head is wanted, in its edition ${edition} of 20`,
      client: first,
      sends: `HEAD /teahouse.png HTTP/1.1\r\n${host}\r\n${get("/teahouse.png", "If-None-Match: *\r\n")}`,
      wants: [{ status: 200, to: "HEAD" }, { status: [200, 304] }],
      because:
        "A file that was opened must be closed on every way out, also where its content is not sent (HEAD, 304) or no longer the newest: else each edition costs a descriptor for ever.",
      see: "cp html/large.bin html/copy.bin\nfor i in 1 2 3 4 5; do touch html/copy.bin; curl -sI http://127.0.0.1:{port}/copy.bin; curl -so /dev/null -H 'If-None-Match: *' http://127.0.0.1:{port}/copy.bin; done\nls -l /proc/$(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+' | head -1)/fd; rm html/copy.bin",
    });
  }
  first.close();
  await server.releases([first]);
  const from = server.output.bytes;
  server.leaveDescriptors(1);
  const [second] = (await t.oneByOne(1)) as [Client];
  const third = await t.client();
  const words = await server.output.says(/EMFILE|too many open files/i, { from });
  t.expect(words, "The server is out of descriptors, and does not say so.").ok({
    because:
      "accept() fails with EMFILE as long as no descriptor is free; the client stays in the accept queue. Say it once: whoever runs the server must know why nobody gets in.",
    see: "prlimit --nofile=28:28 --pid $(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+' | head -1)\nbash -c 'for i in $(seq 10); do exec {fd}<>/dev/tcp/127.0.0.1/{port}; done; sleep 3'",
  });
  const idle = await server.idle(150);
  t.expect(idle.busy, "With no descriptor left, the server keeps a processor busy (1 is all of it).").atMost(
    0.5,
    {
      because:
        "The accept queue is not empty, so a level-triggered listener is ready for ever, and accept() fails for ever. Take it off epoll's list until somebody leaves.",
    },
  );
  second.close();
  third.send(get("/menu.txt"));
  await t.exchange({
    about: "one who waited in the accept queue until another left",
    client: third,
    sends: [],
    // Somebody else may have got the last descriptor; then it is honest to say so.
    wants: [{ status: [200, 503, 500] }],
    because:
      "A closed descriptor is free again: whoever waits can have it. With EPOLLET nobody says that they still wait; try accept() after each close.",
  });
});

check("idle", "costs next to nothing while 200 clients say nothing", { files }, async t => {
  const { server } = t;
  const before = server.memory;
  const crowd: Client[] = [];
  for (let i = 0; i < 200; i++) {
    const client = (await t.client()).send(get("/menu.txt"));
    const answer = await client.hears(menu);
    t.expect(answer, "A client who came alone got no answer, and was to be one of 200.").ok();
    crowd.push(client);
  }
  const grown = await growth(t, before, 200 * MB);
  t.expect(grown, "200 clients have got one answer each and say nothing, and cost memory (in MB).").atMost(
    64,
    {
      because:
        "A quarter of a megabyte for each would be 50: who says nothing needs no buffer. Keep what is not yet understood, and nothing when all is.",
    },
  );
  const { busy, calls, watch } = await server.idle(250);
  const because =
    "epoll_wait() sleeps until somebody is ready, and costs nothing however many are watched. To wake up every few milliseconds is polling again.";
  t.expect(calls ?? 0, "Nobody says anything, and the server makes system calls.").atMost(30, {
    because,
    at: watch?.calls.last ?? null,
  });
  t.expect(busy, "Nobody says anything, and the server is busy (1 is a whole processor).").atMost(0.2, {
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

check("drip", "waits ten seconds for a head, and no longer", { files, patient: true }, async t => {
  const because =
    "Ten thousand who send an octet now and then hold ten thousand descriptors, at no cost of their own (Slowloris). Set a deadline when the first octet of a head comes, and do not set it anew with every octet; sleep in epoll.poll() until the next deadline at most.";
  const [stalls, drips] = (await t.oneByOne(2)) as [Client, Client];
  stalls.send("GET /menu.txt HTTP/1.1\r\nHost: local");
  drips.send("GET /menu.txt HTTP/1.1\r\nHost: localhost\r\nX: ");
  const began = performance.now();
  const time = () => performance.now() - began;
  const see =
    "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; printf \"GET / HTTP/1.1\\r\\nX: \" >&3; (while sleep 0.25; do printf x; done >&3) & time timeout 15 cat <&3; kill %1'";
  while (!drips.over && drips.receivedBytes === 0 && time() < headWithinMs + noticedMs) {
    drips.send("x");
    await t.until(() => drips.over || drips.receivedBytes > 0, 250);
  }
  for (const [client, how] of [
    [drips, "sends its head drop by drop"],
    [stalls, "has stopped in the middle of its head"],
  ] as const) {
    const left = headWithinMs + noticedMs - time();
    await t.until(() => client.over || client.receivedBytes > 0, Math.max(0, left));
    const answer = client.received.toString();
    if (answer !== "" && !/^HTTP\/1\.[01] 4/.test(answer))
      t.fail(`One who ${how} gets an answer, as if it had asked for something.`, {
        expected: "408 (RFC 9110, 15.5.9), or the end and no answer",
        actual: JSON.stringify(answer.slice(0, 80)),
        because: "Half a head is no request. Wait for the rest of it, but not for ever.",
      });
    await t.until(() => client.over, 1000);
    t.expect(
      client.over,
      `After ${Math.round(time() / 1000)} s the server still waits for one who ${how}.`,
    ).ok({
      because,
      see,
    });
    t.note(`${client.name} was waited for ${(time() / 1000).toFixed(1)} s`);
  }
  await t.exchange({ about: "somebody else, after that", sends: get("/menu.txt"), wants: [theMenu] });
});

const imf = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/;

check("fields", "says what it sends, and when", { files, patient: true }, async t => {
  const typed = (target: string, type: RegExp) => ({
    about: `Content-Type of ${target}`,
    sends: get(target),
    wants: [{ status: 200, head: { "content-type": type } }],
  });
  await t.exchanges(
    "A browser shows what it is told that it is: without Content-Type it guesses, and a guess can be led astray (RFC 9110, 8.3).",
    [
      typed("/", /^text\/html\b/),
      typed("/menu.txt", /^text\/plain\b/),
      typed("/teahouse.png", /^image\/png\b/),
    ],
  );
  const because =
    "A server that has a clock says in each answer when it was made, as in: Sun, 06 Nov 1994 08:49:37 GMT (RFC 9110, 6.6.1 and 5.6.7). Caches count from it.";
  // Long enough that a Date which was written down at the start is an old one.
  await t.server.quiet(3000);
  for (const [target, status] of [
    ["/menu.txt", 200],
    ["/nothing.html", 404],
  ] as const) {
    const wants = [{ status, head: { date: imf } }];
    const about = `Date of ${target}`;
    const [answer] = await t.exchange({ about, sends: get(target), wants, because });
    const off = Math.abs(Date.now() - Date.parse(answer!.fields.get("date")!)) / 1000;
    t.expect(off, `${about}: it is not the time that it is now (off by so many seconds).`).atMost(2.5, {
      because: `${because} It may be kept for a second, not for longer.`,
      see: `curl -si http://127.0.0.1:{port}${target} | grep -i ^date; date -u`,
    });
  }
});

// --------------------------------------------------------------------------------------------------- files

check("outside", "serves nothing that lies outside its folder", { files }, async t => {
  await t.exchanges(
    "The target comes from a stranger. Decode it first, then remove the dots, segment by segment (RFC 3986, 5.2.4), and only what is left is a name below the root. curl removes dots before it sends: others do not.",
    teahouse.climbs,
  );
});

check("names", "finds files by the names that a browser sends", { files }, async t => {
  await t.exchanges(
    "A browser sends octets that have no place in a target as % and two digits (RFC 3986, 2.1), and behind ? a query, which is no part of the name.",
    teahouse.names,
  );
});

check("no-file", "serves files, and nothing else that has a name", { files: strange }, async t => {
  await t.exchanges(
    "A name in the folder may be a folder, a FIFO, a device, or a link to somewhere else. Ask fstat() of what you have opened, with O_NONBLOCK, and where it really lies.",
    teahouse.noFiles,
  );
});

check("edited", "serves an edited file as it is now", { files }, async t => {
  const client = await t.client();
  for (let edition = 1; edition <= 5; edition++) {
    const body = `green tea ${edition}\n`;
    t.site.write("html/menu.txt", body);
    t.note(`html/menu.txt is edited: "${body.trim()}"`);
    await t.exchange({
      about: `the file in its edition ${edition}`,
      client,
      sends: get("/menu.txt"),
      wants: [{ status: 200, body }],
      because:
        "What is remembered of a file must be compared with the file before it is used: its size and its time of change, from stat(), cost little. A time is coarse: what was changed just now may change again within it.",
      see: "echo coffee > html/menu.txt; curl http://127.0.0.1:{port}/menu.txt",
    });
  }
});

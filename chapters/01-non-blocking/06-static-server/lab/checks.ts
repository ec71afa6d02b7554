// What a static web server in one process must do when it cannot be told who is ready. Each check is one promise of
// HTTP/1.1, or of a server that no client can hold up; of the course's listing most are false. How it is written is
// not asked, and what only a server that sleeps can promise is asked in chapter 2.
import { check, type Exchange, type Tools, teahouse } from "workbook/check";

const { files, strange, host, get, menu, page, theMenu, refused } = teahouse;

/** More than the kernel's buffers of one connection hold, both ends together, as long as the client does not read. */
const large = teahouse.octets(12 * 1024 * 1024);
const withLarge = { ...files, "html/large.bin": large };

// ----------------------------------------------------------------------------------------- a request, whole

check("pieces", "understands a request, in whatever pieces it arrives", { files }, async t => {
  await t.exchanges(
    "TCP carries octets and knows no requests: what one recv() gives is any piece of the stream. Keep it until the empty line has come that ends a head (RFC 9112, 2.2 and 3).",
    [...teahouse.pieces, ...[1024, 1025, 7000].map(teahouse.long)],
  );
});

check("pipeline", "answers all requests that arrive together, in their order", { files }, async t => {
  await t.exchanges(
    "A client may send its next requests without waiting for the answers; they must come in the same order (RFC 9112, 9.3.2). What is left behind the first request is the beginning of the second, and a small answer waits for the large one before it.",
    teahouse.together,
  );
});

check("bodies", "takes no body for a request", { files }, async t => {
  const post = (fields: string, body: string) => `POST /menu.txt HTTP/1.1\r\n${host}${fields}\r\n${body}`;
  const hidden = get("/");
  await behind(t, {
    about: "a body that looks like a request, then a request",
    sends: post(`Content-Length: ${hidden.length}\r\n`, hidden) + get("/menu.txt"),
    wants: [{ status: [405, 501, 403, 413] }],
  });
  await behind(t, {
    about: "the same in two pieces",
    sends: [post(`Content-Length: ${hidden.length + 3}\r\n`, "abc"), hidden + get("/menu.txt")],
    wants: [{ status: [405, 501, 403, 413] }],
  });
  await behind(t, {
    about: "a body in chunks, then a request",
    sends:
      post("Transfer-Encoding: chunked\r\n", `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`) +
      get("/menu.txt"),
    wants: [{ status: [405, 501, 403, 411, 413, 400] }],
  });
  const both = "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n";
  await t.exchanges(
    "Two programs that believe different lengths see different requests: that is how they are smuggled. Refuse, and close (RFC 9112, 6.3).",
    [
      refused("two lengths that differ", post("Content-Length: 3\r\nContent-Length: 5\r\n", "abc")),
      refused(
        "a length and chunks, then a request",
        post(both, `0\r\n\r\n${get("/menu.txt")}`),
        [400, 405, 501, 403, 411, 413],
      ),
    ],
  );
});

/** The body was read, and the request behind it is answered; or the connection ends. But the body is not answered. */
async function behind(t: Tools, exchange: Exchange): Promise<void> {
  const why = {
    because:
      "Where a body ends is said by Content-Length or by its chunks (RFC 9112, 6.3); only behind it begins the next request. Read it, even if nobody wants it, or refuse it and close: else whoever writes the body writes your next request.",
    see: `bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; env printf "POST /menu.txt HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 27\\r\\n\\r\\nGET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\nGET /menu.txt HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n" >&3; timeout 2 cat <&3'`,
  };
  const client = await t.client();
  await t.exchange({ ...why, ...exchange, client });
  await t.until(() => client.over || client.left.includes(menu), 5000);
  const { about } = exchange;
  t.expect(client.left.includes(page), `What stands in the body was answered (${about}).`).equal(false, why);
  t.expect(
    client.over || client.left.includes(menu),
    `The request behind the body is not answered, and the connection is still open (${about}).`,
  ).ok(why);
}

check("malformed", "refuses what is no request with 400, and closes", { files }, async t => {
  await t.exchanges(
    "What is no request is answered with 400, and the connection closed: nobody knows where the next one begins (RFC 9112, 2.2 and 3).",
    [
      ...teahouse.malformed,
      ...teahouse.badFields,
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
          "Whatever a client can make grow needs a bound, or one client takes all memory: 431 for the header lines (RFC 6585, 5), 414 for a target; and then close.",
        see: "curl -i --max-time 2 -H \"Cookie: $(printf '%0100000d' 0)\" http://127.0.0.1:{port}/menu.txt",
      },
    ],
  );
});

// --------------------------------------------------------------------------------------- an answer, exactly

check("octets", "counts octets, not characters", { files }, async t => {
  await t.exchanges(
    "Content-Length counts octets (RFC 9110, 8.6). A Chinese character in UTF-8 has three: what was not counted is taken by the client for the beginning of the next answer.",
    teahouse.lengths,
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

check("connection", "keeps a connection open, or closes it, as was agreed", { files }, async t => {
  await t.exchanges(
    "HTTP/1.1 keeps the connection unless one side says Connection: close; HTTP/1.0 closes it unless the client says keep-alive (RFC 9112, 9.3 and 9.6). A client of that kind reads until the end, and waits for ever if none comes.",
    teahouse.agreements,
  );
});

// --------------------------------------------------------------------------------------------- many clients

check("large", "sends a large file whole, also to one who reads late", { files: withLarge }, async t => {
  const why = {
    because:
      "send() takes as much as the kernel has room for, says how much that was, and says null when it was nothing. The rest is yours: keep it, and try again each turn. And what came next may not overtake it.",
    see: "curl --limit-rate 8M -so /tmp/large http://127.0.0.1:{port}/large.bin; cmp /tmp/large html/large.bin",
  };
  const wants = [{ status: 200, body: large }, theMenu];
  const sends = get("/large.bin") + get("/menu.txt");
  await t.exchange({ ...why, about: "12 MB, and a small file behind it", sends, wants, after: "open" });

  const late = await t.client({ reads: false, receiveBuffer: 64 * 1024 });
  late.send(sends);
  await t.server.fills([late]);
  late.read(true);
  const about = "the same for one who reads late";
  await t.exchange({ ...why, about, client: late, sends: [], wants, after: "open" });
});

check("slow-readers", "is held up by nobody who does not read", { files: withLarge }, async t => {
  const rude = await t.oneByOne(3, { reads: false, receiveBuffer: 4096 });
  for (const client of rude) client.send(get("/large.bin") + get("/large.bin"));
  t.note("three have asked for 12 MB twice, and do not read");
  await t.server.fills(rude);
  await t.exchange({
    about: "a fourth client, while three do not read",
    sends: [get("/menu.txt"), get("/menu.txt")],
    wants: [theMenu, theMenu],
    after: "open",
    because:
      "To wait for one client is to wait with everybody. Each one gets one step a turn: what the kernel takes now, and no loop until it has taken all.",
    see: "for i in 1 2 3; do curl -s --limit-rate 1 -o /dev/null http://127.0.0.1:{port}/large.bin & done; sleep 1; time curl -s --max-time 5 http://127.0.0.1:{port}/menu.txt",
  });
});

check("burst", "answers everybody of a burst of 50", { files }, async t => {
  await t.server.stop();
  const crowd = await t.clients(50);
  for (const client of crowd) client.send(get("/menu.txt"));
  t.server.continue();
  for (const [i, client] of crowd.entries()) {
    await t.exchange({
      about: `number ${i + 1} of 50 who came in the same moment`,
      client,
      sends: [],
      wants: [theMenu],
      because:
        "All of them wait in the accept queue, which holds as many as listen() was given, and stay there until accept() takes them out, one by one.",
      see: "seq 50 | xargs -P 50 -I @ curl -s --max-time 2 -o /dev/null -w '%{http_code}\\n' http://127.0.0.1:{port}/menu.txt | sort | uniq -c",
    });
  }
});

check("reset", "is left with nothing of clients who are cut off", { files: withLarge }, async t => {
  const { server } = t;
  const before = server.sockets;
  await server.stop();
  const crowd = await t.clients(6);
  for (const client of crowd) client.send(get("/nothing.html"));
  for (const [i, client] of crowd.entries()) client[i % 2 === 0 ? "close" : "reset"]();
  server.continue();
  const because =
    "send() to one who is gone fails with EPIPE, recv() from one who was cut off with ECONNRESET: that is the end of this connection, and of no other. Close it, forget what was kept for it, and go on.";
  const see =
    "bash -c 'for i in 1 2 3; do exec 3<>/dev/tcp/127.0.0.1/{port}; env printf \"GET /nothing HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n\" >&3; exec 3>&-; done'; curl -i --max-time 2 http://127.0.0.1:{port}/menu.txt";
  // They are gone before the server has looked: only who comes after them tells that it has.
  await t.exchange({
    about: "one after six who have left",
    sends: get("/menu.txt"),
    wants: [theMenu],
    because,
    see,
  });
  const held = await server.holds(before + 1);
  t.expect(
    held,
    "Six have left, one is here, and the server holds other sockets than its and its own.",
  ).equal(before + 1, { because, see: "ss -tanp 'sport = :{port}'   # who is still there" });

  const busy = await t.oneByOne(3, { reads: false, receiveBuffer: 4096 });
  const descriptors = server.descriptors;
  for (const client of busy) client.send(get("/large.bin"));
  await server.fills(busy);
  for (const client of busy) client.reset();
  await t.until(() => server.descriptors <= descriptors - 3, 2000);
  t.expect(
    server.descriptors - descriptors,
    "Three were cut off in the middle of a file, and the server has not so many descriptors less.",
  ).atMost(-3, {
    because: `${because} Whoever opens a file for a client closes it when the client is gone, too.`,
    see: "timeout 1 curl -s --limit-rate 1 -o /dev/null http://127.0.0.1:{port}/large.bin; ls -l /proc/$(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+')/fd",
  });
  await t.exchange({
    about: "a newcomer after that",
    sends: get("/menu.txt"),
    wants: [theMenu],
    because,
    see,
  });
});

check("rests", "rests while nobody speaks", { files }, async t => {
  await t.oneByOne(3);
  // By its own time, and by what it did with it: on a busy machine one that never rests gets little of a processor, too.
  const { busy, restless } = await t.server.idle(200);
  const why = {
    because:
      "It asks everybody, without a pause, whether there is anything. After a turn that found nothing, sleep for a few milliseconds: that costs who comes next a few milliseconds, and nobody a processor.",
    see: "top -p $(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+')",
  };
  const often =
    "Three say nothing, and the server goes round without a rest (turns, for each time that it sleeps).";
  t.expect(restless, often).atMost(3, why);
  t.expect(busy, "Three say nothing, and the server keeps a processor busy (1 is all of it).").atMost(
    0.5,
    why,
  );
  await t.exchange({ about: "one who speaks after that", sends: get("/menu.txt"), wants: [theMenu] });
});

// --------------------------------------------------------------------------------------------------- paths

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
    "A name in the folder may be a folder, a FIFO, a device, or a link to somewhere else. Ask where it really lies, and what it is, before you read from it.",
    teahouse.noFiles,
  );
});

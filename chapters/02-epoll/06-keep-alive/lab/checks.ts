// What must be true of a server that keeps its connections open: it finds where each request ends, its client finds where
// each answer ends, and both know when the connection does. How the server keeps and sends its bytes is not asked.
import {
  type Answer,
  check,
  type Exchange,
  fc,
  grammar,
  staticSite,
  type Tools,
  type WantedAnswer,
} from "workbook/check";

const get = (target: string, fields = "", version = "HTTP/1.1") =>
  `GET ${target} ${version}\r\nHost: a\r\n${fields}\r\n`;
const post = (fields: string, body: string, version = "HTTP/1.1") =>
  `POST /order ${version}\r\nHost: a\r\n${fields}\r\n${body}`;
const asked = (target: string): WantedAnswer => ({ status: 200, body: `you asked for ${target}\n` });
const ordered = (body: string): WantedAnswer => ({
  status: 200,
  body: Buffer.from(`you ordered ${body}\n`, "latin1"),
});

/** An order with its length. */
const measured = (body: string, fields = "", version = "HTTP/1.1") =>
  post(`Content-Length: ${body.length}\r\n${fields}`, body, version);

/** An order in these chunks; none of them may be empty. */
function chunked(chunks: readonly string[], { extension = "", trailer = "", capitals = false } = {}): string {
  const size = (text: string) => {
    const digits = text.length.toString(16);
    return `${capitals ? digits.toUpperCase() : digits}${extension}`;
  };
  const all = chunks.map(text => `${size(text)}\r\n${text}\r\n`).join("");
  const coding = capitals ? "TRANSFER-ENCODING:Chunked" : "Transfer-Encoding: chunked";
  return post(`${coding}\r\n`, `${all}0${extension}\r\n${trailer}\r\n`);
}

/** What the starter's function brew() says, all of it. */
function brewed(minutes: number): Buffer {
  const lines = Array.from({ length: minutes }, (_, i) =>
    (i + 1) % 5 === 0 ? "" : `minute ${i + 1}: ${95 - ((i + 1) % 60)} °C\n`,
  );
  return Buffer.from(lines.join(""));
}
const brew = (minutes: number, more: Partial<WantedAnswer> = {}): WantedAnswer => ({
  status: 200,
  body: brewed(minutes),
  ...more,
});
const inChunks = {
  head: { "transfer-encoding": { like: /^chunked$/i, words: "chunked" } },
  absent: ["content-length"],
};

const name = (t: Tools) => `/x${t.generate(grammar.word(3, 9))}`;

/**
 * Clients send orders, with a length and in chunks, whole and in pieces, of no byte and of 60,000. Some bodies look like a
 * request, or like the end of the chunks. Each order is repeated, and the request after it is answered.
 */
check("bodies", "reads a body to its end, and no further", async t => {
  const next = name(t);
  // Its fields are not those of the order.
  const hidden = get(`/hidden${name(t)}`, "Content-Length: 3\r\n");
  const word = t.generate(grammar.word(5, 30));
  const odd = `\xff\x00${t.generate(grammar.anyBytes(10, 30))}`;
  const long = t.generate(grammar.longText(59_000, 60_000));
  const then = (about: string, order: string, body: string): Exchange => ({
    about: `${about}, then a request`,
    sends: order + get(next),
    wants: [ordered(body), asked(next)],
    after: "open",
  });
  const few = [word.slice(0, 5), "\r\n0\r\n"];
  const split = chunked(few, { extension: ";a=b" });
  const lines = [`0\r\n\r\n${hidden}`, "\r\n0\r\n\r\n", word];
  await t.exchanges(
    "The head says where the body ends (RFC 9112, 6.3). With Content-Length it ends after so many bytes, with Transfer-Encoding: chunked after the chunk of size 0. With neither there is no body. Read it to its end: otherwise the author of the body writes your next request.",
    [
      then("a length, and a body that looks like a request", measured(hidden), hidden),
      then("a body of no byte", measured(""), ""),
      then("a body of 60,000 bytes", measured(long), long),
      then(
        "a length in small letters, and bytes that are not text",
        post(`content-length:${odd.length}\r\n`, odd),
        odd,
      ),
      {
        about: "GET with a body, then a request",
        sends: get("/tea", `Content-Length: ${hidden.length}\r\n`) + hidden + get(next),
        wants: [asked("/tea"), asked(next)],
        after: "open",
      },
      then("chunks, and a body that looks like a request", chunked([word, hidden]), word + hidden),
      then("a chunk that looks like the end of the chunks", chunked(lines), lines.join("")),
      then("chunks of 20,000 bytes", chunked([long.slice(0, 20_000), long.slice(20_000)]), long),
      {
        ...then(
          "sizes in capitals, with an extension and trailer fields",
          chunked([hidden, word], {
            extension: ";a=b",
            trailer: "X-Tea: green\r\nX: y\r\n",
            capitals: true,
          }),
          hidden + word,
        ),
        because:
          "The size of a chunk is a hexadecimal number in either case. An extension may follow it, and after the last chunk fields may come, as in a head: ignore both (RFC 9112, 7.1.1 and 7.1.2). Names of fields and of codings come in any letter case.",
      },
      {
        about: "chunks, byte by byte, then a request",
        sends: [...split.slice(split.indexOf("\r\n\r\n")), get(next)].map((piece, i) =>
          i === 0 ? split.slice(0, split.indexOf("\r\n\r\n")) + piece : piece,
        ),
        wants: [ordered(few.join("")), asked(next)],
        after: "open",
        because:
          "A cut may be anywhere: in the line of a size, in a chunk, between its CR and LF. Wait until the whole body has come.",
      },
    ],
  );
});

/** A body whose end two programs find in different places. */
function unclear(about: string, sends: string, status: readonly number[] = [400]): Exchange {
  return { about, sends, wants: [{ status }], after: "close" };
}

/**
 * Clients send two lengths that differ, a length that is not a number, a length and chunks, or another coding. They also
 * send chunks with a wrong size. The answer is 400, and the connection ends. An order of 4 MB gets 413, or the connection
 * ends.
 */
check("refuses", "refuses a body whose end is unclear, and closes", async t => {
  const hidden = get(`/hidden${name(t)}`);
  const wrong = t.generate(staticSite.wrongLengths);
  const size = t.generate(fc.constantFrom("x", "-5", "+5", "", "5 5"));
  const inChunksOf = (body: string) => post("Transfer-Encoding: chunked\r\n", body);
  await t.exchanges(
    "Where two programs read different ends, one takes for a request what the other takes for a body: a request is smuggled past the other. No later byte of this connection can be trusted: answer 400, say Connection: close, and close (RFC 9112, 6.3, and 11.2).",
    [
      unclear(
        "two lengths that differ",
        post("Content-Length: 3\r\nContent-Length: 5\r\n", `abcde${hidden}`),
      ),
      // Number() takes the first for 5, and parseInt() the second.
      ...["0x5", "5x", wrong].map(one =>
        unclear(`the length "${one}"`, post(`Content-Length: ${one}\r\n`, `12345${hidden}`)),
      ),
      unclear(
        "a length and chunks",
        post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", `0\r\n\r\n${hidden}`),
        // A server may also believe the chunks. Then it must close after the answer. RFC 9112, 6.1.
        [400, 200],
      ),
      ...["gzip", "chunked, gzip", ""].map(coding =>
        unclear(
          `Transfer-Encoding: "${coding}"`,
          post(`Transfer-Encoding: ${coding}\r\n`, `0\r\n\r\n${hidden}`),
          [400, 501],
        ),
      ),
      ...["0x5", size].map(one =>
        unclear(`a chunk of the size "${one}"`, inChunksOf(`${one}\r\nabcde\r\n0\r\n\r\n${hidden}`)),
      ),
      unclear(
        "a chunk that is longer than its size",
        inChunksOf(`3\r\nabcde5\r\ngreen\r\n0\r\n\r\n${hidden}`),
      ),
    ],
  );
  const because =
    "Limit what you keep of a request that is not whole, its body too. Otherwise one client fills your memory: answer 413 and close, or only close.";
  await endless(t, "An order of 4 MB", post("Content-Length: 4000000\r\n", "x".repeat(4_000_000)), because);
  await endless(t, "Chunks that do not end", inChunksOf("5\r\ngreen\r\n".repeat(400_000)), because);
});

/** The client sends all of it. The server ends the connection, or refuses, and does not take the order. */
async function endless(t: Tools, about: string, sends: string, because: string): Promise<void> {
  const client = await t.client();
  t.note(`${client.name}: ${about}`);
  client.send(Buffer.from(sends, "latin1"));
  const tired = t.server.exhaustion();
  const ended = () => client.over || client.receivedBytes > 0;
  await t.until(
    () => ended() || (t.server.hasRead(client) && client.sentBytes === sends.length) || tired(),
    8000,
  );
  await t.until(ended, 500);
  const text = client.received.toString("latin1", 0, 12);
  t.expect(
    text === "" ? client.over : /^HTTP\/1\.[01] 4/.test(text),
    `${about}: the server neither refused it nor ended the connection.`,
  ).ok({ because });
}

const says = (option: string) => ({
  head: { connection: { like: new RegExp(`(^|,)\\s*${option}\\s*(,|$)`, "i"), words: option } },
});
const saysNoClose = { ifThere: { connection: { like: /^(?!.*close)/i, words: "without close" } } };

/**
 * Clients of HTTP/1.1 and HTTP/1.0 send requests with `Connection` and without. The server keeps the connection open, or
 * ends it after its answer, and its answer says which. It answers nothing after the last request. A long last answer
 * arrives whole, though requests lie unread after it.
 */
check(
  "connection",
  "keeps a connection open, or ends it, as HTTP requires",
  { judges: "persistence" },
  async t => {
    const [one, two] = [name(t), name(t)];
    const order = t.generate(grammar.word(1, 20));
    const closes = (about: string, sends: string, wants = asked(one)): Exchange => ({
      about,
      sends: sends + get(two),
      wants: [{ ...wants, ...says("close") }],
      after: "close",
    });
    const old = (fields: string) => get(one, fields, "HTTP/1.0");
    await t.exchanges(
      "HTTP/1.1 keeps the connection unless one side says Connection: close. HTTP/1.0 ends it unless the client says keep-alive (RFC 9112, 9.3). Say in the answer what you do, and answer no request after the last one (RFC 9112, 9.6).",
      [
        {
          about: "three requests, one after another",
          sends: [get(one), measured(order), get(two)],
          wants: [asked(one), ordered(order), asked(two)],
          after: "open",
        },
        {
          about: "a request after which the connection stays",
          sends: get(one),
          wants: [{ ...asked(one), ...saysNoClose }],
          after: "open",
        },
        closes("Connection: close, and a request after it", get(one, "Connection: close\r\n")),
        closes("connection:sugar, Close", get(one, "connection:sugar, Close\r\n")),
        closes("an order with Connection: close", measured(order, "Connection: close\r\n"), ordered(order)),
        closes("HTTP/1.0", old("")),
        closes("HTTP/1.0 with keep-alive and close", old("Connection: keep-alive, close\r\n")),
        {
          about: "HTTP/1.0 with Keep-Alive, twice, then without",
          sends: [
            old("Connection: Keep-Alive\r\n"),
            measured(order, "Connection: keep-alive\r\n", "HTTP/1.0"),
            old(""),
          ],
          wants: [
            { ...asked(one), ...says("keep-alive") },
            { ...ordered(order), ...says("keep-alive") },
            asked(one),
          ],
          after: "close",
          because:
            "A client of HTTP/1.0 that asks for keep-alive learns from the answer whether it got it: Connection: keep-alive (RFC 9112, 9.3 and C.2.2).",
        },
      ],
    );
    await lingers(t);
  },
);

/** The last answer is longer than what the client takes, and requests lie unread after it: the answer arrives whole. */
async function lingers(t: Tools): Promise<void> {
  const { server } = t;
  const minutes = t.generate(fc.integer({ min: 30_000, max: 40_000 }));
  const client = await t.client({ reads: false, receiveBuffer: 64 * 1024 });
  const more = get("/tea").repeat(1000);
  client.send(get(`/brew/${minutes}`, "Connection: close\r\n") + more);
  await server.fills([client]);
  client.send(more);
  client.setReading(true);
  await t.exchange({
    about: `the last answer, of ${minutes} minutes, and two thousand requests after it`,
    client,
    sends: [],
    wants: [brew(minutes)],
    after: "close",
    because:
      "The connection ends after the last answer, and not in the middle of it: call shutdown() when send() has taken the last byte. In an answer in chunks each size must be right, too (RFC 9112, 7.1).",
    ifReset:
      "A close() while bytes of the client lie unread sends RST, and what the kernel has not sent yet is lost. Call shutdown() when send() has taken the last byte, read until the client closes, and then call close() (RFC 9112, 9.6).",
  });
}

/**
 * Clients send HEAD, then GET: the first answer has no body. `/bell` gets 204, without a body and without a length.
 * `/brew/N` comes in chunks; to HTTP/1.0 it comes without them, and the end of the stream ends it. Then the next answer.
 */
check("answers", "lets the client find the end of each answer", async t => {
  const one = name(t);
  const minutes = t.generate(fc.integer({ min: 12, max: 30 }));
  const head = (target: string) => `HEAD ${target} HTTP/1.1\r\nHost: a\r\n\r\n`;
  const length = `${asked(one).body!.length}`;
  const pot = get(`/brew/${minutes}`);
  await t.exchanges(
    "An answer ends after its length, after its last chunk, or with the stream (RFC 9112, 6.3). An answer to HEAD and a 204 end with their head. After one byte more or less the client cannot find the next answer.",
    [
      {
        about: "HEAD, then GET",
        sends: head(one) + get(one),
        wants: [{ status: 200, to: "HEAD", ifThere: { "content-length": length } }, asked(one)],
        after: "open",
      },
      {
        about: "HEAD of an answer in chunks, then GET",
        sends: head(`/brew/${minutes}`) + get(one),
        wants: [{ status: 200, to: "HEAD" }, asked(one)],
        after: "open",
      },
      {
        about: `/brew/${minutes}, then another request`,
        sends: pot + get(one),
        wants: [brew(minutes, inChunks), asked(one)],
        after: "open",
        because:
          "Before each chunk is its size in bytes, as a hexadecimal number. The size 0 is the end, so send no chunk for a line of no bytes (RFC 9112, 7.1).",
      },
      {
        about: "/brew/0, then another request",
        sends: get("/brew/0") + get(one),
        wants: [brew(0, inChunks), asked(one)],
        after: "open",
      },
      ...["", "Connection: keep-alive\r\n"].map(fields => ({
        about: `/brew/${minutes} for HTTP/1.0${fields && " with keep-alive"}`,
        sends: get(`/brew/${minutes}`, fields, "HTTP/1.0"),
        wants: [brew(minutes, { absent: ["transfer-encoding"] })],
        because:
          "HTTP/1.0 knows no chunks (RFC 9112, 6.1). Without a length, only the end of the stream ends this answer, even for a client that asks for keep-alive.",
      })),
    ],
  );
  const bells = await t.exchange({
    about: "/bell, HEAD of /bell, then another request",
    sends: get("/bell") + head("/bell") + get(one),
    wants: [{ status: 204 }, { status: 204, to: "HEAD" }, asked(one)],
    after: "open",
    because: "A 204 has no body: it ends with its head.",
  });
  const framing = (answer: Answer | undefined) =>
    ["content-length", "transfer-encoding"].filter(field => answer?.fields.has(field));
  t.expect(framing(bells[0]), "Fields of a 204 that announce a body:").equal([], {
    because:
      "A 204 must have neither Content-Length nor Transfer-Encoding (RFC 9110, 8.6, and RFC 9112, 6.1).",
    see: "curl -i --max-time 2 http://127.0.0.1:{port}/bell",
  });
});

/**
 * Clients send a request byte by byte, one and a half requests and then the rest, and six hundred requests of all kinds at
 * once. Each request is answered once, in the order of the requests, and the connection stays open.
 */
check("pipeline", "answers every request once, in the order of the requests", async t => {
  const [one, two] = [name(t), name(t)];
  const [order, next] = [t.generate(grammar.word(1, 30)), get(one)];
  const kinds = [
    { sends: get(one), wants: asked(one) },
    { sends: measured(order), wants: ordered(order) },
    // Its answer is long: a server that answers only when new bytes come has more left than it is woken for.
    { sends: get("/brew/30"), wants: brew(30) },
    { sends: chunked([order, two]), wants: ordered(order + two) },
    { sends: get(two), wants: asked(two) },
  ];
  const many = Array.from({ length: 600 }, (_, i) => kinds[i % kinds.length]!);
  await t.exchanges(
    "TCP carries a stream of bytes, and one recv() returns any piece of it. A request is whole when its head and its body have come; the next byte begins the next request. The answers go in the order of the requests (RFC 9112, 9.3.2).",
    [
      { about: "a request, byte by byte", sends: [...next], wants: [asked(one)], after: "open" },
      {
        about: "one and a half requests, then the rest",
        sends: [next + get(two).slice(0, 9), get(two).slice(9)],
        wants: [asked(one), asked(two)],
        after: "open",
      },
      {
        about: "half of an order, then the rest and another request",
        sends: [measured(order).slice(0, -1), measured(order).slice(-1) + next],
        wants: [ordered(order), asked(one)],
        after: "open",
      },
      {
        about: "six hundred requests at once",
        sends: many.map(({ sends }) => sends).join(""),
        wants: many.map(({ wants }) => wants),
        after: "open",
        because:
          "One recv() may return many requests: answer each of them, in their order (RFC 9112, 9.3.2). The client finds an answer only if the one before it ends where its length or its chunks say.",
      },
    ],
  );
});

/**
 * A client asks for `/tea` twelve times, and for a pot of four minutes twelve times. It acknowledges late. At most 4 of 12
 * answers come in several segments of which the last waits for the acknowledgement.
 */
check("at-once", "sends a small answer without waiting for an acknowledgement", async t => {
  for (const [target, numbered] of [
    ["/tea", "/tea[1-6]"],
    ["/brew/4", "/brew/[4-9]"],
  ] as const) {
    const delayed = await t.delayedParts(Array.from({ length: 12 }, () => get(target)));
    t.expect(
      delayed,
      `Number of the 12 answers to ${target} whose last part came 25 ms or more after the request.`,
    ).atMost(4, {
      because:
        "The kernel keeps a small second send() until the client has acknowledged the first (Nagle's algorithm). The client's kernel acknowledges late, after about 40 ms, because it has nothing to send. Give the kernel all that is there in one send(), or set TCP_NODELAY (tcp(7)).",
      see: `curl -s --max-time 5 -o /dev/null -w '%{time_starttransfer} %{time_total}\\n' 'http://127.0.0.1:{port}${numbered}'   # seconds to the first byte, and to the last`,
    });
  }
});

/**
 * Generated clients send all of this, in pieces that are cut anywhere; some read late, leave or reset. Each request has its
 * own answer, in order, and the server sleeps while no byte moves.
 */
check("conversations", "keeps every promise in generated conversations", async t => {
  const target = grammar.word(1, 12).map(word => `/x${word}`);
  // Line ends, digits and zeros, as they occur around chunks.
  const part = fc.oneof(
    grammar.word(1, 20),
    grammar.anyBytes(1, 20),
    fc.constantFrom("0\r\n\r\n", "\r\n", "\r\n\r\n", get("/hidden")),
  );
  const parts = fc.array(part, { minLength: 1, maxLength: 5, size: "max" });
  const small = fc
    .tuple(target, grammar.fields(2))
    .map(([to, fields]) => ({ bytes: get(to, fields), wants: asked(to) }));
  const length = parts.map(all => ({ bytes: measured(all.join("")), wants: ordered(all.join("")) }));
  const chunks = fc
    .tuple(parts, fc.constantFrom("", ";a=b", ";a"), fc.constantFrom("", "X: y\r\n"), fc.boolean())
    .map(([all, extension, trailer, capitals]) => ({
      bytes: chunked(all, { extension, trailer, capitals }),
      wants: ordered(all.join("")),
    }));
  const heads = target.map(to => ({
    bytes: `HEAD ${to} HTTP/1.1\r\nHost: a\r\n\r\n`,
    wants: { status: 200, to: "HEAD" },
  }));
  const bell = fc.constant({ bytes: get("/bell"), wants: { status: 204 } });
  const pot = fc
    .oneof({ weight: 4, arbitrary: fc.nat(20) }, fc.integer({ min: 20_000, max: 40_000 }))
    .map(minutes => ({ bytes: get(`/brew/${minutes}`), wants: brew(minutes, inChunks) }));
  const last = fc.oneof(
    fc
      .tuple(target, fc.constantFrom("Connection: close\r\n", "connection: x,Close\r\n"))
      .map(([to, fields]) => ({ bytes: get(to, fields), wants: asked(to), after: "close" as const })),
    target.map(to => ({ bytes: get(to, "", "HTTP/1.0"), wants: asked(to), after: "close" as const })),
    fc.nat(30).map(minutes => ({
      bytes: get(`/brew/${minutes}`, "", "HTTP/1.0"),
      wants: brew(minutes),
      after: "close" as const,
    })),
  );
  await t.conversations({
    says: fc.oneof(
      { weight: 3, arbitrary: small },
      { weight: 3, arbitrary: length },
      { weight: 3, arbitrary: chunks },
      { weight: 2, arbitrary: pot },
      heads,
      bell,
      last,
    ),
    clients: 12,
    readsLate: true,
    answersHalfClosed: true,
    idle: "sleeps",
    because:
      "Each request has its own answer, whole and in order, and bytes of a body are not a request. A client that leaves in the middle leaves nothing in the server, and while no byte moves the server sleeps in epoll_wait.",
  });
});

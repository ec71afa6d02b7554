// Static site. A small site with the exchanges that every server of files must make correctly, whether it polls, waits in
// epoll or runs coroutines. Each lab's checks say why they matter there; what is sent and wanted is written here once.
import fc from "fast-check";
import type { Conversations } from "./conversations/converse.ts";
import { fields as anyFields, notInTargets, visibleAscii, word } from "./conversations/grammar.ts";
import type { ClientMessage } from "./conversations/script.ts";
import { commandFor, type Exchange, type WantedAnswer } from "./exchange.ts";
import type { SiteFiles } from "./site-folder.ts";
import type { Tools } from "./tools.ts";

/** Bytes in which no two places look alike: a piece that is lost, doubled or moved shows. */
export function distinctBytes(length: number): Buffer {
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i + 1, 2654435761);
  return Buffer.from(words.buffer, 0, length);
}

export const page = "<h1>The teahouse</h1>\n";
export const menu = "green tea 3\n";
export const picture: Buffer = distinctBytes(104_824);

const secret = "this lies outside the document root\n";

/** The folder in which the server runs. The document root is html/; the secrets are outside of it. */
export const files: SiteFiles = {
  "secret.txt": secret,
  "html.old/secret.txt": secret,
  "html/index.html": page,
  "html/menu.txt": menu,
  "html/你好.html": "你好\n",
  "html/green tea.txt": "a space\n",
  "html/sub/menu.txt": "below\n",
  "html/empty.txt": "",
  "html/teahouse.png": picture,
};

/** The same, with entries that are not regular files, or lead out of the document root. */
export const filesAndTraps: SiteFiles = {
  ...files,
  "html/fifo": { fifo: true },
  "html/zero": { link: "/dev/zero" },
  "html/out.txt": { link: "../secret.txt" },
  "html/up": { link: ".." },
  "html/old": { link: "../html.old" },
};

export const host = "Host: localhost\r\n";
/** A whole request. @param fields more header lines, each with its CRLF */
export const get = (target: string, fields = "", version = "HTTP/1.1"): string =>
  `GET ${target} ${version}\r\n${host}${fields}\r\n`;
export const theMenu: WantedAnswer = { status: 200, body: menu };
export const thePage: WantedAnswer = { status: 200, body: page };
/** The answer to a target that must not be served: not found, forbidden, a bad request, or a redirection. */
export const notServed: WantedAnswer = { status: [301, 302, 307, 308, 400, 403, 404] };

const whole = get("/menu.txt");

/** A request that arrives in pieces. RFC 9112, 2.2. */
export const pieces: readonly Exchange[] = [
  { about: "half a request", sends: whole.slice(0, 30), wants: [], after: "open" },
  {
    about: "a request in two pieces",
    sends: [whole.slice(0, 7), whole.slice(7)],
    wants: [theMenu],
    after: "open",
  },
  ...[1, 2, 3].map(before => ({
    about: `a request cut ${before} before its end`,
    sends: [whole.slice(0, -before), whole.slice(-before)],
    wants: [theMenu],
  })),
  { about: "a request, byte by byte", sends: [...whole], wants: [theMenu], after: "open" },
];

/** A request of `size` bytes, and another behind it. RFC 9112, 3: a server should accept request lines of 8000 bytes. */
export const long = (size: number): Exchange => ({
  about: `a request of ${size} bytes, then another`,
  sends:
    get("/menu.txt", `Cookie: ${"c".repeat(size - get("/menu.txt", "Cookie: \r\n").length)}\r\n`) + get("/"),
  wants: [theMenu, thePage],
  because:
    "A request may be longer than one recv(1024) returns; RFC 9112, 3 recommends that a server accepts request lines of at least 8000 bytes.",
});

/** Requests that arrive together. RFC 9112, 9.3.2. */
export const together: readonly Exchange[] = [
  {
    about: "two requests in one segment",
    sends: get("/menu.txt") + get("/"),
    wants: [theMenu, thePage],
    after: "open",
  },
  {
    about: "one and a half requests, then the rest",
    sends: [get("/menu.txt") + get("/").slice(0, 9), get("/").slice(9)],
    wants: [theMenu, thePage],
    after: "open",
  },
  {
    about: "a picture between two small files",
    sends: get("/menu.txt") + get("/teahouse.png") + get("/"),
    wants: [theMenu, { status: 200, body: picture }, thePage],
  },
  {
    about: "twelve long requests in one piece",
    // Together they are more than a head may have: only an unfinished head may count.
    sends: get("/menu.txt", `Cookie: ${"c".repeat(6900)}\r\n`).repeat(12),
    wants: Array.from({ length: 12 }, () => theMenu),
    because:
      "A limit is for one head. Requests that are whole do not count, however many of them have come: answer them, and then look at what is left.",
  },
];

/** Answers whose length a server easily miscounts, and the next answer. RFC 9110, 8.6. */
export const lengths: readonly Exchange[] = [
  {
    about: "a file that does not exist, then a file that exists",
    sends: [get("/nothing.html"), get("/menu.txt")],
    wants: [404, theMenu],
    after: "open",
  },
  {
    about: "an empty file, then a page",
    sends: get("/empty.txt") + get("/"),
    wants: [{ status: 200, body: "" }, thePage],
    after: "open",
  },
];

/** Connections that a server must keep open, and connections that it must close. RFC 9112, 9.3 and 9.6. */
export const persistence: readonly Exchange[] = [
  {
    about: "three requests, one after another",
    sends: [get("/menu.txt"), get("/"), get("/menu.txt")],
    wants: [theMenu, thePage, theMenu],
    after: "open",
  },
  {
    about: "Connection: close",
    sends: get("/menu.txt", "Connection: close\r\n"),
    wants: [theMenu],
    after: "close",
  },
  {
    about: "Connection: foo, Close",
    sends: get("/menu.txt", "Connection: foo, Close\r\n"),
    wants: [theMenu],
    after: "close",
  },
  {
    about: "a request behind a request with Connection: close",
    sends: get("/menu.txt", "Connection: close\r\n") + get("/"),
    wants: [theMenu],
    after: "close",
  },
  { about: "HTTP/1.0", sends: get("/menu.txt", "", "HTTP/1.0"), wants: [theMenu], after: "close" },
  {
    about: "Connection: close with DELETE",
    sends: `DELETE /menu.txt HTTP/1.1\r\n${host}Connection: close\r\n\r\n`,
    wants: [{ status: [405, 501, 403] }],
    after: "close",
    because:
      "Connection: close is for the connection, whatever the method and the answer: close after a refusal, too (RFC 9112, 9.6).",
  },
];

/** The client has the last answer, and neither sends nor closes: the server closes its socket all the same. RFC 9112, 9.6. */
export async function endsAlone(t: Tools): Promise<void> {
  const client = await t.client();
  const about = "Connection: close, from a client that stays";
  await t.exchange({
    about,
    client,
    sends: get("/menu.txt", "Connection: close\r\n"),
    wants: [theMenu],
    after: "close",
  });
  t.expect(
    await t.server.releases([client], { within: 12_000 }),
    `${about}: twelve seconds after the answer the server still holds its socket.`,
  ).equal(1, {
    because:
      "A client that stays would hold a descriptor for ever. Read after the last answer until the client closes, for a second or a few, and then call close().",
  });
}

/** Other methods than GET, and that HEAD of a missing file announces the length that GET of it has. RFC 9110, 9.3.2. */
export async function answersMethods(t: Tools): Promise<void> {
  const because =
    "The answer to HEAD is the head that GET would get, without the body (RFC 9110, 9.3.2). After one byte more the client cannot find the next answer.";
  await t.exchanges(because, methods);
  const missing = `/${t.generate(word(3, 12))}.html`;
  const [whole, head] = await t.exchange({
    about: "GET and HEAD of a file that does not exist",
    sends: get(missing) + get(missing).replace("GET", "HEAD"),
    wants: [404, { status: 404, to: "HEAD" }],
    because,
  });
  const announced = head!.fields.get("content-length");
  if (announced === undefined || !whole!.fields.has("content-length")) return;
  t.expect(Number(announced), "HEAD of a file that does not exist: Content-Length.").equal(
    whole!.body.length,
    {
      because:
        "HEAD may leave Content-Length out. If it is there, it is the length of the body that GET gets, also when the file does not exist (RFC 9110, 8.6).",
      see: "curl -sS --max-time 5 -I http://127.0.0.1:{port}/nothing; curl -sS --max-time 5 -i http://127.0.0.1:{port}/nothing",
    },
  );
}

/** Other methods than GET. An answer to HEAD may leave Content-Length out. RFC 9110, 8.6, 9.1, 9.3.2 and 15.5.6. */
const methods: readonly Exchange[] = [
  {
    about: "HEAD, then GET",
    sends: `HEAD /menu.txt HTTP/1.1\r\n${host}\r\n${get("/")}`,
    wants: [{ status: 200, to: "HEAD", ifThere: { "content-length": "12" } }, thePage],
    after: "open",
  },
  {
    about: "HEAD of a file that does not exist, then GET",
    sends: `HEAD /nothing.html HTTP/1.1\r\n${host}\r\n${get("/")}`,
    wants: [{ status: 404, to: "HEAD" }, thePage],
    after: "open",
  },
  {
    about: "DELETE",
    sends: `DELETE /menu.txt HTTP/1.1\r\n${host}\r\n`,
    wants: [{ status: [405, 501, 403] }],
    because:
      "The server deletes nothing, so the answer must not be 200: 405 means that this file does not allow the method (RFC 9110, 15.5.6), 501 that the server does not know the method.",
  },
  {
    about: "an unknown method",
    sends: `BREW /menu.txt HTTP/1.1\r\n${host}\r\n`,
    wants: [{ status: [501, 405, 403, 400] }],
    because: "A method that the server does not know is answered with 501 (RFC 9110, 9.1).",
  },
];

/** An exchange with a malformed request: the server must refuse it, and close the connection. */
export function refused(about: string, sends: string, status: readonly number[] = [400]): Exchange {
  // A refusal that does not say so ends the connection in its own time: a client may send its next request into that.
  const says = { connection: { like: /(^|,)\s*close\s*(,|$)/i, words: "close, or no such field" } };
  return { about, sends, wants: [{ status, ifThere: says }], after: "close" };
}

/** Malformed requests. RFC 9112, 2.2, 2.3 and 3. */
export const malformed: readonly Exchange[] = [
  refused("two targets", `GET /menu.txt /b HTTP/1.1\r\n${host}\r\n`),
  refused("no target", `GET HTTP/1.1\r\n${host}\r\n`),
  refused("bytes that are not text", "\x02\x03\x04\xff\r\n\r\n"),
  refused("a version in small letters", `GET /menu.txt http/1.1\r\n${host}\r\n`),
  refused("HTTP/9.9", `GET /menu.txt HTTP/9.9\r\n${host}\r\n`, [505, 400]),
];

/** Requests with a malformed header line. RFC 9112, 5 and 5.1. */
export const badFields: readonly Exchange[] = ["X-Tea : green", ": green"].map(line => ({
  about: `the header line "${line}"`,
  sends: get("/menu.txt", `${line}\r\n`),
  wants: [400],
  because:
    "A header line is a name, a colon right behind it, and a value. A server must refuse a space before the colon, because some programs read another name there, and others no name (RFC 9112, 5.1).",
}));

/** Requests with and without Host, of which the server must refuse some. RFC 9112, 3.2. @param answer to a valid one */
export function hostFields(answer: WantedAnswer): Exchange[] {
  const without = (fields: string, version = "HTTP/1.1") => `GET /menu.txt ${version}\r\n${fields}\r\n`;
  return [
    { about: "HTTP/1.1 without Host", sends: without(""), wants: [400] },
    { about: "two Hosts", sends: without("Host: a\r\nX: y\r\nHOST: b\r\n"), wants: [400] },
    { about: "a Host with a slash", sends: without("Host: a/b\r\n"), wants: [400] },
    {
      about: "an address and a port as Host",
      sends: without("hOsT:[::1]:80\r\n"),
      wants: [answer],
      after: "open",
    },
    {
      about: "HTTP/1.0 without Host",
      sends: without("", "HTTP/1.0"),
      wants: [answer],
      because: "HTTP/1.0 does not require Host (RFC 9112, 3.2).",
    },
  ];
}

/** Statuses with which a server of files may refuse a request because of its method, or because of its body. */
export const refusesBody: readonly number[] = [400, 403, 405, 411, 413, 501];

/** A request with a body in which `GET /` is hidden, in chunks behind what looks like their end. RFC 9112, 6 and 7.1. */
export function withBody(method: string, framing: "length" | "chunks"): fc.Arbitrary<string> {
  const withFields = (fields: string, body: string) =>
    `${method} /menu.txt HTTP/1.1\r\n${host}${fields}\r\n\r\n${body}`;
  if (framing === "length") {
    return word(0, 20).map(behind => {
      const body = `${get("/")}${behind}`;
      return withFields(`Content-Length: ${body.length}`, body);
    });
  }
  return fc
    .tuple(
      word(1, 20),
      fc.constantFrom("0\r\n\r\n", "\r\n0\r\n\r\n"),
      fc.constantFrom("", ";tea", ";tea=green"),
    )
    .map(([first, end, extension]) => {
      const chunks = [first, `${end}${get("/")}`, ""].map(
        data => `${data.length.toString(16)}${extension}\r\n${data}\r\n`,
      );
      return withFields("Transfer-Encoding: chunked", chunks.join(""));
    });
}

/** Lengths that are not numbers: a server must refuse them, and close. RFC 9112, 6.3, rule 5. */
export const wrongLengths: fc.Arbitrary<string> = fc.constantFrom("+5", "-5", "0x5", "5x", "5 5", "5.0");

/**
 * Requests whose length is contradictory or unknown, each with another request behind it. RFC 9112, 6.1 and 6.3.
 * @param wrong a length that is not a number
 * @param status with which the server may refuse them
 */
export function unclearLengths(wrong: string, status: readonly number[] = [400]): Exchange[] {
  const post = (fields: string, body: string) => `POST /menu.txt HTTP/1.1\r\n${host}${fields}\r\n${body}`;
  return [
    {
      ...refused("two lengths that differ", post("Content-Length: 3\r\nContent-Length: 5\r\n", "abc")),
      because:
        "Two programs that believe different lengths see different requests: that is how they are smuggled. Refuse, and close (RFC 9112, 6.3, rule 5).",
    },
    {
      ...refused(
        "a length that is not a number, and a second request",
        post(`Content-Length: ${wrong}\r\n`, `12345${get("/menu.txt")}`),
        status,
      ),
      because:
        "A length is digits and nothing else. Where two programs read different numbers, one of them takes the body for a request: answer 400, and close (RFC 9112, 6.3, rule 5).",
    },
    {
      ...refused(
        "a length and chunks, and a second request",
        post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", `0\r\n\r\n${get("/menu.txt")}`),
        status,
      ),
      because:
        "A length and chunks contradict each other. Whatever you answer, you must close the connection after it (RFC 9112, 6.1).",
    },
    ...["", " ,"].map(coding => ({
      ...refused(
        `"Transfer-Encoding:${coding}", chunks, and a second request`,
        post(`Transfer-Encoding:${coding}\r\n`, `0\r\n\r\n${get("/menu.txt")}`),
        status,
      ),
      because:
        "Only a Transfer-Encoding that ends with chunked announces chunks. Without it you cannot know where the body ends: answer 400, and close (RFC 9112, 6.3, rule 4).",
    })),
  ];
}

/** The body was read, and the request for the menu behind it is answered; or the connection ends. But the body is not answered. */
export async function behindABody(t: Tools, about: string, sends: readonly string[]): Promise<void> {
  const see = commandFor(sends);
  const why = {
    because:
      "Content-Length or the chunks say where a body ends (RFC 9112, 6.3), and the next request begins behind it. That holds for each method. Read the body, even if you do not need it, or refuse it and close. Otherwise the author of the body writes your next request.",
    ...(see === undefined ? {} : { see }),
  };
  const client = await t.client();
  const status = sends[0]!.startsWith("GET ") ? [200, ...refusesBody] : refusesBody;
  await t.exchange({ ...why, about, client, sends, wants: [{ status }] });
  await t.until(() => client.over || client.unparsed.includes(menu), 5000);
  t.expect(client.unparsed.includes(page), `The server answered a request inside the body (${about}).`).equal(
    false,
    why,
  );
  t.expect(
    client.over || client.unparsed.includes(menu),
    `The server did not answer the request behind the body, and did not close the connection (${about}).`,
  ).ok(why);
}

/** Targets that lead out of the document root, and one that only seems to. RFC 3986, 5.2.4. */
export const traversals: readonly Exchange[] = [
  ...[
    "/../secret.txt",
    "/sub/../../secret.txt",
    "//../secret.txt",
    "/sub/./.././../secret.txt",
    "/../html.old/secret.txt",
    "/%2e%2e/secret.txt",
    "/..%2fsecret.txt",
    "/sub/%2E%2E/%2e%2e/secret.txt",
    "/%252e%252e/secret.txt",
    "/%2e%2e/html.old/secret.txt",
    // Without each "../" as a text, this is "/../secret.txt".
    "/....//secret.txt",
  ].map(path => ({ about: path, sends: get(path), wants: [notServed] })),
  { about: "/sub/../menu.txt", sends: get("/sub/../menu.txt"), wants: [theMenu], after: "open" },
];

/** Targets as a browser writes them. RFC 3986, 2.1; RFC 9112, 3.2. */
export const encodedTargets: readonly Exchange[] = [
  {
    about: "/你好.html, as a browser sends it",
    sends: get("/%E4%BD%A0%E5%A5%BD.html"),
    wants: [{ status: 200, body: "你好\n" }],
    after: "open",
  },
  {
    about: "a name with a space",
    sends: get("/green%20tea.txt"),
    wants: [{ status: 200, body: "a space\n" }],
  },
  { about: "/menu%2Etxt", sends: get("/menu%2Etxt"), wants: [theMenu] },
  { about: "a query", sends: get("/menu.txt?x=1&y=/../z"), wants: [theMenu] },
  {
    about: "a zero byte in the name",
    sends: get("/menu.txt%00.html"),
    wants: [{ status: [400, 404] }],
  },
  { about: "bytes that are not UTF-8", sends: get("/%ff%fe"), wants: [{ status: [400, 404] }] },
  { about: "a % without digits", sends: get("/%zz"), wants: [{ status: [400, 404] }] },
  {
    about: "an http URL as target",
    sends: get("http://localhost/menu.txt"),
    wants: [theMenu],
    because: "A server must accept a whole URL in place of the path (RFC 9112, 3.2.2).",
  },
];

const linksAreOurs =
  "HTTP does not know links: that a server follows none to another place is a rule of this lab.";

/** Names in the document root that are not regular files of it. Needs `filesAndTraps`. */
export const notFiles: readonly Exchange[] = [
  { about: "a folder", sends: get("/sub"), wants: [notServed] },
  {
    about: "a FIFO without a writer",
    sends: get("/fifo"),
    wants: [notServed],
    because:
      "open() of a FIFO waits until another process opens it for writing (fifo(7)): after one such request the server serves no client any more.",
    see: "cd {folder}; mkfifo html/fifo; curl --max-time 2 http://127.0.0.1:{port}/fifo; curl --max-time 2 http://127.0.0.1:{port}/menu.txt; rm html/fifo",
  },
  { about: "a device", sends: get("/zero"), wants: [notServed] },
  {
    about: "a link to a file outside",
    sends: get("/out.txt"),
    wants: [notServed],
    labRule: linksAreOurs,
  },
  {
    about: "a file behind a link to a folder outside",
    sends: get("/up/secret.txt"),
    labRule: linksAreOurs,
    wants: [notServed],
  },
  {
    about: "a file behind a link to html.old, the folder beside html",
    sends: get("/old/secret.txt"),
    labRule: linksAreOurs,
    wants: [notServed],
    because:
      "The path of html.old begins with the path of html, and html.old is another folder. Compare the real path with the path of html and a slash.",
  },
  { about: "a file, after all these", sends: get("/menu.txt"), wants: [theMenu], after: "open" },
];

// ---------------------------------------------------------------------------------- generated requests

/** Names that a server easily takes for other names, and sizes around those of its buffers. */
const contents: Record<string, string | Buffer> = {
  "index.html": page,
  "menu.txt": menu,
  "menu%2Etxt": "not the menu\n",
  "100%.txt": "a percent sign\n",
  "a+b.txt": "a plus\n",
  "a b.txt": "a blank\n",
  "what?.txt": "a question mark\n",
  "你好.html": "你好\n",
  "sub/menu.txt": "below\n",
  "sub/deep/été.txt": "été\n",
  "empty.txt": "",
  "one.bin": "\n",
  "piece.bin": distinctBytes(65_536),
  "more.bin": distinctBytes(65_537),
  "teahouse.png": picture,
};
/** More than the kernel's buffers hold for a client that does not read. */
const lessLarge = distinctBytes(5 * 1024 * 1024 + 12_345);

/** The site that the conversations ask for. */
export const conversationSite: SiteFiles = {
  ...Object.fromEntries(Object.entries(contents).map(([name, content]) => [`html/${name}`, content])),
  "html/large.bin": lessLarge,
  "secret.txt": secret,
  "html.old/secret.txt": secret,
};

/** A name as the path of a URL: what needs it is encoded, and one letter that does not. RFC 3986, 2.1. */
function spelled(name: string, extra: number, small: boolean): string {
  const hex = (byte: number) => {
    const digits = byte.toString(16).padStart(2, "0");
    return `%${small ? digits : digits.toUpperCase()}`;
  };
  const one = (byte: number, i: number) => {
    const char = String.fromCharCode(byte);
    return char === "/" || (i !== extra && /[\w.~-]/.test(char)) ? char : hex(byte);
  };
  return `/${[...Buffer.from(name)].map(one).join("")}`;
}

const hosts = fc.constantFrom(host, "HOST:localhost\r\n", "hOst: \t127.0.0.1:80 \r\n");
const name = fc.constantFrom(...Object.keys(contents));
const target = fc
  .tuple(
    name,
    fc.nat(30),
    fc.boolean(),
    fc.oneof(
      { arbitrary: fc.constant(""), weight: 3 },
      { arbitrary: visibleAscii(0, 12, notInTargets).map(query => `?${query}`), weight: 1 },
    ),
    fc.constantFrom("", "", "", "http://localhost", "/.", "/sub/.."),
  )
  .map(([file, extra, small, query, before]) => ({
    file,
    target: `${before}${spelled(file, extra, small)}${query}`,
  }));

const request = (method: string, to: string, lines: string, version = "HTTP/1.1") =>
  `${method} ${to} ${version}\r\n${lines}\r\n`;

const file: fc.Arbitrary<ClientMessage> = fc
  .tuple(target, hosts, anyFields(3))
  .map(([{ file, target }, host, more]) => ({
    bytes: request("GET", target, host + more),
    wants: { status: 200, body: contents[file]! },
  }));
const head: fc.Arbitrary<ClientMessage> = fc.tuple(target, hosts).map(([{ file, target }, host]) => ({
  bytes: request("HEAD", target, host),
  wants: {
    status: 200,
    to: "HEAD",
    ifThere: { "content-length": `${Buffer.byteLength(contents[file]!)}` },
  },
}));
const large: ClientMessage = { bytes: get("/large.bin"), wants: { status: 200, body: lessLarge } };
/** The end of it is still in the kernel when the server closes: with unread bytes a close would lose that. RFC 9112, 9.6. */
const largeAndLast: ClientMessage = {
  ...large,
  bytes: get("/large.bin", "Connection: close\r\n"),
  after: "close",
};
const missing: fc.Arbitrary<ClientMessage> = fc
  .oneof(
    word(1, 9).map(name => `/x${name}.html`),
    word(1, 9).map(name => `/sub/x${name}.html`),
    fc.constantFrom("/a%2520b.txt", "/sub%252Fmenu.txt", "/%E4%BD%A0.html", "/menu.txt.html", "/menu.tx"),
  )
  .map(to => ({ bytes: get(to), wants: { status: 404 } }));
const folder: fc.Arbitrary<ClientMessage> = fc
  .constantFrom("/sub", "/sub/", "/sub/deep", "/sub/deep/")
  .map(to => ({ bytes: get(to), wants: notServed, after: "any" }));
const outside: fc.Arbitrary<ClientMessage> = fc
  .tuple(
    fc.array(fc.constantFrom("..", "%2e%2e", ".%2E", ".", "sub/..", "..%2f..", "%2e%2e%2f..", "..../"), {
      minLength: 1,
      maxLength: 4,
    }),
    fc.constantFrom("secret.txt", "html.old/secret.txt", "../secret.txt"),
  )
  .map(([ways, goal]) => ({ bytes: get(`/${ways.join("/")}/${goal}`), wants: notServed, after: "any" }));
function wantsOf(method: string, body: string | Buffer): WantedAnswer {
  if (method === "GET") return { status: 200, body };
  return method === "HEAD" ? { status: 200, to: method } : { status: [400, 403, 405, 501] };
}
const closing: fc.Arbitrary<ClientMessage> = fc
  .tuple(
    target,
    fc.constantFrom("Connection: close\r\n", "connection:Close\r\n", "Connection: x, close\r\n", "1.0"),
    fc.constantFrom("GET", "GET", "HEAD", "DELETE", "BREW"),
  )
  .map(([{ file, target }, how, method]) => ({
    bytes: how === "1.0" ? request(method, target, host, "HTTP/1.0") : request(method, target, host + how),
    wants: wantsOf(method, contents[file]!),
    after: "close",
  }));
const wrong: fc.Arbitrary<ClientMessage> = fc
  .constantFrom(
    request("GET", "/menu.txt /b", host),
    "GET HTTP/1.1\r\nHost: a\r\n\r\n",
    request("GET", "/menu.txt", host, "http/1.1"),
    request("GET", "/menu.txt", `${host}X-Tea : green\r\n`),
    request("GET", "/menu.txt", `${host}: green\r\n`),
    request("GET", "/menu.txt", `${host}no colon\r\n`),
    "\x02\x03\x04\xff\r\n\r\n",
  )
  .map(bytes => ({ bytes, wants: { status: 400 }, after: "close" }));
const withoutHost: ClientMessage = {
  bytes: request("GET", "/menu.txt", ""),
  wants: { status: 400 },
  after: "any",
};
const otherMethod: fc.Arbitrary<ClientMessage> = fc
  .constantFrom("DELETE", "PUT", "OPTIONS", "BREW", "get")
  .map(method => ({
    bytes: request(method, "/menu.txt", host),
    wants: {
      status: [200, 204, 400, 403, 405, 411, 501].filter(status => status > 204 || method === "OPTIONS"),
    },
    after: "any",
  }));

/** Any request to `conversationSite`, and its answer: of files, names, methods, and of what is not a request. */
const requests: fc.Arbitrary<ClientMessage> = fc.oneof(
  { arbitrary: file, weight: 8 },
  { arbitrary: head, weight: 2 },
  { arbitrary: missing, weight: 3 },
  { arbitrary: fc.constantFrom(large, large, largeAndLast), weight: 2 },
  { arbitrary: outside, weight: 1 },
  { arbitrary: folder, weight: 1 },
  { arbitrary: closing, weight: 1 },
  { arbitrary: wrong, weight: 2 },
  { arbitrary: otherMethod, weight: 1 },
  { arbitrary: fc.constant(withoutHost), weight: 1 },
);

/** The conversations that every server of files must hold; `conversationSite` has the files. */
export const conversations: Omit<Conversations, "idle"> = {
  says: requests,
  readsLate: true,
  clients: 16,
  openFiles: 8,
  because:
    "Every request gets its own answer, whole and in order, and nothing else. The server keeps nothing of a client that has left.",
};

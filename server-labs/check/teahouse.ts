// A small site, and what strangers ask of it: whoever serves files is asked the same, whether it polls, waits in
// epoll or runs coroutines. A lab's checks say why it matters there; what was sent and wanted stands here once.
import type { Exchange, Wanted } from "./exchange.ts";
import type { Files } from "./site.ts";

/** Octets in which no two places look alike, so that a piece that is lost, doubled or moved is seen. */
export function octets(length: number): Buffer {
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i + 1, 2654435761);
  return Buffer.from(words.buffer, 0, length);
}

export const page = "<h1>The teahouse</h1>\n";
export const menu = "green tea 3\n";
export const picture: Buffer = octets(104_824);

const secret = "this lies outside the document root\n";

/** What lies in the folder in which the server runs. The secrets are beside the document root, and not in it. */
export const files: Files = {
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

/** The same, and things with a name that are no files, or lie elsewhere. */
export const strange: Files = {
  ...files,
  "html/fifo": { fifo: true },
  "html/zero": { link: "/dev/zero" },
  "html/out.txt": { link: "../secret.txt" },
  "html/up": { link: ".." },
};

export const host = "Host: localhost\r\n";
/** A whole request. @param fields more header lines, each with its CRLF */
export const get = (target: string, fields = "", version = "HTTP/1.1"): string =>
  `GET ${target} ${version}\r\n${host}${fields}\r\n`;
export const theMenu: Wanted = { status: 200, body: menu };
export const thePage: Wanted = { status: 200, body: page };
/** Not there, forbidden, or somewhere else: anything but the file. */
export const notServed: Wanted = { status: [301, 302, 307, 308, 400, 403, 404] };

const whole = get("/menu.txt");

/** A request that is cut in many ways. RFC 9112, 2.2. */
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
  { about: "a request, octet by octet", sends: [...whole], wants: [theMenu], after: "open" },
];

/** A request of so many octets, and another behind it. RFC 9112, 3: first lines of 8000 should be taken. */
export const long = (size: number): Exchange => ({
  about: `a request of ${size} octets, then another`,
  sends:
    get("/menu.txt", `Cookie: ${"c".repeat(size - get("/menu.txt", "Cookie: \r\n").length)}\r\n`) + get("/"),
  wants: [theMenu, thePage],
  because:
    "A request may be longer than what one recv(1024) gives; RFC 9112, 3 recommends to take first lines of at least 8000 octets.",
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
];

/** What comes behind an answer whose length is easily miscounted. RFC 9110, 8.6. */
export const lengths: readonly Exchange[] = [
  {
    about: "a file that is not there, then one that is",
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

/** Connections that must be kept, and others that must be closed. RFC 9112, 9.3 and 9.6. */
export const agreements: readonly Exchange[] = [
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
    about: "a request behind one that says close",
    sends: get("/menu.txt", "Connection: close\r\n") + get("/"),
    wants: [theMenu],
    after: "close",
  },
  { about: "HTTP/1.0", sends: get("/menu.txt", "", "HTTP/1.0"), wants: [theMenu], after: "close" },
];

/** Other methods than GET. RFC 9110, 9.1, 9.3.2 and 15.5.6. */
export const methods: readonly Exchange[] = [
  {
    about: "HEAD, then GET",
    sends: `HEAD /menu.txt HTTP/1.1\r\n${host}\r\n${get("/")}`,
    wants: [{ status: 200, to: "HEAD", head: { "content-length": /^12$/ } }, thePage],
    after: "open",
  },
  {
    about: "HEAD of what is not there, then GET",
    sends: `HEAD /nothing.html HTTP/1.1\r\n${host}\r\n${get("/")}`,
    wants: [{ status: 404, to: "HEAD" }, thePage],
    after: "open",
  },
  {
    about: "DELETE",
    sends: `DELETE /menu.txt HTTP/1.1\r\n${host}\r\n`,
    wants: [{ status: [405, 501, 403] }],
    because:
      "Nothing was deleted, so the answer may not be 200: 405 says that this file is not for that (RFC 9110, 15.5.6), 501 that the method is unknown.",
  },
  {
    about: "a method that nobody knows",
    sends: `BREW /menu.txt HTTP/1.1\r\n${host}\r\n`,
    wants: [{ status: [501, 405, 403, 400] }],
    because: "A method that the server does not know is answered with 501 (RFC 9110, 9.1).",
  },
];

/** What is no request, one exchange for each: refused, and the connection closed. */
export function refused(about: string, sends: string, status: readonly number[] = [400]): Exchange {
  return { about, sends, wants: [{ status }], after: "close" };
}

/** RFC 9112, 2.2, 2.3 and 3. */
export const malformed: readonly Exchange[] = [
  refused("two targets", `GET /menu.txt /b HTTP/1.1\r\n${host}\r\n`),
  refused("no target", `GET HTTP/1.1\r\n${host}\r\n`),
  refused("octets that are no text", "\x02\x03\x04\xff\r\n\r\n"),
  refused("a version in small letters", `GET /menu.txt http/1.1\r\n${host}\r\n`),
  refused("HTTP/9.9", `GET /menu.txt HTTP/9.9\r\n${host}\r\n`, [505, 400]),
];

/** RFC 9112, 5 and 5.1. */
export const badFields: readonly Exchange[] = ["X-Tea : green", ": green"].map(line => ({
  about: `the header line "${line}"`,
  sends: get("/menu.txt", `${line}\r\n`),
  wants: [400],
  because:
    "A header line is a name, a colon right behind it, and a value. A space before the colon must be refused: some programs see another name there, others none (RFC 9112, 5.1).",
}));

/** Targets that lead out of the document root, and one that only seems to. RFC 3986, 5.2.4. */
export const climbs: readonly Exchange[] = [
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
  ].map(path => ({ about: path, sends: get(path), wants: [notServed] })),
  { about: "/sub/../menu.txt", sends: get("/sub/../menu.txt"), wants: [theMenu], after: "open" },
];

/** Names as a browser writes them. RFC 3986, 2.1; RFC 9112, 3.2. */
export const names: readonly Exchange[] = [
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
    about: "an octet of 0 in the name",
    sends: get("/menu.txt%00.html"),
    wants: [{ status: [400, 404] }],
  },
  { about: "octets that are no UTF-8", sends: get("/%ff%fe"), wants: [{ status: [400, 404] }] },
  { about: "a % without digits", sends: get("/%zz"), wants: [{ status: [400, 404] }] },
  {
    about: "an http URL as target",
    sends: get("http://localhost/menu.txt"),
    wants: [theMenu],
    because: "A server must accept a whole URL in place of the path (RFC 9112, 3.2.2).",
  },
];

/** What has a name in the folder, and is no file of it. Needs the files of `strange`. */
export const noFiles: readonly Exchange[] = [
  { about: "a folder", sends: get("/sub"), wants: [notServed] },
  {
    about: "a FIFO that nobody writes to",
    sends: get("/fifo"),
    wants: [notServed],
    because:
      "open() of a FIFO waits for somebody who writes into it (fifo(7)): one request, and the server is gone for everybody.",
    see: "mkfifo html/fifo; curl --max-time 2 http://127.0.0.1:{port}/fifo; curl --max-time 2 http://127.0.0.1:{port}/menu.txt; rm html/fifo",
  },
  { about: "a device", sends: get("/zero"), wants: [notServed] },
  { about: "a link to a file outside", sends: get("/out.txt"), wants: [notServed] },
  { about: "a file behind a link to a folder outside", sends: get("/up/secret.txt"), wants: [notServed] },
  { about: "a file after all that", sends: get("/menu.txt"), wants: [theMenu], after: "open" },
];

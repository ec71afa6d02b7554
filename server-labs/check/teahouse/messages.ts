// Where a request begins and ends, and where its answer does, however the octets come: the framing of HTTP/1.1, RFC 9112;
// and what is no request at all.
import type { Exchange } from "../exchange.ts";
import { get, host, picture, theMenu, thePage } from "./site.ts";

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

// A web server for files that you can leave running: one process, one epoll, level-triggered.
//
// Read it from top to bottom: the functions are in the order in which a connection lives. The server accepts it and
// reads bytes; it parses them into lines, a head and perhaps a body; it maps the target to a file, sends the answer,
// and sends the rest when the kernel has room again; then it reads the next request, or lingers and closes.
// Two rules hold everywhere: all that a client can make grow has a limit, and all that it can prolong has a deadline.
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readlinkSync,
  readSync,
  realpathSync,
  type Stats,
  statSync,
} from "node:fs";
import {
  EPOLLIN,
  EPOLLOUT,
  Epoll,
  IPPROTO_TCP,
  SO_LINGER,
  SO_RCVBUF,
  SO_REUSEADDR,
  SO_SNDBUF,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  Socket,
  SyscallError,
  TCP_NODELAY,
} from "workbook/net";

// #region limits
const KiB = 1024;
const limits = {
  /** RFC 9112 3 recommends at least 8000 bytes. */
  requestLine: 8 * KiB,
  /** A whole head, together with the trailer after a chunked body: bytes, and lines. */
  head: 24 * KiB,
  lines: 100,
  /** The server reads a body only to find where the next request begins, so it reads no long one. */
  body: 1024 * KiB,
  chunkLine: 256,
  /** Answers to pipelined requests that wait for a client that does not read. Here the server stops reading from it. */
  output: 64 * KiB,
  /** A client's shares of one turn. After its share a client waits until all others have had theirs. */
  receive: 64 * KiB,
  send: 128 * KiB,
  requests: 32,
  accepts: 64,
  /** The kernel's own buffers, each way and for each client: they are the cost of a client that does not read. */
  kernelBuffer: 128 * KiB,
  /** A file up to this size stays in memory for a moment, with at most so many others; a larger one is streamed. */
  cachedFile: 64 * KiB,
  documents: 250,
  /** Descriptors kept in reserve, so that connected clients get files even when no other client can connect. */
  spares: 4,
};

/** The longest time of a connection in one phase, in milliseconds. Only `send` begins anew with each byte sent. */
const patience = { idle: 30_000, head: 5_000, body: 8_000, send: 10_000, linger: 1_000 };
/** Idle clients must make room sooner while a client waits in the accept queue because no descriptor is free. */
const crowdedIdleMs = 1_000;
/** The longest delay until a deadline is noticed. */
const sweepMs = 250;
// #endregion limits

// #region connection
class Connection {
  readonly socket: Socket;
  /** What epoll watches it for: the server reads from a client or sends to it, never both at once. */
  watched = EPOLLIN;
  /** What the server waits for, and until when. "busy": the client waits for the server. */
  phase: keyof typeof patience | "busy" | "gone" = "busy";
  deadline = 0;
  /** Bytes that have arrived; those from `at` on are not parsed yet. */
  input: Buffer = nothing;
  at = 0;
  /** More bytes must arrive before the server can parse on. */
  hungry = true;
  /** The request that is arriving. */
  request: Request | null = null;
  /** Bytes that the kernel has not taken yet, and after them the rest of a file. */
  output: Buffer = nothing;
  file: { document: Document; from: number } | null = null;
  /** The kernel had no room for all of `output`. */
  blocked = false;
  /** The answer in `output` is the last. */
  closing = false;

  constructor(socket: Socket) {
    this.socket = socket;
  }
}

const nothing: Buffer = Buffer.alloc(0);
const connections = new Map<number, Connection>();
/** Connections with work that no event reports: requests in `input`, or more of a file to send. */
let again = new Set<Connection>();
/** Sockets to be closed at the end of the turn, see `drop`. */
const dropped: Socket[] = [];
/** The clocks are read once in each turn: a monotonic one for deadlines, the wall clock for Date. */
let now = 0;
let dateSecond = 0;
let date = "";
let nextSweep = 0;
// #endregion connection

// #region listen
const epoll = new Epoll();
const listener = new Socket();
/** Whether epoll watches the listener; not while no descriptor is free. */
let accepting = true;
let crowded = false;

function listen(port: number): void {
  listener.setBlocking(false);
  listener.setOption(SOL_SOCKET, SO_REUSEADDR, true);
  // Accepted sockets inherit these. A small last segment must not wait for the acknowledgement of the one before it.
  listener.setOption(IPPROTO_TCP, TCP_NODELAY, true);
  listener.setOption(SOL_SOCKET, SO_SNDBUF, limits.kernelBuffer);
  listener.setOption(SOL_SOCKET, SO_RCVBUF, limits.kernelBuffer);
  listener.bind({ host: "127.0.0.1", port });
  listener.listen();
  epoll.register(listener, EPOLLIN);
}
// #endregion listen

// #region turn
/** The loop. It sleeps in epoll.poll until a descriptor is ready, or the next deadline may have passed. */
function run(): never {
  while (true) {
    const ready = epoll.poll(timeToSleep());
    readClocks();
    const waiting = again;
    if (waiting.size > 0) again = new Set();
    for (const { fd } of ready) {
      if (fd === listener.fd) acceptAll();
      else attend(connections.get(fd), waiting);
    }
    for (const c of waiting) guard(c, proceed);
    if (now >= nextSweep) sweep();
    closeDropped();
  }
}

function timeToSleep(): number {
  if (again.size > 0) return 0;
  return connections.size === 0 && accepting ? -1 : Math.max(0, nextSweep - performance.now());
}

function readClocks(): void {
  now = performance.now();
  const second = Math.floor(Date.now() / 1000);
  if (second === dateSecond) return;
  dateSecond = second;
  date = new Date(second * 1000).toUTCString(); // which is the IMF-fixdate of RFC 9110 5.6.7
  forgetDocuments(); // their answers contain the old date
}

/**
 * Handles an event of this client, without its mask: epoll watches for one thing at a time, and the next recv() or
 * send() reports an error or a hang-up exactly.
 */
function attend(c: Connection | undefined, waiting: Set<Connection>): void {
  if (c === undefined) return; // dropped earlier in this turn
  if (waiting.size > 0 && waiting.has(c)) return; // parse first what is there, or `input` has no limit
  guard(c, c.blocked ? proceed : receive);
}

/** An error of one client ends this client, and no other. */
function guard(c: Connection, step: (c: Connection) => void): void {
  try {
    if (c.phase !== "gone") step(c);
  } catch (error) {
    if (!(error instanceof SyscallError)) console.error(error); // a mistake in this program: print it, and go on
    drop(c);
  }
}
// #endregion turn

// #region accept
function acceptAll(): void {
  try {
    for (let i = 0; i < limits.accepts; i++) {
      const arrival = listener.accept(SOCK_NONBLOCK);
      if (arrival === null) {
        crowded = false;
        return;
      }
      const c = new Connection(arrival.client);
      connections.set(arrival.client.fd, c);
      enter(c, "idle");
      guard(c, () => epoll.register(c.socket, c.watched));
    }
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    if (error.code === "ECONNABORTED") return; // this client has left; the next turn accepts the others
    // EMFILE, most likely. The listener stays ready, and accept() would fail in each turn: so do not watch it. The
    // clients in the queue wait until another client leaves.
    if (!crowded) console.log(`cannot accept for now: ${error.message}`);
    crowded = true;
    watchListener(false);
  }
}

function watchListener(watch: boolean): void {
  if (watch === accepting) return;
  epoll.modify(listener, watch ? EPOLLIN : 0);
  accepting = watch;
  nextSweep = Math.min(nextSweep, now + sweepMs);
}
// #endregion accept

// #region receive
/** All clients' bytes arrive here. Only those that cannot be parsed yet are copied: an idle client has no buffer. */
const arrivals = Buffer.allocUnsafeSlow(limits.receive);

function receive(c: Connection): void {
  const got = c.socket.recvInto(arrivals);
  // The end of the stream. A client that has ended only its sending side has all its answers by now: the server reads
  // nothing while it has something to answer or to send.
  if (got === 0) drop(c);
  if (got === null || got === 0 || c.phase === "linger") return;
  const fresh = arrivals.subarray(0, got);
  c.input = c.input.length === 0 ? fresh : Buffer.concat([c.input, fresh]);
  c.hungry = false;
  proceed(c);
}

/** One client's share of the turn: all that can be done for it now without waiting. */
function proceed(c: Connection): void {
  if (!hasOutput(c)) converse(c);
  if (hasOutput(c)) send(c);
  settle(c);
}

/** Parses requests in their order, and answers each, until there is enough to send. */
function converse(c: Connection): void {
  try {
    for (let i = 0; i < limits.requests && !c.hungry && !c.closing; i++) {
      if (c.file !== null || c.output.length >= limits.output) return;
      if (hear(c)) answer(c, c.request!);
      else c.hungry = true;
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refuse(c, error);
  }
}

/** Decides what the server waits for now, and how long. */
function settle(c: Connection): void {
  if (c.phase === "linger" || c.phase === "gone") return;
  keepRest(c);
  if (c.blocked) watch(c, EPOLLOUT);
  else if (hasOutput(c) || (!c.closing && !c.hungry)) again.add(c);
  else if (c.closing) linger(c);
  else {
    watch(c, EPOLLIN);
    enter(c, phaseOf(c));
  }
}

function phaseOf({ input, request }: Connection): keyof typeof patience {
  if (request === null) return input.length > 0 ? "head" : "idle";
  return request.part === "fields" ? "head" : "body";
}

/** Drops the bytes that are parsed: or a client that always sends half a request more makes `input` grow for ever. */
function keepRest(c: Connection): void {
  if (c.at === c.input.length) c.input = nothing;
  else if (c.at > 0 || c.input.buffer === arrivals.buffer) c.input = Buffer.from(c.input.subarray(c.at));
  c.at = 0;
}

/** Calls epoll only for a change: most answers are sent whole, and cost no call here. */
function watch(c: Connection, events: number): void {
  if (c.watched === events) return;
  epoll.modify(c.socket, events);
  c.watched = events;
}

/** The deadline is set when a phase begins, and not with each byte: so slow bytes do not move it. */
function enter(c: Connection, phase: keyof typeof patience): void {
  if (c.phase === phase) return;
  c.phase = phase;
  c.deadline = now + patience[phase];
  if (c.deadline < nextSweep) nextSweep = c.deadline;
}
// #endregion receive

// #region line
/** An answer, and the end: after such a request the server cannot know where the next one begins. */
class Refusal extends Error {
  readonly status: string;
  constructor(status: string, sentence: string) {
    super(sentence);
    this.status = status;
  }
}

function bad(sentence: string): Refusal {
  return new Refusal("400 Bad Request", sentence);
}

const loneLF = bad("A line ends with LF alone instead of CR LF.");
const CR = 13;
const LF = 10;

/**
 * The next line, without its CRLF; null while it has not arrived.
 *
 * The search is among bytes. Only a whole line becomes text, one character for each byte (latin1): a decoder knows
 * other line ends, and fails on bytes that are not UTF-8. Some programs take a lone LF for a line end and others do
 * not, which makes request smuggling possible: RFC 9112 2.2 allows to refuse it.
 */
function takeLine(c: Connection, most: number, tooLong: Refusal): string | null {
  const end = c.input.indexOf(LF, c.at);
  const length = (end === -1 ? c.input.length : end) - c.at;
  if (length > most + 1) throw tooLong; // + 1: its CR
  if (end === -1) return null;
  if (length === 0 || c.input[end - 1] !== CR) throw loneLF;
  const line = c.input.toString("latin1", c.at, end - 1);
  c.at = end + 1;
  return line;
}
// #endregion line

// #region head
class Request {
  readonly method: string;
  readonly target: string;
  readonly major: number;
  readonly minor: number;
  /** epoll has reported its first byte: it had begun to arrive when this turn began. See `find`. */
  readonly announced: boolean;
  /** What must arrive next. */
  part: "fields" | "body" | "size" | "chunk" | "end of chunk" | "trailer" = "fields";
  /** Values by their names in lower case. Lines with one name are one list: RFC 9110 5.3. */
  readonly fields = new Map<string, string>();
  /** Lines and bytes of the head (and trailer) so far. */
  lines = 0;
  bytes: number;
  /** Bytes of the body, or of the chunk, still to come. */
  left = 0;
  /** Bytes of a chunked body so far. */
  body = 0;

  constructor(line: string, announced: boolean) {
    const found = requestLine.exec(line);
    if (found === null)
      throw bad("The first line is not a method, a target and an HTTP version, with a space between.");
    this.method = found[1]!;
    this.target = found[2]!;
    this.major = Number(found[3]);
    this.minor = Number(found[4]);
    this.announced = announced;
    this.bytes = line.length + 2;
  }
}

const requestLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e]+) HTTP\/(\d)\.(\d)$/;
const longTarget = new Refusal(
  "414 URI Too Long",
  `The first line is longer than ${limits.requestLine} bytes.`,
);
const longHead = new Refusal(
  "431 Request Header Fields Too Large",
  `More than ${limits.lines} header lines, or too many bytes of them.`,
);

/**
 * Parses what has arrived, part by part, until a request is whole. The server answers only then: RFC 9110 5.3 forbids
 * to act on half a head, and the next request begins after the body. @returns false if more bytes are needed
 */
function hear(c: Connection): boolean {
  while (true) {
    const { request } = c;
    if (request === null) {
      const announced = c.at === 0;
      const line = takeLine(c, limits.requestLine, longTarget);
      if (line === null) return false;
      // Some clients send a CRLF too many after a body: RFC 9112 2.2 lets a server ignore it.
      if (line !== "") c.request = new Request(line, announced);
    } else if (request.part === "fields" || request.part === "trailer") {
      const line = takeLine(c, limits.head - request.bytes, longHead);
      if (line === null) return false;
      if (line !== "") hearField(request, line);
      else if (request.part === "trailer") return true;
      else expectBody(c, request);
    } else if (request.part === "size") {
      const line = takeLine(c, limits.chunkLine, longChunkLine);
      if (line === null) return false;
      hearChunkSize(request, line);
    } else if (request.part === "end of chunk") {
      if (takeLine(c, 0, longChunk) === null) return false;
      request.part = "size";
    } else {
      if (!skipData(c, request)) return false;
      if (request.part === "body") return true;
      request.part = "end of chunk";
    }
  }
}

const fieldLine = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Parses one line of a header or trailer section. It checks every line, also those that the server does not use: for a
 * space before the colon or at the beginning (obs-fold), a control character, a lone CR or LF: RFC 9112 5.
 */
function hearField(request: Request, line: string): void {
  request.bytes += line.length + 2;
  if (++request.lines > limits.lines) throw longHead;
  if (!fieldLine.test(line))
    throw bad("A header line is not a name, a colon and a value without control characters.");
  if (request.part === "trailer") return; // the server uses no trailer field
  const colon = line.indexOf(":");
  const name = line.slice(0, colon).toLowerCase();
  const value = trim(line.slice(colon + 1));
  const before = request.fields.get(name);
  request.fields.set(name, before === undefined ? value : `${before}, ${value}`);
}

/**
 * Without the spaces and tabs at both ends. String.trim also removes \xa0, and a regular expression such as /[ \t]+$/
 * begins anew at each of ten thousand spaces.
 */
function trim(value: string): string {
  let from = 0;
  let to = value.length;
  while (from < to && (value[from] === " " || value[from] === "\t")) from++;
  while (to > from && (value[to - 1] === " " || value[to - 1] === "\t")) to--;
  return value.slice(from, to);
}

/** The members of a list; empty ones do not count: RFC 9110 5.6.1. */
function listOf(value: string | undefined): string[] {
  return value === undefined ? [] : value.split(",").map(trim).filter(Boolean);
}
// #endregion head

// #region body
const hostRule = /^(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._~!$&'()*+,;=%-]*)(:\d*)?$/;
const largeBody = new Refusal("413 Content Too Large", `The body is larger than ${limits.body} bytes.`);

/**
 * Judges a whole head, and finds the length of its body: RFC 9112 3.2 and 6.3. Two Hosts, or two lengths, are a list,
 * which is not a host and not a number.
 */
function expectBody(c: Connection, request: Request): void {
  const { fields, major, minor } = request;
  if (major !== 1) throw new Refusal("505 HTTP Version Not Supported", "This server speaks HTTP/1.1.");
  const host = fields.get("host");
  if (host === undefined && minor > 0) throw bad("HTTP/1.1 asks for a Host.");
  if (host !== undefined && !hostRule.test(host))
    throw bad("Host is not one name or address, and perhaps a port.");
  const coding = fields.get("transfer-encoding");
  const length = fields.get("content-length");
  // Digits and nothing else: "+5", "0x5", "5, 5" are different numbers for different programs.
  if (length !== undefined && !/^\d+$/.test(length)) throw bad("Content-Length is not one number.");
  if (length !== undefined && coding !== undefined)
    throw bad("Transfer-Encoding and Content-Length: which is it?");
  request.left = Number(length ?? 0);
  if (request.left > limits.body) throw largeBody;
  request.part = coding === undefined ? "body" : "size";
  if (coding !== undefined) checkCoding(minor, listOf(coding.toLowerCase()));
  const expected = fields.get("expect");
  if (expected === undefined || minor === 0) return; // HTTP/1.0 knows no 100
  if (expected.toLowerCase() !== "100-continue")
    throw new Refusal("417 Expectation Failed", "Expect knows 100-continue only.");
  const awaited = request.left > 0 || coding !== undefined;
  if (awaited && c.at === c.input.length) append(c, joined("HTTP/1.1 100 Continue\r\n\r\n"));
}

function checkCoding(minor: number, codings: string[]): void {
  if (minor === 0) throw bad("HTTP/1.0 has no Transfer-Encoding.");
  if (codings.length === 0 || codings.indexOf("chunked") !== codings.length - 1)
    throw bad("Transfer-Encoding must end with chunked.");
  if (codings.length > 1)
    throw new Refusal("501 Not Implemented", "No transfer coding but chunked is understood.");
}

/** Skips data of known length. @returns whether all of it has come */
function skipData(c: Connection, request: Request): boolean {
  const taken = Math.min(request.left, c.input.length - c.at);
  c.at += taken;
  request.left -= taken;
  return request.left === 0;
}

const longChunk = bad("A chunk is longer than its size says.");
const longChunkLine = bad(`The line with a chunk's size is longer than ${limits.chunkLine} bytes.`);

/** Size, data, CRLF, size, data, CRLF, … size 0, trailer, empty line: RFC 9112 7.1. */
function hearChunkSize(request: Request, line: string): void {
  const found = /^([0-9A-Fa-f]+)([ \t]*;[\t\x20-\x7e\x80-\xff]*)?$/.exec(line);
  if (found === null) throw bad("A chunk does not begin with its size in hexadecimal digits.");
  request.left = Number.parseInt(found[1]!, 16);
  request.part = request.left === 0 ? "trailer" : "chunk";
  // The size lines count, too: a megabyte in chunks of one byte is six megabytes to read.
  request.body += request.left + line.length + 4;
  if (request.body > limits.body) throw largeBody;
}
// #endregion body

// #region answer
const otherMethods = new Set(["POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT"]);
const allow = "Allow: GET, HEAD, OPTIONS\r\n";

/** Answers one whole request. */
function answer(c: Connection, request: Request): void {
  const { fields, method, minor } = request;
  const options = listOf(fields.get("connection")?.toLowerCase());
  c.closing = options.includes("close") || (minor === 0 && !options.includes("keep-alive"));
  if (method === "GET" || method === "HEAD") answerFile(c, request);
  else if (method === "OPTIONS") reply(c, "200 OK", "", allow);
  else if (otherMethods.has(method))
    reply(c, "405 Method Not Allowed", "Files can be read here, no more.", allow);
  else reply(c, "501 Not Implemented", `This server does not know ${method.slice(0, 32)}.`);
  c.request = null;
  c.phase = "busy";
}

function answerFile(c: Connection, request: Request): void {
  try {
    const document = find(request);
    if (document === null) {
      reply(c, "301 Moved Permanently", "", `Location: ${withSlash(request.target)}\r\n`);
      return;
    }
    document.holders++;
    replyDocument(c, request, document);
    release(document);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    replyError(c, error as NodeJS.ErrnoException);
  }
}

const noFile = Object.assign(new Error("no such document"), { code: "ENOENT" });

function replyError(c: Connection, error: NodeJS.ErrnoException): void {
  const code = error.code ?? "";
  if (["ENOENT", "ENOTDIR", "ENAMETOOLONG", "ELOOP"].includes(code)) {
    reply(c, "404 Not Found", "file not found, 请输入正确的url");
  } else if (code === "EACCES") {
    reply(c, "403 Forbidden", "This file may not be read.");
  } else if (code === "EMFILE" || code === "ENFILE") {
    c.closing = true; // which gives a descriptor back
    reply(c, "503 Service Unavailable", "Too many files are open.", "Retry-After: 1\r\n");
  } else {
    console.error(error);
    reply(c, "500 Internal Server Error", "The file could not be read.");
  }
}
// #endregion answer

// #region target
/** The path of the file that this target names. */
function pathOf(target: string): string {
  const names = resolve(parseTarget(target).path);
  return `${root}/${names.join("/")}${names.at(-1) === "" ? "index.html" : ""}`;
}

/** The address, with a slash at its end, of the folder that this target names. */
function withSlash(target: string): string {
  const { path, query } = parseTarget(target);
  const names = resolve(path);
  if (names.at(-1) === "") throw noFile; // it has the slash: a folder by the name of index.html
  // Encoded again: so no CR LF gets into the head, and no "//host" becomes the address of another server.
  return `/${names.map(encodeURIComponent).join("/")}/${query}`;
}

/** Of the four forms of RFC 9112 3.2 two name a file: "/path?query", and the same after "http://host". */
function parseTarget(target: string): { path: string; query: string } {
  const absolute = /^http:\/\/([^/?:][^/?]*)(.*)$/i.exec(target);
  if (absolute !== null && !hostRule.test(absolute[1]!)) throw bad("The target names no host.");
  const local = absolute === null ? target : absolute[2]!.replace(/^(?!\/)/, "/");
  if (local[0] !== "/" || local.includes("#")) throw bad("The target is no path and no http URL.");
  const question = local.indexOf("?");
  if (question === -1) return { path: local, query: "" };
  return { path: local.slice(0, question), query: local.slice(question) };
}

/**
 * The names on the way from the root to the file; the last is "" for a folder.
 *
 * Cut at slashes, then decode, then remove dots, each once: %2e%2e is "..", %2f is part of a name (which no file can
 * have), %252e is the name "%2e". Above the root is the root: RFC 3986 5.2.4.
 */
function resolve(path: string): string[] {
  const names: string[] = [];
  let name = "";
  for (const segment of path.split("/")) {
    name = segment.includes("%") ? decode(segment) : segment;
    if (name === "..") names.pop();
    else if (name !== "." && name !== "") names.push(name);
  }
  if (name === "" || name === "." || name === "..") names.push("");
  return names;
}

function decode(segment: string): string {
  let name: string;
  try {
    name = decodeURIComponent(segment);
  } catch {
    throw bad("The target is not UTF-8 in percent-encoding.");
  }
  if (/[/\0]/.test(name)) throw noFile;
  return name;
}
// #endregion target

// #region document
/** One version of a file. A changed file is a new Document; a client that is receiving the old one keeps that. */
class Document {
  readonly target: string;
  readonly path: string;
  readonly stat: Stats;
  readonly fields: string;
  readonly etag: string;
  /** The content of a small file, */
  bytes: Buffer | null = null;
  /** or the descriptor of a large one, shared by all clients that are receiving it. */
  fd = -1;
  holders = 0;
  /** The turn in which it was last compared with the file. */
  seenAt = now;
  /** The whole answer to the common request, head and body in one. */
  reply: Buffer | null = null;

  constructor(target: string, path: string, stat: Stats) {
    this.target = target;
    this.path = path;
    this.stat = stat;
    this.etag = `"${stat.ino.toString(36)}-${stat.size.toString(36)}-${Math.round(stat.ctimeMs * 1000).toString(36)}"`;
    const type = types[/\.(\w+)$/.exec(path)?.[1]?.toLowerCase() ?? ""] ?? "application/octet-stream";
    this.fields = `Content-Type: ${type}\r\n${settled(stat) ? `ETag: ${this.etag}\r\n` : ""}`;
  }
}

const types: Record<string, string> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  jpg: "image/jpeg",
  js: "text/javascript; charset=utf-8",
  json: "application/json",
  mp4: "video/mp4",
  pdf: "application/pdf",
  png: "image/png",
  svg: "image/svg+xml",
  txt: "text/plain; charset=utf-8",
  webp: "image/webp",
  woff2: "font/woff2",
};

let root = "";
/** Documents by their targets, each for at most a second: see `forgetDocuments`. */
const documents = new Map<string, Document>();

/**
 * The document that a request asks for; null: it is a folder.
 *
 * It calls stat() for each request, so that an edited file is served edited at once. With one exception: in a busy
 * turn a hundred clients ask for one file, and one stat() is enough for all requests that had begun to arrive before
 * it. It is not enough for a request that came later: its client may have edited the file just before.
 */
function find(request: Request): Document | null {
  const { target } = request;
  const known = documents.get(target);
  if (known !== undefined && known.seenAt === now && request.announced) return known;
  const path = known?.path ?? pathOf(target);
  const stat = statSync(path); // follows links, and compares the inode behind them
  if (known !== undefined && sameVersion(known.stat, stat)) {
    known.seenAt = now;
    return known;
  }
  documents.delete(target);
  if (stat.isDirectory() && inside(realpathSync(path))) return null;
  // Opening a FIFO can wait for ever, and opening a device can do anything: neither is a document.
  if (!stat.isFile()) throw noFile;
  return load(target, path);
}

/** Whether a path without links is the root or below it. */
function inside(path: string): boolean {
  return `${path}/`.startsWith(`${root}/`);
}

/** No program can set the time of change (ctime), as it can the time of modification. */
function sameVersion(a: Stats, b: Stats): boolean {
  return a.ctimeMs === b.ctimeMs && a.size === b.size && a.ino === b.ino && a.dev === b.dev;
}

/** Time stamps are coarse: a file that changed a moment ago can change again without a new stamp. */
function settled(stat: Stats): boolean {
  return Date.now() - stat.ctimeMs > 1000;
}

function load(target: string, path: string): Document {
  const fd = openFile(path);
  let keep = false;
  try {
    const stat = fstatSync(fd);
    // The path of the descriptor, not of the name: it is right even if another program changes a link meanwhile.
    const real = readlinkSync(`/proc/self/fd/${fd}`);
    if (!stat.isFile() || !inside(real)) throw noFile;
    const document = new Document(target, path, stat);
    keep = stat.size > limits.cachedFile;
    if (keep) document.fd = fd;
    else document.bytes = readAll(fd, stat.size);
    if (keep || settled(stat)) {
      if (documents.size >= limits.documents) forgetDocuments();
      documents.set(target, document);
    }
    return document;
  } finally {
    if (!keep) closeFile(fd);
  }
}

/** The content; less than `size` if the file has become shorter a moment ago. */
function readAll(fd: number, size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  let length = 0;
  for (let got = -1; got !== 0 && length < size; length += got)
    got = readSync(fd, bytes, length, size - length, length);
  return bytes.subarray(0, length);
}

/**
 * Empties the cache, every second and when it is full: so short a cache needs no other rule. It also limits what stat()
 * cannot see: a folder that was moved out of the root, with a link in its place. A document that is being sent stays.
 */
function forgetDocuments(): void {
  for (const document of documents.values()) if (document.holders === 0) documents.delete(document.target);
}

/** One holder less; after the last one it closes a large file. */
function release(document: Document): void {
  if (--document.holders > 0 || document.fd === -1) return;
  if (documents.get(document.target) === document) documents.delete(document.target);
  closeFile(document.fd);
}

/** Descriptors in reserve, for files, when clients have taken all others. */
const spares: number[] = [];

function openFile(path: string): number {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
  try {
    return openSync(path, flags);
  } catch (error) {
    const spare = (error as NodeJS.ErrnoException).code === "EMFILE" ? spares.pop() : undefined;
    if (spare === undefined) throw error;
    closeSync(spare);
    return openSync(path, flags);
  }
}

/** A spare gets the number that becomes free, so this open does not fail. */
function closeFile(fd: number): void {
  closeSync(fd);
  if (spares.length < limits.spares) holdSpare();
}

function holdSpare(): void {
  spares.push(openSync("/dev/null", constants.O_RDONLY));
}
// #endregion document

// #region reply
/** Answers with a document, or with 304 if the client has this version already: RFC 9110 13. */
function replyDocument(c: Connection, request: Request, document: Document): void {
  const { method, minor } = request;
  const { bytes, etag, fields, stat } = document;
  const ifMatch = request.fields.get("if-match");
  const ifNoneMatch = listOf(request.fields.get("if-none-match"));
  if (ifMatch !== undefined && !listOf(ifMatch).some(tag => tag === "*" || tag === etag)) {
    reply(c, "412 Precondition Failed", "This is another version of the file.");
  } else if (ifNoneMatch.some(tag => tag === "*" || tag.replace(/^W\//, "") === etag)) {
    append(c, joined(headOf(c, "304 Not Modified", fields)));
  } else if (bytes !== null && method === "GET" && minor > 0 && !c.closing) {
    document.reply ??= joined(headOf(c, "200 OK", fields, bytes.length), bytes);
    append(c, document.reply);
  } else {
    const head = headOf(c, "200 OK", fields, bytes?.length ?? stat.size);
    append(c, joined(head, method === "GET" && bytes !== null ? bytes : nothing));
    if (method !== "GET" || bytes !== null) return;
    c.file = { document, from: 0 };
    document.holders++;
  }
}

/** Answers with a sentence, or without a body. Its length is its bytes: 正确 is two characters, and six bytes. */
function reply(c: Connection, status: string, sentence: string, fields = ""): void {
  const body = Buffer.from(sentence === "" ? "" : `${sentence}\n`);
  const type = sentence === "" ? "" : "Content-Type: text/plain; charset=utf-8\r\n";
  // An answer to HEAD has no body, also if it is an error; even if the first line never ended.
  const method = c.request?.method ?? c.input.toString("latin1", c.at, c.at + 4);
  append(c, joined(headOf(c, status, fields + type, body.length), method === "HEAD" ? nothing : body));
}

function refuse(c: Connection, { status, message }: Refusal): void {
  c.closing = true;
  reply(c, status, message);
  c.request = null;
}

function headOf(c: Connection, status: string, fields: string, length?: number): string {
  const length_ = length === undefined ? "" : `Content-Length: ${length}\r\n`;
  // A client of HTTP/1.0 that asked for keep-alive must be told that the connection stays open.
  const kept = c.request?.minor === 0 ? "Connection: keep-alive\r\n" : "";
  return `HTTP/1.1 ${status}\r\nDate: ${date}\r\n${fields}${length_}${c.closing ? "Connection: close\r\n" : kept}\r\n`;
}

/** Head and body in one buffer, for one send: a second one could wait for an acknowledgement of the first. */
function joined(head: string, body: Buffer = nothing): Buffer {
  const bytes = Buffer.allocUnsafe(head.length + body.length);
  bytes.write(head, "latin1");
  body.copy(bytes, head.length);
  return bytes;
}

function append(c: Connection, bytes: Buffer): void {
  c.output = c.output.length === 0 ? bytes : Buffer.concat([c.output, bytes]);
}
// #endregion reply

// #region send
function hasOutput(c: Connection): boolean {
  return c.output.length > 0 || c.file !== null;
}

/** One send. The bytes that the kernel has no room for stay in `output`, and EPOLLOUT reports new room. */
function send(c: Connection): void {
  const bytes = c.file === null ? c.output : gather(c, c.file);
  if (bytes.length === 0) {
    drop(c); // the file has become shorter than the head promised: in HTTP a broken connection says so
    return;
  }
  const sent = c.socket.send(bytes) ?? 0;
  if (sent > 0) c.phase = "busy"; // bytes moved: the deadline begins anew
  c.blocked = sent < bytes.length;
  if (c.blocked) enter(c, "send");
  const ofOutput = Math.min(sent, c.output.length);
  c.output = ofOutput === c.output.length ? nothing : c.output.subarray(ofOutput);
  if (c.file === null) return;
  c.file.from += sent - ofOutput;
  if (c.file.from < c.file.document.stat.size) return;
  release(c.file.document);
  c.file = null;
}

/** All files pass through here. Bytes that the kernel does not take are read again: a slow reader has no buffer. */
const passage = Buffer.allocUnsafeSlow(limits.output + limits.send);

/** The waiting bytes, and after them a piece of the file. */
function gather(c: Connection, { document, from }: { document: Document; from: number }): Buffer {
  const start = c.output.copy(passage);
  const wanted = Math.min(limits.send, passage.length - start, document.stat.size - from);
  return passage.subarray(0, start + (wanted > 0 ? readSync(document.fd, passage, start, wanted, from) : 0));
}
// #endregion send

// #region close
/**
 * The last answer is sent. A close() with unread bytes in the socket would reset the connection, and a reset can
 * destroy the answer. So end the sending side, and go on reading for a moment: RFC 9112 9.6.
 */
function linger(c: Connection): void {
  c.socket.shutdown("write");
  c.input = nothing;
  c.at = 0;
  watch(c, EPOLLIN);
  enter(c, "linger");
}

/**
 * Forgets a client. Its socket is closed after all events of this turn: if it were closed now, a new client could get
 * its number at once, and with it an event of the old client.
 */
function drop(c: Connection): void {
  if (c.phase === "gone") return;
  c.phase = "gone";
  connections.delete(c.socket.fd);
  again.delete(c);
  if (c.file !== null) release(c.file.document);
  c.file = null;
  dropped.push(c.socket);
}

function closeDropped(): void {
  if (dropped.length === 0) return;
  for (const socket of dropped) socket.close(); // which removes it from epoll's interest list: no other process has it open
  dropped.length = 0;
  watchListener(true);
}
// #endregion close

// #region sweep
/** Finds the connections whose deadline has passed: one walk when the first may be due, instead of many timers. */
function sweep(): void {
  readClocks(); // a turn of its own: no event has reported what it receives
  let next = Number.POSITIVE_INFINITY;
  for (const c of connections.values()) {
    if (c.phase !== "busy" && dueAt(c) <= now) guard(c, expire);
    if (c.phase !== "busy" && c.phase !== "gone") next = Math.min(next, dueAt(c));
  }
  nextSweep = Math.max(next, now + sweepMs);
  watchListener(true); // a descriptor may be free by now; if not, accept() fails again
}

function dueAt({ phase, deadline }: Connection): number {
  return phase === "idle" && !accepting ? deadline - patience.idle + crowdedIdleMs : deadline;
}

function expire(c: Connection): void {
  const { phase } = c;
  // The server may be late: the process was stopped, and more clients are ready than one poll reports.
  if (phase !== "send") receive(c);
  if (c.phase !== phase || dueAt(c) > now) return;
  if (phase === "head" || phase === "body") {
    refuse(c, new Refusal("408 Request Timeout", "The request took too long to arrive."));
    proceed(c);
  } else {
    // A client that does not read holds kernel memory even after close(). With this option close() resets and frees it.
    if (phase === "send") c.socket.setOption(SOL_SOCKET, SO_LINGER, new Int32Array([1, 0]));
    drop(c);
  }
}
// #endregion sweep

/** The document root, without links in its path: each served file must be below it. */
function findRoot(): string {
  try {
    return realpathSync("./html");
  } catch (error) {
    console.error(`There is nothing to serve: ${(error as Error).message}.`);
    console.error("Start this server in the folder that holds html/, or make one: mkdir html");
    process.exit(1);
  }
}

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  // #region start
  root = findRoot();
  for (let i = 0; i < limits.spares; i++) holdSpare();
  listen(port);
  console.log(`serving ${root} at http://127.0.0.1:${port}/`);
  run();
  // #endregion start
} else {
  console.log("run it like this: npx tsx server.ts 7890");
  process.exit(1);
}

// A web server for files that one could leave running: one process, one epoll, level-triggered.
//
// Read it from top to bottom: the functions stand in the order in which a connection lives. It is accepted; octets
// arrive; lines, a head and perhaps a body are made of them; the target is mapped to a file; the answer is sent, and
// sent on when the kernel had no room for it; then all begins anew, or the connection lingers and is closed.
// Two rules hold everywhere: what a client can make grow has a bound, and what it can make last has a deadline.
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
  /** RFC 9112 3 asks for at least 8000 octets. */
  requestLine: 8 * KiB,
  /** A whole head, and with it the trailer behind a chunked body: octets, and lines. */
  head: 24 * KiB,
  lines: 100,
  /** A body is read only to find where the next request begins: no reason to read much. */
  body: 1024 * KiB,
  chunkLine: 256,
  /** Answers to pipelined requests that may wait for a client who does not read. Above, we do not listen to it. */
  output: 64 * KiB,
  /** The shares of a turn. After its share a client waits until all others have had theirs. */
  receive: 64 * KiB,
  send: 128 * KiB,
  requests: 32,
  accepts: 64,
  /** The kernel's own buffers, each way and for each client: what a reader who does not read can cost. */
  kernelBuffer: 128 * KiB,
  /** A file up to this size is kept in memory for a moment, with so many others; a larger one is streamed. */
  cachedFile: 64 * KiB,
  documents: 250,
  /** Descriptors kept back, so that whoever is connected gets files even when nobody else can connect. */
  spares: 4,
};

/** How long a connection may stay in a phase, in milliseconds. Only `send` begins anew with every step forward. */
const patience = { idle: 30_000, head: 5_000, body: 8_000, send: 10_000, linger: 1_000 };
/** The idle must make room sooner while somebody waits outside because no descriptor is left. */
const crowdedIdleMs = 1_000;
/** How late a deadline may be noticed. */
const sweepMs = 250;
// #endregion limits

// #region connection
class Connection {
  readonly socket: Socket;
  /** What epoll watches it for. We listen to a client or speak to it, never both at once. */
  watched = EPOLLIN;
  /** What it may take its time for, and until when. "busy": it waits for us, not we for it. */
  phase: keyof typeof patience | "busy" | "gone" = "busy";
  deadline = 0;
  /** Octets that have arrived; those from `at` on are not yet understood. */
  input: Buffer = nothing;
  at = 0;
  /** More octets must arrive before anything else can be understood. */
  hungry = true;
  /** The request that is arriving. */
  request: Request | null = null;
  /** Octets that the kernel has not taken yet, and behind them the rest of a file. */
  output: Buffer = nothing;
  file: { document: Document; from: number } | null = null;
  /** The kernel had no room for all of it. */
  blocked = false;
  /** The answer in `output` is the last. */
  closing = false;

  constructor(socket: Socket) {
    this.socket = socket;
  }
}

const nothing: Buffer = Buffer.alloc(0);
const connections = new Map<number, Connection>();
/** Who has work that no event will announce: requests already in our memory, more of a file to send. */
let again = new Set<Connection>();
/** Sockets to be closed at the end of the turn, see `drop`. */
const dropped: Socket[] = [];
/** The clocks are read once a turn: one that never jumps for deadlines, the wall's for Date. */
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
  // Clients inherit these. A small last segment shall not wait for the acknowledgement of the one before it.
  listener.setOption(IPPROTO_TCP, TCP_NODELAY, true);
  listener.setOption(SOL_SOCKET, SO_SNDBUF, limits.kernelBuffer);
  listener.setOption(SOL_SOCKET, SO_RCVBUF, limits.kernelBuffer);
  listener.bind({ host: "127.0.0.1", port });
  listener.listen();
  epoll.register(listener, EPOLLIN);
}
// #endregion listen

// #region turn
/** The loop. It sleeps in epoll.poll until somebody is ready, or somebody's time may be over. */
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
  forgetDocuments(); // their answers have the old date in them
}

/**
 * There is an event for this client. Its mask is not looked at: we watch for one thing at a time, and an error or a
 * hang-up, reported unasked, is told exactly by the very call that we are about to make.
 */
function attend(c: Connection | undefined, waiting: Set<Connection>): void {
  if (c === undefined) return; // dropped earlier in this turn
  if (waiting.size > 0 && waiting.has(c)) return; // first it understands what is there, else there were no bound to it
  guard(c, c.blocked ? proceed : receive);
}

/** What goes wrong with one client is the end of this client, and of nobody else. */
function guard(c: Connection, step: (c: Connection) => void): void {
  try {
    if (c.phase !== "gone") step(c);
  } catch (error) {
    if (!(error instanceof SyscallError)) console.error(error); // a mistake of ours: say so, and go on
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
    if (error.code === "ECONNABORTED") return; // left before we looked; the next turn brings the others
    // EMFILE, most likely. The listener stays ready and accept goes on failing, so to watch it were to spin. Whoever
    // is in the queue waits there until somebody leaves.
    if (!crowded) console.log(`nobody else can be let in for now: ${error.message}`);
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
/** Everybody's octets arrive here. Only what is not understood at once is copied: an idle client owns no buffer. */
const arrivals = Buffer.allocUnsafeSlow(limits.receive);

function receive(c: Connection): void {
  const got = c.socket.recvInto(arrivals);
  // The end of the stream. Who has only ended its own half has all its answers by now: we do not receive while
  // there is something to answer or to send.
  if (got === 0) drop(c);
  if (got === null || got === 0 || c.phase === "linger") return;
  const fresh = arrivals.subarray(0, got);
  c.input = c.input.length === 0 ? fresh : Buffer.concat([c.input, fresh]);
  c.hungry = false;
  proceed(c);
}

/** Does for this client what can be done now without waiting: one share of the turn. */
function proceed(c: Connection): void {
  if (!hasOutput(c)) converse(c);
  if (hasOutput(c)) send(c);
  settle(c);
}

/** Understands requests in their order, and answers each, until there is enough to send. */
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

/** Decides what to wait for now, and how long. */
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

/** Nothing that is understood is kept: else one who always sends half a request more makes `input` grow for ever. */
function keepRest(c: Connection): void {
  if (c.at === c.input.length) c.input = nothing;
  else if (c.at > 0 || c.input.buffer === arrivals.buffer) c.input = Buffer.from(c.input.subarray(c.at));
  c.at = 0;
}

/** Tells the kernel only what is news to it: most answers are sent whole, and cost no call here. */
function watch(c: Connection, events: number): void {
  if (c.watched === events) return;
  epoll.modify(c.socket, events);
  c.watched = events;
}

/** A deadline is set when a phase begins, and not by every octet: who drips is not forgiven. */
function enter(c: Connection, phase: keyof typeof patience): void {
  if (c.phase === phase) return;
  c.phase = phase;
  c.deadline = now + patience[phase];
  if (c.deadline < nextSweep) nextSweep = c.deadline;
}
// #endregion receive

// #region line
/** The client does something that leaves no trust in where its next request begins: answer, and close. */
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
 * The next line, without its CRLF; null when it has not arrived yet.
 *
 * Lines are found among octets, and become text only then, one character for each octet (latin1): a decoder sees
 * line ends of its own, and fails on what is no UTF-8. A lone LF is a line end to one program and none to the next,
 * which is how requests are smuggled: RFC 9112 2.2 lets us refuse it.
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
  /** Epoll has announced its first octet: it had begun to arrive when this turn began. See `find`. */
  readonly announced: boolean;
  /** What has to arrive next. */
  part: "fields" | "body" | "size" | "chunk" | "end of chunk" | "trailer" = "fields";
  /** By their names in small letters. Lines of one name make one list: RFC 9110 5.3. */
  readonly fields = new Map<string, string>();
  /** Lines and octets of the head (and trailer) so far. */
  lines = 0;
  octets: number;
  /** Octets of the body, or of the chunk, still to come. */
  left = 0;
  /** Octets of a chunked body so far. */
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
    this.octets = line.length + 2;
  }
}

const requestLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e]+) HTTP\/(\d)\.(\d)$/;
const longTarget = new Refusal(
  "414 URI Too Long",
  `The first line is longer than ${limits.requestLine} octets.`,
);
const longHead = new Refusal(
  "431 Request Header Fields Too Large",
  `More than ${limits.lines} header lines, or too many octets of them.`,
);

/**
 * Takes what has arrived, part by part, until a request is whole. False: more octets are needed. Nothing is done for
 * it before: RFC 9110 5.3 forbids to act on half a head, and behind a body the next request begins.
 */
function hear(c: Connection): boolean {
  while (true) {
    const { request } = c;
    if (request === null) {
      const announced = c.at === 0;
      const line = takeLine(c, limits.requestLine, longTarget);
      if (line === null) return false;
      // Some clients send a CRLF too many after a body: RFC 9112 2.2 would have us look away.
      if (line !== "") c.request = new Request(line, announced);
    } else if (request.part === "fields" || request.part === "trailer") {
      const line = takeLine(c, limits.head - request.octets, longHead);
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
 * One line of a header or trailer section. Every one is checked, also those that mean nothing to us. A space before
 * the colon, a space at the beginning (obs-fold), a control character, a CR or LF without the other: RFC 9112 5.
 */
function hearField(request: Request, line: string): void {
  request.octets += line.length + 2;
  if (++request.lines > limits.lines) throw longHead;
  if (!fieldLine.test(line))
    throw bad("A header line is not a name, a colon and a value without control characters.");
  if (request.part === "trailer") return; // it says nothing that we could use
  const colon = line.indexOf(":");
  const name = line.slice(0, colon).toLowerCase();
  const value = trim(line.slice(colon + 1));
  const before = request.fields.get(name);
  request.fields.set(name, before === undefined ? value : `${before}, ${value}`);
}

/** Without the spaces and tabs at both ends. Not String.trim, to which \xa0 is space; nor a regular expression such
 * as /[ \t]+$/, which would begin anew at each of ten thousand spaces. */
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
const largeBody = new Refusal("413 Content Too Large", `The body is larger than ${limits.body} octets.`);

/**
 * The head is whole. May it be believed, and how long is the body? RFC 9112 3.2 and 6.3. Whoever sends Host or
 * Content-Length twice has sent a list, which is no host and no number.
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
  // Digits and nothing else: "+5", "0x5", "5, 5" mean different things to different programs.
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

/** Skips data of known length. True: there is no more of it. */
function skipData(c: Connection, request: Request): boolean {
  const taken = Math.min(request.left, c.input.length - c.at);
  c.at += taken;
  request.left -= taken;
  return request.left === 0;
}

const longChunk = bad("A chunk is longer than its size says.");
const longChunkLine = bad(`The line with a chunk's size is longer than ${limits.chunkLine} octets.`);

/** Size, data, CRLF, size, data, CRLF, … size 0, trailer, empty line: RFC 9112 7.1. */
function hearChunkSize(request: Request, line: string): void {
  const found = /^([0-9A-Fa-f]+)([ \t]*;[\t\x20-\x7e\x80-\xff]*)?$/.exec(line);
  if (found === null) throw bad("A chunk does not begin with its size in hexadecimal digits.");
  request.left = Number.parseInt(found[1]!, 16);
  request.part = request.left === 0 ? "trailer" : "chunk";
  // The size lines count too: a megabyte in chunks of one octet is six megabytes to read.
  request.body += request.left + line.length + 4;
  if (request.body > limits.body) throw largeBody;
}
// #endregion body

// #region answer
const otherMethods = new Set(["POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT"]);
const allow = "Allow: GET, HEAD, OPTIONS\r\n";

/** One whole request, one answer. */
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
/** Where the document is that this target names. */
function pathOf(target: string): string {
  const names = resolve(parseTarget(target).path);
  return `${root}/${names.join("/")}${names.at(-1) === "" ? "index.html" : ""}`;
}

/** The address of the folder that this target names without the slash behind it. */
function withSlash(target: string): string {
  const { path, query } = parseTarget(target);
  const names = resolve(path);
  if (names.at(-1) === "") throw noFile; // it has the slash: a folder by the name of index.html
  // Encoded anew: no CR LF gets into our head, and no "//host" becomes somebody else's address.
  return `/${names.map(encodeURIComponent).join("/")}/${query}`;
}

/** Of the four forms of RFC 9112 3.2 two name a file: "/path?query", and the same behind "http://host". */
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
 * Cut at slashes, then decode, then look for dots, each once: %2e%2e is "..", %2f is part of a name (no file has
 * such a one), %252e is the name "%2e". Above the root is the root: RFC 3986 5.2.4.
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
/** One version of a file. A changed file is a new Document; who is being sent the old one keeps it. */
class Document {
  readonly target: string;
  readonly path: string;
  readonly stat: Stats;
  readonly fields: string;
  readonly etag: string;
  /** The content of a small file, */
  bytes: Buffer | null = null;
  /** or the descriptor of a large one, shared by all to whom it is being sent. */
  fd = -1;
  holders = 0;
  /** The turn in which it was last found to be the version that is there. */
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
/** By their targets. None is remembered for longer than a second, see `forgetDocuments`. */
const documents = new Map<string, Document>();

/**
 * The document that is asked for; null: it is a folder.
 *
 * The file system is asked each time, so that an edited file is served edited at once. With one exception: in a busy
 * turn a hundred clients ask for one file, and one look is enough for all whose requests had begun to arrive before
 * it. Not for those who have sent one more request meanwhile: perhaps they have edited the file just before.
 */
function find(request: Request): Document | null {
  const { target } = request;
  const known = documents.get(target);
  if (known !== undefined && known.seenAt === now && request.announced) return known;
  const path = known?.path ?? pathOf(target);
  const stat = statSync(path); // follows links: it is the inode behind them that is compared
  if (known !== undefined && sameVersion(known.stat, stat)) {
    known.seenAt = now;
    return known;
  }
  documents.delete(target);
  if (stat.isDirectory() && inside(realpathSync(path))) return null;
  // To open a FIFO can wait for ever, to open a device can do anything: neither is a document.
  if (!stat.isFile()) throw noFile;
  return load(target, path);
}

/** Whether a path without links leads to the root or below. Links may lead anywhere. */
function inside(path: string): boolean {
  return `${path}/`.startsWith(`${root}/`);
}

/** The time of change, unlike that of modification, cannot be set by anybody. */
function sameVersion(a: Stats, b: Stats): boolean {
  return a.ctimeMs === b.ctimeMs && a.size === b.size && a.ino === b.ino && a.dev === b.dev;
}

/** Time stamps are coarse: a file that changed a moment ago can change again and its stamp stay the same. */
function settled(stat: Stats): boolean {
  return Date.now() - stat.ctimeMs > 1000;
}

function load(target: string, path: string): Document {
  const fd = openFile(path);
  let keep = false;
  try {
    const stat = fstatSync(fd);
    // Asked of the descriptor, not of the name: whatever links led here, and even if somebody turns them meanwhile.
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

/** The content; less than `size` when the file has shrunk a moment ago: then this is what there is. */
function readAll(fd: number, size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  let length = 0;
  for (let got = -1; got !== 0 && length < size; length += got)
    got = readSync(fd, bytes, length, size - length, length);
  return bytes.subarray(0, length);
}

/**
 * Every second, and when there are too many: a memory that is as short needs no other care. It also bounds what stat
 * cannot see: the folder was moved out of the root, and a link put in its place. Who is being sent one keeps it.
 */
function forgetDocuments(): void {
  for (const document of documents.values()) if (document.holders === 0) documents.delete(document.target);
}

/** One holder less; behind the last one a large file is closed. */
function release(document: Document): void {
  if (--document.holders > 0 || document.fd === -1) return;
  if (documents.get(document.target) === document) documents.delete(document.target);
  closeFile(document.fd);
}

/** Descriptors held only to be given up when all others are taken, by clients mostly. */
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

/** The number that becomes free is the one that a spare gets: this open does not fail. */
function closeFile(fd: number): void {
  closeSync(fd);
  if (spares.length < limits.spares) holdSpare();
}

function holdSpare(): void {
  spares.push(openSync("/dev/null", constants.O_RDONLY));
}
// #endregion document

// #region reply
/** A document; or, if the client has this very version already, the word that it has not changed: RFC 9110 13. */
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

/** An answer that is a sentence, or nothing. Its length is counted in octets: 正确 is two characters, and six. */
function reply(c: Connection, status: string, sentence: string, fields = ""): void {
  const body = Buffer.from(sentence === "" ? "" : `${sentence}\n`);
  const type = sentence === "" ? "" : "Content-Type: text/plain; charset=utf-8\r\n";
  // Whoever asks with HEAD takes no body, also not that of an error; even if the line does not end.
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
  // A client of HTTP/1.0 who has asked for keep-alive must be told that it got it.
  const kept = c.request?.minor === 0 ? "Connection: keep-alive\r\n" : "";
  return `HTTP/1.1 ${status}\r\nDate: ${date}\r\n${fields}${length_}${c.closing ? "Connection: close\r\n" : kept}\r\n`;
}

/** Head and body go into one buffer, and so out in one send: of two small ones the second would wait for the first. */
function joined(head: string, body: Buffer = nothing): Buffer {
  const octets = Buffer.allocUnsafe(head.length + body.length);
  octets.write(head, "latin1");
  body.copy(octets, head.length);
  return octets;
}

function append(c: Connection, octets: Buffer): void {
  c.output = c.output.length === 0 ? octets : Buffer.concat([c.output, octets]);
}
// #endregion reply

// #region send
function hasOutput(c: Connection): boolean {
  return c.output.length > 0 || c.file !== null;
}

/** One send. What the kernel has no room for stays where it is, and EPOLLOUT will tell when there is room again. */
function send(c: Connection): void {
  const octets = c.file === null ? c.output : gather(c, c.file);
  if (octets.length === 0) {
    drop(c); // the file has shrunk, the promised length cannot be kept: to break off is how HTTP says so
    return;
  }
  const sent = c.socket.send(octets) ?? 0;
  if (sent > 0) c.phase = "busy"; // a step forward: patience begins anew
  c.blocked = sent < octets.length;
  if (c.blocked) enter(c, "send");
  const ofOutput = Math.min(sent, c.output.length);
  c.output = ofOutput === c.output.length ? nothing : c.output.subarray(ofOutput);
  if (c.file === null) return;
  c.file.from += sent - ofOutput;
  if (c.file.from < c.file.document.stat.size) return;
  release(c.file.document);
  c.file = null;
}

/** All files pass through here. What the kernel does not take is read again later: a slow reader owns no buffer. */
const passage = Buffer.allocUnsafeSlow(limits.output + limits.send);

/** What waits, and behind it a piece of the file. */
function gather(c: Connection, { document, from }: { document: Document; from: number }): Buffer {
  const start = c.output.copy(passage);
  const wanted = Math.min(limits.send, passage.length - start, document.stat.size - from);
  return passage.subarray(0, start + (wanted > 0 ? readSync(document.fd, passage, start, wanted, from) : 0));
}
// #endregion send

// #region close
/**
 * The last answer is sent. To close while octets arrive that nobody receives would reset the connection, and a reset
 * can overtake the answer. So end our half, and go on receiving for a moment: RFC 9112 9.6.
 */
function linger(c: Connection): void {
  c.socket.shutdown("write");
  c.input = nothing;
  c.at = 0;
  watch(c, EPOLLIN);
  enter(c, "linger");
}

/**
 * Forgets a client. Its socket is closed only when all events of this turn are through: closed now, its number could
 * be given to a new client at once, who would then be hit by an event that was meant for the old one.
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
  for (const socket of dropped) socket.close(); // which takes it off epoll's list: nobody else has it open
  dropped.length = 0;
  watchListener(true);
}
// #endregion close

// #region sweep
/** Looks whose time is over: one walk, when the first may be due, instead of a timer for each. */
function sweep(): void {
  readClocks(); // a turn of its own: what is received now was not announced
  let next = Number.POSITIVE_INFINITY;
  for (const c of connections.values()) {
    if (c.phase !== "busy" && dueAt(c) <= now) guard(c, expire);
    if (c.phase !== "busy" && c.phase !== "gone") next = Math.min(next, dueAt(c));
  }
  nextSweep = Math.max(next, now + sweepMs);
  watchListener(true); // perhaps there is a descriptor by now; if not, accept will say so again
}

function dueAt({ phase, deadline }: Connection): number {
  return phase === "idle" && !accepting ? deadline - patience.idle + crowdedIdleMs : deadline;
}

function expire(c: Connection): void {
  const { phase } = c;
  // Perhaps it is we who are late: the process was stopped, and more are ready now than one poll reports.
  if (phase !== "send") receive(c);
  if (c.phase !== phase || dueAt(c) > now) return;
  if (phase === "head" || phase === "body") {
    refuse(c, new Refusal("408 Request Timeout", "The request took too long to arrive."));
    proceed(c);
  } else {
    // Who does not read holds kernel memory even after close. With this option close resets, and frees it.
    if (phase === "send") c.socket.setOption(SOL_SOCKET, SO_LINGER, new Int32Array([1, 0]));
    drop(c);
  }
}
// #endregion sweep

/** The folder to be served, without links on the way: what is served must lie in it. */
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
  root = findRoot();
  for (let i = 0; i < limits.spares; i++) holdSpare();
  listen(port);
  console.log(`serving ${root} at http://127.0.0.1:${port}/`);
  run();
} else {
  console.log("run it like this: npx tsx server.ts 7890");
  process.exit(1);
}

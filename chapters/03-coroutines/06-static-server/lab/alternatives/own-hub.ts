// The same server on a hub of its own: generators, a ready list, a map of parked tasks, one epoll, and a list of timers.
import { readSync } from "node:fs";
import {
  EPOLLIN,
  EPOLLOUT,
  Epoll,
  IPPROTO_TCP,
  MSG_MORE,
  SFD_NONBLOCK,
  SIGINT,
  SIGTERM,
  SignalFd,
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
import {
  BadTarget,
  type Document,
  find,
  forgetDocuments,
  hostRule,
  openRoot,
  release,
  withSlash,
} from "../solution/documents.ts";

// ------------------------------------------------------------------------------------------------- the hub

type Steps<T> = Generator<(task: Task) => () => void, T, unknown>;

class Cancelled extends Error {}
class TimedOut extends Error {}

class Task {
  readonly steps: Steps<void>;
  readonly ended: () => void;
  undo: (() => void) | null = null;
  error: unknown = null;
  isReady = true;
  isOver = false;

  constructor(steps: Steps<void>, ended: () => void) {
    this.steps = steps;
    this.ended = ended;
    ready.push(this);
  }

  /** It goes on in the next turn; whatever would have woken it is undone. */
  wake(error: unknown = null): void {
    if (this.isReady || this.isOver) return;
    this.undo?.();
    this.undo = null;
    this.error = error;
    this.isReady = true;
    ready.push(this);
  }

  cancel(): void {
    if (this.isReady && !this.isOver) this.error ??= new Cancelled("cancelled");
    else this.wake(new Cancelled("cancelled"));
  }

  step(): void {
    this.isReady = false;
    const { error } = this;
    this.error = null;
    try {
      const { done, value } = error === null ? this.steps.next() : this.steps.throw(error);
      if (!done) {
        this.undo = value(this);
        return;
      }
    } catch (thrown) {
      if (!(thrown instanceof Cancelled)) console.error(thrown);
    }
    this.isOver = true;
    this.ended();
  }
}

const hub = new Epoll();
let ready: Task[] = [];
let current: Task;
let turns = 1;
const watched = new Map<number, { events: number; reader: Task | null; writer: Task | null }>();
const timers = new Map<Task, number>();

const currentTask = () => current;
const currentTurn = () => turns;

function run(main: Steps<void>): void {
  const first = new Task(main, () => {});
  while (!first.isOver) {
    const now = ready;
    ready = [];
    for (const task of now) {
      current = task;
      task.step();
    }
    if (first.isOver) return;
    turns++;
    let next = Number.POSITIVE_INFINITY;
    for (const at of timers.values()) next = Math.min(next, at);
    const ms = ready.length > 0 ? 0 : next === Number.POSITIVE_INFINITY ? -1 : next - performance.now();
    for (const { fd, events } of hub.poll(ms === -1 ? -1 : Math.max(0, ms))) dispatch(fd, events);
    const time = performance.now();
    for (const [task, at] of timers) if (at <= time) task.wake(new TimedOut("the time is over"));
  }
}

function dispatch(fd: number, events: number): void {
  const entry = watched.get(fd);
  if (entry === undefined) return;
  const { reader, writer } = entry;
  if (reader !== null && events & ~EPOLLOUT) reader.wake();
  if (writer !== null && events & ~EPOLLIN) writer.wake();
  // What no task waits for would be reported in each turn.
  const wanted = (reader === null ? 0 : EPOLLIN) | (writer === null ? 0 : EPOLLOUT);
  if (wanted === 0) forget(fd);
  else if (events & (EPOLLIN | EPOLLOUT) & ~wanted) {
    entry.events = wanted;
    hub.modify(fd, wanted);
  }
}

/** The hub watches this descriptor no more: no task waits for what it reports, or it is closed. */
function forget(fd: number): void {
  if (watched.delete(fd)) hub.unregister(fd);
}

function waitFor(on: { fd: number }, side: "reader" | "writer", until: number): (task: Task) => () => void {
  return task => {
    const event = side === "reader" ? EPOLLIN : EPOLLOUT;
    let entry = watched.get(on.fd);
    if (entry === undefined) {
      hub.register(on.fd, event);
      entry = { events: event, reader: null, writer: null };
      watched.set(on.fd, entry);
    } else if (!(entry.events & event)) {
      entry.events |= event;
      hub.modify(on.fd, entry.events);
    }
    entry[side] = task;
    if (until < Number.POSITIVE_INFINITY) timers.set(task, until);
    return () => {
      entry[side] = null;
      timers.delete(task);
    };
  };
}

function* readable(on: { fd: number }, until = Number.POSITIVE_INFINITY): Steps<void> {
  yield waitFor(on, "reader", until);
}

function* writable(on: { fd: number }, until: number): Steps<void> {
  yield waitFor(on, "writer", until);
}

function* sleep(ms: number): Steps<void> {
  try {
    yield task => {
      timers.set(task, performance.now() + ms);
      return () => timers.delete(task);
    };
  } catch (error) {
    if (!(error instanceof TimedOut)) throw error;
  }
}

function* pass(): Steps<void> {
  yield task => {
    task.isReady = true;
    ready.push(task);
    return () => {};
  };
}

// ---------------------------------------------------------------------------------------------- the server

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
  /** A client's share: after so many answers without a wait, or one piece of a file, the other tasks run. */
  requests: 32,
  piece: 128 * KiB,
  accepts: 64,
  receive: 64 * KiB,
  /** The kernel's own buffers, each way and for each client: they are the cost of a client that does not read. */
  kernelBuffer: 128 * KiB,
};

/** The longest time, in milliseconds: for the first byte of a request, for all of it, for room to send, for the end. */
const patience = { idle: 30_000, request: 8_000, send: 10_000, linger: 1_000 };
/** Without a free descriptor: how often the server tries to accept, and how long an idle client may then stay. */
const crowded = { tryMs: 100, idleMs: 1_000 };
/** After SIGTERM: the time for answers that are under way. */
const graceMs = 3_000;

class Connection {
  readonly socket: Socket;
  readonly task: Task = currentTask();
  /** What it does, and since when it is idle: `main` and `makeRoom` end those that only wait. */
  phase: "idle" | "request" | "answer" | "linger" = "idle";
  since = performance.now();
  /** The deadline of each wait for bytes: it is set when a phase begins, so slow bytes do not move it. */
  until = Number.POSITIVE_INFINITY;
  /** Bytes that have arrived; those from `at` on are not parsed yet. */
  input: Buffer = nothing;
  at = 0;
  /** The method and version of the request that arrives: an answer depends on them, a refusal too. */
  method = "";
  minor = 1;
  /** The turn in which the first request of `input` was reported; 0: this request came behind it. */
  turn = 0;
  /** The answer is the last. */
  closing = false;
  /** Answers since it was idle. */
  answers = 0;

  constructor(socket: Socket) {
    this.socket = socket;
  }
}

const nothing: Buffer = Buffer.alloc(0);
const connections = new Set<Connection>();
/** SIGTERM has come: each answer is its client's last. */
let stopping = false;

/** The first task: it accepts clients until SIGTERM comes, and returns when all of them have ended. */
function* main(port: number): Steps<void> {
  const listener = listen(port);
  const signals = new SignalFd([SIGTERM, SIGINT], SFD_NONBLOCK);
  const accepting = new Task(acceptAll(listener), () => {});
  yield* readable(signals);
  accepting.cancel();
  stopping = true;
  acceptWaiting(listener);
  forget(listener.fd);
  listener.close();
  // A request may be in the kernel already: in three turns a new task starts, waits, and reads it.
  for (let turn = 0; turn < 3; turn++) yield* pass();
  for (const c of connections) if (c.phase === "idle" || c.phase === "request") c.task.cancel();
  const until = performance.now() + graceMs;
  while (live > 0 && performance.now() < until) yield* sleep(20);
}

function listen(port: number): Socket {
  const listener = new Socket();
  listener.setOption(SOL_SOCKET, SO_REUSEADDR, true);
  // Accepted sockets inherit these. A small last segment must not wait for the acknowledgement of the one before it.
  listener.setOption(IPPROTO_TCP, TCP_NODELAY, true);
  listener.setOption(SOL_SOCKET, SO_SNDBUF, limits.kernelBuffer);
  listener.setOption(SOL_SOCKET, SO_RCVBUF, limits.kernelBuffer);
  listener.bind({ host: "127.0.0.1", port });
  listener.listen();
  listener.setBlocking(false);
  return listener;
}

/** Tasks of clients. */
let live = 0;

function spawnServe(client: Socket): void {
  live++;
  new Task(serve(client), () => live--);
}

function* acceptAll(listener: Socket): Steps<void> {
  let isFull = false;
  for (let count = 1; ; count++) {
    try {
      const arrival = listener.accept(SOCK_NONBLOCK);
      if (arrival === null) {
        yield* readable(listener);
        continue;
      }
      isFull = false;
      spawnServe(arrival.client);
      if (count % limits.accepts === 0) yield* pass();
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      if (error.code === "ECONNABORTED") continue; // this client has left
      // EMFILE, most likely: the client waits in the accept queue until another leaves.
      if (!isFull) console.log(`cannot accept for now: ${error.message}`);
      isFull = true;
      yield* sleep(crowded.tryMs);
      makeRoom();
    }
  }
}

/** Idle clients leave sooner while others wait. */
function makeRoom(): void {
  const before = performance.now() - crowded.idleMs;
  for (const c of connections) if (c.phase === "idle" && c.since < before) c.task.cancel();
}

/** Accepts those that wait already, before the listener is closed. */
function acceptWaiting(listener: Socket): void {
  try {
    for (let next = listener.accept(SOCK_NONBLOCK); next !== null; next = listener.accept(SOCK_NONBLOCK))
      spawnServe(next.client);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
  }
}

/** The life of one client. An error ends this task, and no other: a nursery would end them all. */
function* serve(socket: Socket): Steps<void> {
  const c = new Connection(socket);
  connections.add(c);
  try {
    do yield* converse(c);
    while (!c.closing && !stopping);
    yield* linger(c);
  } catch (error) {
    if (error instanceof Cancelled) throw error;
    // A client that does not read holds kernel memory even after close(). With this option close() resets and frees it.
    if (error instanceof TimedOut && c.phase === "answer")
      socket.setOption(SOL_SOCKET, SO_LINGER, new Int32Array([1, 0]));
    if (!isUsual(error)) console.error(error); // a mistake in this program: print it, and go on
  } finally {
    connections.delete(c);
    forget(socket.fd);
    socket.close();
  }
}

/** Errors with which clients end: a reset, the end of the stream, a deadline. */
function isUsual(error: unknown): boolean {
  return error instanceof SyscallError || error instanceof TimedOut || error === ended;
}

/** One request, and its answer. */
function* converse(c: Connection): Steps<void> {
  try {
    if (c.at === c.input.length) {
      becomeIdle(c);
      yield* receive(c);
      c.turn = currentTurn();
    }
    const { bytes, file } = answer(c, yield* readRequest(c));
    yield* file === null ? sendAll(c, bytes) : sendFile(c, bytes, file);
    if (++c.answers % limits.requests === 0) yield* pass();
  } catch (error) {
    const refusal = error instanceof TimedOut && c.phase === "request" ? tooLate : error;
    if (!(refusal instanceof Refusal)) throw error;
    c.phase = "answer";
    c.closing = true;
    yield* sendAll(c, reply(c, refusal.status, refusal.message));
  }
}

/** The next request has not begun. An idle client has no buffer. */
function becomeIdle(c: Connection): void {
  c.phase = "idle";
  c.since = performance.now();
  c.until = c.since + patience.idle;
  c.input = nothing;
  c.at = 0;
  c.method = "";
  c.answers = 0;
}

/**
 * The last answer is sent. A close() with unread bytes in the socket would reset the connection, and a reset can
 * destroy the answer. So end the sending side, and go on reading for a moment: RFC 9112 9.6.
 */
function* linger(c: Connection): Steps<void> {
  c.socket.shutdown("write");
  c.phase = "linger";
  yield* drain(c.socket, performance.now() + patience.linger);
}

function* drain(socket: Socket, until: number): Steps<void> {
  do yield* readable(socket, until);
  while (socket.recvInto(arrivals) !== 0);
}

/** All clients' bytes arrive here, and are copied before the task waits again: no other task runs in between. */
const arrivals = Buffer.allocUnsafeSlow(limits.receive);
const ended = new Error("The client has ended the stream.");

/**
 * Waits for more bytes, until the deadline, and adds them to those that are not parsed yet.
 * @throws `ended` at the end of the stream; TimedOut
 */
function* receive(c: Connection): Steps<void> {
  let got: number | null;
  do {
    yield* readable(c.socket, c.until);
    got = c.socket.recvInto(arrivals);
  } while (got === null);
  if (got === 0) throw ended;
  c.input = Buffer.concat([c.input.subarray(c.at), arrivals.subarray(0, got)]);
  c.at = 0;
}

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

const tooLate = new Refusal("408 Request Timeout", "The request took too long to arrive.");
const loneLF = bad("A line ends with LF alone instead of CR LF.");
const CR = 13;
const LF = 10;

/**
 * The next line, without its CRLF. The search is among bytes, and only a whole line becomes text, one character for each
 * byte (latin1): a decoder knows other line ends, and fails on bytes that are not UTF-8.
 */
function* readLine(c: Connection, most: number, tooLong: Refusal): Steps<string> {
  let line = lineOf(c, most, tooLong);
  while (line === null) {
    yield* receive(c);
    line = lineOf(c, most, tooLong);
  }
  return line;
}

/** The next line if it has arrived, else null. */
function lineOf(c: Connection, most: number, tooLong: Refusal): string | null {
  const end = c.input.indexOf(LF, c.at);
  const length = (end === -1 ? c.input.length : end) - c.at;
  if (length > most + 1) throw tooLong; // + 1: its CR
  if (end === -1) return null;
  if (length === 0 || c.input[end - 1] !== CR) throw loneLF;
  const line = c.input.toString("latin1", c.at, end - 1);
  c.at = end + 1;
  return line;
}

interface Request {
  method: string;
  target: string;
  fields: ReadonlyMap<string, string>;
}

const requestLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e]+) HTTP\/(\d)\.(\d)$/;
const longTarget = new Refusal(
  "414 URI Too Long",
  `The first line is longer than ${limits.requestLine} bytes.`,
);

/** Reads one whole request: its first line, its fields, and its body, behind which the next request begins. */
function* readRequest(c: Connection): Steps<Request> {
  c.phase = "request";
  c.until = performance.now() + patience.request;
  c.method = "";
  let line = "";
  // Some clients send a CRLF too many after a body: RFC 9112 2.2 lets a server ignore it.
  while (line === "") line = yield* readLine(c, limits.requestLine, longTarget);
  const found = requestLine.exec(line);
  if (found === null)
    throw bad("The first line is not a method, a target and an HTTP version, with a space between.");
  c.method = found[1]!;
  c.minor = Number(found[4]);
  const head = new Head(line.length + 2);
  while (true) {
    line = lineOf(c, head.room, longHead) ?? (yield* readLine(c, head.room, longHead));
    if (line === "") break;
    head.add(line);
  }
  if (found[3] !== "1") throw new Refusal("505 HTTP Version Not Supported", "This server speaks HTTP/1.1.");
  const { fields } = head;
  const body = judge(fields, c.minor);
  if (expectsContinue(fields, c.minor) && body !== 0 && c.at === c.input.length)
    yield* sendAll(c, joined("HTTP/1.1 100 Continue\r\n\r\n"));
  if (body === "chunked") yield* skipChunks(c, head);
  else if (body > 0) yield* skip(c, body);
  return { method: c.method, target: found[2]!, fields };
}

const fieldLine = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*$/;
const longHead = new Refusal(
  "431 Request Header Fields Too Large",
  `More than ${limits.lines} header lines, or too many bytes of them.`,
);

/** The fields of a request, and what its head, together with a trailer, has taken so far. */
class Head {
  /** Values by their names in lower case. Lines with one name are one list: RFC 9110 5.3. */
  readonly fields = new Map<string, string>();
  /** Bytes that it may still take. */
  room: number;
  #lines = 0;

  /** @param bytes of the first line */
  constructor(bytes: number) {
    this.room = limits.head - bytes;
  }

  /**
   * Judges a line of a header or trailer section. Every line must have its form, also one that the server does not use: no
   * space before the colon or at the beginning (obs-fold), no control character, no lone CR or LF: RFC 9112 5.
   */
  judge(line: string): void {
    this.room -= line.length + 2;
    if (++this.#lines > limits.lines) throw longHead;
    if (!fieldLine.test(line))
      throw bad("A header line is not a name, a colon and a value without control characters.");
  }

  /** Judges a header line, and keeps it. */
  add(line: string): void {
    this.judge(line);
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    const value = trim(line.slice(colon + 1));
    const before = this.fields.get(name);
    this.fields.set(name, before === undefined ? value : `${before}, ${value}`);
  }
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

const largeBody = new Refusal("413 Content Too Large", `The body is larger than ${limits.body} bytes.`);

/**
 * Judges a whole head: RFC 9112 3.2 and 6.3. Two Hosts, or two lengths, are a list, which is not a host and not a number.
 * @returns the length of the body
 */
function judge(fields: ReadonlyMap<string, string>, minor: number): number | "chunked" {
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
  if (Number(length ?? 0) > limits.body) throw largeBody;
  if (coding === undefined) return Number(length ?? 0);
  if (minor === 0) throw bad("HTTP/1.0 has no Transfer-Encoding.");
  const codings = listOf(coding.toLowerCase());
  if (codings.length === 0 || codings.indexOf("chunked") !== codings.length - 1)
    throw bad("Transfer-Encoding must end with chunked.");
  if (codings.length > 1)
    throw new Refusal("501 Not Implemented", "No transfer coding but chunked is understood.");
  return "chunked";
}

function expectsContinue(fields: ReadonlyMap<string, string>, minor: number): boolean {
  const expected = fields.get("expect");
  if (expected === undefined || minor === 0) return false; // HTTP/1.0 knows no 100
  if (expected.toLowerCase() !== "100-continue")
    throw new Refusal("417 Expectation Failed", "Expect knows 100-continue only.");
  return true;
}

/** Reads so many bytes, and keeps none of them. */
function* skip(c: Connection, length: number): Steps<void> {
  while (true) {
    const taken = Math.min(length, c.input.length - c.at);
    c.at += taken;
    length -= taken;
    if (length === 0) return;
    yield* receive(c);
  }
}

const longChunk = bad("A chunk is longer than its size says.");
const longChunkLine = bad(`The line with a chunk's size is longer than ${limits.chunkLine} bytes.`);

/** Size, data, CRLF, size, data, CRLF, … size 0, trailer, empty line: RFC 9112 7.1. */
function* skipChunks(c: Connection, head: Head): Steps<void> {
  let total = 0;
  while (true) {
    const line = yield* readLine(c, limits.chunkLine, longChunkLine);
    const found = /^([0-9A-Fa-f]+)([ \t]*;[\t\x20-\x7e\x80-\xff]*)?$/.exec(line);
    if (found === null) throw bad("A chunk does not begin with its size in hexadecimal digits.");
    const size = Number.parseInt(found[1]!, 16);
    // The size lines count, too: a megabyte in chunks of one byte is six megabytes to read.
    total += size + line.length + 4;
    if (total > limits.body) throw largeBody;
    if (size === 0) break;
    yield* skip(c, size);
    yield* readLine(c, 0, longChunk);
  }
  for (let line = " "; line !== ""; ) {
    line = yield* readLine(c, head.room, longHead);
    if (line !== "") head.judge(line); // the server uses no trailer field
  }
}

const otherMethods = new Set(["POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT"]);
const allow = "Allow: GET, HEAD, OPTIONS\r\n";

/** An answer: its bytes, and behind them the content of a large file. */
interface Reply {
  bytes: Buffer;
  file: Document | null;
}

const whole = (bytes: Buffer): Reply => ({ bytes, file: null });

/** The answer to one whole request. Nothing here waits, so it is a function like any other. */
function answer(c: Connection, request: Request): Reply {
  const { method, fields } = request;
  c.phase = "answer";
  const options = fields.has("connection") ? listOf(fields.get("connection")!.toLowerCase()) : [];
  c.closing = stopping || options.includes("close") || (c.minor === 0 && !options.includes("keep-alive"));
  if (method === "GET" || method === "HEAD") return answerFile(c, request);
  if (method === "OPTIONS") return whole(reply(c, "200 OK", "", allow));
  if (otherMethods.has(method))
    return whole(reply(c, "405 Method Not Allowed", "Files can be read here, no more.", allow));
  return whole(reply(c, "501 Not Implemented", `This server does not know ${method.slice(0, 32)}.`));
}

function answerFile(c: Connection, request: Request): Reply {
  try {
    const document = find(request.target, c.answers === 0 ? c.turn : 0);
    if (document !== null) {
      document.holders++;
      const made = replyDocument(c, request, document);
      if (made.file === null) release(document); // nothing of it is still to be read
      return made;
    }
    const location = `Location: ${withSlash(request.target)}\r\n`;
    return whole(reply(c, "301 Moved Permanently", "", location));
  } catch (error) {
    if (error instanceof BadTarget) throw bad(error.message);
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return whole(replyError(c, code, error));
  }
}

/** The file system has failed with this code. */
function replyError(c: Connection, code: string, error: unknown): Buffer {
  if (["ENOENT", "ENOTDIR", "ENAMETOOLONG", "ELOOP"].includes(code))
    return reply(c, "404 Not Found", "file not found, 请输入正确的url");
  if (code === "EACCES") return reply(c, "403 Forbidden", "This file may not be read.");
  if (code === "EMFILE" || code === "ENFILE") {
    c.closing = true; // which gives a descriptor back
    return reply(c, "503 Service Unavailable", "Too many files are open.", "Retry-After: 1\r\n");
  }
  console.error(error);
  return reply(c, "500 Internal Server Error", "The file could not be read.");
}

/** A document, or 304 if the client has this version already: RFC 9110 13. */
function replyDocument(c: Connection, request: Request, document: Document): Reply {
  const { bytes, etag, fields, stat } = document;
  const isGet = request.method === "GET";
  const ifMatch = request.fields.get("if-match");
  const ifNoneMatch = listOf(request.fields.get("if-none-match"));
  if (ifMatch !== undefined && !listOf(ifMatch).some(tag => tag === "*" || tag === etag))
    return whole(reply(c, "412 Precondition Failed", "This is another version of the file."));
  if (ifNoneMatch.some(tag => tag === "*" || tag.replace(/^W\//, "") === etag))
    return whole(joined(headOf(c, "304 Not Modified", fields)));
  if (bytes !== null && isGet && c.minor > 0 && !c.closing) {
    readDate(); // which forgets a reply with the old one
    document.reply ??= joined(headOf(c, "200 OK", fields, bytes.length), bytes);
    return whole(document.reply);
  }
  const head = headOf(c, "200 OK", fields, bytes?.length ?? stat.size);
  if (!isGet || bytes !== null) return whole(joined(head, isGet && bytes !== null ? bytes : nothing));
  return { bytes: joined(head), file: document };
}

/** An answer with a sentence, or without a body. Its length is its bytes: 正确 is two characters, and six bytes. */
function reply(c: Connection, status: string, sentence: string, fields = ""): Buffer {
  const body = Buffer.from(sentence === "" ? "" : `${sentence}\n`);
  const type = sentence === "" ? "" : "Content-Type: text/plain; charset=utf-8\r\n";
  // An answer to HEAD has no body, also if it is an error; even if the first line never ended.
  const method = c.method || c.input.toString("latin1", c.at, c.at + 4);
  return joined(headOf(c, status, fields + type, body.length), method === "HEAD" ? nothing : body);
}

function headOf(c: Connection, status: string, fields: string, length?: number): string {
  const length_ = length === undefined ? "" : `Content-Length: ${length}\r\n`;
  // A client of HTTP/1.0 that asked for keep-alive must be told that the connection stays open.
  const kept = c.minor === 0 && c.method !== "" ? "Connection: keep-alive\r\n" : "";
  return `HTTP/1.1 ${status}\r\nDate: ${readDate()}\r\n${fields}${length_}${c.closing ? "Connection: close\r\n" : kept}\r\n`;
}

let dateSecond = 0;
let date = "";

/** The time as the IMF-fixdate of RFC 9110 5.6.7. Once a second the answers that contain the old one are forgotten. */
function readDate(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second === dateSecond) return date;
  dateSecond = second;
  date = new Date(second * 1000).toUTCString();
  forgetDocuments();
  return date;
}

/** Head and body in one buffer, for one send: a second one could wait for an acknowledgement of the first. */
function joined(head: string, body: Buffer = nothing): Buffer {
  const bytes = Buffer.allocUnsafe(head.length + body.length);
  bytes.write(head, "latin1");
  body.copy(bytes, head.length);
  return bytes;
}

/** Sends all of it. The time for room begins anew with each byte that the client takes. */
function* sendAll(c: Connection, bytes: Buffer, flags = 0): Steps<void> {
  while (true) {
    const sent = c.socket.send(bytes, flags) ?? 0;
    if (sent === bytes.length) return;
    bytes = bytes.subarray(sent);
    yield* writable(c.socket, performance.now() + patience.send);
  }
}

/** All files pass through here. No task waits between the read and the send, so one buffer is enough for all clients. */
const passage = Buffer.allocUnsafeSlow(limits.piece);

function* sendFile(c: Connection, head: Buffer, document: Document): Steps<void> {
  const { fd, stat } = document;
  try {
    yield* sendAll(c, head, MSG_MORE);
    for (let from = 0; from < stat.size; ) {
      const length = readSync(fd, passage, 0, Math.min(limits.piece, stat.size - from), from);
      if (length === 0) throw ended; // the file has become shorter than the head promised: break the connection
      const sent = c.socket.send(passage.subarray(0, length)) ?? 0;
      from += sent;
      // What the kernel did not take is read again: a slow reader has no buffer.
      if (sent < length) yield* writable(c.socket, performance.now() + patience.send);
      else yield* pass();
    }
  } finally {
    release(document);
  }
}

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  try {
    console.log(`serving ${openRoot("./html")} at http://127.0.0.1:${port}/`);
  } catch (error) {
    console.error(`There is nothing to serve: ${(error as Error).message}.`);
    console.error("Start this server in the folder that holds html/, or make one: mkdir html");
    process.exit(1);
  }
  run(main(port));
  process.exit(0);
} else {
  console.log("run it like this: npx tsx server.ts 7914");
  process.exit(1);
}

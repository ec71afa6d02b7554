// An HTTP server on epoll for clients that make mistakes, and for clients that mean harm. It refuses what is not a request,
// with the status that says why. It waits for each client until a deadline. And its last answer arrives.
import {
  AF_INET,
  EPOLLIN,
  EPOLLOUT,
  Epoll,
  SO_REUSEADDR,
  SOCK_STREAM,
  SOL_SOCKET,
  Socket,
  SyscallError,
} from "workbook/net";

// #region limits
/** The most bytes of a first line, of a head, and of a body with the lines around its chunks. */
const most = { line: 8000, head: 16 * 1024, body: 100_000 };
/** How long the server waits for a client: for its next request, the rest of one, room, or FIN. In milliseconds. */
const patience = { idle: 3000, request: 2000, room: 3000, fin: 1000 };
// #endregion limits

// #region state
interface Client {
  socket: Socket;
  /** What has come and is not answered. */
  unread: Buffer;
  /** What the kernel has not taken yet. */
  output: Buffer;
  /** The answer in `output` is the last one. */
  last: boolean;
  waitsFor: keyof typeof patience;
  deadline: number;
}
// #endregion state

const clients = new Map<number, Client>();
const epoll = new Epoll();
const nothing: Buffer = Buffer.alloc(0);

// #region turn
function main(port: number): void {
  const listener = new Socket(AF_INET, SOCK_STREAM);
  listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
  listener.bind({ host: "127.0.0.1", port });
  listener.listen(128);
  listener.setBlocking(false);
  epoll.register(listener, EPOLLIN);
  console.log(`process ${process.pid} serves http://127.0.0.1:${port}/`);

  while (true) {
    for (const { fd } of epoll.poll(timeToSleep())) {
      const client = clients.get(fd);
      if (client) attend(client, serve);
      else acceptAll(listener);
    }
    // After the events: what has come in time counts, also if this process was late.
    const now = performance.now();
    for (const client of clients.values()) if (client.deadline <= now) attend(client, expire);
  }
}

/** The milliseconds until the first deadline; -1, without an end, if no client is connected. */
function timeToSleep(): number {
  if (clients.size === 0) return -1;
  let first = Number.POSITIVE_INFINITY;
  for (const { deadline } of clients.values()) first = Math.min(first, deadline);
  return Math.max(0, first - performance.now());
}
// #endregion turn

// #region accept
function acceptAll(listener: Socket): void {
  for (let arrival = listener.accept(); arrival !== null; arrival = listener.accept()) {
    const socket = arrival.client;
    socket.setBlocking(false);
    const state = { unread: nothing, output: nothing, last: false };
    const deadline = performance.now() + patience.idle;
    clients.set(socket.fd, { socket, ...state, waitsFor: "idle", deadline });
    epoll.register(socket, EPOLLIN);
  }
}
// #endregion accept

/** One step for this client. An error in it ends this client only. */
function attend(client: Client, step: (client: Client) => void): void {
  try {
    step(client);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    leave(client);
  }
}

// #region serve
/** The client has sent something, or there is room for its answer. */
function serve(client: Client): void {
  if (client.waitsFor === "fin") discard(client);
  else if (client.output.length > 0 || hear(client)) proceed(client);
}

/** Answers what has come, sends, and decides what the server waits for now. */
function proceed(client: Client): void {
  const answered = answerAll(client);
  const took = client.output.length > 0 ? (client.socket.send(client.output) ?? 0) : 0;
  client.output = client.output.subarray(took);
  if (client.output.length > 0) waitFor(client, "room", took > 0);
  else if (client.last) endSending(client);
  else waitFor(client, client.unread.length > 0 ? "request" : "idle", answered);
}
// #endregion serve

// #region wait
/** Begins to wait. While the server waits for the same thing, its deadline does not move. */
function waitFor(client: Client, what: Client["waitsFor"], anew = false): void {
  const before = client.waitsFor;
  if (before === what && !anew) return;
  client.waitsFor = what;
  client.deadline = performance.now() + patience[what];
  if (what === "room") epoll.modify(client.socket, EPOLLOUT);
  else if (before === "room") epoll.modify(client.socket, EPOLLIN);
}

/** The deadline is over. */
function expire(client: Client): void {
  if (client.waitsFor === "request") {
    refuse(client, "408 Request Timeout");
    proceed(client);
  } else leave(client);
}
// #endregion wait

/** Reads once. @returns whether the client is still there */
function hear(client: Client): boolean {
  const data = client.socket.recv(64 * 1024);
  if (data === null) return true;
  client.unread = Buffer.concat([client.unread, data]);
  if (data.length > 0) return true;
  leave(client);
  return false;
}

// #region answers
/** Puts the answers to all requests that are whole into `output`. @returns whether there was one */
function answerAll(client: Client): boolean {
  let answered = false;
  try {
    for (let next = takeRequest(client); next !== null; next = takeRequest(client)) {
      answer(client, next.request, next.length);
      answered = true;
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refuse(client, error.message);
  }
  return answered;
}
// #endregion answers

// #region refuse
/** A status. The server does not know where the next request begins, or does not want to know it. */
class Refusal extends Error {}
const bad = () => new Refusal("400 Bad Request");
const tooLarge = () => new Refusal("413 Content Too Large");

/** Answers with this status, and reads no further request. */
function refuse(client: Client, status: string): void {
  reply(client, status, "this server refuses your request", false);
}
// #endregion refuse

interface Request {
  method: string;
  target: string;
  /** The connection stays open after the answer. */
  keep: boolean;
  /** How its body ends: after so many bytes, or with the last chunk. */
  framing: number | "chunks";
}

// #region request
/** Takes the next request, if it is whole. @throws Refusal if it is not a request, or too large */
function takeRequest(client: Client): { request: Request; length: number } | null {
  if (client.last) return null;
  while (client.unread.indexOf("\r\n") === 0) client.unread = client.unread.subarray(2); // RFC 9112, 2.2
  const { unread } = client;
  const [line, end] = [unread.indexOf("\r\n"), unread.indexOf("\r\n\r\n")];
  if ((line === -1 ? unread.length : line) > most.line) throw new Refusal("414 URI Too Long");
  if ((end === -1 ? unread.length : end) > most.head)
    throw new Refusal("431 Request Header Fields Too Large");
  if (end === -1) return null;
  const request = parse(unread.toString("latin1", 0, end));
  const body = bodyOf(unread, end + 4, request.framing);
  if (body === null) return null;
  client.unread = unread.subarray(body.end);
  return { request, length: body.length };
}
// #endregion request

// #region parse
const requestLine = /^([!#$%&'*+.^_`|~\w-]+) ([!-~]+) HTTP\/(\d)\.(\d)$/;
const fieldLine = /^([!#$%&'*+.^_`|~\w-]+):([\t\x20-\x7e\x80-\xff]*)$/;
const hostValue = /^(\[[\da-f:.]+\]|[\w.~%!$&'()*+;=-]*)(:\d*)?$/i;

/** @param head the bytes before the empty line */
function parse(head: string): Request {
  const [first = "", ...lines] = head.split("\r\n");
  const [, method, target, major, minor] = requestLine.exec(first) ?? [];
  if (method === undefined || target === undefined) throw bad();
  if (major !== "1") throw new Refusal("505 HTTP Version Not Supported");
  const isOld = minor === "0";
  const fields = new Map<string, string>();
  for (const line of lines) {
    const [, name, text] = fieldLine.exec(line) ?? [];
    if (name === undefined || text === undefined) throw bad();
    const [key, value] = [name.toLowerCase(), trim(text)];
    const before = fields.get(key);
    // Two lines with one name are one list: so two Hosts are not a host, and two lengths are not a number.
    fields.set(key, before === undefined ? value : `${before}, ${value}`);
  }
  const host = fields.get("host");
  if (host === undefined ? !isOld : !hostValue.test(host)) throw bad();
  const options = (fields.get("connection") ?? "").toLowerCase().split(/[\t ,]+/);
  const keep = !options.includes("close") && (!isOld || options.includes("keep-alive"));
  return { method, target, keep, framing: framingOf(fields, isOld) };
}

/** Without blanks at its ends. String.trim would remove the byte a0, too. */
function trim(text: string): string {
  let [from, to] = [0, text.length];
  while (from < to && " \t".includes(text[from]!)) from++;
  while (to > from && " \t".includes(text[to - 1]!)) to--;
  return text.slice(from, to);
}
// #endregion parse

// #region framing
function framingOf(fields: Map<string, string>, isOld: boolean): Request["framing"] {
  const coding = fields.get("transfer-encoding")?.toLowerCase();
  const length = fields.get("content-length");
  if (coding !== undefined) {
    if (length !== undefined || isOld || coding !== "chunked") throw bad();
    return "chunks";
  }
  if (length !== undefined && !/^\d+$/.test(length)) throw bad();
  if (Number(length ?? 0) > most.body) throw tooLarge();
  return Number(length ?? 0);
}
// #endregion framing

type Body = { length: number; end: number };

// #region body
/** The body that begins at this byte, and where the next request begins; null if it is not whole. */
function bodyOf(bytes: Buffer, from: number, framing: Request["framing"]): Body | null {
  const body = framing === "chunks" ? chunksOf(bytes, from) : { length: framing, end: from + framing };
  if (body !== null && body.end <= bytes.length) return body;
  if (bytes.length - from > most.body) throw tooLarge();
  return null;
}
// #endregion body

// #region chunks
const chunkLine = /^([\da-f]+)[\t ]*(;[\t\x20-\x7e\x80-\xff]*)?$/i;

function chunksOf(bytes: Buffer, from: number): Body | null {
  for (let at = from, length = 0; at < bytes.length; ) {
    const line = bytes.indexOf("\r\n", at);
    if (line === -1) return null;
    const [, digits] = chunkLine.exec(bytes.toString("latin1", at, line)) ?? [];
    if (digits === undefined) throw bad();
    const size = Number.parseInt(digits, 16);
    const end = size === 0 ? bytes.indexOf("\r\n\r\n", line) : line + 2 + size; // perhaps behind a trailer
    if (size === 0) return end === -1 ? null : { length, end: end + 4 };
    [at, length] = [end + 2, length + size];
    if (at - from > most.body) throw tooLarge();
    if (at <= bytes.length && bytes.toString("latin1", end, at) !== "\r\n") throw bad();
  }
  return null;
}
// #endregion chunks

function answer(client: Client, { method, target, keep }: Request, length: number): void {
  if (method === "GET") reply(client, "200 OK", `you asked for ${target}`, keep);
  else if (method === "POST") reply(client, "200 OK", `you sent ${length} bytes to ${target}`, keep);
  else reply(client, "501 Not Implemented", "this server knows GET and POST", keep);
}

function reply(client: Client, status: string, sentence: string, keep: boolean): void {
  const connection = keep ? "keep-alive" : "close";
  const fields = `Content-Type: text/plain\r\nContent-Length: ${sentence.length + 1}\r\nConnection: ${connection}`;
  const answer = Buffer.from(`HTTP/1.1 ${status}\r\n${fields}\r\n\r\n${sentence}\n`); // ASCII: one byte a character
  client.output = Buffer.concat([client.output, answer]);
  client.last = !keep;
}

// #region end
/** The last answer is sent. A close() now could destroy it: RFC 9112, 9.6. */
function endSending(client: Client): void {
  client.socket.shutdown("write");
  client.unread = nothing;
  waitFor(client, "fin");
}

/** What the client sends behind its last answer is not wanted. */
function discard(client: Client): void {
  if (client.socket.recv(64 * 1024)?.length === 0) leave(client);
}
// #endregion end

// #region leave
function leave(client: Client): void {
  epoll.unregister(client.socket);
  clients.delete(client.socket.fd);
  client.socket.close();
}
// #endregion leave

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  main(port);
} else {
  console.log("run it like this: npx tsx server.ts 7904");
  process.exit(1);
}

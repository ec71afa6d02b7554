// A web server for files in one process that never waits for a client: all that polling can do.
//
// Each turn accepts all clients in the accept queue, and takes one step for each client: it sends what is left to send,
// or answers one whole request, or reads what has come. It reads nothing from a client that does not read, so it keeps
// for a client at most a head and two pieces. The functions are in the order of a request's life.
import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from "node:fs";
import { extname, join, normalize } from "node:path/posix";
import { AF_INET, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, Socket, SyscallError, sleep } from "workbook/net";

/** The most bytes of a head: RFC 9112, 3 recommends 8000 for its first line. */
const mostHead = 16 * 1024;
/** The most bytes of one recv(), and of one read from a file. */
const piece = 64 * 1024;
/**
 * The sleep after a turn that found nothing, in milliseconds. It costs twice: a new client waits so long, and an idle
 * server still asks every client 200 times a second.
 */
const restMs = 5;
/** The longest time that a client has to close after its last answer, in milliseconds. */
const lingerMs = 1000;

/** The folder with its real name: so a link that leads out of it can be told from a file in it. */
const root = realpathSync.native("html");
const nothing: Buffer = Buffer.alloc(0);

class Client {
  readonly socket: Socket;
  /** Bytes that have come, and are not parsed yet. */
  input: Buffer = nothing;
  /** Bytes of a body still to come; the server skips them. */
  unwanted = 0;
  /** Bytes that the kernel has not taken, and the file whose rest follows them. */
  output: Buffer = nothing;
  file: OpenFile | null = null;
  /** The answer in `output` is the last one. When it is sent, the client has until `lingersUntil` to close. */
  last = false;
  lingersUntil = 0;

  constructor(socket: Socket) {
    this.socket = socket;
  }
}

interface OpenFile {
  fd: number;
  /** The next byte to read, and the end: the length that the head has promised. */
  at: number;
  end: number;
}

/** The connected clients. */
const clients = new Set<Client>();
/** The error code of the last accept(), printed once, at the first failure; null after a success. */
let trouble: string | null = null;

function main(port: number): void {
  const listener = new Socket(AF_INET, SOCK_STREAM);
  listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
  listener.bind({ host: "127.0.0.1", port });
  listener.listen(128);
  listener.setBlocking(false);
  console.log(`serves ${root} on http://127.0.0.1:${port}/`);

  while (true) {
    let busy = acceptAll(listener);
    for (const client of clients) if (attend(client)) busy = true;
    if (!busy) sleep(restMs);
  }
}

/** Accepts all clients in the accept queue. @returns whether there was one */
function acceptAll(listener: Socket): boolean {
  let found = false;
  try {
    for (let arrival = listener.accept(); arrival !== null; arrival = listener.accept()) {
      arrival.client.setBlocking(false);
      clients.add(new Client(arrival.client));
      found = true;
      trouble = null;
    }
  } catch (error) {
    // EMFILE, most likely: the clients in the queue wait until another client leaves.
    if (!(error instanceof SyscallError)) throw error;
    if (trouble !== error.code) console.log(`cannot accept for now: ${error.message}`);
    trouble = error.code;
  }
  return found;
}

/** One step for this client. An error in it ends this client only. @returns whether anything moved */
function attend(client: Client): boolean {
  try {
    if (client.output.length > 0 || client.file !== null) return send(client);
    if (client.last) return linger(client);
    return understand(client) || hear(client);
  } catch (error) {
    if (!(error instanceof SyscallError)) console.error(error); // a mistake in this program: print it, and go on
    leave(client);
    return true;
  }
}

function leave(client: Client): void {
  if (client.file !== null) closeSync(client.file.fd);
  client.socket.close();
  clients.delete(client);
}

// #region hear
/** Reads from this client. @returns whether there was anything to read */
function hear(client: Client): boolean {
  const data = client.socket.recv(piece);
  if (data === null) return false; // no bytes yet
  if (data.length === 0) leave(client);
  else client.input = client.input.length === 0 ? data : Buffer.concat([client.input, data]);
  return true;
}

/** Answers the next request, if it is whole. @returns false if more bytes must come first */
function understand(client: Client): boolean {
  const skipped = Math.min(client.unwanted, client.input.length);
  client.input = client.input.subarray(skipped);
  client.unwanted -= skipped;
  let request: Request = unreadable;
  try {
    const head = takeHead(client);
    if (head === null) return false;
    request = parse(head);
    client.unwanted = request.body;
    answer(client, request);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    reply(client, { ...request, keep: request.keep && error.keeps }, error.status);
  }
  return true;
}

/** The next head, without the empty line after it; null while it is not whole. */
function takeHead(client: Client): string | null {
  // Some clients send an empty line too many: RFC 9112, 2.2.
  while (client.input.toString("latin1", 0, 2) === "\r\n") client.input = client.input.subarray(2);
  const end = client.input.indexOf("\r\n\r\n");
  if (end > mostHead || (end === -1 && client.input.length > mostHead)) {
    const lines = client.input.subarray(0, mostHead).includes("\r\n");
    throw new Refusal(lines ? "431 Request Header Fields Too Large" : "414 URI Too Long");
  }
  if (end === -1) return null;
  // It becomes text only now, one character for each byte: a line ends with CR LF, and nothing else ends it.
  const head = client.input.toString("latin1", 0, end);
  client.input = client.input.subarray(end + 4);
  return head;
}
// #endregion hear

// #region parse
interface Request {
  method: string;
  target: string;
  minor: number;
  /** The connection stays open after the answer. */
  keep: boolean;
  /** The length of the body: so many bytes after the head are not the next request. */
  body: number;
}

/** Bytes that are not a request are answered as this request would be. */
const unreadable: Request = { method: "", target: "", minor: 1, keep: false, body: 0 };

/** Why a request gets no file. It is the last one, unless the server knows where the next request begins. */
class Refusal extends Error {
  readonly status: string;
  readonly keeps: boolean;
  constructor(status: string, { keeps = false } = {}) {
    super(status);
    this.status = status;
    this.keeps = keeps;
  }
}
const bad = () => new Refusal("400 Bad Request");
const notFound = () => new Refusal("404 Not Found", { keeps: true });

const requestLine = /^([!#$%&'*+.^_`|~\w-]+) ([!-~]+) HTTP\/(\d)\.(\d)$/;
const fieldLine = /^([!#$%&'*+.^_`|~\w-]+):([\t\x20-\x7e\x80-\xff]*)$/;
const hostValue = /^[\w.~%!$&'()*+;=:[\]-]*$/;

function parse(head: string): Request {
  const [first = "", ...lines] = head.split("\r\n");
  const [, method, target, major, digit] = requestLine.exec(first) ?? [];
  if (method === undefined || target === undefined) throw bad();
  if (major !== "1") throw new Refusal("505 HTTP Version Not Supported");
  const minor = Number(digit);
  const fields = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = fieldLine.exec(line) ?? [];
    if (name === undefined || value === undefined) throw bad();
    const before = fields.get(name.toLowerCase());
    // Two lines with one name are one list: so two Hosts are not a host, and two lengths are not a number.
    fields.set(name.toLowerCase(), before === undefined ? value.trim() : `${before}, ${value.trim()}`);
  }
  const host = fields.get("host");
  if (host === undefined ? minor > 0 : !hostValue.test(host)) throw bad();

  const length = fields.get("content-length");
  if (length !== undefined && !/^\d{1,15}$/.test(length)) throw bad();
  // A server may refuse a body in chunks (RFC 9112, 6.3). With a length as well it is an attempt at smuggling.
  if (fields.has("transfer-encoding"))
    throw length === undefined ? new Refusal("411 Length Required") : bad();

  const options = (fields.get("connection") ?? "")
    .toLowerCase()
    .split(",")
    .map(word => word.trim());
  // A client with Expect waits before it sends its body, and may not send it: the next request could begin anywhere.
  const keep =
    !options.includes("close") && !fields.has("expect") && (minor > 0 || options.includes("keep-alive"));
  return { method, target, minor, keep, body: Number(length ?? 0) };
}
// #endregion parse

// #region files
const types: Record<string, string> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
};

function answer(client: Client, request: Request): void {
  const { method, target } = request;
  if (method !== "GET" && method !== "HEAD") {
    const known = /^(POST|PUT|PATCH|DELETE|OPTIONS|TRACE|CONNECT)$/.test(method);
    throw new Refusal(known ? "405 Method Not Allowed" : "501 Not Implemented", { keeps: true });
  }
  const path = pathOf(target);
  const file = open(path);
  reply(client, request, "200 OK", types[extname(path)] ?? "application/octet-stream", file);
}

/** The path below the root that a target names. It is decoded first, and then its dots are removed. */
function pathOf(target: string): string {
  const [path = ""] = target.replace(/^https?:\/\/[^/?]*/i, "").split("?");
  let decoded: string;
  try {
    decoded = decodeURIComponent(path || "/");
  } catch {
    throw bad(); // a % without two digits, or bytes that are not UTF-8
  }
  if (!decoded.startsWith("/") || decoded.includes("\0")) throw bad();
  const inside = normalize(decoded); // "/.." becomes "/": no path leads up from the root
  return inside.endsWith("/") ? `${inside}index.html` : inside;
}

/** Opens the file at this path, if it is a regular file below the root. @throws Refusal 404 for all others */
function open(path: string): OpenFile {
  let fd: number | undefined;
  try {
    const place = realpathSync.native(join(root, path)); // the path without links
    if (!place.startsWith(`${root}/`)) throw notFound();
    // O_NONBLOCK: without it, opening a FIFO waits for a process that writes into it.
    fd = openSync(place, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw notFound();
    return { fd, at: 0, end: stat.size };
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "EMFILE" || code === "ENFILE") throw new Refusal("503 Service Unavailable", { keeps: true });
    throw notFound();
  }
}
// #endregion files

// #region send
/** Puts a head and the first bytes of the body into `output`: so one send() takes both. */
function reply(client: Client, to: Request, status: string, type = types[".txt"], file?: OpenFile): void {
  const sentence = file ? "" : `${status}\n请输入正确的url\n`; // the course's words: please enter a correct URL
  const body = Buffer.from(sentence);
  const fields = [
    `Date: ${new Date().toUTCString()}`,
    `Content-Type: ${type}`,
    `Content-Length: ${file ? file.end : body.length}`,
  ];
  if (status.startsWith("405")) fields.push("Allow: GET, HEAD");
  if (!to.keep) fields.push("Connection: close");
  else if (to.minor === 0) fields.push("Connection: keep-alive");
  const head = Buffer.from(`HTTP/1.1 ${status}\r\n${fields.join("\r\n")}\r\n\r\n`);
  console.log(`${to.method} ${to.target} ${status}`);

  client.last = !to.keep;
  client.output = to.method === "HEAD" ? head : Buffer.concat([head, body]);
  if (file === undefined) return;
  client.file = file;
  if (to.method === "HEAD") file.at = file.end;
  readOn(client);
}

/** Appends the next piece of the file to `output`, and closes the file at its end. */
function readOn(client: Client): void {
  const { file } = client;
  if (file === null) return;
  const next = Buffer.allocUnsafe(Math.min(piece, file.end - file.at));
  const got = next.length === 0 ? 0 : readSync(file.fd, next, 0, next.length, file.at);
  if (got < next.length) throw new Error("a file became shorter while it was sent"); // the head has promised more bytes
  client.output = Buffer.concat([client.output, next]);
  file.at += got;
  if (file.at < file.end) return;
  closeSync(file.fd);
  client.file = null;
}

/** Sends what the kernel has room for, and keeps the rest. @returns whether there was room */
function send(client: Client): boolean {
  if (client.output.length === 0) readOn(client);
  const took = client.socket.send(client.output);
  if (took === null) return false;
  client.output = client.output.subarray(took);
  return true;
}

/**
 * Ends the stream, and waits a little for the client to close. A close() while the client still sends would reset the
 * connection (RST), perhaps before the client has read its answer: RFC 9112, 9.6.
 */
function linger(client: Client): boolean {
  if (client.lingersUntil === 0) {
    client.socket.shutdown("write");
    client.lingersUntil = performance.now() + lingerMs;
  }
  const data = client.socket.recv(piece);
  if (data?.length === 0 || performance.now() > client.lingersUntil) leave(client);
  return data !== null;
}
// #endregion send

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  main(port);
} else {
  console.log("run it like this: npx tsx server.ts 7886");
  process.exit(1);
}

// A web server for files in one process that never waits for a client: all that polling can do.
//
// Each turn it lets in whoever has come, and takes one step with everybody: send what is left to send, or answer
// one request that is whole, or hear what has come. It hears nobody who does not read, so what it keeps for a client
// is never more than a head and two pieces. The functions stand in the order of a request's life.
import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from "node:fs";
import { extname, join, normalize } from "node:path/posix";
import { AF_INET, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, Socket, SyscallError, sleep } from "workbook/net";

/** Octets of a head at most: RFC 9112, 3 wants 8000 for its first line. */
const mostHead = 16 * 1024;
/** Octets that are heard, or read from a file, at once. */
const piece = 64 * 1024;
/**
 * How long to rest after a turn in which nothing was to be done, in milliseconds. It is paid for twice: who comes
 * meanwhile waits so long, and an idle server still asks everybody 200 times a second.
 */
const restMs = 5;
/** Who has its last answer may take so long to notice, in milliseconds. */
const lingerMs = 1000;

/** The folder with its real name: so a link that leads out of it can be told from a file in it. */
const root = realpathSync.native("html");
const nothing: Buffer = Buffer.alloc(0);

class Client {
  readonly socket: Socket;
  /** What has come, and is not understood yet. */
  input: Buffer = nothing;
  /** Octets still to come of a body that nobody wants. */
  unwanted = 0;
  /** What the kernel had no room for, and the file from which more is to follow. */
  output: Buffer = nothing;
  file: OpenFile | null = null;
  /** The answer in `output` is the last one. Once it is out, the client has until then to close before we do. */
  last = false;
  lingersUntil = 0;

  constructor(socket: Socket) {
    this.socket = socket;
  }
}

interface OpenFile {
  fd: number;
  /** Where we are in it, and where it ends: as long as the head has promised. */
  at: number;
  end: number;
}

/** Everybody who is here. */
const clients = new Set<Client>();
/** Why nobody can be let in, said once, when it begins; null while all is well. */
let trouble: string | null = null;

// #region turn
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

/** Lets in everybody who waits in the accept queue; true if there was anybody. */
function acceptAll(listener: Socket): boolean {
  let came = false;
  try {
    for (let arrival = listener.accept(); arrival !== null; arrival = listener.accept()) {
      arrival.client.setBlocking(false);
      clients.add(new Client(arrival.client));
      came = true;
      trouble = null;
    }
  } catch (error) {
    // EMFILE, most likely: who is in the queue stays there until somebody leaves.
    if (!(error instanceof SyscallError)) throw error;
    if (trouble !== error.code) console.log(`cannot accept for now: ${error.message}`);
    trouble = error.code;
  }
  return came;
}

/** One step with this client; true if it led anywhere. What goes wrong here is the end of this client only. */
function attend(client: Client): boolean {
  try {
    if (client.output.length > 0 || client.file !== null) return send(client);
    if (client.last) return linger(client);
    return understand(client) || hear(client);
  } catch (error) {
    if (!(error instanceof SyscallError)) console.error(error); // a mistake of ours: say so, and go on
    leave(client);
    return true;
  }
}

function leave(client: Client): void {
  if (client.file !== null) closeSync(client.file.fd);
  client.socket.close();
  clients.delete(client);
}
// #endregion turn

// #region hear
function hear(client: Client): boolean {
  const data = client.socket.recv(piece);
  if (data === null) return false; // nothing yet
  if (data.length === 0) leave(client);
  else client.input = client.input.length === 0 ? data : Buffer.concat([client.input, data]);
  return true;
}

/** Answers the next request, if it is whole; false if more must come before anything can be said. */
function understand(client: Client): boolean {
  const over = Math.min(client.unwanted, client.input.length);
  client.input = client.input.subarray(over);
  client.unwanted -= over;
  let request: Request = nobodys;
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

/** The next head, without the empty line behind it; null when it is not whole. */
function takeHead(client: Client): string | null {
  // Some send an empty line more than they should: RFC 9112, 2.2.
  while (client.input.toString("latin1", 0, 2) === "\r\n") client.input = client.input.subarray(2);
  const end = client.input.indexOf("\r\n\r\n");
  if (end > mostHead || (end === -1 && client.input.length > mostHead)) {
    const lines = client.input.subarray(0, mostHead).includes("\r\n");
    throw new Refusal(lines ? "431 Request Header Fields Too Large" : "414 URI Too Long");
  }
  if (end === -1) return null;
  // Text is made of it only now, one character of each octet: a line ends with CR LF, and nothing else ends it.
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
  /** Octets behind the head that are not the next request. */
  body: number;
}

/** What could not be read as a request is answered as this one would be. */
const nobodys: Request = { method: "", target: "", minor: 1, keep: false, body: 0 };

/** Why a request does not get a file. Unless it is known where the next one begins, it must be the last. */
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
    // Two lines of one name are one list: two Hosts, or two lengths, are therefore neither a host nor a number.
    fields.set(name.toLowerCase(), before === undefined ? value.trim() : `${before}, ${value.trim()}`);
  }
  const host = fields.get("host");
  if (host === undefined ? minor > 0 : !hostValue.test(host)) throw bad();

  const length = fields.get("content-length");
  if (length !== undefined && !/^\d{1,15}$/.test(length)) throw bad();
  // A body in chunks may be refused (RFC 9112, 6.3); and with a length as well it is an attempt at smuggling.
  if (fields.has("transfer-encoding"))
    throw length === undefined ? new Refusal("411 Length Required") : bad();

  const said = (fields.get("connection") ?? "")
    .toLowerCase()
    .split(",")
    .map(word => word.trim());
  // Who waits for leave to send its body will perhaps not send it: then nobody knows where the next request begins.
  const keep = !said.includes("close") && !fields.has("expect") && (minor > 0 || said.includes("keep-alive"));
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

/** The path below the root that a target names. First it is decoded, and then its dots go: not the other way round. */
function pathOf(target: string): string {
  const [path = ""] = target.replace(/^https?:\/\/[^/?]*/i, "").split("?");
  let decoded: string;
  try {
    decoded = decodeURIComponent(path || "/");
  } catch {
    throw bad(); // a % without two digits, or octets that are no UTF-8
  }
  if (!decoded.startsWith("/") || decoded.includes("\0")) throw bad();
  const inside = normalize(decoded); // of "/.." nothing is left: there is no way up from /
  return inside.endsWith("/") ? `${inside}index.html` : inside;
}

/** Opens what lies at this path, if it is a file below the root. @throws Refusal 404 for everything else */
function open(path: string): OpenFile {
  let fd: number | undefined;
  try {
    const place = realpathSync.native(join(root, path)); // where it lies when all links are followed
    if (!place.startsWith(`${root}/`)) throw notFound();
    // O_NONBLOCK: to open a FIFO would wait for somebody who writes into it.
    fd = openSync(place, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    const what = fstatSync(fd);
    if (!what.isFile()) throw notFound();
    return { fd, at: 0, end: what.size };
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "EMFILE" || code === "ENFILE") throw new Refusal("503 Service Unavailable", { keeps: true });
    throw notFound();
  }
}
// #endregion files

// #region send
/** Puts a head, and the first octets of what follows it, into `output`: so they leave with one call. */
function reply(client: Client, to: Request, status: string, type = types[".txt"], file?: OpenFile): void {
  const sentence = file ? "" : `${status}\n请输入正确的url\n`; // as the course says it: please enter a correct URL
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

/** Reads the next piece of the file behind what is to be sent, and closes the file at its end. */
function readOn(client: Client): void {
  const { file } = client;
  if (file === null) return;
  const next = Buffer.allocUnsafe(Math.min(piece, file.end - file.at));
  const got = next.length === 0 ? 0 : readSync(file.fd, next, 0, next.length, file.at);
  if (got < next.length) throw new Error("a file became shorter while it was sent"); // the head has promised more
  client.output = Buffer.concat([client.output, next]);
  file.at += got;
  if (file.at < file.end) return;
  closeSync(file.fd);
  client.file = null;
}

/** Sends what the kernel has room for, and keeps the rest; false if there was no room. */
function send(client: Client): boolean {
  if (client.output.length === 0) readOn(client);
  const took = client.socket.send(client.output);
  if (took === null) return false;
  client.output = client.output.subarray(took);
  return true;
}

/**
 * Says that there is no more, and waits a little for the client to close: to close() while it still sends would
 * cut it off (RST), perhaps before it has read its answer. RFC 9112, 9.6.
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

// An HTTP server on epoll that believes its clients: it answers what is not a request, it waits as long as a client likes,
// and it closes at once behind its last answer. That is the exercise.
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
/** The most bytes of a head that has not ended. */
const mostHead = 16 * 1024;
/** A client that sends nothing for so long is disconnected, in milliseconds. */
const patience = 2000;
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
    for (const { fd } of epoll.poll()) {
      const client = clients.get(fd);
      if (client) attend(client, serve);
      else acceptAll(listener);
    }
    const now = performance.now();
    for (const client of clients.values()) if (client.deadline <= now) leave(client);
  }
}
// #endregion turn

// #region accept
function acceptAll(listener: Socket): void {
  for (let arrival = listener.accept(); arrival !== null; arrival = listener.accept()) {
    const socket = arrival.client;
    socket.setBlocking(false);
    const deadline = performance.now() + patience;
    clients.set(socket.fd, { socket, unread: nothing, output: nothing, last: false, deadline });
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
  client.deadline = performance.now() + patience;
  const before = client.output.length > 0;
  if (!before && !hear(client)) return;
  answerAll(client);
  const took = client.output.length > 0 ? client.socket.send(client.output) : 0;
  client.output = client.output.subarray(took ?? 0);
  const after = client.output.length > 0;
  if (!after && client.last) leave(client);
  else if (before !== after) epoll.modify(client.socket, after ? EPOLLOUT : EPOLLIN);
}
// #endregion serve

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
/** Puts the answers to all requests that are whole into `output`. */
function answerAll(client: Client): void {
  for (let next = takeRequest(client); next !== null; next = takeRequest(client))
    answer(client, next.request, next.length);
  if (client.unread.length <= mostHead || client.unread.includes("\r\n\r\n")) return;
  reply(client, "431 Request Header Fields Too Large", "the head is too long", false);
}
// #endregion answers

interface Request {
  method: string;
  target: string;
  /** The connection stays open after the answer. */
  keep: boolean;
  /** How its body ends: after so many bytes, or with the last chunk. */
  framing: number | "chunks";
}

// #region request
/** Takes the next request, if it is whole. */
function takeRequest(client: Client): { request: Request; length: number } | null {
  if (client.last) return null;
  while (client.unread.indexOf("\r\n") === 0) client.unread = client.unread.subarray(2); // RFC 9112, 2.2
  const { unread } = client;
  const end = unread.indexOf("\r\n\r\n");
  if (end === -1) return null;
  const request = parse(unread.toString("latin1", 0, end));
  const body = bodyOf(unread, end + 4, request.framing);
  if (body === null) return null;
  client.unread = unread.subarray(body.end);
  return { request, length: body.length };
}
// #endregion request

// #region parse
/** @param head the bytes before the empty line */
function parse(head: string): Request {
  const [first = "", ...lines] = head.split(/\r?\n/);
  const [method = "", target = "", version] = first.split(" ");
  const fields = new Map<string, string>();
  for (const line of lines) {
    const [name = "", ...value] = line.split(":");
    fields.set(name.trim().toLowerCase(), value.join(":").trim());
  }
  const options = (fields.get("connection") ?? "").toLowerCase().split(/[\t ,]+/);
  const keep = !options.includes("close") && (version !== "HTTP/1.0" || options.includes("keep-alive"));
  return { method, target, keep, framing: framingOf(fields) };
}
// #endregion parse

// #region framing
function framingOf(fields: Map<string, string>): Request["framing"] {
  if (fields.get("transfer-encoding")?.includes("chunked")) return "chunks";
  return Math.max(0, Number.parseInt(fields.get("content-length") ?? "0", 10));
}
// #endregion framing

type Body = { length: number; end: number };

// #region body
/** The body that begins at this byte, and where the next request begins; null if it is not whole. */
function bodyOf(bytes: Buffer, from: number, framing: Request["framing"]): Body | null {
  const body = framing === "chunks" ? chunksOf(bytes, from) : { length: framing, end: from + framing };
  return body !== null && body.end <= bytes.length ? body : null;
}
// #endregion body

// #region chunks
function chunksOf(bytes: Buffer, from: number): Body | null {
  for (let at = from, length = 0; at < bytes.length; ) {
    const line = bytes.indexOf("\r\n", at);
    if (line === -1) return null;
    const size = Number.parseInt(bytes.toString("latin1", at, line), 16);
    const end = size === 0 ? bytes.indexOf("\r\n\r\n", line) : line + 2 + size; // perhaps behind a trailer
    if (size === 0) return end === -1 ? null : { length, end: end + 4 };
    [at, length] = [end + 2, length + size];
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

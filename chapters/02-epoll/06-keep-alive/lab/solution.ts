// An epoll server that keeps each connection open as long as HTTP says. For each message it knows where the message ends, and
// it gives the kernel all that is there to send in one buffer.
import {
  AF_INET,
  EPOLLIN,
  EPOLLOUT,
  Epoll,
  IPPROTO_TCP,
  SO_REUSEADDR,
  SOCK_STREAM,
  SOL_SOCKET,
  Socket,
  SyscallError,
  TCP_NODELAY,
} from "workbook/net";

// #region state
interface Client {
  socket: Socket;
  /** What has come and is not answered. */
  unread: Buffer;
  /** Makes the pieces of the answer that is under way. */
  answer: Iterator<Buffer> | null;
  /** What is offered to the kernel next. */
  piece: Buffer | null;
  /** What epoll reports of this client: EPOLLIN or EPOLLOUT. */
  waitsFor: number;
  /** The answer under way is the last one. */
  isLast: boolean;
  /** FIN is sent after the last answer. */
  hasEnded: boolean;
}

interface Request {
  method: string;
  target: string;
  body: Buffer;
  /** The client speaks HTTP/1.0. */
  isOld: boolean;
  /** The connection stays open after the answer. */
  persists: boolean;
  /** Where the next request begins. */
  end: number;
}

class BadRequest extends Error {}
// #endregion state

const clients = new Map<number, Client>();
const epoll = new Epoll();
const emptyLine = "\r\n\r\n";
/** The most bytes of a request that is not whole. */
const mostUnread = 128 * 1024;
/** The most bytes that one client gets in a turn. */
const share = 16 * 1024;
const brewTarget = /^\/brew\/(\d{1,5})$/;

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
      if (client) serve(client);
      else acceptAll(listener);
    }
  }
}
// #endregion turn

// #region accept
function acceptAll(listener: Socket): void {
  for (let arrival = listener.accept(); arrival !== null; arrival = listener.accept()) {
    const socket = arrival.client;
    socket.setBlocking(false);
    socket.setOption(IPPROTO_TCP, TCP_NODELAY, 1);
    const nothing = { unread: Buffer.alloc(0), answer: null, piece: null, isLast: false, hasEnded: false };
    clients.set(socket.fd, { socket, waitsFor: EPOLLIN, ...nothing });
    epoll.register(socket, EPOLLIN);
  }
}
// #endregion accept

// #region serve
/** The client has sent something, or there is room for its answer. */
function serve(client: Client): void {
  try {
    if (client.waitsFor === EPOLLIN && !hear(client)) return;
    const isSent = sendOn(client);
    if (isSent && client.isLast && !client.hasEnded) {
      client.socket.shutdown("write");
      client.hasEnded = true;
    }
    const events = isSent ? EPOLLIN : EPOLLOUT;
    if (client.waitsFor !== events) epoll.modify(client.socket, events);
    client.waitsFor = events;
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    leave(client);
  }
}
// #endregion serve

// #region send
/** Sends this client's answers, up to its share of a turn. @returns whether every request that has come is answered */
function sendOn(client: Client): boolean {
  for (let left = share; left > 0; ) {
    client.piece ??= gather(client);
    if (client.piece === null) return true;
    const took = client.socket.send(client.piece);
    if (took === null) return false;
    left -= took;
    client.piece = took < client.piece.length ? client.piece.subarray(took) : null;
  }
  return false;
}

/** Puts the next pieces into one buffer: what is in one send() does not wait for an acknowledgement. */
function gather(client: Client): Buffer | null {
  const pieces: Buffer[] = [];
  for (let bytes = 0; bytes < share; bytes += pieces.at(-1)!.length) {
    const piece = nextPiece(client);
    if (piece === null) break;
    pieces.push(piece);
  }
  return pieces.length > 0 ? Buffer.concat(pieces) : null;
}
// #endregion send

// #region next
/** The next piece of the answer under way, or of the answer to the next request. @returns null: no request has come */
function nextPiece(client: Client): Buffer | null {
  const next = client.answer?.next();
  if (next && !next.done) return next.value;
  client.answer = client.isLast ? null : nextAnswer(client);
  return client.answer && nextPiece(client);
}
// #endregion next

// #region hear
/** Reads once; after the last request it reads only to find the end. @returns whether the client is still there */
function hear(client: Client): boolean {
  const data = client.socket.recv(16 * 1024);
  if (data === null) return true;
  if (!client.isLast) client.unread = Buffer.concat([client.unread, data]);
  if (data.length > 0 && client.unread.length <= mostUnread) return true;
  leave(client);
  return false;
}
// #endregion hear

// #region request
/** Takes the next request from what has come. @returns its answer; null: the request is not whole */
function nextAnswer(client: Client): Iterator<Buffer> | null {
  try {
    const request = readRequest(client.unread);
    if (request === null) return null;
    client.unread = client.unread.subarray(request.end);
    client.isLast = !request.persists;
    return answer(request);
  } catch (error) {
    if (!(error instanceof BadRequest)) throw error;
    client.unread = Buffer.alloc(0);
    client.isLast = true;
    const fields = "Content-Length: 0\r\nConnection: close";
    return [Buffer.from(`HTTP/1.1 400 Bad Request\r\n${fields}\r\n\r\n`)].values();
  }
}

/** The request at the beginning of these bytes. @returns null: it is not whole */
function readRequest(bytes: Buffer): Request | null {
  const headEnd = bytes.indexOf(emptyLine);
  if (headEnd === -1) return null;
  const [first = "", ...lines] = bytes.toString("latin1", 0, headEnd).split("\r\n");
  const [, method, target, minor] = /^([^ ]+) ([^ ]+) HTTP\/1\.(\d)$/.exec(first) ?? [];
  if (!method || !target) throw new BadRequest();
  const isOld = minor === "0";
  // HTTP/1.0 knows no chunks, and a program on the way may not have seen them.
  if (isOld && field(lines, "transfer-encoding") !== null) throw new BadRequest();
  const found = readBody(bytes, headEnd + emptyLine.length, lines);
  if (found === null) return null;
  const options = (field(lines, "connection") ?? "").toLowerCase().split(/[\t ]*,[\t ]*/);
  const stays = isOld ? options.includes("keep-alive") && !brewTarget.test(target) : true;
  return { method, target, isOld, persists: stays && !options.includes("close"), ...found };
}

/** The values of a field, as a list with commas. @returns null: the head does not have this field */
function field(lines: string[], name: string): string | null {
  const values = lines
    .filter(line => line.toLowerCase().startsWith(`${name}:`))
    .map(line => line.slice(name.length + 1).replace(/^[\t ]+|[\t ]+$/g, ""));
  return values.length > 0 ? values.join(", ") : null;
}
// #endregion request

// #region body
type Body = Pick<Request, "body" | "end">;

/** The body that begins at this place. @returns null: it is not whole */
function readBody(bytes: Buffer, from: number, lines: string[]): Body | null {
  const coding = field(lines, "transfer-encoding");
  const length = field(lines, "content-length");
  if (coding !== null) {
    if (length !== null || coding.toLowerCase() !== "chunked") throw new BadRequest();
    return readChunks(bytes, from);
  }
  if (length === null) return { body: Buffer.alloc(0), end: from };
  if (!/^\d+$/.test(length)) throw new BadRequest();
  const end = from + Number(length);
  return bytes.length < end ? null : { body: bytes.subarray(from, end), end };
}

/** Chunks: before each is a line with its size, a hexadecimal number, and after it a line end. The size 0 is the end. */
function readChunks(bytes: Buffer, from: number): Body | null {
  const chunks: Buffer[] = [];
  for (let at = from; ; ) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd === -1) return null;
    const digits = /^([\da-f]+)[\t ]*(;.*)?$/i.exec(bytes.toString("latin1", at, lineEnd))?.[1];
    if (digits === undefined) throw new BadRequest();
    const size = Number.parseInt(digits, 16);
    if (size === 0) {
      // Fields may follow, and then an empty line. Without fields its line end is right after that of the size.
      const end = bytes.indexOf(emptyLine, lineEnd);
      return end === -1 ? null : { body: Buffer.concat(chunks), end: end + emptyLine.length };
    }
    const chunkEnd = lineEnd + 2 + size;
    at = chunkEnd + 2;
    if (bytes.length < at) return null;
    if (bytes.toString("latin1", chunkEnd, at) !== "\r\n") throw new BadRequest();
    chunks.push(bytes.subarray(lineEnd + 2, chunkEnd));
  }
}
// #endregion body

// #region answer
/** An answer, piece by piece: it repeats an order, and watches a pot of tea, for as many minutes as the target says. */
function* answer(request: Request): Generator<Buffer, void> {
  const { method, target, body, isOld } = request;
  const hasBody = method !== "HEAD";
  const minutes = brewTarget.exec(target)?.[1];
  if (target === "/bell") {
    yield head("204 No Content", request);
  } else if (minutes !== undefined) {
    yield head("200 OK", request, isOld ? "" : "Transfer-Encoding: chunked\r\n");
    if (!hasBody) return;
    for (const line of brew(Number(minutes))) {
      if (line !== "") yield isOld ? Buffer.from(line) : chunk(line);
    }
    if (!isOld) yield chunk("");
  } else {
    const order = Buffer.concat([Buffer.from("you ordered "), body, Buffer.from("\n")]);
    const text = target === "/order" ? order : Buffer.from(`you asked for ${target}\n`);
    yield head("200 OK", request, `Content-Length: ${text.length}\r\n`);
    if (hasBody) yield text;
  }
}

/** @param framing the field that says where the body ends; none: at the end of the stream, or there is no body */
function head(status: string, { isOld, persists }: Request, framing = ""): Buffer {
  const option = persists ? "keep-alive" : "close";
  const connection = persists && !isOld ? "" : `Connection: ${option}\r\n`;
  return Buffer.from(`HTTP/1.1 ${status}\r\n${framing}${connection}\r\n`);
}

/** A chunk of no bytes is the end of the body. */
function chunk(text: string): Buffer {
  return Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
}
// #endregion answer

/** A pot of tea, minute by minute. In every fifth minute there is nothing to say. */
function* brew(minutes: number): Generator<string, void> {
  for (let minute = 1; minute <= minutes; minute++) {
    yield minute % 5 === 0 ? "" : `minute ${minute}: ${95 - (minute % 60)} °C\n`;
  }
}

function leave(client: Client): void {
  epoll.unregister(client.socket);
  clients.delete(client.socket.fd);
  client.socket.close();
}

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  main(port);
} else {
  console.log("run it like this: npx tsx server.ts 7903");
  process.exit(1);
}

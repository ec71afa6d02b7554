// Edge-triggered, with a generator for each client: it reads lines and bytes as if they were there, and yields while they are
// not. Head and body are two sends, and TCP_NODELAY lets both go at once.
import {
  AF_INET,
  EPOLLERR,
  EPOLLET,
  EPOLLHUP,
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

type Waits = Generator<"bytes" | "room", void>;

class Client {
  input = Buffer.alloc(0);
  readable = true;
  writable = true;
  waits: "bytes" | "room" = "bytes";
  readonly talk: Waits;
  readonly socket: Socket;

  constructor(socket: Socket) {
    this.socket = socket;
    this.talk = talk(this);
  }

  /** The peer has ended when this returns false. */
  *more(): Generator<"bytes", boolean> {
    while (true) {
      const data = this.readable ? this.socket.recv(4096) : null;
      if (data !== null) {
        this.input = Buffer.concat([this.input, data]);
        return data.length > 0;
      }
      this.readable = false;
      yield "bytes";
    }
  }

  *line(): Generator<"bytes", string | null> {
    while (true) {
      const end = this.input.indexOf("\r\n");
      if (end !== -1) {
        const line = this.input.toString("latin1", 0, end);
        this.input = this.input.subarray(end + 2);
        return line;
      }
      if (this.input.length > 32_768 || !(yield* this.more())) return null;
    }
  }

  *bytes(count: number): Generator<"bytes", Buffer | null> {
    while (this.input.length < count) if (!(yield* this.more())) return null;
    const bytes = this.input.subarray(0, count);
    this.input = this.input.subarray(count);
    return bytes;
  }

  *send(bytes: Buffer | string): Generator<"room", void> {
    for (let left = Buffer.from(bytes as string); left.length > 0; ) {
      const took = this.writable ? this.socket.send(left) : null;
      if (took === null) {
        this.writable = false;
        yield "room";
      } else left = left.subarray(took);
    }
  }
}

const bad = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const tooLong = bad.replace("400 Bad Request", "413 Content Too Large");

function* talk(client: Client): Waits {
  let goesOn = true;
  while (goesOn) {
    const first = yield* client.line();
    if (first === null) return;
    const fields: Record<string, string> = {};
    for (let line = yield* client.line(); line !== ""; line = yield* client.line()) {
      if (line === null) return;
      const [, name = "", value = ""] = /^([^:]*):\s*(.*?)\s*$/.exec(line) ?? [];
      const key = name.toLowerCase();
      fields[key] = key in fields ? `${fields[key]},${value}` : value;
    }
    const body = yield* readBody(client, fields);
    if (body === null) return;
    if (typeof body === "string") {
      yield* client.send(body);
      break;
    }
    goesOn = yield* answer(client, first.split(" "), fields, body);
  }
  client.socket.shutdown("write");
  do client.input = Buffer.alloc(0);
  while (yield* client.more());
}

/** @returns the body, a refusal, or null when the client has gone */
function* readBody(
  client: Client,
  fields: Record<string, string>,
): Generator<"bytes", Buffer | string | null> {
  const { "content-length": length = "0", "transfer-encoding": coding } = fields;
  if (coding === undefined) {
    if (!/^\d+$/.test(length)) return bad;
    return Number(length) > 70_000 ? tooLong : yield* client.bytes(Number(length));
  }
  if (coding.toLowerCase() !== "chunked" || "content-length" in fields) return bad;
  let body = Buffer.alloc(0);
  while (true) {
    const line = yield* client.line();
    if (line === null) return null;
    const size = Number.parseInt(line, 16);
    if (!/^[\da-f]+(;.*)?$/i.test(line)) return bad;
    if (size + body.length > 70_000) return tooLong;
    if (size === 0) break;
    const chunk = yield* client.bytes(size);
    const end = yield* client.bytes(2);
    if (chunk === null || end === null) return null;
    if (end.toString() !== "\r\n") return bad;
    body = Buffer.concat([body, chunk]);
  }
  for (let line = yield* client.line(); line !== ""; line = yield* client.line())
    if (line === null) return null;
  return body;
}

/** @returns whether the connection stays */
function* answer(
  client: Client,
  [method, target = "", version]: string[],
  fields: Record<string, string>,
  body: Buffer,
): Generator<"room", boolean> {
  const old = version === "HTTP/1.0";
  const options = ` ${(fields.connection ?? "").toLowerCase().replaceAll(",", " ")} `;
  const minutes = /^\/brew\/(\d+)$/.exec(target)?.[1];
  // For an old client this server counts the bytes of a pot, so that the connection may stay.
  const stays = !options.includes(" close ") && (!old || options.includes(" keep-alive "));
  const connection = `Connection: ${stays ? "keep-alive" : "close"}\r\n\r\n`;
  if (target === "/bell") {
    yield* client.send(`HTTP/1.1 204 No Content\r\n${connection}`);
  } else if (minutes !== undefined && !old) {
    yield* client.send(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n${connection}`);
    if (method === "HEAD") return stays;
    let piece = "";
    for (let minute = 1; minute <= Number(minutes); minute++) {
      const line = minute % 5 === 0 ? "" : `minute ${minute}: ${95 - (minute % 60)} °C\n`;
      if (line !== "") piece += `${Buffer.byteLength(line).toString(16).padStart(4, "0")}\r\n${line}\r\n`;
      if (piece.length < 8000) continue;
      yield* client.send(piece);
      piece = "";
    }
    yield* client.send(`${piece}0\r\n\r\n`);
  } else {
    let text: Buffer = Buffer.from(`you asked for ${target}\n`);
    if (target === "/order") text = Buffer.concat([Buffer.from("you ordered "), body, Buffer.from("\n")]);
    if (minutes !== undefined) text = Buffer.from(pot(Number(minutes)));
    yield* client.send(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n${connection}`);
    if (method !== "HEAD") yield* client.send(text);
  }
  return stays;
}

function pot(minutes: number): string {
  const lines = Array.from({ length: minutes }, (_, i) => i + 1).filter(minute => minute % 5 !== 0);
  return lines.map(minute => `minute ${minute}: ${95 - (minute % 60)} °C\n`).join("");
}

const epoll = new Epoll();
const clients = new Map<number, Client>();
const listener = new Socket(AF_INET, SOCK_STREAM);
listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
listener.bind({ host: "127.0.0.1", port: Number(process.argv[2]) });
listener.listen(128);
listener.setBlocking(false);
epoll.register(listener, EPOLLIN);

while (true) {
  for (const { fd, events } of epoll.poll()) {
    const client = clients.get(fd);
    if (!client) {
      welcome();
      continue;
    }
    if (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) client.readable = true;
    if (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) client.writable = true;
    if (client.waits === "bytes" ? client.readable : client.writable) step(client);
  }
}

function welcome(): void {
  for (let next = listener.accept(); next !== null; next = listener.accept()) {
    next.client.setBlocking(false);
    next.client.setOption(IPPROTO_TCP, TCP_NODELAY, 1);
    const client = new Client(next.client);
    clients.set(next.client.fd, client);
    epoll.register(next.client, EPOLLIN | EPOLLOUT | EPOLLET);
    step(client);
  }
}

function step(client: Client): void {
  try {
    const next = client.talk.next();
    if (!next.done) {
      client.waits = next.value;
      return;
    }
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
  }
  epoll.unregister(client.socket);
  clients.delete(client.socket.fd);
  client.socket.close();
}

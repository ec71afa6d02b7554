// Level-triggered, with one timer for all clients: it looks at all deadlines four times a second while a client is connected,
// and so ends a wait up to a quarter of a second late. A chain of patterns reads a head, and a body is counted as it comes.
import { EPOLLIN, EPOLLOUT, Epoll, SO_REUSEADDR, SOL_SOCKET, Socket, SyscallError } from "workbook/net";

const tickMs = 250;
const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const headPattern = new RegExp(
  `^(${token}) ([!-~]+) HTTP/([0-9])[.]([0-9])\r\n((?:${token}:[\\t\\x20-\\x7e\\x80-\\xff]*\r\n)*)\r\n`,
);

interface Client {
  socket: Socket;
  bytes: Buffer;
  out: Buffer;
  end: "no" | "after output" | "lingers";
  /** When the wait for this client is over, and whether a request has begun. */
  until: number;
  begun: boolean;
}

const port = Number(process.argv[2]);
const epoll = new Epoll();
const clients = new Map<number, Client>();
const listener = new Socket();
listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
listener.bind({ host: "127.0.0.1", port });
listener.listen();
listener.setBlocking(false);
epoll.register(listener, EPOLLIN);
let nextTick = 0;

while (true) {
  const ready = epoll.poll(clients.size === 0 ? -1 : Math.max(0, nextTick - performance.now()));
  for (const { fd, events } of ready) {
    const client = clients.get(fd);
    if (client) safely(client, () => turn(client, events));
    else welcome();
  }
  if (performance.now() >= nextTick) tick();
}

function welcome(): void {
  const next = listener.accept();
  if (next === null) return;
  const socket = next.client;
  socket.setBlocking(false);
  const empty: Buffer = Buffer.alloc(0);
  const until = performance.now() + 3000;
  if (clients.size === 0) nextTick = performance.now() + tickMs;
  clients.set(socket.fd, { socket, bytes: empty, out: empty, end: "no", until, begun: false });
  epoll.register(socket, EPOLLIN);
}

function tick(): void {
  const now = performance.now();
  nextTick = now + tickMs;
  for (const client of clients.values()) {
    if (now < client.until) continue;
    safely(client, () => {
      if (client.begun && client.end === "no") {
        say(client, "408 Request Timeout", "late", true);
        flush(client);
      } else gone(client);
    });
  }
}

function safely(client: Client, step: () => void): void {
  try {
    step();
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    gone(client);
  }
}

function turn(client: Client, events: number): void {
  if (client.out.length === 0) hear(client);
  else if (events & EPOLLOUT) flush(client);
  else gone(client); // an error, or a hang-up: nothing else is asked for
}

function hear(client: Client): void {
  const data = client.socket.recv(64 * 1024);
  if (data?.length === 0) gone(client);
  if (data === null || data.length === 0 || client.end === "lingers") return;
  client.bytes = Buffer.concat([client.bytes, data]);
  let answered = false;
  while (client.end === "no" && next(client)) answered = true;
  const begins = client.bytes.length > 0;
  if (client.end === "no" && (answered || begins !== client.begun)) {
    client.begun = begins;
    client.until = performance.now() + (begins ? 2000 : 3000);
  }
  flush(client);
}

/** Answers one request. @returns false if more must come, or none will be read */
function next(client: Client): boolean {
  const text = client.bytes.toString("latin1", 0, 20_000);
  const no = (status: string) => {
    say(client, status, "no", true);
    return false;
  };
  const [firstEnd, headEnd] = [text.indexOf("\r\n"), text.indexOf("\r\n\r\n")];
  if (firstEnd > 9000 || (firstEnd === -1 && text.length > 9000)) return no("414 URI Too Long");
  if (headEnd === -1 && text.length >= 20_000) return no("431 Request Header Fields Too Large");
  if (headEnd === -1) return false;
  const found = headPattern.exec(text);
  if (!found) return no("400 Bad Request");
  const [head, method, target, major, minor, lines] = found as unknown as string[];
  if (major !== "1") return no("505 HTTP Version Not Supported");
  const values = (name: string) =>
    [...lines!.matchAll(new RegExp(`^${name}:[\\t ]*([^\\r]*?)[\\t ]*\\r$`, "gim"))].map(
      ([, value]) => value!,
    );
  const [hosts, lengths, codings] = [values("host"), values("content-length"), values("transfer-encoding")];
  if (hosts.length > 1 || (hosts.length === 0 && minor !== "0") || /[/\s,@?#]/.test(hosts[0] ?? ""))
    return no("400 Bad Request");
  if (lengths.length + codings.length > 1) return no("400 Bad Request");
  if (lengths.length === 1 && !/^[0-9]+$/.test(lengths[0]!)) return no("400 Bad Request");
  if (codings.length === 1 && codings[0]!.toLowerCase() !== "chunked") return no("400 Bad Request");
  const body = codings.length === 1 ? chunks(client.bytes, head!.length) : [Number(lengths[0] ?? 0), 0];
  if (typeof body === "string") return no(body);
  if (body !== null && body[0]! > 100_000) return no("413 Content Too Large");
  if (body === null) return false;
  const end = head!.length + (codings.length === 1 ? body[1]! : body[0]!);
  if (client.bytes.length < end) return false;
  client.bytes = client.bytes.subarray(end);
  const options = values("connection").join(",").toLowerCase();
  const closes = /\bclose\b/.test(options) || (minor === "0" && !/\bkeep-alive\b/.test(options));
  if (method === "GET") say(client, "200 OK", `you asked for ${target}`, closes);
  else if (method === "POST") say(client, "200 OK", `you sent ${body[0]} bytes to ${target}`, closes);
  else say(client, "501 Not Implemented", "no", closes);
  return true;
}

/** How many bytes of data, and of the whole body; null: more must come. */
function chunks(bytes: Buffer, from: number): [number, number] | null | string {
  let data = 0;
  let at = from;
  while (data <= 100_000 && at - from <= 105_000) {
    const end = bytes.indexOf("\r\n", at);
    if (end === -1) return bytes.length - from > 105_000 ? "413 Content Too Large" : null;
    const line = bytes.toString("latin1", at, end);
    if (!/^[0-9a-fA-F]+([ \t]*;[\t\x20-\x7e]*)?$/.test(line)) return "400 Bad Request";
    const size = Number.parseInt(line, 16);
    if (size === 0) {
      const last = bytes.indexOf("\r\n\r\n", end);
      if (last !== -1) return [data, last + 4 - from];
      return bytes.length - from > 105_000 ? "413 Content Too Large" : null;
    }
    data += size;
    at = end + 2 + size;
    if (data > 100_000) break;
    if (bytes.length < at + 2) return null;
    if (bytes.toString("latin1", at, at + 2) !== "\r\n") return "400 Bad Request";
    at += 2;
  }
  return "413 Content Too Large";
}

function say(client: Client, status: string, sentence: string, last: boolean): void {
  const lines = [`HTTP/1.1 ${status}`, "Content-Type: text/plain", `Content-Length: ${sentence.length + 1}`];
  if (last) lines.push("Connection: close");
  client.out = Buffer.concat([client.out, Buffer.from(`${lines.join("\r\n")}\r\n\r\n${sentence}\n`)]);
  if (last) client.end = "after output";
}

function flush(client: Client): void {
  const before = client.out.length;
  if (before > 0) {
    client.out = client.out.subarray(client.socket.send(client.out) ?? 0);
    if (client.out.length > 0) client.until = performance.now() + 3000;
    epoll.modify(client.socket, client.out.length > 0 ? EPOLLOUT : EPOLLIN);
  }
  if (client.out.length > 0 || client.end !== "after output") return;
  client.socket.shutdown("write");
  client.end = "lingers";
  client.until = performance.now() + 1000;
}

function gone(client: Client): void {
  if (!clients.delete(client.socket.fd)) return;
  epoll.unregister(client.socket);
  client.socket.close();
}

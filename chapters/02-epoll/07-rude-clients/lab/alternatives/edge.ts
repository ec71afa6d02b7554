// Edge-triggered, and parsed line by line as the bytes come: a request is refused at its first wrong line. Each kind of
// deadline is as long for every client, so a Set in the order of arrival has the first one in front.
import {
  EPOLLET,
  EPOLLIN,
  EPOLLOUT,
  Epoll,
  SO_REUSEADDR,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  Socket,
  SyscallError,
} from "workbook/net";

const limits = { line: 8192, head: 24 * 1024, lines: 300, body: 100_000, raw: 110_000, chunkLine: 200 };
const waits = { idle: 3000, request: 2000, send: 3000, linger: 1000 } as const;
type Wait = keyof typeof waits;

class Wrong extends Error {}
const wrong = (status: string) => new Wrong(status);

/** Finds requests in bytes. */
class Parser {
  input = "";
  part: "line" | "fields" | "data" | "size" | "chunk" | "crlf" | "trailer" = "line";
  method = "";
  target = "";
  minor = 1;
  fields: [string, string][] = [];
  headBytes = 0;
  left = 0;
  body = 0;
  raw = 0;

  get begun(): boolean {
    return this.part !== "line" || this.input.length > 0;
  }

  #line(most: number, status: string): string | null {
    const end = this.input.indexOf("\n");
    if ((end === -1 ? this.input.length : end - 1) > most) throw wrong(status);
    if (end === -1) return null;
    if (end === 0 || this.input[end - 1] !== "\r") throw wrong("400 Bad Request");
    const line = this.input.slice(0, end - 1);
    this.input = this.input.slice(end + 1);
    return line;
  }

  /** @returns true when a request is whole */
  advance(): boolean {
    while (true) {
      const step = this.#step();
      if (step === "more") return false;
      if (step === "whole") return true;
    }
  }

  #step(): "more" | "whole" | "on" {
    if (this.part === "line") {
      const line = this.#line(limits.line, "414 URI Too Long");
      if (line === null) return "more";
      if (line !== "") this.#first(line);
      return "on";
    }
    if (this.part === "fields" || this.part === "trailer") {
      const line = this.#line(limits.head - this.headBytes, "431 Request Header Fields Too Large");
      if (line === null) return "more";
      if (line !== "") {
        this.#field(line);
        return "on";
      }
      if (this.part === "trailer") return this.#whole();
      return this.#headEnds() ? this.#whole() : "on";
    }
    if (this.part === "size") {
      const line = this.#line(limits.chunkLine, "400 Bad Request");
      if (line === null) return "more";
      const found = /^([0-9a-f]{1,12})(?:[ \t]*;.*)?$/i.exec(line);
      if (!found) throw wrong("400 Bad Request");
      this.left = Number.parseInt(found[1]!, 16);
      this.raw += line.length + 4 + this.left;
      if (this.raw > limits.raw || this.body + this.left > limits.body) throw wrong("413 Content Too Large");
      this.part = this.left === 0 ? "trailer" : "chunk";
      return "on";
    }
    if (this.part === "crlf") {
      if (this.input.length < 2) return "more";
      if (!this.input.startsWith("\r\n")) throw wrong("400 Bad Request");
      this.input = this.input.slice(2);
      this.part = "size";
      return "on";
    }
    const taken = Math.min(this.left, this.input.length);
    this.input = this.input.slice(taken);
    this.left -= taken;
    this.body += taken;
    if (this.left > 0) return "more";
    if (this.part === "data") return this.#whole();
    this.part = "crlf";
    return "on";
  }

  #whole(): "whole" {
    this.part = "line";
    return "whole";
  }

  #first(line: string): void {
    const words = line.split(" ");
    const version = /^HTTP\/(\d)\.(\d)$/.exec(words[2] ?? "");
    if (
      words.length !== 3 ||
      !version ||
      !/^[\w!#$%&'*+.^`|~-]+$/.test(words[0]!) ||
      !/^[!-~]+$/.test(words[1]!)
    )
      throw wrong("400 Bad Request");
    if (version[1] !== "1") throw wrong("505 HTTP Version Not Supported");
    [this.method, this.target, this.minor] = [words[0]!, words[1]!, Number(version[2])];
    [this.fields, this.headBytes, this.body, this.raw] = [[], line.length, 0, 0];
    this.part = "fields";
  }

  #field(line: string): void {
    this.headBytes += line.length + 2;
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon));
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name) || !/^[\t\x20-\x7e\x80-\xff]*$/.test(line))
      throw wrong("400 Bad Request");
    this.fields.push([
      name.toLowerCase(),
      line
        .slice(colon + 1)
        .replace(/^[ \t]+/, "")
        .trimEnd(),
    ]);
    if (this.fields.length > limits.lines) throw wrong("431 Request Header Fields Too Large");
  }

  all(name: string): string[] {
    return this.fields.filter(([key]) => key === name).map(([, value]) => value);
  }

  /** @returns whether the request has no body */
  #headEnds(): boolean {
    const hosts = this.all("host");
    if (hosts.length > 1 || (hosts.length === 0 && this.minor > 0)) throw wrong("400 Bad Request");
    if (hosts.length === 1 && /[^\w.:[\]%~!$&'()*+;=-]/.test(hosts[0]!)) throw wrong("400 Bad Request");
    const [lengths, codings] = [this.all("content-length"), this.all("transfer-encoding")];
    if (codings.length > 0) {
      if (lengths.length > 0 || codings.length > 1 || codings[0]!.toLowerCase() !== "chunked")
        throw wrong("400 Bad Request");
      this.part = "size";
      return false;
    }
    if (lengths.some(one => one !== lengths[0] || !/^[0-9]+$/.test(one))) throw wrong("400 Bad Request");
    this.left = Number(lengths[0] ?? 0);
    if (this.left > limits.body) throw wrong("413 Content Too Large");
    this.part = "data";
    return this.left === 0;
  }
}

class Client {
  readonly socket: Socket;
  readonly parser = new Parser();
  output: Buffer[] = [];
  last = false;
  waits: Wait = "idle";
  due = 0;

  constructor(socket: Socket) {
    this.socket = socket;
  }
}

const epoll = new Epoll();
const clients = new Map<number, Client>();
const queues: Record<Wait, Set<Client>> = {
  idle: new Set(),
  request: new Set(),
  send: new Set(),
  linger: new Set(),
};
const port = Number(process.argv[2]);
const listener = new Socket();
listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
listener.bind({ host: "127.0.0.1", port });
listener.listen();
listener.setBlocking(false);
epoll.register(listener, EPOLLIN);

/** Clients that have had their share of a turn: the edge has been, and no event will come. */
let again = new Set<Client>();

while (true) {
  const ready = epoll.poll(again.size > 0 ? 0 : untilFirst());
  const turn = again;
  again = new Set();
  for (const { fd } of ready) {
    const client = clients.get(fd);
    if (client) turn.add(client);
    else accept();
  }
  for (const client of turn) guarded(client, attend);
  for (const kind of Object.keys(queues) as Wait[])
    for (const client of queues[kind]) {
      if (client.due > performance.now()) break;
      if (!turn.has(client) && !again.has(client)) guarded(client, expire);
      else break;
    }
}

function untilFirst(): number {
  const firsts = Object.values(queues).flatMap(queue => [...queue].slice(0, 1).map(({ due }) => due));
  return firsts.length === 0 ? -1 : Math.max(0, Math.min(...firsts) - performance.now());
}

function enter(client: Client, kind: Wait): void {
  queues[client.waits].delete(client);
  client.waits = kind;
  client.due = performance.now() + waits[kind];
  queues[kind].add(client);
}

function accept(): void {
  for (let next = listener.accept(SOCK_NONBLOCK); next !== null; next = listener.accept(SOCK_NONBLOCK)) {
    const client = new Client(next.client);
    clients.set(client.socket.fd, client);
    enter(client, "idle");
    epoll.register(client.socket, EPOLLIN | EPOLLOUT | EPOLLET);
  }
}

function guarded(client: Client, step: (client: Client) => void): void {
  try {
    step(client);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    leave(client);
  }
}

function attend(client: Client): void {
  flush(client);
  for (let share = 0; share < 4; share++) {
    if (client.output.length > 0) return;
    const data = client.socket.recv(32 * 1024);
    if (data === null) return;
    if (data.length === 0) {
      leave(client);
      return;
    }
    if (client.waits === "linger") continue;
    client.parser.input += data.toString("latin1");
    parse(client);
    flush(client);
  }
  again.add(client);
}

function parse(client: Client): void {
  const { parser } = client;
  let answered = false;
  try {
    while (!client.last && parser.advance()) {
      answer(client);
      answered = true;
    }
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    put(client, error.message, "no\n", true);
  }
  if (client.last) return;
  const kind = parser.begun ? "request" : "idle";
  if (answered || client.waits !== kind) enter(client, kind);
}

function answer(client: Client): void {
  const { method, target, minor, body } = client.parser;
  const options = client.parser
    .all("connection")
    .join(",")
    .toLowerCase()
    .split(/[\t ,]+/);
  const last = options.includes("close") || (minor === 0 && !options.includes("keep-alive"));
  if (method === "GET") put(client, "200 OK", `you asked for ${target}\n`, last);
  else if (method === "POST") put(client, "200 OK", `you sent ${body} bytes to ${target}\n`, last);
  else put(client, "501 Not Implemented", "GET or POST\n", last);
}

function put(client: Client, status: string, text: string, last: boolean): void {
  const head = `HTTP/1.1 ${status}\r\nContent-Length: ${text.length}\r\n${last ? "Connection: close\r\n" : ""}\r\n`;
  client.output.push(Buffer.from(head + text));
  client.last = last;
}

function flush(client: Client): void {
  if (client.output.length > 0) {
    const bytes = Buffer.concat(client.output);
    const took = client.socket.send(bytes) ?? 0;
    client.output = took === bytes.length ? [] : [bytes.subarray(took)];
    if (client.output.length > 0) enter(client, "send");
    else if (client.waits === "send" && !client.last) enter(client, client.parser.begun ? "request" : "idle");
  }
  if (client.output.length > 0 || !client.last || client.waits === "linger") return;
  client.socket.shutdown("write");
  enter(client, "linger");
}

function expire(client: Client): void {
  if (client.waits === "request") {
    put(client, "408 Request Timeout", "too slow\n", true);
    flush(client);
  } else leave(client);
}

function leave(client: Client): void {
  if (clients.get(client.socket.fd) !== client) return;
  clients.delete(client.socket.fd);
  queues[client.waits].delete(client);
  again.delete(client);
  epoll.unregister(client.socket);
  client.socket.close();
}

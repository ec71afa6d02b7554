// With poll() and classes: a parser that takes each piece as it comes and remembers where in a request it is. Bodies are taken
// out of the stream at once, and each answer is one buffer.
import {
  AF_INET,
  POLLIN,
  POLLOUT,
  poll,
  SO_REUSEADDR,
  SOCK_STREAM,
  SOL_SOCKET,
  Socket,
  SyscallError,
} from "workbook/net";

type Fields = Map<string, string[]>;
interface Asked {
  first: string[];
  fields: Fields;
  body: Buffer;
}

/** Thrown for bytes that are not a request. */
class Malformed extends Error {}

class Parser {
  #bytes = Buffer.alloc(0);
  #head: Omit<Asked, "body"> | null = null;
  #body: Buffer[] = [];
  /** Bytes of the body, or of the chunk, that have not come. */
  #left = 0;
  #next: () => Asked | "more" | "go on" = this.#readHead;

  push(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
  }

  take(): Asked | null {
    while (true) {
      const found = this.#next();
      if (found === "more") return null;
      if (found !== "go on") return found;
    }
  }

  #line(): string | null {
    const end = this.#bytes.indexOf("\r\n");
    if (end === -1 && this.#bytes.length > 20_000) throw new Malformed();
    if (end === -1) return null;
    const line = this.#bytes.toString("latin1", 0, end);
    this.#bytes = this.#bytes.subarray(end + 2);
    return line;
  }

  #readHead(): "more" | "go on" {
    const line = this.#line();
    if (line === null) return "more";
    this.#head ??= { first: line.split(" "), fields: new Map() };
    const { first, fields } = this.#head;
    if (line !== "" && first.join(" ") === line && fields.size === 0) {
      if (first.length !== 3 || !/^HTTP\/1\.[01]$/.test(first[2]!)) throw new Malformed();
    } else if (line !== "") {
      const colon = line.indexOf(":");
      const name = line.slice(0, colon).toLowerCase();
      fields.set(name, [...(fields.get(name) ?? []), line.slice(colon + 1).trim()]);
      if (colon < 1 || fields.size > 100) throw new Malformed();
    } else {
      this.#next = this.#frame(fields);
    }
    return "go on";
  }

  #frame(fields: Fields): () => Asked | "more" | "go on" {
    const lengths = fields.get("content-length") ?? [];
    const codings = fields.get("transfer-encoding") ?? [];
    if (codings.length > 0) {
      if (lengths.length > 0 || codings.join().toLowerCase() !== "chunked") throw new Malformed();
      return this.#readSize;
    }
    if (lengths.length > 1 || !/^[0-9]*$/.test(lengths[0] ?? "")) throw new Malformed();
    this.#left = Number(lengths[0] ?? 0);
    return this.#readBody;
  }

  #readBody(): Asked | "more" {
    if (this.#left > 100_000) throw new Malformed();
    if (this.#bytes.length < this.#left) return "more";
    this.#body.push(this.#bytes.subarray(0, this.#left));
    this.#bytes = this.#bytes.subarray(this.#left);
    return this.#whole();
  }

  #readSize(): "more" | "go on" {
    const line = this.#line();
    if (line === null) return "more";
    const size = line.split(";", 1)[0]!;
    if (!/^[0-9a-fA-F]+$/.test(size)) throw new Malformed();
    this.#left = Number(`0x${size}`);
    this.#next = this.#left === 0 ? this.#readTrailer : this.#readChunk;
    return "go on";
  }

  #readChunk(): "more" | "go on" {
    const total = this.#body.reduce((sum, { length }) => sum + length, this.#left);
    if (total > 100_000) throw new Malformed();
    if (this.#bytes.length < this.#left + 2) return "more";
    this.#body.push(this.#bytes.subarray(0, this.#left));
    if (this.#bytes.readUInt16BE(this.#left) !== 0x0d0a) throw new Malformed();
    this.#bytes = this.#bytes.subarray(this.#left + 2);
    this.#next = this.#readSize;
    return "go on";
  }

  #readTrailer(): Asked | "more" | "go on" {
    const line = this.#line();
    if (line === null) return "more";
    return line === "" ? this.#whole() : "go on";
  }

  #whole(): Asked {
    const asked = { ...this.#head!, body: Buffer.concat(this.#body) };
    this.#head = null;
    this.#body = [];
    this.#next = this.#readHead;
    return asked;
  }
}

class Client {
  readonly parser = new Parser();
  out = Buffer.alloc(0);
  state: "open" | "last" | "ended" = "open";
  readonly socket: Socket;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  get wants(): number {
    return this.out.length > 0 ? POLLOUT : POLLIN;
  }

  /** @returns whether the client stays */
  step(): boolean {
    if (this.out.length === 0) {
      const data = this.socket.recv(8192);
      if (data?.length === 0) return false;
      if (data && this.state === "open") this.parser.push(data);
    }
    this.#refill();
    for (let i = 0; i < 8 && this.out.length > 0; i++) {
      const took = this.socket.send(this.out);
      if (took === null) return true;
      this.out = this.out.subarray(took);
      this.#refill();
    }
    if (this.out.length === 0 && this.state === "last") {
      this.socket.shutdown("write");
      this.state = "ended";
    }
    return true;
  }

  /** An empty `out` says from here on that no whole request is left. */
  #refill(): void {
    if (this.out.length === 0 && this.state === "open") this.out = this.#answer();
  }

  #answer(): Buffer<ArrayBuffer> {
    try {
      const asked = this.parser.take();
      if (asked === null) return Buffer.alloc(0);
      const { bytes, stays } = answerTo(asked);
      if (!stays) this.state = "last";
      return bytes;
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.state = "last";
      return Buffer.from("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    }
  }
}

function answerTo({ first, fields, body }: Asked): { bytes: Buffer<ArrayBuffer>; stays: boolean } {
  const [method, target = "", version] = first;
  const old = version === "HTTP/1.0";
  const options = (fields.get("connection") ?? []).join().toLowerCase().split(",");
  const has = (name: string) => options.some(option => option.trim() === name);
  const pot = /^\/brew\/(\d+)$/.exec(target);
  const stays = !has("close") && (!old || (has("keep-alive") && !pot));
  const lines = [`HTTP/1.1 ${target === "/bell" ? "204 No Content" : "200 OK"}`];
  if (!stays) lines.push("Connection: close");
  else if (old) lines.push("Connection: keep-alive");
  let content: Buffer = Buffer.from(`you asked for ${target}\n`);
  if (target === "/order") content = Buffer.concat([Buffer.from("you ordered "), body, Buffer.from("\n")]);
  if (pot) {
    const text = brew(Number(pot[1]));
    const size = Buffer.byteLength(text).toString(16);
    // All lines in one chunk: how many there are is not asked.
    if (old) content = Buffer.from(text);
    else content = Buffer.from(text === "" ? "0\r\n\r\n" : `${size}\r\n${text}\r\n0\r\n\r\n`);
    if (!old) lines.push("Transfer-Encoding: chunked");
  } else if (target !== "/bell") lines.push(`Content-Length: ${content.length}`);
  const none = method === "HEAD" || target === "/bell";
  const head = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`);
  return { bytes: Buffer.concat(none ? [head] : [head, content]), stays };
}

function brew(minutes: number): string {
  let text = "";
  for (let minute = 1; minute <= minutes; minute++)
    if (minute % 5 !== 0) text += `minute ${minute}: ${95 - (minute % 60)} °C\n`;
  return text;
}

const listener = new Socket(AF_INET, SOCK_STREAM);
listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
listener.bind({ host: "127.0.0.1", port: Number(process.argv[2]) });
listener.listen(128);
listener.setBlocking(false);
const clients = new Map<number, Client>();

while (true) {
  const asked = [...clients.values()].map(client => ({ fd: client.socket, events: client.wants }));
  for (const { fd } of poll([{ fd: listener, events: POLLIN }, ...asked])) {
    const client = clients.get(fd);
    if (!client) accept();
    else if (!stays(client)) {
      clients.delete(fd);
      client.socket.close();
    }
  }
}

function accept(): void {
  for (let next = listener.accept(); next; next = listener.accept()) {
    next.client.setBlocking(false);
    clients.set(next.client.fd, new Client(next.client));
  }
}

function stays(client: Client): boolean {
  try {
    return client.step();
  } catch (error) {
    if (error instanceof SyscallError) return false;
    throw error;
  }
}

// Another right answer, in quite another style: a class whose state says what the next bytes are, read line by
// line; bodies are read, in chunks too; links are not followed at all, wherever they lead.
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from "node:fs";
import { Socket, SyscallError, sleep } from "workbook/net";

type State = "line" | "fields" | "body" | "size" | "chunk" | "trailer" | "answer" | "over";

const types: Record<string, string> = { ".txt": "text/plain", ".png": "image/png", ".css": "text/css" };

class Visitor {
  #socket: Socket;
  #state: State = "line";
  #in = Buffer.alloc(0);
  #out: Buffer[] = [];
  #file = { fd: -1, at: 0, size: 0 };
  #first: string[] = [];
  #fields: [string, string][] = [];
  #octetsOfHead = 0;
  #rest = 0;
  #close = false;
  #left = 400;

  constructor(socket: Socket) {
    socket.setBlocking(false);
    this.#socket = socket;
  }

  /** True if anything moved, false if nothing did; null when this visitor is gone. */
  move(): boolean | null {
    try {
      if (this.#state === "over") return this.#drain();
      if (this.#out.length > 0 || this.#file.fd >= 0) return this.#send();
      if (this.#state === "answer") return this.#answered();
      if (this.#in.length > 0 && this.#understand()) return true;
      const data = this.#socket.recv(8192);
      if (data === null) return false;
      if (data.length === 0) return this.#gone();
      this.#in = Buffer.concat([this.#in, data]);
      return true;
    } catch (error) {
      if (!(error instanceof SyscallError)) console.error(error);
      return this.#gone();
    }
  }

  #gone(): null {
    if (this.#file.fd >= 0) closeSync(this.#file.fd);
    this.#socket.close();
    return null;
  }

  /** One step: a line, or some bytes of a body. */
  #understand(): boolean {
    if (this.#state === "body" || this.#state === "chunk") {
      const takes = Math.min(this.#rest, this.#in.length);
      this.#in = this.#in.subarray(takes);
      this.#rest -= takes;
      if (this.#rest === 0) this.#state = this.#state === "body" ? "answer" : "size";
      return true;
    }
    const end = this.#in.indexOf(10);
    this.#octetsOfHead += Math.max(0, end);
    if (this.#octetsOfHead + (end < 0 ? this.#in.length : 0) > 30_000) return this.#refuse(431);
    if (end < 0) return false;
    const line = this.#in.toString("latin1", 0, end).replace(/\r$/, "");
    this.#in = this.#in.subarray(end + 1);
    if (this.#state === "line") return this.#startLine(line);
    if (this.#state === "fields") return this.#field(line);
    if (this.#state === "size") {
      if (!/^[0-9a-f]{1,6}(;.*)?$/i.test(line)) return this.#refuse(400);
      this.#rest = Number.parseInt(line, 16) + 2;
      this.#state = this.#rest === 2 ? "trailer" : "chunk";
    } else if (line === "") this.#state = "answer";
    return true;
  }

  #startLine(line: string): boolean {
    if (line === "") return true;
    this.#first = line.split(" ");
    const [method = "", target = "", version = ""] = this.#first;
    if (this.#first.length !== 3 || /[^!-~]/.test(method + target)) return this.#refuse(400);
    if (!/^HTTP\/\d\.\d$/.test(version)) return this.#refuse(400);
    if (!version.startsWith("HTTP/1.")) return this.#refuse(505);
    this.#state = "fields";
    return true;
  }

  #field(line: string): boolean {
    if (line === "") return this.#headIsWhole();
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    if (!/^[!#-'*+.0-9^-z|~-]+$/.test(colon < 0 ? "" : name)) return this.#refuse(400);
    this.#fields.push([name, line.slice(colon + 1).trim()]);
    return true;
  }

  #all(name: string): string[] {
    return this.#fields.filter(field => field[0] === name).map(field => field[1]);
  }

  #headIsWhole(): boolean {
    const [hosts, lengths, codings] = ["host", "content-length", "transfer-encoding"].map(n =>
      this.#all(n),
    ) as [string[], string[], string[]];
    const old = this.#first[2] === "HTTP/1.0";
    if (hosts.length > 1 || (hosts.length === 0 && !old)) return this.#refuse(400);
    if (lengths.length > 1 || lengths.some(length => !/^\d{1,9}$/.test(length))) return this.#refuse(400);
    if (codings.length > 0 && (lengths.length > 0 || codings.join() !== "chunked")) return this.#refuse(400);
    const said = this.#all("connection").flatMap(value => value.toLowerCase().split(/,\s*/));
    this.#close = said.includes("close") || (old && !said.includes("keep-alive"));
    this.#rest = Number(lengths[0] ?? 0);
    this.#state = codings.length > 0 ? "size" : this.#rest > 0 ? "body" : "answer";
    return true;
  }

  /** The whole request is here, and what must be answered is not yet. Afterwards the next one begins. */
  #answered(): boolean {
    if (this.#first.length === 0) {
      this.#state = this.#close ? "over" : "line";
      if (this.#close) this.#socket.shutdown("write");
      this.#octetsOfHead = 0;
      return true;
    }
    const [method, target = ""] = this.#first;
    this.#first = [];
    this.#fields = [];
    const head = method === "HEAD";
    if (!head && method !== "GET") this.#words(405, false);
    else if (!this.#open(target)) this.#words(404, head);
    else {
      this.#head(200, this.#file.size, types[/\.\w+$/.exec(target.replace(/\?.*/s, ""))?.[0] ?? ".html"]);
      if (head) this.#file.at = this.#file.size;
    }
    return true;
  }

  #open(target: string): boolean {
    try {
      const path = decodeURIComponent(target.replace(/^http:\/\/[^/]*/i, "").replace(/\?.*/s, ""));
      let place = "html";
      for (const name of path.split("/").slice(1)) {
        if (name === "..") place = place.includes("/") ? place.replace(/\/[^/]*$/, "") : place;
        else if (name !== "." && name !== "") place += `/${name}`;
        if (lstatSync(place).isSymbolicLink()) return false;
      }
      if (path.endsWith("/")) place += "/index.html";
      if (!lstatSync(place).isFile()) return false;
      const fd = openSync(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      this.#file = { fd, at: 0, size: fstatSync(fd).size };
      return true;
    } catch {
      return false;
    }
  }

  #refuse(status: number): boolean {
    this.#close = true;
    this.#first = [];
    this.#words(status, false);
    this.#state = "answer";
    return true;
  }

  #words(status: number, bare: boolean): void {
    const body = Buffer.from(`<p>${status} 对不起</p>\n`);
    this.#head(status, body.length);
    if (!bare) this.#out = [Buffer.concat([...this.#out, body])];
  }

  #head(status: number, length: number, type = "text/html"): void {
    const lines = [`HTTP/1.1 ${status} `, `content-length: ${length}`, `content-type: ${type}`];
    lines.push(`date: ${new Date().toUTCString()}`);
    if (status === 405) lines.push("allow: HEAD, GET");
    lines.push(this.#close ? "connection: close" : "connection: keep-alive");
    this.#out.push(Buffer.from(`${lines.join("\r\n")}\r\n\r\n`));
  }

  #send(): boolean {
    const next = this.#out[0] ?? this.#read();
    if (next === null) return true;
    const took = this.#socket.send(next);
    if (took === null) return false;
    if (took === next.length) this.#out.shift();
    else this.#out[0] = next.subarray(took);
    return true;
  }

  #read(): Buffer | null {
    const { fd, at, size } = this.#file;
    const next = Buffer.alloc(Math.min(128 * 1024, size - at));
    if (next.length > 0 && readSync(fd, next, 0, next.length, at) < next.length) throw new Error("cut short");
    this.#file.at += next.length;
    if (next.length > 0) {
      this.#out.push(next);
      return next;
    }
    closeSync(fd);
    this.#file.fd = -1;
    return null;
  }

  /** After the last answer its bytes are read for a while, and not used. */
  #drain(): boolean | null {
    const data = this.#socket.recv(64 * 1024);
    if (data?.length === 0 || this.#left-- === 0) return this.#gone();
    return data !== null;
  }
}

const listener = new Socket();
listener.bind({ port: Number(process.argv[2]) });
listener.listen(1000);
listener.setBlocking(false);
let visitors: Visitor[] = [];

for (;;) {
  let still = true;
  for (let came = listener.accept(); came; came = listener.accept()) visitors.push(new Visitor(came.client));
  visitors = visitors.filter(visitor => {
    const moved = visitor.move();
    if (moved !== false) still = false;
    return moved !== null;
  });
  if (still) sleep(3);
}

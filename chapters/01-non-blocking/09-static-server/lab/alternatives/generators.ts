// Another right answer, in quite another style: each client has a generator that runs as far as it can and yields
// where it would have to wait; the loop is four lines. Files are read whole, and no body is ever read.
import { readFileSync, realpathSync, statSync } from "node:fs";
import { resolve, sep } from "node:path";
import { Socket, SyscallError, sleep } from "workbook/net";

const home = realpathSync("html") + sep;
const turns = 300;

/** Yields true where it got on, false where it would have to wait. */
type Steps<Result> = Generator<boolean, Result>;

function* talk(socket: Socket): Steps<void> {
  let unread = Buffer.alloc(0);
  for (let open = true; open; ) {
    let end = unread.indexOf("\r\n\r\n");
    while (end < 0 && unread.length < 20_000) {
      const data = socket.recv(4096);
      yield data !== null;
      if (data?.length === 0) return;
      if (data) unread = Buffer.concat([unread, data]);
      end = unread.indexOf("\r\n\r\n");
    }
    const reply = end < 0 ? refuse(431) : answer(unread.toString("latin1", 0, end).split("\r\n"));
    unread = unread.subarray(end + 4);
    for (let at = 0; at < reply.bytes.length; ) {
      const took = socket.send(reply.bytes.subarray(at, at + 200_000));
      at += took ?? 0;
      yield took !== null;
    }
    open = reply.stays;
  }
  socket.shutdown("write");
  // It counts looks, and not time: each look that finds nothing takes the 2 ms of a sleep, or more.
  for (let looks = 0; looks < turns; looks++) {
    const data = socket.recv(100_000);
    if (data?.length === 0) return;
    yield data !== null;
  }
}

const types: Record<string, string> = { ".html": "text/html", ".png": "image/png", ".css": "text/css" };

interface Reply {
  bytes: Buffer;
  stays: boolean;
}

function write(
  status: number,
  body: Buffer,
  { stays = true, bare = false, old = false, type = "text/plain" } = {},
): Reply {
  const connection = stays ? (old ? "Connection: keep-alive\r\n" : "") : "Connection: close\r\n";
  const fields = [
    `Date: ${new Date().toUTCString()}`,
    `Content-Type: ${type}`,
    `Content-Length: ${body.length}`,
  ];
  const head = `HTTP/1.1 ${status} .\r\n${fields.join("\r\n")}\r\n${connection}\r\n`;
  return { bytes: Buffer.concat([Buffer.from(head), bare ? Buffer.alloc(0) : body]), stays };
}

const refuse = (status: number): Reply => write(status, Buffer.from(`${status} 不行\n`), { stays: false });

function answer([first = "", ...lines]: string[]): Reply {
  const asked = /^([!#-'*+.^`|~\w-]+) ([!-~]+) HTTP\/([0-9])\.([0-9])$/.exec(first);
  if (!asked) return refuse(400);
  const [, method, target, major, minor] = asked as unknown as string[];
  if (major !== "1") return refuse(505);
  const fields = lines.map(line => /^([!#-'*+.^`|~\w-]+):([^\r\n\0]*)$/.exec(line));
  if (fields.includes(null)) return refuse(400);
  const all = (name: string) =>
    fields.filter(f => f?.[1]?.toLowerCase() === name).map(f => f?.[2]?.trim() ?? "");
  const hosts = all("host");
  if (hosts.length > 1 || (hosts.length === 0 && minor !== "0") || hosts.some(h => /[\s/?#@]/.test(h)))
    return refuse(400);
  if (all("content-length").length > 1) return refuse(400);
  if (method !== "GET" && method !== "HEAD") return refuse(501);
  const said = all("connection").join().toLowerCase();
  const hasBody = all("transfer-encoding").length > 0 || Number(all("content-length")[0] ?? 0) !== 0;
  const stays = !hasBody && !/\bclose\b/.test(said) && (minor !== "0" || /\bkeep-alive\b/.test(said));
  const how = { stays, bare: method === "HEAD", old: minor === "0" };
  const type = types[/\.\w+(?=$|\?)/.exec(target!)?.[0] ?? ".html"] ?? "text/plain";
  const file = find(target!);
  return file === null ? write(404, Buffer.from("没有\n"), how) : write(200, file, { ...how, type });
}

function find(target: string): Buffer | null {
  try {
    const { pathname } = new URL(target, "http://localhost"); // removes dots, and the query
    const name = decodeURIComponent(pathname);
    const place = realpathSync(resolve(home, `.${name}`, name.endsWith("/") ? "index.html" : ""));
    return place.startsWith(home) && statSync(place).isFile() ? readFileSync(place) : null;
  } catch {
    return null;
  }
}

const door = new Socket();
door.setBlocking(false);
door.bind({ port: Number(process.argv[2]) });
door.listen();
const guests = new Map<Socket, Steps<void>>();

function step(socket: Socket, steps: Steps<void>): boolean {
  try {
    const { done, value } = steps.next();
    if (!done) return value;
  } catch (error) {
    if (!(error instanceof SyscallError)) console.error(error);
  }
  socket.close();
  return guests.delete(socket);
}

while (true) {
  const came = door.accept();
  came?.client.setBlocking(false);
  if (came) guests.set(came.client, talk(came.client));
  const moved = [...guests].map(([socket, steps]) => step(socket, steps));
  if (!came && !moved.includes(true)) sleep(2);
}

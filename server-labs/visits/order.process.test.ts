// What is asked for, what is sent for it, and the same from a shell: the two must be the same bytes.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { commandWithoutLimit } from "../book.ts";
import { Refusal } from "../lib/refusal.ts";
import { find } from "../process/sandbox-advice.ts";
import { bytesOfEscapes, type VisitBody, type VisitorCommand, visitKinds } from "../protocol.ts";
import { orderOf } from "./order.ts";
import { visitCommand } from "./shell-command.ts";

const where = { host: "127.0.0.1", port: 7890 } as const;
const made = (body: VisitBody) => orderOf(body, "v1", where).order;

test("every kind has sensible defaults", () => {
  for (const kind of visitKinds) {
    const order = made(kind === "raw" ? { kind, text: "x" } : { kind });
    assert.ok(order.count >= 1 && order.sends.length > 0);
  }
  assert.equal(made({ kind: "get" }).sends, "GET / HTTP/1.1\r\nHost: 127.0.0.1:7890\r\n\r\n");
  assert.equal(made({ kind: "burst" }).count, 50);
  assert.match(made({ kind: "slow-reader" }).sends, /^GET \/large\.bin /);
  assert.deepEqual(made({ kind: "split", at: [20, 3, 3] }).pieces, [3, 20]);
  const six = orderOf({ kind: "get" }, "v1", { host: "::1", port: 1 });
  assert.match(six.order.sends, /\r\nHost: \[::1\]:1\r\n/);
});

test("what cannot be sent is refused", () => {
  const refused: [VisitBody, RegExp][] = [
    [{ kind: "raw" }, /needs a "text"/],
    [{ kind: "get", text: "x" }, /Only a visit of the kind "raw"/],
    [{ kind: "get", count: 3 }, /"get" has no "count"/],
    [{ kind: "silent", path: "/" }, /"silent" has no "path"/],
    [{ kind: "get", at: [3] }, /Only a visit of the kind "split"/],
    [{ kind: "split", at: [40] }, /has 40 bytes: .* before 1 to 39/],
    [{ kind: "raw", text: "ab\ncd\\q" }, /line 2, column 3: there is no \\q/],
    [{ kind: "raw", text: "\\x4" }, /line 1, column 1: \\x is followed by two digits/],
    [{ kind: "raw", text: "a\\" }, /column 2: the text ends in a single \\/],
    [{ kind: "pipeline", count: 1000, path: `/${"x".repeat(200)}` }, /at most 65536 bytes/],
  ];
  for (const [body, sentence] of refused)
    assert.throws(
      () => made(body),
      (error: Refusal) => error instanceof Refusal && sentence.test(error.message),
      JSON.stringify(body),
    );
});

test("every command of a visit ends by itself", () => {
  for (const kind of visitKinds) {
    const { order, path } = orderOf(kind === "raw" ? { kind, text: "x" } : { kind }, "v1", where);
    const command = visitCommand(order, path);
    assert.equal(commandWithoutLimit(command), null, command);
    assert.match(command, /^(curl --max-time|timeout|seq 50 \| xargs .* curl --max-time|bash .*; sleep) \d/);
  }
});

test("a raw text: escapes are bytes, the rest is UTF-8", () => {
  const read = (text: string) => {
    const found = bytesOfEscapes(text);
    assert.ok("bytes" in found, JSON.stringify(found));
    return Buffer.from(found.bytes);
  };
  assert.deepEqual(read("a\\r\\n\\t\\0\\\\\\x0D\\xff"), Buffer.from([97, 13, 10, 9, 0, 92, 13, 255]));
  assert.deepEqual(read("你\r\n"), Buffer.from("你\r\n"));
  assert.equal(read("").length, 0);
});

/** What a server saw of the line, and what the line printed. */
interface Seen {
  /** What the server read. */
  read: string;
  /** How the client's bytes ended: by a FIN, by an RST (ECONNRESET), or not before the server closed. */
  end: string;
  printed: string;
  connections: number;
}

const answer = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n200 \xe8\xb6";

/**
 * Gives the line of an order to a shell that finds no more than the README asks for: node, bash and what coreutils has.
 * @param enough the server closes when it has read so many bytes; Infinity: when the client has ended
 * @param most the line is killed when the server has so many connections
 */
async function fromShell(
  shell: string,
  order: VisitorCommand & { type: "visit" },
  path: string,
  enough: number,
  most = Infinity,
): Promise<Seen> {
  const seen: Seen = { read: "", end: "", printed: "", connections: 0 };
  const server = createServer({ allowHalfOpen: true }, socket => {
    const reply = () => {
      if (!socket.writableEnded) socket.end(answer, "latin1");
    };
    if (++seen.connections === most) process.kill(-child.pid!);
    if (enough === 0) reply();
    // Where bytes and RST come together, libuv says "end", and the answer fails with ECONNRESET: so an error counts more.
    socket.setEncoding("latin1").on("error", (error: NodeJS.ErrnoException) => {
      seen.end = error.code ?? "?";
    });
    socket.on("data", chunk => {
      seen.read += chunk;
      if (seen.read.length >= enough) reply();
    });
    socket.on("end", () => {
      seen.end ||= "FIN";
      reply();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const line = visitCommand({ ...order, port }, path);
  const child = spawn(shell, ["-c", line], {
    env: { ...process.env, PATH: programs },
    stdio: ["ignore", "pipe", "ignore"],
    // A group of its own, so that all that the line starts can be killed.
    detached: true,
    timeout: 60_000,
  });
  child.stdout.setEncoding("latin1").on("data", chunk => {
    seen.printed += chunk;
  });
  const [code, signal] = await once(child, "close");
  assert.deepEqual([code, signal], most === Infinity ? [0, null] : [null, "SIGTERM"], line);
  await new Promise(resolve => server.close(resolve));
  return seen;
}

/** A folder with what the lines may use, and no more. */
const programs = mkdtempSync(join(tmpdir(), "workbook-visit-order-"));
after(() => rmSync(programs, { recursive: true }));
for (const name of ["bash", "sh", "env", "printf", "cat", "seq", "sleep", "curl", "xargs", "timeout"])
  symlinkSync(find(name, process.env) ?? assert.fail(`${name} is not installed`), join(programs, name));
symlinkSync(process.execPath, join(programs, "node"));

const same: VisitBody[] = [
  { kind: "split", at: [8, 20] },
  { kind: "drip", everyMs: 1 },
  { kind: "pipeline" },
  { kind: "half-close", path: "/a'%b\"$(x)`!!\\n" },
  { kind: "reset", path: '/a\\"b' },
  { kind: "raw", text: "100%\\0'\\xff\\\\ \\r\\n\"`$HOME$(x)!!" },
  { kind: "raw", text: "--version" },
];

for (const shell of ["bash", "sh"])
  test(`from ${shell} the same bytes come`, async () => {
    await Promise.all(
      same.map(async body => {
        const { order, path } = orderOf(body, "v1", where);
        const sends = order.kind === "pipeline" ? order.sends.repeat(order.count) : order.sends;
        const ends = order.kind === "half-close" || order.kind === "reset";
        const seen = await fromShell(shell, order, path, ends ? Infinity : sends.length);
        assert.equal(seen.read, sends, body.kind);
        if (order.kind === "reset") assert.deepEqual([seen.end, seen.printed], ["ECONNRESET", ""]);
        else assert.equal(seen.printed, answer, body.kind);
        if (order.kind === "half-close") assert.equal(seen.end, "FIN");
      }),
    );
  });

test("many come from a shell, too: a burst, slow readers, silent and idle ones", async () => {
  const from = (body: VisitBody, enough: number, most?: number) => {
    const { order, path } = orderOf(body, "v1", where);
    return fromShell("sh", order, path, enough, most);
  };
  const burst = await from({ kind: "burst", count: 5 }, 1);
  assert.equal(burst.connections, 5);
  assert.match(burst.printed, /^(client \d: 200 after [\d.]+ s\n){5}$/);
  const slow = await from({ kind: "slow-reader" }, 1);
  assert.match(slow.read, /^GET \/large\.bin HTTP/);
  const silent = await from({ kind: "silent" }, 0);
  assert.deepEqual(silent, { read: "", end: "FIN", printed: answer, connections: 1 });
  const idle = await from({ kind: "idle", count: 20 }, 1, 20);
  assert.deepEqual([idle.read, idle.connections], ["", 20]);
});

test("curl asks for the same path", async () => {
  for (const path of ["/", "/a/../b", "/[1]?q={x}&y='z'"]) {
    const { order } = orderOf({ kind: "get", path }, "v1", where);
    const { read } = await fromShell("sh", order, path, 1);
    assert.equal(read.split("\r\n")[0], `GET ${path} HTTP/1.1`);
  }
});

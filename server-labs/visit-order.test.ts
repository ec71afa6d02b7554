// What is asked for, what is sent for it, and the same from a shell: the two must be the same octets.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { Refusal } from "./answers.ts";
import { octetsOf, type VisitBody, type VisitorCommand, visitKinds } from "./protocol.ts";
import { visitCommand } from "./visit-command.ts";
import { orderOf } from "./visit-order.ts";

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

test("what cannot be sent is refused in a sentence", () => {
  const refused: [VisitBody, RegExp][] = [
    [{ kind: "raw" }, /needs a "text"/],
    [{ kind: "get", text: "x" }, /Only a visit of the kind "raw"/],
    [{ kind: "get", count: 3 }, /"get" has no "count"/],
    [{ kind: "silent", path: "/" }, /"silent" has no "path"/],
    [{ kind: "get", at: [3] }, /Only a visit of the kind "split"/],
    [{ kind: "split", at: [40] }, /has 40 octets: .* before 1 to 39/],
    [{ kind: "raw", text: "ab\ncd\\q" }, /line 2, column 3: there is no \\q/],
    [{ kind: "raw", text: "\\x4" }, /line 1, column 1: \\x is followed by two digits/],
    [{ kind: "raw", text: "a\\" }, /column 2: the text ends in a single \\/],
    [{ kind: "pipeline", count: 1000, path: `/${"x".repeat(200)}` }, /at most 65536 octets/],
  ];
  for (const [body, sentence] of refused)
    assert.throws(
      () => made(body),
      (error: Refusal) => error instanceof Refusal && error.status === 400 && sentence.test(error.message),
      JSON.stringify(body),
    );
});

test("a raw text: escapes are octets, the rest is UTF-8", () => {
  const read = (text: string) => {
    const found = octetsOf(text);
    assert.ok("octets" in found, JSON.stringify(found));
    return Buffer.from(found.octets);
  };
  assert.deepEqual(read("a\\r\\n\\t\\0\\\\\\x0D\\xff"), Buffer.from([97, 13, 10, 9, 0, 92, 13, 255]));
  assert.deepEqual(read("你\r\n"), Buffer.from("你\r\n"));
  assert.equal(read("").length, 0);
});

/** What a server reads when this line is given to bash. */
async function fromShell(
  order: VisitorCommand & { type: "visit" },
  path: string,
  enough: number,
): Promise<string> {
  let read = "";
  const server = createServer(socket => {
    socket.setEncoding("latin1").on("error", () => {});
    socket.on("data", chunk => {
      read += chunk;
      if (read.length >= enough) socket.end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const line = visitCommand({ ...order, port }, path);
  await new Promise<void>(resolve => execFile("bash", ["-c", line], { timeout: 5_000 }, () => resolve()));
  await new Promise(resolve => server.close(resolve));
  return read;
}

test("from a shell the same octets come", async () => {
  const same: VisitBody[] = [
    { kind: "split", at: [8, 20] },
    { kind: "drip", everyMs: 1 },
    { kind: "pipeline" },
    { kind: "half-close", path: "/a'%b\"$(x)" },
    { kind: "reset", path: '/a\\"b' },
    { kind: "raw", text: "100%\\0'\\xff\\\\ \\r\\n\"`$HOME" },
  ];
  await Promise.all(
    same.map(async body => {
      const { order, path } = orderOf(body, "v1", where);
      const sends = order.kind === "pipeline" ? order.sends.repeat(order.count) : order.sends;
      assert.equal(await fromShell(order, path, sends.length), sends, body.kind);
    }),
  );
});

test("curl asks for the same path", async () => {
  for (const path of ["/", "/a/../b", "/[1]?q={x}&y='z'"]) {
    const { order } = orderOf({ kind: "get", path }, "v1", where);
    const read = await fromShell(order, path, 1);
    assert.equal(read.split("\r\n")[0], `GET ${path} HTTP/1.1`);
  }
});

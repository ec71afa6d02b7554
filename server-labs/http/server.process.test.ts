// Server, over real connections: what a hostile page, another user of the machine or a broken program can send, and that
// nothing of it ends the lab server or reaches a run. (S1–S15: the threats of the design notes.)
import assert from "node:assert/strict";
import { readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { beforeEach, test } from "node:test";
import type WebSocket from "ws";
import { labId, openSocket, testLabServer, token } from "../fixtures/test-lab-server.ts";
import { limits } from "../protocol.ts";
import { routes } from "./routes.ts";

const labServer = testLabServer();
beforeEach(() => {
  labServer.runs.asked.length = 0;
});

interface Answer {
  status: number;
  head: string;
  body: string;
}

/** Sends these bytes on a connection of their own, and reads until the lab server closes it. */
function raw(bytes: string | Buffer, host = "127.0.0.1"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = connect(labServer.port, host);
    const chunks: Buffer[] = [];
    socket.on("data", chunk => chunks.push(chunk));
    socket.on("error", reject);
    socket.on("close", () => {
      const text = Buffer.concat(chunks).toString();
      const [head = "", body = ""] = text.split(/\r\n\r\n(.*)/s);
      resolve({ status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1] ?? 0), head, body });
    });
    socket.write(bytes);
  });
}

/** A request as a browser writes it; `Connection: close`, so that its end is the answer's. */
function browser(line: string, headers: Record<string, string>, body = ""): Promise<Answer> {
  const all = {
    Host: `127.0.0.1:${labServer.port}`,
    Connection: "close",
    ...headers,
    ...(body ? { "Content-Length": body.length } : {}),
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return raw(`${line} HTTP/1.1\r\n${lines.join("")}\r\n${body}`);
}

const run = `/api/labs/${labId}/run`;
const bearer = { Authorization: `Bearer ${token}` };
const upgrade = {
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Protocol": `lab.v1, token.${token}`,
};
const crossSite = { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "empty" };

test("S1: a form or fetch of another site runs nothing, even if it knew the token", async () => {
  const evil = { Origin: "http://evil.test:9100", ...crossSite };
  const form = { ...evil, "Content-Type": "application/x-www-form-urlencoded" };
  assert.equal((await browser(`POST ${run}`, form, "a=b")).status, 403);
  assert.equal((await browser(`POST ${run}`, { ...evil, "Content-Type": "text/plain" }, "{}")).status, 403);
  assert.equal(
    (await browser(`POST ${run}`, { ...evil, ...bearer, "Content-Type": "application/json" }, "{}")).status,
    403,
  );
  assert.equal((await browser(`POST ${run}`, { ...bearer, "Content-Type": "text/plain" }, "{}")).status, 415);
  assert.equal(
    (await browser(`OPTIONS ${run}`, { ...evil, "Access-Control-Request-Method": "POST" })).status,
    403,
  );
  assert.deepEqual(labServer.runs.asked, []);
});

test("S2, S3, S6: no WebSocket for another site, a sandboxed frame, or a page on another port", async () => {
  for (const origin of [
    "http://evil.test",
    "null",
    "http://127.0.0.1:9300",
    `https://127.0.0.1:${labServer.port}`,
  ]) {
    const { status, head } = await browser("GET /ws", { ...upgrade, Origin: origin });
    assert.equal(status, 403, origin);
    assert.match(head, /Content-Security-Policy/);
  }
  const own = openSocket(labServer, { origin: labServer.origin });
  await new Promise((resolve, reject) => own.once("message", resolve).once("error", reject));
  own.close();
});

test("S4: a rebound name gets 421 for the page, the API and the socket", async () => {
  const evil = { Host: `evil.test:${labServer.port}` };
  assert.equal((await browser("GET /", evil)).status, 421);
  assert.equal((await browser("GET /api/labs", { ...evil, ...bearer })).status, 421);
  assert.equal((await browser("GET /healthz", evil)).status, 421);
  assert.equal(
    (await browser("GET /ws", { ...upgrade, ...evil, Origin: `http://evil.test:${labServer.port}` })).status,
    421,
  );
  assert.equal((await raw("GET / HTTP/1.0\r\n\r\n")).status, 421, "no Host at all");
});

test("S5: every route and every upgrade is closed without the token", async () => {
  for (const { method, path } of routes) {
    const { status, head } = await browser(`${method} ${path.replaceAll(":", "")}`, {});
    assert.equal(status, 401, path);
    assert.match(head, /WWW-Authenticate: Bearer/);
  }
  const { "Sec-WebSocket-Protocol": _, ...without } = upgrade;
  assert.equal((await browser("GET /ws", { ...without, "Sec-WebSocket-Protocol": "lab.v1" })).status, 401);
  assert.equal((await browser("GET /", upgrade)).status, 404);
  assert.equal((await browser("GET /api/labs", upgrade)).status, 404);
});

test("S6: the page of the student's own server, on another port, is another site; it gets no cookie to send", async () => {
  const sameSite = {
    Origin: "http://127.0.0.1:9300",
    "Sec-Fetch-Site": "same-site",
    "Sec-Fetch-Mode": "cors",
    "Sec-Fetch-Dest": "empty",
  };
  assert.equal(
    (await browser(`POST ${run}`, { ...sameSite, "Content-Type": "application/json" }, "{}")).status,
    403,
  );
  assert.equal((await browser("GET /api/labs", { ...sameSite, ...bearer })).status, 403);
  for (const path of ["/", "/healthz", "/api/labs"])
    assert.doesNotMatch((await browser(`GET ${path}`, bearer)).head, /set-cookie|access-control/i);
});

test("S7: neither source nor script of ours can be included by another site", async () => {
  const script = { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script" };
  for (const path of [`/api/labs/${labId}/files/server.ts`, "/assets/index-abc123.js", "/"])
    assert.equal((await browser(`GET ${path}`, script)).status, 403, path);
  const frame = { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe" };
  assert.equal((await browser("GET /", frame)).status, 403);
  const link = {
    "Sec-Fetch-Site": "cross-site",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
    Accept: "text/html",
  };
  assert.equal(
    (await browser("GET /non-blocking/polling-model", link)).status,
    200,
    "a link to a lesson may be anywhere",
  );
  assert.equal((await browser("GET /api/labs", { ...link, ...bearer })).status, 403);
});

test("S8: no address leads out of the workspace or the page", async () => {
  const work = join(labServer.workspace.root, labId);
  await labServer.workspace.ensure(labId);
  const secret = join(labServer.folder, "secret.txt");
  writeFileSync(secret, "root:x:0:0");
  rmSync(join(work, "server.ts"));
  symlinkSync(secret, join(work, "server.ts"));
  const ups = ["..", "%2e%2e", "..%2f..", "..%5c", ".%00", "....//", "%252e%252e", "..;", "\\..\\"];
  const targets = ["etc/passwd", "secret.txt", "state/token", ".history/server.ts", "package.json"];
  const roots = [
    "/",
    "/assets/",
    "/api/labs/",
    `/api/labs/${labId}/files/`,
    `/api/labs/${labId}/files/server.ts/`,
  ];
  let tried = 0;
  for (const root of roots)
    for (const up of ups)
      for (const target of targets)
        for (const depth of [1, 3]) {
          tried++;
          const { status, body } = await browser(`GET ${root}${`${up}/`.repeat(depth)}${target}`, bearer);
          assert.ok([400, 404].includes(status), `${root} ${up} ${target}: ${status}`);
          assert.doesNotMatch(body, /root:x:0|"name":/);
        }
  assert.ok(tried >= 200);
  const linked = await browser(`GET /api/labs/${labId}/files/server.ts`, bearer);
  assert.equal(linked.status, 422);
  assert.doesNotMatch(linked.body, /root:x:0/);
  rmSync(join(work, "server.ts"));
});

test("S9: the token is in nothing that is written down", async () => {
  await browser("GET /api/labs", bearer);
  await browser("GET /api/nonsense", bearer);
  await browser(`GET /ws?token=${token}`, { ...upgrade, "Sec-WebSocket-Protocol": "lab.v1" });
  let log = "";
  try {
    log = readFileSync(join(labServer.folder, "state/problems.log"), "utf8");
  } catch {
    // nothing was written down at all
  }
  assert.doesNotMatch(log, new RegExp(token));
  const refusal = await browser("GET /api/labs", { Authorization: "Bearer wrong" });
  assert.doesNotMatch(refusal.head + refusal.body, new RegExp(token));
});

test("S13: every answer forbids frames, sniffing and foreign embedding", async () => {
  const answers = [
    browser("GET /", { Accept: "text/html" }),
    browser("GET /assets/index-abc123.js", {}),
    browser("GET /healthz", {}),
    browser("GET /api/labs", bearer),
    browser("GET /api/labs", {}),
    browser("GET /api/nonsense", bearer),
    browser("GET /assets/missing.js", {}),
    browser("GET /ws", { ...upgrade, Origin: "null" }),
    raw("nonsense\r\n\r\n"),
    raw(`GET / HTTP/1.1\r\nX: ${"x".repeat(20_000)}\r\n\r\n`),
  ];
  for (const { head, status } of await Promise.all(answers)) {
    assert.ok(status > 0);
    for (const header of [
      /frame-ancestors 'none'/,
      /nosniff/,
      /Cross-Origin-Resource-Policy: same-origin/,
      /Referrer-Policy: no-referrer/,
    ])
      assert.match(head, header);
  }
});

test("S14: 400 idle connections do not keep the page from its answer", async () => {
  const idle: Socket[] = [];
  try {
    await Promise.all(
      Array.from(
        { length: 400 },
        (_, i) =>
          new Promise<void>((resolve, reject) => {
            const socket = connect(labServer.port, "127.0.0.1", () => resolve());
            socket.on("error", reject);
            if (i % 2) socket.write("GET / HTTP/1.1\r\nHost: 127.0");
            idle.push(socket);
          }),
      ),
    );
    const began = performance.now();
    assert.equal((await browser("GET /healthz", {})).status, 200);
    // And not only when the idle ones are closed, which headersTimeout does.
    assert.ok(performance.now() - began < 8_000);
  } finally {
    for (const socket of idle) socket.destroy();
  }
  for (const server of labServer.servers)
    assert.ok(server.headersTimeout <= 10_000 && server.requestTimeout <= 30_000);
});

test("S14: at most so many pages at once; the next is refused, and let in when one has gone", async () => {
  const pages = await Promise.all(
    Array.from(
      { length: limits.sessions },
      () =>
        new Promise<WebSocket>((resolve, reject) => {
          const page = openSocket(labServer);
          page.once("message", () => resolve(page)).once("error", reject);
        }),
    ),
  );
  const { status, body } = await browser("GET /ws", upgrade);
  assert.equal(status, 503);
  assert.match(body, /Too many pages/);
  const left = new Promise(resolve => pages[0]!.once("close", resolve));
  pages[0]!.close();
  await left;
  const next = openSocket(labServer);
  await new Promise((resolve, reject) => next.once("message", resolve).once("error", reject));
  const gone = [...pages.slice(1), next].map(page => new Promise(resolve => page.once("close", resolve)));
  for (const page of [...pages.slice(1), next]) page.terminate();
  await Promise.all(gone);
});

test("S15: it listens on loopback only", () => {
  const hex = labServer.port.toString(16).toUpperCase().padStart(4, "0");
  for (const [file, loopback] of [
    ["/proc/net/tcp", "0100007F"],
    ["/proc/net/tcp6", "00000000000000000000000001000000"],
  ] as const) {
    const listeners = readFileSync(file, "utf8")
      .split("\n")
      .map(line => line.trim().split(/\s+/))
      .filter(fields => fields[3] === "0A" && fields[1]?.endsWith(`:${hex}`));
    for (const [, local] of listeners) assert.equal(local, `${loopback}:${hex}`);
    if (file === "/proc/net/tcp") assert.equal(listeners.length, 1);
  }
});

test("the page: its addresses, its assets compressed and kept, what is missing is a problem", async () => {
  const html = { Accept: "text/html" };
  const lesson = await browser("GET /non-blocking/polling-model", html);
  assert.match(lesson.body, /the page/);
  assert.match(lesson.head, /Cache-Control: no-cache/);
  const asset = await browser("GET /assets/index-abc123.js", { "Accept-Encoding": "gzip, br" });
  assert.match(asset.head, /Content-Encoding: br/);
  assert.match(asset.head, /Cache-Control: public, max-age=31536000, immutable/);
  assert.equal(asset.body, "brotli, as it were");
  assert.equal((await browser("GET /assets/old-000.js", html)).status, 404);
  assert.equal((await browser("GET /nonsense", {})).status, 404);
  assert.equal((await browser("GET /assets/index-abc123.js", { Range: "bytes=9-2" })).status, 200);
  assert.equal((await browser("HEAD /", html)).body, "");
  const post = await browser("POST /", { ...bearer, "Content-Type": "application/json" }, "{}");
  assert.equal(post.status, 405);
  const index = join(labServer.folder, "page/index.html");
  const text = readFileSync(index, "utf8");
  rmSync(index);
  const missing = await browser("GET /", html);
  assert.equal(missing.status, 503);
  assert.match(missing.body, /npm start/);
  writeFileSync(index, text);
  assert.equal((await browser("GET /", html)).status, 200);
});

test("curl in all its ways: IPv6, HTTP/1.0, a question before the body, too much of everything", async () => {
  const v6 = labServer.servers.length > 1;
  if (v6)
    assert.equal(
      (
        await raw(
          `GET /healthz HTTP/1.1\r\nHost: [::1]:${labServer.port}\r\nConnection: close\r\n\r\n`,
          "::1",
        )
      ).status,
      200,
    );
  assert.equal((await raw(`GET /healthz HTTP/1.0\r\nHost: 127.0.0.1:${labServer.port}\r\n\r\n`)).status, 200);
  const expect = { ...bearer, "Content-Type": "application/json", Expect: "100-continue" };
  const allowed = await browser(`POST ${run}`, expect, "{}");
  assert.match(`${allowed.head}\r\n\r\n${allowed.body}`, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201/);
  const refused = await browser(`POST ${run}`, { ...expect, Authorization: "Bearer wrong" }, "");
  assert.equal(refused.status, 401);
  const huge = await browser(`POST ${run}`, {
    ...bearer,
    "Content-Type": "application/json",
    "Content-Length": "104857600",
  });
  assert.equal(huge.status, 413);
  assert.equal(
    (await raw(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${labServer.port}\r\nX: ${"x".repeat(1_000_000)}\r\n\r\n`))
      .status,
    431,
  );
  await labServer.runs.current(labId).program?.stop();
});

test("a WebSocket frame that claims 2^62 bytes ends its own socket with 1009, and no other", async () => {
  const page = openSocket(labServer);
  await new Promise(resolve => page.once("message", resolve));
  const closed = new Promise<number>(resolve => page.once("close", resolve));
  const frame = Buffer.from([0x81, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]);
  (page as unknown as { _socket: Socket })._socket.write(frame);
  assert.ok([1006, 1009].includes(await closed));
  assert.equal((await browser("GET /healthz", {})).status, 200);
});

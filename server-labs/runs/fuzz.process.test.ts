// Nothing that bytes on a connection can say ends the lab server or surprises it. The seed is printed: with
// FUZZ_SEED=… the same bytes come again; FUZZ_CONVERSATIONS makes it longer.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { labId, openTestLabServer, token } from "../fixtures/test-lab-server.ts";

const seed = Number(process.env.FUZZ_SEED ?? 20_250_101);
const conversations = Number(process.env.FUZZ_CONVERSATIONS ?? 1000);

/** mulberry32: small, and the same everywhere. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

test(`${conversations} conversations of malformed requests and frames, seed ${seed}`, {
  timeout: 60_000 + conversations * 20,
}, async t => {
  const labServer = await openTestLabServer();
  t.after(() => labServer.close());
  const random = randomFrom(seed);
  const below = (n: number) => Math.floor(random() * n);
  const one = <T>(of: readonly T[]): T => of[below(of.length)]!;
  const noise = (length: number) => Buffer.from(Array.from({ length }, () => below(256)));

  const host = `127.0.0.1:${labServer.port}`;
  const names = [
    "Host",
    "Origin",
    "Authorization",
    "Sec-Fetch-Site",
    "Content-Length",
    "Transfer-Encoding",
    "Upgrade",
    "Connection",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Version",
    "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Extensions",
    "Content-Type",
    "Expect",
    "Range",
    "If-Match",
    "Accept-Encoding",
    "__proto__",
  ];
  const values = [
    host,
    "",
    "[",
    "[::1",
    "null",
    "a, b",
    `Bearer ${token}`,
    "Bearer",
    "websocket",
    "h2c",
    "Upgrade",
    "close",
    "-1",
    "99999999999999999999",
    "chunked",
    "chunked, chunked",
    "100-continue",
    "bytes=9-1",
    "lab.v1",
    `lab.v1, token.${token}`,
    "permessage-deflate; x=",
    "application/json",
    "\u00e9\u0001",
    "*",
    '"',
    "cross-site",
    "13",
    "dGhlIHNhbXBsZSBub25jZQ==",
  ];
  const paths = [
    "/",
    "//",
    "*",
    "/api/labs",
    `/api/labs/${labId}/run`,
    `/api/labs/${labId}/files/server.ts`,
    "/api/runs/r1/events?from=9e9",
    "/ws",
    "/%",
    "/%zz",
    "http://[",
    "/a?%%%",
    "/../..",
    "/healthz",
    `/${"a/".repeat(2000)}`,
  ];
  const request = () => {
    const headers = Array.from({ length: below(8) }, () => `${one(names)}: ${one(values)}\r\n`).join("");
    const ours = random() < 0.7 ? `Host: ${host}\r\nAuthorization: Bearer ${token}\r\n` : "";
    const body =
      random() < 0.5
        ? one(["{}", '{"text":1}', "{", "5\r\nhello\r\n0\r\n\r\n", "zz\r\n", "[".repeat(5000)])
        : "";
    return Buffer.from(
      `${one(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "CONNECT", "PATCH", "X"])} ${one(paths)} HTTP/1.${below(3)}\r\n${ours}${headers}\r\n${body}`,
      "latin1",
    );
  };
  const damaged = () => {
    const bytes = request();
    for (let n = below(6); n > 0 && bytes.length > 0; n--) bytes[below(bytes.length)] = below(256);
    return random() < 0.3 ? bytes.subarray(0, below(bytes.length)) : bytes;
  };
  const handshake = `GET /ws HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: lab.v1, token.${token}\r\n\r\n`;
  const frame = () => {
    const text = one([
      "{}",
      '{"type":"watch","lab":"a/b"}',
      `{"type":"watch","lab":"${labId}","from":{"r1":1}}`,
      '{"type":"ack","run":"r1","seq":-1}',
      '{"type":"__proto__"}',
      "[[[[",
      "\ud800",
    ]);
    const payload = random() < 0.5 ? noise(below(200)) : Buffer.from(text);
    const length =
      random() < 0.2
        ? Buffer.from([0x80 | one([126, 127]), ...noise(8)])
        : Buffer.from([0x80 | Math.min(payload.length, 125)]);
    // A mask of zeros leaves the payload as it is; opcodes and reserved bits are anything.
    return Buffer.concat([
      Buffer.from([random() < 0.5 ? 0x81 : below(256)]),
      length,
      Buffer.alloc(4),
      payload.subarray(0, 125),
    ]);
  };
  const conversation = (): Buffer[] => {
    const kind = random();
    if (kind < 0.1) return [noise(below(300))];
    if (kind < 0.45) return [damaged()];
    if (kind < 0.7) return [request(), request()];
    return [Buffer.from(handshake), ...Array.from({ length: 1 + below(5) }, frame)];
  };

  /** Says it all; leaves at once, or when the other side has said or done something. */
  const talk = (parts: Buffer[]) =>
    new Promise<void>(resolve => {
      const socket = connect(labServer.port, "127.0.0.1");
      const leaves = random() < 0.3;
      const patience = setTimeout(() => socket.destroy(), 20); // some bytes are only the beginning of a request
      socket.on("error", () => {});
      socket.on("data", () => (leaves ? socket.resetAndDestroy() : socket.end()));
      socket.on("close", () => {
        clearTimeout(patience);
        resolve();
      });
      for (const part of parts) socket.write(part);
    });

  let connections = 0;
  const worker = async () => {
    while (connections < conversations) {
      connections++;
      await talk(conversation());
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));

  const answer = await fetch(`${labServer.origin}/healthz`);
  assert.equal(answer.status, 200);
  assert.deepEqual(labServer.unexpected, []);
});

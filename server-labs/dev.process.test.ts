// The development server, `npm run dev`, as a hostile page and another user of the machine find it.
// It runs what is built (npm run build:server); npm test builds first.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { projectRoot } from "./fixtures/temporary-lab.ts";
import { temporaryFolder } from "./fixtures/test-lab-server.ts";

interface Answer {
  status: number;
  head: string;
  body: string;
}

let port = 0;
let end = async () => {};

before(
  async () => {
    const { folder: home, gone } = temporaryFolder();
    const child = spawn(process.execPath, ["--import", "tsx", "server-labs/dev.ts", "--port", "0"], {
      cwd: projectRoot,
      env: { PATH: process.env.PATH, HOME: home, LANG: "C.UTF-8", WORKBOOK_SPARE: "off" },
      stdio: ["ignore", "pipe", "ignore"],
    });
    const exit = once(child, "exit");
    end = async () => {
      child.kill("SIGTERM");
      await exit;
      gone();
    };
    for await (const line of createInterface({ input: child.stdout })) {
      port = Number(/^Writing mode: http:\/\/127\.0\.0\.1:(\d+)\/#t=[\w-]{32} /.exec(line)?.[1] ?? 0);
      if (port > 0) break;
    }
    child.stdout.resume();
    assert.ok(port > 0, "it ended before it printed its link");
  },
  { timeout: 120_000 },
);
after(() => end());

/** Sends a request with these headers, and reads until the connection is closed. */
function ask(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
  const all = { Host: `127.0.0.1:${port}`, Connection: "close", ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let text = "";
    socket.setEncoding("utf8").on("data", chunk => {
      text += chunk;
    });
    socket.on("error", reject);
    socket.on("close", () => {
      const [head = "", body = ""] = text.split(/\r\n\r\n(.*)/s);
      resolve({ status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1] ?? 0), head, body });
    });
    socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
  });
}

const paths = ["/", "/main.tsx", "/@vite/client", "/api/labs", "/healthz", "/__open-in-editor?file=main.tsx"];
const crossSite = { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script" };

test("a rebound name gets no answer, also one below localhost, which Vite would let in", {
  timeout: 60_000,
}, async () => {
  for (const host of [`evil.test:${port}`, `evil.localhost:${port}`, `192.0.2.1:${port}`, "127.0.0.1:1"])
    for (const path of paths) {
      const { status } = await ask(path, { Host: host });
      // Vite's own answer is 403, and its rule comes first.
      assert.ok(status === 421 || status === 403, `${host} ${path}: ${status}`);
    }
});

test("another site, another port and a sandboxed frame get 403, and no answer allows another origin", {
  timeout: 60_000,
}, async () => {
  const sameSite = { ...crossSite, "Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors" };
  for (const path of paths)
    for (const headers of [
      crossSite,
      sameSite,
      { Origin: "http://evil.test" },
      { Origin: "null" },
      { Origin: `http://127.0.0.1:${port + 1}` },
      { Origin: `http://127.0.0.1:${port}`, ...crossSite },
    ]) {
      const { status, head } = await ask(path, headers);
      assert.equal(status, 403, `${path} ${JSON.stringify(headers)}`);
      assert.doesNotMatch(head, /access-control/i);
    }
  const form = { ...crossSite, "Content-Type": "text/plain", "Content-Length": "0" };
  assert.equal((await ask("/api/labs/non-blocking/polling-model/run", form, "POST")).status, 403);
  assert.equal((await ask("/main.tsx", { Origin: "http://evil.test" }, "OPTIONS")).status, 403);
});

test("no request opens an editor, and no address leads out of the workbook", {
  timeout: 60_000,
}, async () => {
  const own = { "Sec-Fetch-Site": "same-origin", Referer: `http://127.0.0.1:${port}/` };
  for (const path of [
    "/__open-in-editor?file=/etc/passwd",
    "/__open-in-editor",
    "/%5f_open-in-editor?file=main.tsx",
  ]) {
    assert.equal((await ask(path)).status, 404, path);
    assert.equal((await ask(path, own)).status, 404, path);
  }
  for (const path of [
    "/@fs/etc/passwd",
    "/@fs/etc/passwd?raw",
    "/@fs/etc/passwd?raw??",
    "/@fs/etc/passwd?import&raw",
    "/@fs//etc/passwd",
    "/@fs/etc/passwd?.svg?.wasm?init",
    "/../../../../etc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    `/@fs${projectRoot}/../../../../../../etc/passwd?raw`,
    "/@fs/proc/self/environ?raw",
  ]) {
    const { status, body } = await ask(path, { Accept: "*/*", ...own });
    assert.doesNotMatch(body, /root:x:0|PATH=/, path);
    assert.ok(status >= 400, `${path}: ${status}`);
  }
});

test("no WebSocket for another site: not for the lab server's session, not for Vite's updates", {
  timeout: 60_000,
}, async () => {
  const upgrade = {
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  };
  const strangers: Record<string, string>[] = [
    { Origin: "http://evil.test" },
    { Origin: "null" },
    { Origin: `http://127.0.0.1:${port + 1}` },
    { Origin: `http://evil.test:${port}`, Host: `evil.test:${port}` },
  ];
  for (const headers of strangers)
    for (const [path, protocol] of [
      ["/ws", "lab.v1"],
      ["/", "vite-hmr"],
      ["/?token=guessed", "vite-hmr"],
    ] as const) {
      const { status, head } = await ask(path, {
        ...upgrade,
        "Sec-WebSocket-Protocol": protocol,
        ...headers,
      });
      assert.ok(status >= 400 || head === "", `${path} ${JSON.stringify(headers)}: ${status}`);
    }
});

test("its own page gets what it needs, with the built page's policy and a nonce for the one script in the page", {
  timeout: 60_000,
}, async () => {
  const navigation = { "Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document" };
  const page = await ask("/", { ...navigation, Accept: "text/html" });
  assert.equal(page.status, 200);
  const nonce = /script-src 'self' 'nonce-([^']+)'/.exec(page.head)?.[1];
  assert.ok(nonce);
  for (const header of [
    /default-src 'self';/,
    /frame-ancestors 'none'/,
    /nosniff/,
    /Cross-Origin-Resource-Policy: same-origin/i,
  ])
    assert.match(page.head, header);
  for (const [tag] of page.body.matchAll(/<script(?![^>]*\bsrc=)[^>]*>/g))
    assert.ok(tag.includes(nonce), tag);
  const own = { "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty" };
  const challenge = `nonce=${"0".repeat(32)}&origin=http://127.0.0.1:${port}&key=ticket`;
  const proven = await ask(`/healthz?${challenge}`, own);
  assert.match(proven.body, /"proof": "[0-9a-f]{64}"/, "the lab server proves itself at Vite's address, too");
  assert.equal((await ask("/api/labs", own)).status, 401);
});

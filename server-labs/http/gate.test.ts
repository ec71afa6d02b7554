// Gate. Every combination that a caller can send, and combinations that only an attacker sends.
// In the lab server Node's own parser comes first; here the gate is called directly, so that the table is fast.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import { limits, pageBearer, pageText } from "../protocol.ts";
import { Gate, type Verdict } from "./gate.ts";
import { problemOf } from "./problems.ts";

const port = 7800;
const token = "dGhlLXJpZ2h0LXRva2VuLW9mLXRoZS1sYWJz";
const tokenFile = "/home/ada/.local/state/socket-workbook/token";
const gate = () => new Gate({ port, token, tokenFile });

test("the address of a forwarded port is let in when the lab server was started with it, and no other", () => {
  const forwarded = () =>
    new Gate({ port, token, tokenFile, origins: ["http://localhost:8000", "https://a-7800.example.dev"] });
  const authorization = `Bearer ${token}`;
  const comes = (host: string, origin: string) =>
    forwarded().check(request({ url: "/api/labs", headers: { host, origin, authorization } }), "request")
      .passed;
  assert.ok(comes("localhost:8000", "http://localhost:8000"));
  assert.ok(comes("a-7800.example.dev", "https://a-7800.example.dev"));
  // Some forwarders write the host anew, and leave the origin.
  assert.ok(comes(`localhost:${port}`, "https://a-7800.example.dev"));
  assert.ok(!comes("localhost:8001", "http://localhost:8001"));
  assert.ok(!comes("localhost:8000", "http://a-7800.example.dev"));
  const refused = answerTo(ask({ headers: { host: "localhost:8000" } }));
  assert.equal(refused.status, 421);
  assert.match(refused.body.problem, /npm start -- --origin http:\/\/localhost:8000$/);
});

interface Call {
  method?: string;
  url?: string;
  headers?: Record<string, string | undefined>;
  kind?: "request" | "upgrade";
}

function request({ method = "GET", url = "/", headers = {} }: Call): IncomingMessage {
  const given = Object.entries({ host: `127.0.0.1:${port}`, ...headers }).filter(
    ([, value]) => value !== undefined,
  );
  return {
    method,
    url,
    headers: Object.fromEntries(given),
    rawHeaders: given.flat(),
  } as unknown as IncomingMessage;
}

const ask = (call: Call, at = gate()): Verdict => at.check(request(call), call.kind ?? "request");
const answerTo = (verdict: Verdict) => {
  assert.ok(!verdict.passed);
  return problemOf(verdict.statement);
};
const status = (call: Call, at = gate()) => {
  const verdict = ask(call, at);
  return verdict.passed ? 200 : answerTo(verdict).status;
};

test("every combination of Host, Origin, Sec-Fetch-*, token, method and address", () => {
  const hosts = {
    [`127.0.0.1:${port}`]: true,
    [`localhost:${port}`]: true,
    [`[::1]:${port}`]: true,
    [`evil.test:${port}`]: false,
    "127.0.0.1:9300": false,
    "127.0.0.1": false,
  };
  const origins = {
    "": true,
    [`http://localhost:${port}`]: true,
    null: false,
    "http://evil.test:7800": false,
    [`https://127.0.0.1:${port}`]: false,
    "http://127.0.0.1:9300": false,
  };
  const sites = ["", "same-origin", "same-site", "cross-site", "none"];
  const modes = ["navigate", "cors"];
  const authorizations = {
    "": "none",
    [`Bearer ${token}`]: "right",
    "Bearer wrong": "wrong",
    [`Basic ${token}`]: "wrong",
  };
  const methods = ["GET", "HEAD", "POST", "OPTIONS"];
  const urls = ["/", "/non-blocking/polling-model", "/assets/index-abc.js", "/healthz", "/api/labs", "/ws"];
  let asked = 0;
  for (const [host, hostIsOurs] of Object.entries(hosts))
    for (const [origin, originIsOurs] of Object.entries(origins))
      for (const site of sites)
        for (const mode of modes)
          for (const [authorization, quality] of Object.entries(authorizations))
            for (const method of methods)
              for (const url of urls) {
                asked++;
                const reads = method === "GET" || method === "HEAD";
                const open = reads && !url.startsWith("/api") && url !== "/ws";
                const person = mode === "navigate" && reads;
                const siteIsFine =
                  site === "" || site === "same-origin" || (person && (site === "none" || open));
                const expected = !hostIsOurs
                  ? 421
                  : !originIsOurs || !siteIsFine
                    ? 403
                    : !open && quality !== "right"
                      ? 401
                      : method === "POST"
                        ? 415
                        : 200;
                const headers = {
                  host,
                  origin: origin || undefined,
                  "sec-fetch-site": site || undefined,
                  "sec-fetch-mode": site ? mode : undefined,
                  "sec-fetch-dest": site ? (mode === "navigate" ? "document" : "empty") : undefined,
                  authorization: authorization || undefined,
                };
                assert.equal(
                  status({ method, url, headers }),
                  expected,
                  JSON.stringify({ method, url, headers }),
                );
              }
  assert.equal(asked, 6 * 6 * 5 * 2 * 4 * 4 * 6);
});

test("an upgrade is let in at /ws only, from our page only, with the token among the subprotocols", () => {
  const upgrade = (more: Record<string, string | undefined>, url = "/ws") =>
    status({
      kind: "upgrade",
      url,
      headers: { upgrade: "websocket", "sec-websocket-protocol": `lab.v1, token.${token}`, ...more },
    });
  assert.equal(upgrade({}), 200);
  assert.equal(upgrade({ origin: `http://127.0.0.1:${port}` }), 200);
  assert.equal(upgrade({}, "/other"), 404);
  assert.equal(upgrade({ upgrade: "h2c" }), 404);
  assert.equal(upgrade({ origin: "null" }), 403);
  assert.equal(upgrade({ origin: "http://evil.test" }), 403);
  assert.equal(upgrade({ "sec-fetch-site": "same-site", "sec-fetch-mode": "websocket" }), 403);
  assert.equal(upgrade({ "sec-websocket-protocol": "lab.v1" }), 401);
  assert.equal(upgrade({ "sec-websocket-protocol": `token.${token}` }), 401);
  assert.equal(upgrade({ "sec-websocket-protocol": "lab.v1, token.wrong" }), 401);
  assert.equal(upgrade({ "sec-websocket-protocol": "lab.v1", authorization: `Bearer ${token}` }), 401);
  assert.equal(upgrade({}, `/ws?token=${token}`), 200);
  assert.equal(upgrade({ "sec-websocket-protocol": "lab.v1" }, `/ws?token=${token}`), 401);
});

test("a page's bearer is good for requests and for the socket, at the gate that proved itself, and at no other", () => {
  const at = gate();
  const key = { id: "ticket", key: at.keys.ticket };
  const origin = `http://127.0.0.1:${port}`;
  const { start } = at.keys.prove({ nonce: "0".repeat(32), origin, key: key.id })!;
  const bearer = pageBearer(
    key.id,
    createHmac("sha256", key.key).update(pageText(origin, start)).digest("hex"),
  );
  const asks = (other: Gate) => [
    status({ url: "/api/labs", headers: { origin, authorization: `Bearer ${bearer}` } }, other),
    status(
      {
        kind: "upgrade",
        url: "/ws",
        headers: { origin, upgrade: "websocket", "sec-websocket-protocol": `lab.v1, token.${bearer}` },
      },
      other,
    ),
  ];
  assert.deepEqual(asks(at), [200, 200]);
  assert.deepEqual(asks(gate()), [401, 401]);
});

test("addresses that can be read in two ways are not read at all", () => {
  const odd = [
    "",
    "*",
    "//",
    "//evil.test/",
    "http://evil.test/",
    "/a/../api/labs",
    "/a/%2e%2e/b",
    "/a\\b",
    "/%2Fapi",
    "/%zz",
    "/a#b",
    "/a b",
    "/%00",
    "/..",
    "/a/%5c..",
    "/é",
  ];
  for (const url of odd) assert.equal(status({ url }), 400, url);
  assert.equal(
    status({ url: "/API/labs" }),
    200,
    "another address than /api: the app's own, with nothing behind it",
  );
  assert.equal(status({ url: "/%61pi/labs" }), 401, "the same address as /api");
});

test("two Host headers, no Host header, or a malformed one: 421", () => {
  const twice = request({});
  twice.rawHeaders.push("HOST", "evil.test");
  const verdict = gate().check(twice, "request");
  assert.equal(answerTo(verdict).status, 421);
  for (const host of [
    undefined,
    "",
    "[",
    "127.0.0.1:7800:7800",
    "127.0.0.1:7800@evil.test",
    "127.0.0.1:07800",
    "\u0000",
  ])
    assert.equal(status({ headers: { host } }), 421, String(host));
  assert.equal(status({ headers: { host: "LocalHost:7800" } }), 200, "names of hosts have no case");
});

test("after 20 wrong tokens in a minute it is 429, but the right one still works", () => {
  let now = 1000;
  const at = new Gate({ port, token, tokenFile, now: () => now });
  const say = (said?: string) =>
    status({ url: "/api/labs", headers: { authorization: said && `Bearer ${said}` } }, at);
  for (let i = 0; i < 20; i++) assert.equal(say(`guess-${i}`), 401);
  for (let i = 0; i < 10; i++) assert.equal(say(`guess-${i}`), 429);
  assert.equal(say(token), 200);
  assert.equal(say(), 401, "to say nothing is no guess");
  now += 60_000;
  assert.equal(say("guess"), 401);
});

test("refusals say what to do next", () => {
  const verdict = ask({ url: "/api/labs" });
  assert.match(
    answerTo(verdict).body.problem,
    /curl -H "Authorization: Bearer \$\(cat \/home\/ada\/.*token\)" http:\/\/127\.0\.0\.1:7800\/api\/labs/,
  );
  const rebound = ask({ headers: { host: "evil.test:7800" } });
  assert.match(answerTo(rebound).body.problem, /127\.0\.0\.1:7800.*"evil\.test:7800".*link/);
  const long = ask({ headers: { host: "x".repeat(5000) } });
  assert.ok(answerTo(long).body.problem.length < 400);
});

test("bodies are plain JSON, at most as long as a message", () => {
  const post = (headers: Record<string, string>) =>
    status({
      method: "POST",
      url: "/api/labs/a/b/run",
      headers: { authorization: `Bearer ${token}`, ...headers },
    });
  assert.equal(post({ "content-type": "application/json" }), 200);
  assert.equal(post({ "content-type": "application/json; charset=utf-8" }), 200);
  for (const type of [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "application/jsonp",
  ])
    assert.equal(post({ "content-type": type }), 415, type);
  assert.equal(post({ "content-type": "application/json", "content-encoding": "gzip" }), 415);
  assert.equal(
    post({ "content-type": "application/json", "content-length": String(limits.messageBytes) }),
    200,
  );
  assert.equal(
    post({ "content-type": "application/json", "content-length": String(limits.messageBytes + 1) }),
    413,
  );
  assert.equal(status({ headers: { "transfer-encoding": "chunked" } }), 415);
});

test("every answer carries the policy; it names only our own host", () => {
  const own = gate().headers(request({ headers: { host: "localhost:7800" } }));
  assert.match(own["Content-Security-Policy"]!, /connect-src 'self' ws:\/\/localhost:7800;/);
  assert.match(own["Content-Security-Policy"]!, /frame-ancestors 'none'/);
  assert.equal(own["X-Content-Type-Options"], "nosniff");
  const foreign = gate().headers(request({ headers: { host: "evil.test; script-src *" } }));
  assert.doesNotMatch(foreign["Content-Security-Policy"]!, /evil/);
  for (const name of Object.keys(own)) assert.doesNotMatch(name, /Access-Control|Set-Cookie/i);
});

// Hostile pages: every way in which a page of another origin can make a browser send a request, at every route, as
// Chromium writes the headers, without a token and with it. None runs anything, changes a file or sends a client.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ask, labId, openTestLabServer, type TestLabServer, token } from "../fixtures/test-lab-server.ts";
import { routes } from "./routes.ts";

interface Attack {
  what: string;
  /** The methods that a page can use in this way. */
  methods: readonly string[];
  headers: Record<string, string>;
}

const any = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"];

/** What a page of this origin can make a browser send. @param site how far away it is */
function attacksFrom(origin: string, site: "same-site" | "cross-site"): Attack[] {
  const from = (mode: string, dest: string) => ({
    "sec-fetch-site": site,
    "sec-fetch-mode": mode,
    "sec-fetch-dest": dest,
  });
  const types = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"];
  const posts = types.flatMap((type): Attack[] => [
    {
      what: `fetch, no-cors, ${type}`,
      methods: ["POST"],
      headers: { ...from("no-cors", "empty"), "content-type": type },
    },
    {
      what: `a form, ${type}`,
      methods: ["POST"],
      headers: { ...from("navigate", "document"), "content-type": type },
    },
    {
      what: `a form in a frame, ${type}`,
      methods: ["POST"],
      headers: { ...from("navigate", "iframe"), "content-type": type },
    },
    { what: `an old browser, ${type}`, methods: ["POST"], headers: { "content-type": type } },
  ]);
  const json = { "content-type": "application/json" };
  const all: Attack[] = [
    ...posts,
    { what: "fetch, cors", methods: any, headers: { ...from("cors", "empty"), ...json } },
    { what: "fetch, cors, in an old browser", methods: any, headers: json },
    { what: "a preflight", methods: ["OPTIONS"], headers: { "access-control-request-method": "PUT" } },
    ...["image", "script", "style", "font", "object", "embed", "serviceworker"].map(
      (dest): Attack => ({ what: `a ${dest}`, methods: ["GET"], headers: from("no-cors", dest) }),
    ),
    ...["iframe", "frame", "object"].map(
      (dest): Attack => ({ what: `a frame: ${dest}`, methods: ["GET"], headers: from("navigate", dest) }),
    ),
  ];
  return all.map(attack => ({
    ...attack,
    what: `${attack.what}, from ${origin} (${site})`,
    // A browser leaves Origin away where a GET is not of the mode "cors".
    headers:
      attack.methods[0] === "GET" && attack.methods.length === 1
        ? attack.headers
        : { origin, ...attack.headers },
  }));
}

/** A page whose name was pointed at this machine: to the browser it is of the same origin. */
function rebound(port: number): Attack[] {
  return ["evil.test", "localhost.evil.test", "127.0.0.1.evil.test"].map(name => ({
    what: `a rebound name, ${name}`,
    methods: any,
    headers: {
      host: `${name}:${port}`,
      origin: `http://${name}:${port}`,
      "sec-fetch-site": "same-origin",
      "sec-fetch-mode": "cors",
      "sec-fetch-dest": "empty",
      "content-type": "application/json",
    },
  }));
}

const attacks = (port: number): Attack[] => [
  ...attacksFrom("http://evil.test", "cross-site"),
  ...attacksFrom("null", "cross-site"),
  ...attacksFrom(`http://127.0.0.1:${port + 1}`, "same-site"),
  ...attacksFrom(`https://127.0.0.1:${port}`, "cross-site"),
  ...rebound(port),
];

/** The student's files with their texts. */
function files(labServer: TestLabServer): string[] {
  const folder = join(labServer.workspace.root, labId);
  const names = readdirSync(folder, { withFileTypes: true }).filter(entry => entry.isFile());
  return names.map(({ name }) => `${name}: ${readFileSync(join(folder, name), "utf8")}`);
}

async function withLabServer(use: (labServer: TestLabServer) => Promise<void>): Promise<void> {
  const labServer = await openTestLabServer();
  try {
    await labServer.workspace.ensure(labId);
    await use(labServer);
    assert.deepEqual(labServer.unexpected, []);
  } finally {
    await labServer.close();
  }
}

async function statusOf(labServer: TestLabServer, method: string, path: string, headers: Attack["headers"]) {
  const answer = await ask(
    labServer,
    { method, path, headers },
    method === "GET" || method === "HEAD" ? "" : "{}",
  );
  answer.resume();
  assert.equal(answer.headers["access-control-allow-origin"], undefined);
  return answer.statusCode!;
}

test("0 executions at every route, by every kind of request, even of a page that knows the token", {
  timeout: 120_000,
}, async () => {
  await withLabServer(async labServer => {
    const before = files(labServer);
    let sent = 0;
    for (const { method, path } of routes)
      for (const attack of attacks(labServer.port)) {
        if (!attack.methods.includes(method)) continue;
        const address = path.replace(":lab", labId).replace(":file", "server.ts").replaceAll(":", "");
        const withToken: Record<string, string> = { authorization: `Bearer ${token}`, "if-match": "*" };
        for (const known of [{}, withToken]) {
          const status = await statusOf(labServer, method, address, { ...attack.headers, ...known });
          assert.ok([401, 403, 421].includes(status), `${method} ${address}, ${attack.what}: ${status}`);
          sent++;
        }
      }
    assert.ok(sent > 500, `only ${sent} were sent`);
    assert.deepEqual(labServer.runs.asked, []);
    assert.deepEqual(labServer.runs.visits.asked, []);
    assert.deepEqual(files(labServer), before);
  });
});

test("no WebSocket, by any of them", { timeout: 60_000 }, async () => {
  await withLabServer(async labServer => {
    const upgrade = {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      "sec-websocket-protocol": `lab.v1, token.${token}`,
    };
    for (const { what, headers } of attacks(labServer.port)) {
      if (headers.origin === undefined) continue; // a browser sends an Origin with each WebSocket
      const { origin, host } = headers;
      const status = await statusOf(labServer, "GET", "/ws", {
        ...upgrade,
        origin,
        ...(host ? { host } : {}),
      });
      assert.ok([403, 421].includes(status), `${what}: ${status}`);
    }
  });
});

test("the same request of our own page does run: it is the gate that stops the others", async () => {
  await withLabServer(async labServer => {
    const own = {
      origin: labServer.origin,
      "sec-fetch-site": "same-origin",
      "sec-fetch-mode": "cors",
      "sec-fetch-dest": "empty",
      "content-type": "application/json",
      authorization: `Bearer ${token}`,
    };
    assert.equal(await statusOf(labServer, "POST", `/api/labs/${labId}/run`, own), 201);
    assert.equal(labServer.runs.asked.length, 1);
  });
});

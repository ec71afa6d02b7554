// An open page whose lab server ends, and another program that takes the port: over real connections, the page sends it
// nothing but challenges.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import WebSocket from "ws";
import { labId, openTestLabServer } from "../../server-labs/fixtures/test-lab-server.ts";
import { LabApi } from "./api.ts";
import { LabsClient } from "./client.ts";
import type { ConnectionState } from "./connection.ts";
import { fakeTab } from "./fixtures/tab.ts";
import { Handshake } from "./handshake.ts";
import { KeyRing } from "./key-ring.ts";

/** A page of this origin, with the link's ticket. */
function openPage(origin: string, ticket: string) {
  const tab = fakeTab(`#t=${ticket}`);
  const keys = new KeyRing(tab);
  const sockets: WebSocket[] = [];
  const request: typeof fetch = (input, init) => fetch(new URL(String(input), origin), init);
  const nonce = () => crypto.randomUUID().replaceAll("-", "");
  const handshake = new Handshake({ fetch: request, origin, keys, nonce });
  const labs = new LabsClient(
    {
      url: `${origin.replace("http", "ws")}/ws`,
      open: (url, protocols) => {
        sockets.push(new WebSocket(url, protocols, { origin }));
        return sockets.at(-1) as never;
      },
      keys,
      handshake,
      onAwake: () => {},
    },
    new LabApi(request, handshake),
  );
  const becomes = (wanted: ConnectionState) =>
    new Promise<void>(resolve => {
      const look = () => labs.store.getState().connection === wanted && resolve();
      labs.store.subscribe(look);
      look();
    });
  return { labs, keys, becomes, stored: tab.stored, sockets };
}

test("the page finds its lab server by the link, and tells a program that took the port nothing", {
  timeout: 60_000,
}, async t => {
  const labServer = await openTestLabServer();
  const page = openPage(labServer.origin, labServer.keys.ticket);
  await page.becomes("ready");
  const read = await page.labs.api.read(labId, "server.ts");
  assert.ok("text" in read, "the bearer is good for requests, too");
  assert.equal(page.keys.keys[0]?.id === "ticket", false, "the ticket was exchanged");

  await labServer.close();
  const heard: string[] = [];
  let upgrades = 0;
  let twice = () => {};
  const askedTwice = new Promise<void>(resolve => {
    twice = resolve;
  });
  const thief = createServer((request, response) => {
    heard.push(`${request.method} ${request.url} ${request.rawHeaders.join(" ")}`);
    request.on("data", chunk => heard.push(String(chunk)));
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ ok: true, start: "0123456789abcdef", proof: "0".repeat(64) }));
    if (heard.length >= 2) twice();
  });
  thief.on("upgrade", (_request, socket) => {
    upgrades++;
    socket.destroy();
  });
  thief.listen(labServer.port, "127.0.0.1");
  await once(thief, "listening");
  t.after(() => {
    thief.closeAllConnections();
    thief.close();
  });
  await page.becomes("unproven");
  const saved = await page.labs.api.save(labId, "server.ts", "the student's text", read.etag);
  assert.match("problem" in saved ? saved.problem : "", /did not prove/);
  page.labs.run(labId, { text: "the student's text" });
  await askedTwice;
  assert.equal(upgrades, 0);
  const secrets = [...page.stored.values()].map(text => (JSON.parse(text) as { key: string }).key);
  assert.ok(secrets.length > 0);
  for (const words of heard) {
    assert.match(words, /^GET \/healthz\?nonce=[0-9a-f]{32}&origin=/);
    for (const secret of [...secrets, labServer.keys.ticket, "page.", "Bearer", "the student's text"])
      assert.ok(!words.includes(secret), words);
  }
  // Without a key the page tries no more, and the test can end.
  page.stored.clear();
  await page.becomes("locked");
});

// The page's handshake with the lab server's real keys at the other end, and with programs that only took its port.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CallerKeys } from "../../server-labs/http/caller-keys.ts";
import { fakeTab } from "./fixtures/tab.ts";
import { Handshake } from "./handshake.ts";
import { KeyRing } from "./key-ring.ts";

const origin = "http://127.0.0.1:7800";
const elsewhere = "http://127.0.0.1:7801";

interface Asked {
  path: string;
  nonce: string;
  origin: string;
  key: string;
  authorization: string | undefined;
}

/** A page with the link of this lab server, and the program that answers to it. */
function open(ticket: string, answer: (asked: Asked) => unknown) {
  const asked: Asked[] = [];
  const tab = fakeTab(`#t=${ticket}`);
  const keys = new KeyRing(tab);
  const openLink = (other: string) => tab.open(`#t=${other}`);
  let nonces = 0;
  const handshake = new Handshake({
    origin,
    keys,
    nonce: () => String(nonces++).padStart(32, "0"),
    fetch: async (input, init) => {
      const { pathname: path, searchParams: query } = new URL(String(input), origin);
      const part = (name: string) => query.get(name) ?? "";
      const { authorization } = (init?.headers ?? {}) as Record<string, string>;
      asked.push({ path, nonce: part("nonce"), origin: part("origin"), key: part("key"), authorization });
      const answered = answer(asked.at(-1)!);
      return answered instanceof Response ? answered : Response.json(answered);
    },
  });
  return { handshake, keys, asked, openLink };
}

const labServer = (keys: CallerKeys) => (asked: Asked) =>
  asked.path === "/healthz" ? { ok: true, version: "1", ...keys.prove(asked) } : keys.newPageKey();

test("the lab server is proven, and gets a bearer that it accepts, in which there is no key", async () => {
  const keys = new CallerKeys("the-token", new Set([origin]));
  const { handshake, keys: ring, asked } = open(keys.ticket, labServer(keys));
  const admission = await handshake.admit();
  assert.ok("bearer" in admission);
  assert.ok(keys.accepts(admission.bearer));
  assert.deepEqual(await handshake.admit(), admission);
  assert.equal(asked.filter(({ path }) => path === "/healthz").length, 1, "it is proven once");
  while (ring.keys[0]?.id === "ticket") await new Promise(resolve => setImmediate(resolve));
  const sent = JSON.stringify(asked);
  for (const secret of ["the-token", keys.ticket, ring.keys[0]!.key]) assert.ok(!sent.includes(secret));
});

test("no program that only took the port gets more than a challenge", async () => {
  const keys = new CallerKeys("the-token", new Set([origin]));
  const thief = new CallerKeys("of another user", new Set([origin]));
  // What it recorded while the lab server was there: an answer to another nonce.
  const recorded = keys.prove({ nonce: "f".repeat(32), origin, key: "ticket" });
  // The student's lab server, started again on another port, to which it could hand the challenge on.
  const moved = new CallerKeys("the-token", new Set([elsewhere]));
  const answers: Record<string, (asked: Asked) => unknown> = {
    "its own proof": asked => thief.prove(asked),
    "a recorded proof": () => ({ ok: true, ...recorded }),
    "a proof for another origin": asked => ({ ok: true, ...moved.prove({ ...asked, origin: elsewhere }) }),
    "a challenge that is handed on": asked => ({ ok: true, ...moved.prove(asked) }),
    "no proof": () => ({ ok: true, version: "1" }),
    "a proof of nothing": () => ({ ok: true, start: "", proof: "" }),
    "another type": () => ({ ok: true, start: 1, proof: null }),
    null: () => null,
    "no JSON": () => new Response("<!doctype html>"),
    "a refusal": () => Response.json({ problem: "no" }, { status: 401 }),
  };
  for (const [what, answer] of Object.entries(answers)) {
    const { handshake, asked } = open(keys.ticket, answer);
    assert.deepEqual(await handshake.admit(), { refused: "old-link" }, what);
    assert.deepEqual(
      asked.map(({ path, authorization }) => [path, authorization]),
      [["/healthz", undefined]],
      what,
    );
    assert.ok(!JSON.stringify(asked).includes(keys.ticket), what);
  }
});

test("a lab server that is not there, and a proxy that says so, are away", async () => {
  const absent = open("ticket-0123456789", () => {
    throw new TypeError("fetch failed");
  });
  assert.deepEqual(await absent.handshake.admit(), { refused: "away" });
  const proxied = open("ticket-0123456789", () => new Response("", { status: 502 }));
  assert.deepEqual(await proxied.handshake.admit(), { refused: "away" });
});

test("a tab that has the key of an earlier load goes on with it, whatever link is opened in it", async () => {
  const keys = new CallerKeys("the-token", new Set([origin]));
  const tab = open("of-an-earlier-start", labServer(keys));
  tab.keys.keep(keys.newPageKey());
  tab.openLink("of-an-earlier-start-too");
  assert.equal(tab.keys.keys.length, 2);
  const admission = await tab.handshake.admit();
  assert.ok("bearer" in admission && keys.accepts(admission.bearer));
});

test("after forget() the next program proves itself again", async () => {
  const keys = new CallerKeys("the-token", new Set([origin]));
  let answering = labServer(keys);
  const { handshake } = open(keys.ticket, asked => answering(asked));
  assert.ok("bearer" in (await handshake.admit()));
  answering = labServer(new CallerKeys("of another user", new Set([origin])));
  assert.ok("bearer" in (await handshake.admit()), "as long as the socket is open");
  handshake.forget();
  assert.ok("refused" in (await handshake.admit()));
});

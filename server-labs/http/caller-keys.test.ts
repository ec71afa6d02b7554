// What the lab server proves, and what it accepts: its token, and pages' bearers of this start, this origin and this month.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { labServerText, type PageKey, pageBearer, pageText } from "../protocol.ts";
import { CallerKeys } from "./caller-keys.ts";

const token = "dGhlLXJpZ2h0LXRva2VuLW9mLXRoZS1sYWJz";
const origin = "http://127.0.0.1:7800";
const nonce = "0123456789abcdef0123456789abcdef";
const day = 24 * 60 * 60 * 1000;
const hmac = (key: string, text: string) => createHmac("sha256", key).update(text).digest("hex");

function bearerOf(keys: CallerKeys, key: PageKey, at = origin): string {
  const { start, proof } = keys.prove({ nonce, origin: at, key: key.id })!;
  assert.equal(proof, hmac(key.key, labServerText({ nonce, origin: at }, start)));
  return pageBearer(key.id, hmac(key.key, pageText(at, start)));
}

test("the token, the ticket's bearer and that of a page's own key are accepted", () => {
  const keys = new CallerKeys(token, new Set([origin, "http://localhost:7800"]));
  assert.ok(keys.accepts(token));
  assert.ok(keys.accepts(bearerOf(keys, { id: "ticket", key: keys.ticket })));
  assert.ok(keys.accepts(bearerOf(keys, keys.newPageKey(), "http://localhost:7800")));
});

test("no key is a bearer itself, and a bearer of a page is of one start", () => {
  const keys = new CallerKeys(token, new Set([origin]));
  const own = keys.newPageKey();
  for (const wrong of [
    "",
    keys.ticket,
    own.key,
    `page.${own.id}.${own.key}`,
    "page.ticket.",
    `page.${own.id}`,
  ])
    assert.ok(!keys.accepts(wrong), wrong);
  const again = new CallerKeys(token, new Set([origin]));
  assert.ok(!again.accepts(bearerOf(keys, own)), "the start is another one");
  assert.notEqual(again.ticket, keys.ticket);
  assert.ok(again.accepts(bearerOf(again, own)), "and the page's own key outlives it");
});

test("nothing is proven to an origin that is not ours, for a key that is not known, or with a nonce of another form", () => {
  const keys = new CallerKeys(token, new Set([origin]));
  const { id } = keys.newPageKey();
  assert.ok(keys.prove({ nonce, origin, key: id }));
  for (const [what, challenge] of Object.entries({
    "another port": { nonce, origin: "http://127.0.0.1:7801", key: id },
    "no origin": { nonce, origin: "", key: id },
    "another key": { nonce, origin, key: "token" },
    "no key": { nonce, origin, key: "" },
    "a short nonce": { nonce: "1", origin, key: id },
    "a nonce of two lines": { nonce: `${nonce}\n${nonce}`, origin, key: id },
  }))
    assert.equal(keys.prove(challenge), null, what);
});

test("a page's key is good for 30 days; a new one is made each day", () => {
  let now = 20_000 * day;
  const keys = new CallerKeys(token, new Set([origin]), () => now);
  const first = keys.newPageKey();
  const bearer = bearerOf(keys, first);
  now += 30 * day;
  assert.ok(keys.accepts(bearer));
  assert.notDeepEqual(keys.newPageKey(), first);
  now += day;
  assert.ok(!keys.accepts(bearer));
  assert.equal(keys.prove({ nonce, origin, key: first.id }), null);
});

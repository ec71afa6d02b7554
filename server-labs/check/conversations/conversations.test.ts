// What a script sends and must get back, how what comes is judged, and how failures are shrunk.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { Client } from "../../clients.ts";
import type { Conversation } from "./conversation.ts";
import { Hearing } from "./hearing.ts";
import { actsOf, type ClientMessage, type ClientScript, scripts } from "./script.ts";
import { shrink } from "./shrink.ts";

const calm = { cuts: [], unfinished: 0, end: "closes", late: 0, reads: true } as const;
const say = (bytes: string, rest: Partial<ClientMessage> = {}): ClientMessage => ({
  bytes,
  wants: bytes,
  ...rest,
});

test("a stream is cut where the script says, and no byte is lost", () => {
  const messages = [say("hello"), say("world")];
  assert.deepEqual(actsOf({ ...calm, messages }).pieces, ["helloworld"]);
  assert.deepEqual(actsOf({ ...calm, messages, cuts: [5000, 1000, 5000] }).pieces, ["h", "ello", "world"]);
  assert.deepEqual(actsOf({ ...calm, messages: [], cuts: [5000] }).pieces, []);
});

test("no answer is due for a message that is not whole, or behind one that closes", () => {
  const [one, two] = [say("one"), say("two")];
  const half = actsOf({ ...calm, messages: [one, two], unfinished: 1 });
  assert.deepEqual([half.pieces, half.wants], [["onetw"], [one]]);
  const last = say("last", { after: "close" });
  assert.deepEqual(actsOf({ ...calm, messages: [one, last, two] }).wants, [one, last]);
});

test("a server may refuse a message before it is whole, and no other", () => {
  const refused = say("GET a b HTTP/1.1\r\n\r\n", { wants: { status: 400 }, after: "close" });
  const answered = say("GET /a HTTP/1.1\r\n\r\n", { wants: { status: 200 }, after: "close" });
  const heardOf = (message: ClientMessage) => {
    const { wants } = actsOf({ ...calm, messages: [message], unfinished: 1 });
    return new Hearing(heard("HTTP/1.1 400 Bad Request\r\n\r\n", true), wants, "answers").look();
  };
  assert.equal(heardOf(refused), "right");
  assert.notEqual(heardOf(answered), "right");
});

test("a client that stays keeps its last message for the second act", () => {
  const [one, two] = [say("one"), say("two")];
  const { pieces, lastWord } = actsOf({ ...calm, end: "stays", messages: [one, two], unfinished: 2 });
  assert.deepEqual([pieces, lastWord], [["one"], two]);
  assert.equal(actsOf({ ...calm, end: "stays", messages: [one] }).lastWord, null);
});

/** A client to which these bytes have come. */
const heard = (text: string, over = false) => {
  const received = Buffer.from(text, "latin1");
  const state = over ? "ended" : "open";
  return { name: "client 1", received, receivedBytes: received.length, over, state, trouble: null } as Client;
};
const summaryOf = (found: ReturnType<Hearing["look"]>) => (typeof found === "string" ? found : found.summary);

test("what has come is right, not yet whole, or wrong", () => {
  const menu: ClientMessage = { bytes: "GET", wants: { status: 200, body: "tea" } };
  const whole = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntea";
  const look = (text: string, { over = false, wants = [menu] } = {}) =>
    summaryOf(new Hearing(heard(text, over), wants, "answers").look());
  assert.equal(look(whole), "right");
  assert.equal(look(whole.slice(0, -1)), "waiting");
  assert.equal(look(whole + whole, { wants: [menu, menu] }), "right");
  assert.match(look(whole.replace("tea", "pie")), /the body of the answer differs from byte 0/);
  assert.match(look(whole.replace("200", "404")), /has the status 404/);
  assert.match(look(`${whole}!`), /got 1 byte for which it has not asked/);
  assert.match(look(whole, { over: true }), /closed the connection, which must stay open/);
  assert.match(look(whole.slice(0, 9), { over: true }), /ended the connection, and the answer had not come/);
  assert.match(look("x", { wants: [] }), /got 1 byte for which it has not asked/);
  const last: ClientMessage = { ...menu, after: "close" };
  assert.equal(look(whole, { wants: [last] }), "waiting");
  assert.equal(look(whole, { wants: [last], over: true }), "right");
});

const words = fc
  .array(fc.constantFrom("a", "b", "x"), { minLength: 1, maxLength: 6 })
  .map(all => say(all.join("")));
const arbitrary = scripts({ says: words });
const generated = (seed: number, many: number): Conversation => {
  const random = new fc.Random(xoroshiro128plus(seed));
  return {
    clients: Array.from({ length: many }, () => arbitrary.generate(random, undefined)),
    together: true,
  };
};
const saysX = ({ value }: fc.Value<ClientScript>) => value.messages.some(({ bytes }) => bytes.includes("x"));

test("the same seed generates the same scripts", () => {
  const values = (seed: number) => generated(seed, 5).clients.map(({ value }) => value);
  assert.deepEqual(values(9), values(9));
  assert.notDeepEqual(values(9), values(10));
});

test("a failure is shrunk to one client with one short message", async () => {
  let tried = 0;
  const all = [generated(1, 20), generated(2, 20)];
  const found = await shrink(
    all,
    arbitrary,
    async conversations => {
      tried++;
      const client = conversations.at(-1)?.clients.findIndex(saysX) ?? -1;
      return client === -1 ? null : { conversations, broken: { summary: "an x", client: client + 1 } };
    },
    { ms: 10_000, tries: 0 },
  );
  assert.ok(found?.smallest && tried < 200, `${tried} tries`);
  const [conversation, ...others] = found.conversations;
  assert.deepEqual([others.length, conversation!.clients.length, conversation!.together], [0, 1, false]);
  const [message, ...further] = conversation!.clients[0]!.value.messages;
  assert.match(message!.bytes, /^[ab]?x[ab]?$/);
  assert.equal(further.length, 0);
});

test("conversations that fail only together are kept together, and those that fail no more are none", async () => {
  const [one, two] = [generated(3, 1), generated(4, 1)];
  const both = await shrink(
    [one, two],
    arbitrary,
    async conversations =>
      conversations.length < 2 ? null : { conversations, broken: { summary: "", client: null } },
    { ms: 5000, tries: 0 },
  );
  assert.equal(both?.conversations.length, 2);
  assert.equal(await shrink([one, two], arbitrary, async () => null, { ms: 5000, tries: 0 }), null);
});

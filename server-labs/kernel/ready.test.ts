import assert from "node:assert/strict";
import { test } from "node:test";
import {
  connectionReadiness,
  eventNames,
  isReady,
  listenerReadiness,
  onReadyList,
  polledReadiness,
  type ReadyList,
  type Since,
  type Tri,
  triggerOf,
} from "./ready.ts";

const [IN, OUT, ERR, HUP, RDHUP] = [0x1, 0x4, 0x8, 0x10, 0x2000];
const [ET, ONESHOT] = [2 ** 31, 2 ** 30];
/** As the kernel keeps a registration. */
const kept = (events: number) => events + ERR + HUP;
const level = kept(IN);
const edge = kept(IN + ET);
const once = kept(IN + ONESHOT);
const disarmed = ONESHOT;

test("what is on the ready list, as a table", () => {
  const table: [events: number, ready: Tri, list: ReadyList, since: Since, answer: string][] = [
    // level-triggered: on the list for as long as it is ready, whatever else is known
    [level, "yes", "unknown", null, "listed"],
    [level, "yes", "empty", null, "listed"],
    [level, "no", "unknown", null, "no"],
    [level, "no", "some", null, "no"],
    [level, "maybe", "unknown", null, "unknown"],
    [level, "maybe", "empty", null, "no"],
    [level, "maybe", "only", null, "listed"],
    [level, "maybe", "some", null, "unknown"],
    // edge-triggered: on it from an arrival until it is reported, and then no more, however much is left
    [edge, "yes", "empty", null, "silent"],
    [edge, "yes", "unknown", null, "unknown"],
    [edge, "yes", "some", null, "unknown"],
    [edge, "yes", "only", null, "listed"],
    [edge, "yes", "unknown", "arrived", "listed"],
    [edge, "yes", "unknown", "nothing", "silent"],
    [edge, "yes", "some", "nothing", "silent"],
    [edge, "yes", "some", "arrived", "listed"],
    [edge, "no", "unknown", "arrived", "no"],
    [edge, "no", "empty", null, "no"],
    [edge, "maybe", "empty", null, "unknown"],
    [edge, "maybe", "only", null, "listed"],
    // once: as level-triggered, until it is reported; then on no list until it is armed again
    [once, "yes", "unknown", null, "listed"],
    [once, "no", "unknown", null, "no"],
    [disarmed, "yes", "unknown", null, "silent"],
    [disarmed, "yes", "some", null, "silent"],
    [disarmed, "no", "unknown", null, "no"],
    [disarmed, "maybe", "empty", null, "unknown"],
    [ONESHOT + ET, "yes", "only", null, "silent"],
  ];
  for (const row of table) {
    const [events, ready, list, since, answer] = row;
    assert.equal(onReadyList(events, ready, list, since), answer, JSON.stringify(row));
  }
});

test("what a connection is ready for is said where its state and its queues say it, and not guessed", () => {
  const ready = (events: number, state: Parameters<typeof connectionReadiness>[0], recvQ = 0, sendQ = 0) =>
    isReady(kept(events), connectionReadiness(state, recvQ, sendQ));
  assert.equal(ready(IN, "ESTABLISHED"), "no");
  assert.equal(ready(IN, "ESTABLISHED", 1), "yes");
  assert.equal(ready(OUT, "ESTABLISHED"), "yes");
  assert.equal(ready(OUT, "ESTABLISHED", 0, 1), "maybe", "the kernel does not report how full is too full");
  assert.equal(ready(OUT, "ESTABLISHED", 5, 1), "maybe", "what it does not wait for does not count");
  assert.equal(ready(RDHUP, "ESTABLISHED", 5), "no");
  assert.equal(ready(IN, "CLOSE_WAIT"), "yes", "the end can be read");
  assert.equal(ready(RDHUP, "CLOSE_WAIT"), "yes");
  assert.equal(ready(OUT, "CLOSE_WAIT", 0, 1), "maybe", "half-closed is not hung up");
  assert.equal(ready(OUT, "LAST_ACK", 0, 1), "yes");
  assert.equal(ready(IN, "FIN_WAIT2"), "maybe", "shutdown(SHUT_WR) or SHUT_RDWR: the state is the same");
  assert.equal(ready(IN, "SYN_SENT"), "no");
  assert.equal(ready(OUT, "SYN_SENT"), "no");
  assert.equal(ready(0, "CLOSE"), "yes", "EPOLLHUP is always waited for");
});

test("a listener is readable while a connection waits in its accept queue, and never anything else", () => {
  assert.equal(isReady(level, listenerReadiness(0)), "no");
  assert.equal(isReady(level, listenerReadiness(1)), "yes");
  assert.equal(isReady(kept(OUT), listenerReadiness(1)), "no");
});

test("what poll(2) answers decides", () => {
  assert.equal(isReady(level, polledReadiness(IN)), "yes");
  assert.equal(isReady(level, polledReadiness(OUT)), "no");
  assert.equal(isReady(level, polledReadiness(ERR)), "yes");
});

test("a registration is named as the program wrote it", () => {
  assert.deepEqual(eventNames(edge), ["EPOLLIN", "EPOLLET"]);
  assert.deepEqual(eventNames(kept(IN + OUT + RDHUP)), ["EPOLLIN", "EPOLLOUT", "EPOLLRDHUP"]);
  assert.deepEqual([level, edge, once, disarmed, kept(IN + ONESHOT + ET)].map(triggerOf), [
    "level",
    "edge",
    "oneshot",
    "disarmed",
    "oneshot",
  ]);
});

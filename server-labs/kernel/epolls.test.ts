import assert from "node:assert/strict";
import { test } from "node:test";
import { concludeEpoll, type End, type Moment } from "./epolls.ts";
import { connectionReadiness, listenerReadiness } from "./ready.ts";
import type { WatchedFile } from "./registrations.ts";

const [IN, ERR_HUP, ET] = [0x1, 0x18, 2 ** 31];
const end = (recvQ: number): End => ({
  readiness: connectionReadiness("ESTABLISHED", recvQ, 0),
  arrival: String(recvQ),
  all: String(recvQ),
});
const inside = { name: "epoll_wait", args: [4] };
const asleep: Moment = { inside, asleep: true, peeked: null, slept: null };
const running: Moment = { inside: null, asleep: false, peeked: null, slept: null };
const socket = (fd: number) => `socket:[${4000 + fd}]`;
const edges = (...fds: number[]): WatchedFile[] =>
  fds.map(fd => ({ fd, events: IN + ERR_HUP + ET, link: socket(fd), closed: false }));
const noClosed = () => assert.fail("none is closed");

function conclude(moment: Moment, ...recvQs: number[]) {
  const ends = new Map(recvQs.map((recvQ, i) => [socket(7 + i), end(recvQ)]));
  const registered = edges(...recvQs.map((_, i) => 7 + i));
  const { interest, ready } = concludeEpoll(4, registered, ends, new Set(), moment, noClosed);
  return [...interest.map(one => one.ready), ready];
}

test("while the program sleeps in it, nothing is on its list; while it sleeps in another one, that is not known", () => {
  assert.deepEqual(conclude(asleep, 5, 0), ["silent", "no", false]);
  const elsewhere = { ...asleep, inside: { name: "epoll_wait", args: [5] } };
  assert.deepEqual(conclude(elsewhere, 5, 0), ["unknown", "no", null]);
  assert.deepEqual(conclude(running, 0, 0), ["no", "no", false]);
});

test("at a boundary poll(2) reports whether the list is empty; of two that may be on it neither is named", () => {
  const peeked = (...answers: [number, number][]) => ({ ...running, peeked: new Map(answers) });
  assert.deepEqual(conclude(peeked([4, 0], [7, IN]), 5), ["silent", false]);
  assert.deepEqual(conclude(peeked([4, IN], [7, IN], [8, 0]), 5, 0), ["listed", "no", true]);
  assert.deepEqual(conclude(peeked([4, IN], [7, IN], [8, IN]), 5, 5), ["unknown", "unknown", true]);
});

test("a program that was stopped in its sleep: what has arrived since is listed, what was there before is not", () => {
  const slept = {
    inside,
    ends: new Map([
      [socket(7), end(0)],
      [socket(8), end(4)],
    ]),
    accepted: () => 0,
  };
  assert.deepEqual(conclude({ ...asleep, asleep: false, slept }, 5, 4), ["listed", "silent", true]);
});

test("what was silent stays so while nothing arrives and no call is about it; else it is not known", () => {
  const slept = (untouched: boolean) => ({
    inside,
    ends: new Map([[socket(7), end(4)]]),
    accepted: () => (untouched ? 0 : null),
  });
  assert.deepEqual(conclude({ ...running, slept: slept(true) }, 4), ["silent", false]);
  assert.deepEqual(conclude({ ...running, slept: slept(false) }, 4), ["unknown", null]);
  assert.deepEqual(conclude({ ...running, slept: slept(true) }, 5), ["unknown", null]);
});

test("a listener that epoll has reported stays silent while it is accepted from, until a client arrives", () => {
  const listener = (queued: number): End => ({
    readiness: listenerReadiness(queued),
    arrival: `LISTEN ${queued}`,
    all: `LISTEN ${queued} 0`,
    queued,
  });
  const conclude = (queued: number, accepted: number | null) => {
    const slept = { inside, ends: new Map([[socket(3), listener(50)]]), accepted: () => accepted };
    // One of the accepted clients has sent bytes, and is new to the instance.
    const ends = new Map([
      [socket(3), listener(queued)],
      [socket(7), end(40)],
    ]);
    const peeked = new Map([
      [4, IN],
      [3, IN],
      [7, IN],
    ]);
    const moment = { ...running, peeked, slept };
    return concludeEpoll(4, edges(3, 7), ends, new Set(), moment, noClosed).interest.map(
      ({ ready }) => ready,
    );
  };
  assert.deepEqual(conclude(49, 1), ["silent", "listed"]);
  assert.deepEqual(conclude(50, 1), ["unknown", "unknown"], "another one has come");
  assert.deepEqual(conclude(49, null), ["unknown", "unknown"], "it may have been armed again");
});

test("a registration is of an open file: what its number is now says nothing of it", () => {
  const level = { fd: 7, events: IN + ERR_HUP };
  const watched: WatchedFile[] = [
    { ...level, link: "socket:[1]", closed: true },
    { ...level, link: "socket:[2]", closed: false },
    { ...level, fd: 8, link: null, closed: false },
  ];
  const ends = new Map([
    ["socket:[1]", end(26)],
    ["socket:[2]", end(0)],
  ]);
  const closed = {
    statement: { code: "registered-though-closed", keptBy: null },
    socket: null,
  } as const;
  const conclude = (moment: Moment) =>
    concludeEpoll(4, watched, ends, new Set(), moment, ({ link }) => {
      assert.equal(link, "socket:[1]");
      return closed;
    });
  const { interest, ready } = conclude(running);
  assert.deepEqual(
    interest.map(one => [one.fd, one.ready, one.closed ?? null]),
    [
      [7, "listed", closed],
      [7, "no", null],
      [8, "unknown", null],
    ],
  );
  assert.equal(ready, true);
  const peeked = new Map([
    [4, IN],
    [7, 0],
    [8, 0],
  ]);
  assert.deepEqual(
    conclude({ ...running, peeked }).interest.map(one => one.ready),
    ["listed", "no", "unknown"],
    "poll(2) answers for the number",
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { KernelConnection, KernelInterest } from "../../../../server-labs/protocol.ts";
import { connectionNote, connectionTrap, listenerTrap, watchedOf } from "./traps.ts";

const connection = (more: Partial<KernelConnection>): KernelConnection => ({
  fd: 7,
  local: "127.0.0.1:7890",
  peer: "127.0.0.1:51322",
  state: "ESTABLISHED",
  recvQ: 0,
  sendQ: 0,
  other: null,
  nonblocking: true,
  ...more,
});
const watched = (trigger: KernelInterest["trigger"], ready: KernelInterest["ready"]) =>
  watchedOf([
    { fd: 4, registered: 1, ready: null, interest: [{ fd: 7, events: ["EPOLLIN"], trigger, ready }] },
  ]).get(7)!;

test("bytes that epoll will not report are a trap, with the reason", () => {
  assert.equal(
    connectionTrap(connection({ recvQ: 1976 }), watched("edge", "silent")),
    "1,976 bytes wait here. Edge-triggered: epoll has reported them once and will not again until more arrive.",
  );
  assert.match(
    connectionTrap(connection({ recvQ: 1 }), watched("disarmed", "silent"))!,
    /^1 byte waits here\. EPOLLONESHOT/,
  );
  assert.match(
    connectionTrap(connection({ state: "CLOSE_WAIT" }), watched("edge", "silent"))!,
    /^The client has closed\./,
  );
  const listener = { fd: 7, address: "127.0.0.1:7890", queued: 49, backlog: 128, waiting: [] };
  assert.equal(
    listenerTrap(listener, watched("edge", "silent")),
    "49 clients wait here. Edge-triggered: epoll has reported them once and will not again until another one comes.",
  );
});

test("no trap where epoll will report, where it is not known, or where there is only room to write", () => {
  for (const ready of ["listed", "unknown", "no"] as const)
    assert.equal(connectionTrap(connection({ recvQ: 5 }), watched("edge", ready)), null);
  assert.equal(connectionTrap(connection({}), watched("edge", "silent")), null);
  const both = [...watched("edge", "silent"), ...watched("level", "listed")];
  assert.equal(connectionTrap(connection({ recvQ: 5 }), both), null);
});

test("bytes that no epoll instance watches are a note only where there is an instance", () => {
  const epoll = { fd: 4, registered: 0, ready: false, interest: [] };
  assert.match(connectionNote(connection({ recvQ: 5 }), [], [epoll])!, /no epoll instance watches/);
  assert.equal(connectionNote(connection({ recvQ: 5 }), [], []), null);
  assert.equal(connectionNote(connection({ recvQ: 5 }), [], [{ ...epoll, registered: 900 }]), null);
  assert.match(
    connectionNote(connection({ state: "CLOSE_WAIT" }), [], [])!,
    /has sent FIN; .* still holds the descriptor/,
  );
});

test("a registration whose descriptor was closed is not one of the connection that has its number", () => {
  const interest: KernelInterest = { fd: 7, events: ["EPOLLIN"], trigger: "edge", ready: "silent" };
  const closed = { statement: { code: "registered-though-closed", keptBy: null }, socket: null } as const;
  const epoll = { fd: 4, registered: 1, ready: null, interest: [{ ...interest, closed }] };
  assert.equal(watchedOf([epoll]).get(7), undefined);
  assert.match(connectionNote(connection({ recvQ: 5 }), [], [epoll])!, /no epoll instance watches/);
});

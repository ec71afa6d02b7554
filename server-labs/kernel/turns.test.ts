// What a look costs: its own work, and not that of others in the turns that it gives them.
import assert from "node:assert/strict";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { test } from "node:test";
import { DescriptorTable } from "../trace.ts";
import { Connections } from "./connections.ts";
import { type HeldSocket, Sockets } from "./sockets.ts";
import { giveTurn, othersMs, processorMs } from "./turns.ts";

test("what other work costs in a turn is not the look's", async () => {
  const before = othersMs();
  setImmediate(() => {
    const began = processorMs();
    while (processorMs() - began < 30);
  });
  await giveTurn();
  assert.ok(othersMs() - before >= 30, `${othersMs() - before} ms`);
});

test("when calls were lost, the flags of 200 connections are read again in turn, and not all at each look", async t => {
  const row = { state: "ESTABLISHED", recvQueue: 0, sendQueue: 0, localPort: 1, remotePort: 2 };
  const table = { local: () => "0100007F:0001", remote: () => "0100007F:0002" };
  const held = Array.from({ length: 200 }, (_, i) => ({
    fd: 1000 + i,
    link: `socket:[${i + 1}]`,
    row,
    table,
  }));
  const shown = held as unknown as HeldSocket[];
  const connections = new Connections(new DescriptorTable(), new Sockets());
  connections.gone(new Map(), shown);
  const read = t.mock.method(fs, "readFileSync", () => "flags:\t04002\n");
  syncBuiltinESMExports();
  const look = async (lost: number) => {
    const before = read.mock.callCount();
    const connected = await connections.shown(process.pid, shown, lost);
    assert.ok(connected.every(({ nonblocking }) => nonblocking));
    return read.mock.callCount() - before;
  };
  assert.equal(await look(0), 200);
  assert.equal(await look(0), 32);
  assert.equal(await look(1000), 64);
  read.mock.restore();
  syncBuiltinESMExports();
});

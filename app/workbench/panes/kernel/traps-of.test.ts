// Described connections: what several have in common is explained at the first of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { KernelConnection, KernelSample } from "../../../../server-labs/protocol.ts";
import { watchedConnections } from "./traps-of.ts";

const connection = (fd: number, state: KernelConnection["state"]): KernelConnection => ({
  fd,
  local: "127.0.0.1:7890",
  peer: `127.0.0.1:${50_000 + fd}`,
  state,
  recvQ: 0,
  sendQ: 0,
  other: null,
  nonblocking: true,
});

test("the first of several connections with one note explains it, and the others point there", () => {
  const sample = {
    epolls: [],
    connections: [connection(9, "CLOSE_WAIT"), connection(7, "CLOSE_WAIT"), connection(8, "ESTABLISHED")],
  } as unknown as KernelSample;
  const found = watchedConnections(sample, new Map(), () => undefined);
  assert.deepEqual(
    found.map(({ connection: { fd }, note, as }) => [fd, note !== null, as]),
    [
      [7, true, null],
      [8, false, null],
      [9, true, 7],
    ],
  );
});

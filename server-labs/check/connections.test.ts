// What sock_diag says of a socket is what /proc/net/tcp says of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { AF_INET, SO_LINGER, SOCK_STREAM, SOL_SOCKET, Socket } from "../runtime/net.ts";
import { connection, listeners } from "./connections.ts";
import { tcpRows } from "./proc.ts";

function pair() {
  const listener = new Socket(AF_INET, SOCK_STREAM);
  listener.bind({ host: "127.0.0.1", port: 0 });
  listener.listen(7);
  const { port } = listener.localAddress();
  const client = new Socket(AF_INET, SOCK_STREAM);
  client.connect({ host: "127.0.0.1", port });
  return { listener, port, client, from: client.localAddress().port };
}

const inProc = (local: number, remote: number) =>
  tcpRows().find(row => row.localPort === local && row.remotePort === remote) ?? null;

test("a connection: in the accept queue, accepted, with words that nobody has read, left, and gone", () => {
  const { listener, port, client, from } = pair();
  const agreed = () => {
    const row = connection(port, from);
    assert.deepEqual(row, inProc(port, from));
    return row;
  };
  assert.equal(agreed()!.inode, 0, "nobody's yet");
  const { client: served } = listener.accept()!;
  assert.notEqual(agreed()!.inode, 0);
  client.send("thirteen here");
  assert.equal(agreed()!.recvQueue, 13);
  assert.deepEqual(connection(from, port), inProc(from, port), "the other end");
  served.setOption(SOL_SOCKET, SO_LINGER, new Int32Array([1, 0]));
  served.close();
  assert.equal(agreed(), null, "a reset leaves nothing, and the listener is not taken for it");
  client.close();
  listener.close();
});

test("a listener, and how many wait", () => {
  const { listener, port, client } = pair();
  const mine = listeners().filter(row => row.localPort === port);
  assert.equal(mine.length, 1);
  assert.equal(mine[0]!.recvQueue, 1, "one waits to be accepted");
  assert.equal(mine[0]!.inode, inProc(port, 0)!.inode);
  client.close();
  listener.close();
});

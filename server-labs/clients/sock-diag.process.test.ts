// sock_diag and /proc/net/tcp report the same of a socket.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TcpSocket } from "../kernel/tables.ts";
import { AF_INET, AF_INET6, SO_LINGER, SOCK_STREAM, SOL_SOCKET, Socket } from "../runtime/net.ts";
import { listeners, socketByPorts, tcpSockets } from "./sock-diag.ts";

function pair(host: "127.0.0.1" | "::1" = "127.0.0.1") {
  const processTree = host === "::1" ? AF_INET6 : AF_INET;
  const listener = new Socket(processTree, SOCK_STREAM);
  listener.bind({ host, port: 0 });
  listener.listen(7);
  const { port } = listener.localAddress();
  const client = new Socket(processTree, SOCK_STREAM);
  client.connect({ host, port });
  return { listener, port, client, from: client.localAddress().port };
}

function inProc(local: number, remote: number): TcpSocket | null {
  const found = tcpSockets().find(row => row.localPort === local && row.remotePort === remote);
  if (!found) return null;
  const { localPort, remotePort, state, sendQueue, recvQueue, inode } = found;
  return { localPort, remotePort, state, sendQueue, recvQueue, inode };
}

for (const host of ["127.0.0.1", "::1"] as const) {
  test(`a connection over ${host}: in the accept queue, accepted, with unread bytes, and reset`, () => {
    const { listener, port, client, from } = pair(host);
    const agreed = () => {
      const row = socketByPorts(port, from, host);
      assert.deepEqual(row, inProc(port, from));
      return row;
    };
    assert.equal(agreed()!.inode, 0, "in the accept queue it belongs to no process");
    const { client: served } = listener.accept()!;
    assert.notEqual(agreed()!.inode, 0);
    client.send("thirteen here");
    assert.equal(agreed()!.recvQueue, 13);
    assert.deepEqual(socketByPorts(from, port, host), inProc(from, port), "the other end");
    served.setOption(SOL_SOCKET, SO_LINGER, new Int32Array([1, 0]));
    served.close();
    assert.equal(agreed(), null, "after a reset there is no socket, and the listener is not taken for it");
    client.close();
    listener.close();
  });
}

test("a listener, and the length of its accept queue", () => {
  const { listener, port, client } = pair();
  const mine = listeners().filter(row => row.localPort === port);
  assert.equal(mine.length, 1);
  assert.equal(mine[0]!.recvQueue, 1, "one connection waits to be accepted");
  assert.equal(mine[0]!.inode, inProc(port, 0)!.inode);
  client.close();
  listener.close();
});

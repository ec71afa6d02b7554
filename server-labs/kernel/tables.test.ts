import assert from "node:assert/strict";
import { test } from "node:test";
import { endpoint, isWildcard, TcpTable } from "./tables.ts";

const head =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

test("a row of /proc/net/tcp is read with its queues, its state, and the socket that it belongs to", () => {
  const table = new TcpTable(
    Buffer.from(
      `${head}   0: 0100007F:1ED2 00000000:0000 0A 00000000:00000003 00:00000000 00000000     0        0 4711 1 0 100\n` +
        "12345: 0100007F:1ED2 0100007F:C87A 08 002AD000:000007B8 01:00000014 00000000  1000        0 4712 1 0 20\n",
    ),
    4,
  );
  const [listener, connection] = table.rows;
  assert.deepEqual([listener!.state, listener!.recvQueue, listener!.inode], ["LISTEN", 3, 4711]);
  assert.deepEqual(
    [connection!.state, connection!.sendQueue, connection!.recvQueue, connection!.inode],
    ["CLOSE_WAIT", 0x2ad000, 1976, 4712],
  );
  assert.equal(endpoint(table.remote(connection!)), "127.0.0.1:51322");
  assert.equal(connection!.remotePort, 51322);
  assert.ok(!isWildcard(table.local(listener!)) && isWildcard(table.remote(listener!)));
});

test("an IPv4 client of an IPv6 listener has one address in both tables", () => {
  const line =
    "   0: 0000000000000000FFFF00000100007F:1ED2 0000000000000000FFFF00000100007F:C87A 01 00000000:00000000 00:00000000 00000000     0        0 9 1\n";
  const table = new TcpTable(Buffer.from(head + line), 6);
  assert.equal(endpoint(table.remote(table.rows[0]!)), "127.0.0.1:51322");
  assert.equal(endpoint("00000000000000000000000001000000:1ED2"), "[::1]:7890");
});

test("a line that is cut, or no line at all, is no row and no error", () => {
  assert.deepEqual(new TcpTable(Buffer.from(""), 4).rows, []);
  assert.deepEqual(new TcpTable(Buffer.from(head), 4).rows, []);
  assert.deepEqual(new TcpTable(Buffer.from(`${head}   0: 0100007F:1ED2 0000`), 4).rows, []);
});

// BackEnd: what a program meets that connects to one.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { Client, type ClientOptions, Journal, Network, Poller } from "../clients.ts";
import { BackEnd, type BackEndOptions } from "./back-end.ts";

const network = new Network();
const journal = new Journal();
const poller = new Poller(() => network.dispatch());
const around = { network, poller, journal };
const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

function backEnd(options?: BackEndOptions): BackEnd {
  const made = new BackEnd(around, options);
  open.push(made);
  return made;
}

function client(port: number, options?: ClientOptions): Client {
  const made = new Client(around, "client 1", port, options);
  open.push(made);
  return made;
}

test("it answers each line, sends what comes later, and closes behind what it has sent", async () => {
  const kitchen = backEnd({
    onLine: (line, connection) => {
      connection.send(`${line}!\n`);
      if (line === "bill") connection.end();
    },
  });
  const guest = client(kitchen.port);
  guest.send("te");
  guest.send("a\nsoup\nbi");
  assert.ok(await guest.receives("tea!\nsoup!\n"));
  const [connection] = kitchen.connections;
  connection!.send("wait\n");
  assert.ok(await guest.receives("wait\n"));
  guest.send("ll\n");
  await guest.closed();
  assert.equal(guest.received.toString(), "tea!\nsoup!\nwait\nbill!\n");
  assert.deepEqual(kitchen.lines, ["tea", "soup", "bill"]);
  assert.equal(await kitchen.receives(3), 3);
  assert.equal(await kitchen.releases(), 0);
});

test("what does not fit into the send buffer is sent later", async () => {
  const long = "x".repeat(8 * 1024 * 1024);
  const kitchen = backEnd({
    onLine: (_, connection) => {
      connection.send(`${long}\n`);
      connection.end();
    },
  });
  const guest = client(kitchen.port, { reads: false });
  guest.send("much\n");
  await kitchen.receives(1);
  const [connection] = kitchen.connections;
  assert.equal(connection!.isRead, false);
  guest.setReading(true);
  await guest.closed();
  // The acknowledgement of the FIN may be delayed.
  assert.ok(await poller.until(() => connection!.isRead, 5000));
  assert.equal(guest.receivedBytes, long.length + 1);
});

test("a client that leaves ends its connection", async () => {
  const kitchen = backEnd();
  const [first, second] = [client(kitchen.port), client(kitchen.port)];
  assert.ok(await poller.until(() => kitchen.connections.size === 2, 5000));
  first.close();
  second.reset();
  assert.equal(await kitchen.releases(), 0);
});

test("one that waits for the end of a client may answer behind it", async () => {
  const kitchen = backEnd({
    onEnd: connection => {
      connection.send("that was all\n");
      connection.end();
    },
  });
  const guest = client(kitchen.port);
  guest.send("tea\n");
  await kitchen.receives(1);
  const [connection] = kitchen.connections;
  assert.equal(connection!.ended, false);
  guest.end();
  assert.equal(await guest.closed(), "ended");
  assert.equal(connection!.ended, true);
  assert.equal(guest.received.toString(), "that was all\n");
  assert.equal(await kitchen.releases(), 0);
});

test("one that resets breaks the connection, and keeps no other", async () => {
  const kitchen = backEnd({ onLine: (_, connection) => connection.reset() });
  const guest = client(kitchen.port);
  guest.send("tea\n");
  assert.equal(await guest.closed(), "broken");
  assert.equal(kitchen.connections.size, 0);
});

test("one that refuses answers with RST, and no other program gets its port", async () => {
  const closed = backEnd({ state: "refuses" });
  const guest = client(closed.port);
  await poller.until(() => guest.over, 5000);
  assert.equal(guest.trouble, "ECONNREFUSED");
});

test("a full one drops the SYN, until it accepts connections: then the second SYN connects", async () => {
  const full = backEnd({ state: "full", onLine: (line, connection) => connection.send(`${line}!\n`) });
  const guest = client(full.port);
  guest.send("tea\n");
  assert.equal(await full.receivesSyn(), true);
  assert.equal(guest.state, "connecting");
  full.accept();
  assert.ok(await guest.receives("tea!\n"));
  assert.deepEqual(full.lines, ["tea"]);
});

// Identity. A number is another file as soon as it is closed and opened again: looks at this process itself.
import assert from "node:assert/strict";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { test } from "node:test";
import { aRecord } from "../fixtures/records.ts";
import { DescriptorTable } from "../trace.ts";
import { Descriptors, linkOf } from "./descriptors.ts";
import { Looker } from "./sample.ts";

const { pid } = process;
const fdOf = (server: Server) => (server as unknown as { _handle: { fd: number } })._handle.fd;

async function listening(): Promise<Server> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

test("a number that was a socket is read again, though the socket may still be open elsewhere", async () => {
  const servers = await Promise.all(Array.from({ length: 4 }, listening));
  const descriptors = new Descriptors(new Map(), 1);
  const look = async () => (await descriptors.look(pid, () => true)).links;
  const fd = fdOf(servers[0]!);
  assert.equal((await look()).get(fd), linkOf(pid, fd));
  servers[0]!.close();
  await once(servers[0]!, "close");
  const opened: number[] = [];
  do opened.push(openSync("/dev/zero", "r"));
  while (opened.at(-1)! < fd);
  assert.equal(opened.at(-1), fd);
  const seen: (string | undefined)[] = [];
  for (let looks = 0; looks < 12; looks++) seen.push((await look()).get(fd));
  assert.ok(seen.includes("/dev/zero"), seen.join(", "));
  assert.equal(seen.at(-1), "/dev/zero");
  assert.equal((await new Descriptors(new Map()).look(pid, () => true)).links.get(fd), "/dev/zero");
  for (const one of opened) closeSync(one);
  for (const server of servers) server.close();
});

test("a backlog belongs to the socket: it is known after lost calls, and not of the next that has the number", async () => {
  const server = await listening();
  const fd = fdOf(server);
  const descriptors = new DescriptorTable();
  const looker = new Looker(new Map(), {
    pid: () => pid,
    descriptors,
    read() {},
    lost: () => 0,
    paused: () => null,
    peek: async () => null,
  });
  const backlog = async (of: number) =>
    (await looker.look())!.sample.listeners.find(one => one.fd === of)!.backlog;
  descriptors.see(aRecord("listen", [fd, 7], {}));
  looker.listens(fd);
  assert.equal(await backlog(fd), 7);
  descriptors.lose();
  assert.equal(await backlog(fd), 7);
  server.close();
  await once(server, "close");
  const others: Server[] = [];
  do others.push(await listening());
  while (fdOf(others.at(-1)!) < fd);
  assert.equal(fdOf(others.at(-1)!), fd);
  assert.equal(await backlog(fd), null);
  for (const other of others) other.close();
});

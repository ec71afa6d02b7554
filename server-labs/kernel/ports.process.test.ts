import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { test } from "node:test";
import { freePort, isFree } from "./ports.ts";

test("free ports that are asked for at the same time are different, and no client gets one", async () => {
  const [first = 0] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").split(/\s+/).map(Number);
  const ports = await Promise.all(Array.from({ length: 50 }, () => freePort()));
  assert.equal(new Set(ports).size, 50);
  for (const port of ports) assert.ok(port >= 10_000 && port < Math.max(first, 12_000), `${port}`);
  assert.ok(await isFree(ports[0]!));
});

test("from a port on, the first free one", async () => {
  const port = await freePort();
  assert.equal(await freePort(port), port);
  const server = createServer().listen(port, "127.0.0.1");
  await once(server, "listening");
  assert.ok((await freePort(port)) > port);
  server.close();
});

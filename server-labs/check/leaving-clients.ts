// Leaving clients. Clients that close or reset their connections, and the sockets of theirs that the server still holds.
import type { Client } from "../clients.ts";
import type { Tools } from "./tools.ts";

/**
 * Ten of 30 clients close, then ten more reset their connections; the server closes the socket of each.
 * @param clients 30 clients that the server has accepted
 * @param because why a server holds sockets of clients that have closed, and of those that have reset
 * @returns the ten clients that stay
 */
export async function judgeLeaving(
  { server, expect }: Tools,
  clients: readonly Client[],
  because: { closed: string; reset: string },
): Promise<Client[]> {
  const others = server.sockets - clients.length;
  for (const client of clients.slice(0, 10)) client.close();
  expect(
    (await server.holds(others + 20)) - others,
    "Ten of 30 clients have closed: sockets of clients that the server holds.",
  ).equal(20, {
    because: because.closed,
    see: "ss -tan 'sport = :{port}'   # CLOSE-WAIT: the client has gone, the server has not closed",
  });
  for (const client of clients.slice(10, 20)) client.reset();
  expect(
    (await server.holds(others + 10)) - others,
    "Ten more clients have reset their connections: sockets of clients that the server holds.",
  ).equal(10, {
    because: because.reset,
    see: "timeout 5 node -e 'const s = require(\"net\").connect({port}, \"127.0.0.1\", () => s.resetAndDestroy())'; ls /proc/$(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+')/fd | wc -l   # grows",
  });
  return clients.slice(20);
}

// Comes true. The wait for something that the server should do, which ends early when it will not do it.
import type { Client, Poller } from "../clients.ts";
import type { Server } from "./server.ts";

/** The longest wait, in milliseconds. */
const longestMs = 60_000;
/**
 * A server that so many looks find asleep in the same call sleeps on. Looks are counted, and not milliseconds: a check that
 * has been late itself has looked less often.
 */
const mostLooks = 200;

/** @returns what the probe says at last */
export async function comesTrue(
  { server, poller, clients }: { server: Server; poller: Poller; clients: readonly Client[] },
  probe: () => boolean,
): Promise<boolean> {
  let asleepIn: number | undefined;
  let looks = 0;
  const exhausted = server.exhaustion();
  // What the kernel still holds for a client that reads will reach it, and the server waits for that.
  const isOnItsWay = () =>
    clients.some(one => one.reads && !one.over && (server.socketOf(one)?.sendQueue ?? 0) > 0);
  await poller.until(() => {
    if (probe()) return true;
    const call = server.stuck()?.n;
    const sleepsOn = call !== undefined && call === asleepIn && !isOnItsWay();
    looks = sleepsOn ? looks + 1 : 0;
    asleepIn = call;
    return looks > mostLooks || exhausted();
  }, longestMs);
  return probe();
}

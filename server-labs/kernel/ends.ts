// What each end that an epoll instance may watch would say in this moment, concluded from its queues: nobody is asked.
import type { KernelConnection } from "../protocol.ts";
import { mostNoted } from "./calls.ts";
import { eventfdCount, type Links } from "./descriptors.ts";
import type { End } from "./epolls.ts";
import { connectionReadiness, listenerReadiness, unknownReadiness } from "./ready.ts";
import type { Held } from "./sockets.ts";

/**
 * The sockets, eventfds and connections of this process by their descriptors.
 * @param held its sockets, as the kernel's tables have them
 * @param gone connections of which only its descriptor is left
 */
export async function endsOf(
  pid: number,
  links: Links,
  held: readonly Held[],
  gone: readonly KernelConnection[],
): Promise<Map<number, End>> {
  const ends = new Map<number, End>();
  for (const { fd, row } of held) {
    const { state, recvQueue, sendQueue } = row;
    const readiness =
      state === "LISTEN" ? listenerReadiness(recvQueue) : connectionReadiness(state, recvQueue, sendQueue);
    const arrival = `${state} ${recvQueue}`;
    ends.set(fd, {
      readiness,
      arrival,
      all: `${arrival} ${sendQueue}`,
      ...(state === "LISTEN" ? { queued: recvQueue } : {}),
    });
  }
  for (const { fd } of gone)
    ends.set(fd, { readiness: connectionReadiness("CLOSE", 0, 0), arrival: "CLOSE", all: "CLOSE" });
  for (const [fd, link] of links) {
    if (link !== "anon_inode:[eventfd]" || ends.size > mostNoted) continue;
    const count = await eventfdCount(pid, fd);
    if (count === null) continue;
    const readable = count > 0 ? "yes" : "no";
    const readiness = {
      ...unknownReadiness,
      readable,
      hungUp: "no",
      peerDone: "no",
      urgent: "no",
    } as const;
    ends.set(fd, { readiness, arrival: String(count), all: String(count) });
  }
  return ends;
}

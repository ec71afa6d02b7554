// Descriptors. The part of the hub that asks epoll: for which events each descriptor is watched, and what is called then.
import { EPOLLERR, EPOLLHUP, Epoll } from "workbook/net";
import type { Wait } from "./calls.ts";

const epoll = new Epoll();
/** By descriptor, then by event. Only these are registered. */
const watched = new Map<number, Map<number, () => void>>();

/**
 * Calls onReady in each turn in which epoll reports one of these events.
 * @returns undoes it: call it before the descriptor is closed
 * @throws Error when the descriptor is watched for these events already
 */
export function watch({ fd, events }: Wait, onReady: () => void): () => void {
  const known = watched.get(fd);
  if (known?.has(events)) throw new Error(`descriptor ${fd} is watched for these events already`);
  const callbacks = known ?? new Map<number, () => void>();
  callbacks.set(events, onReady);
  watched.set(fd, callbacks);
  if (known) epoll.modify(fd, maskOf(callbacks));
  else epoll.register(fd, events);
  return () => {
    callbacks.delete(events);
    if (callbacks.size > 0) {
      epoll.modify(fd, maskOf(callbacks));
    } else {
      epoll.unregister(fd);
      watched.delete(fd);
    }
  };
}

/** Waits for events, and calls what is watched for them. @param timeoutMs at most so long; -1: without a limit */
export function poll(timeoutMs: number): void {
  for (const { fd, events } of epoll.poll(timeoutMs)) {
    for (const [wanted, onReady] of [...(watched.get(fd) ?? [])]) {
      if ((events & (wanted | EPOLLERR | EPOLLHUP)) !== 0) onReady();
    }
  }
}

function maskOf(callbacks: ReadonlyMap<number, unknown>): number {
  let mask = 0;
  for (const events of callbacks.keys()) mask |= events;
  return mask;
}

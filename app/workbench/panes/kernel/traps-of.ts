// Described connections. A sample's connections with their names, registrations, traps and notes, in the order of their
// descriptors: they keep their places, whatever is in their queues.
import type { KernelConnection, KernelSample } from "../../../../server-labs/protocol.ts";
import type { KernelLog } from "../../../labs.ts";
import { connectionNote, connectionTrap, type WatchedDescriptor } from "./traps.ts";

export interface WatchedConnection {
  connection: KernelConnection;
  /** What the Clients pane calls it. */
  name: string | undefined;
  watched: readonly WatchedDescriptor[];
  /** Why epoll will not report what is in there; null when it will, or nothing is. */
  trap: string | null;
  note: string | null;
  /** An earlier connection whose trap or note is the same: it is explained there. */
  as: number | null;
}

const none: WatchedDescriptor[] = [];

export function watchedConnections(
  sample: KernelSample,
  watched: ReadonlyMap<number, WatchedDescriptor[]>,
  nameOf: KernelLog["nameOf"],
): WatchedConnection[] {
  const explained = new Map<string, number>();
  return [...sample.connections]
    .sort((a, b) => a.fd - b.fd)
    .map(connection => {
      const of = watched.get(connection.fd) ?? none;
      const trap = connectionTrap(connection, of);
      const note = connectionNote(connection, of, sample.epolls);
      const words = trap ?? note;
      const as = words === null ? null : (explained.get(words) ?? null);
      if (words !== null && as === null) explained.set(words, connection.fd);
      return { connection, name: nameOf(connection), watched: of, trap, note, as };
    });
}

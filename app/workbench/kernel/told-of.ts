// A sample's connections with all that is said of each, in the order of their descriptors: they keep their places,
// whatever is in their queues.
import type { KernelConnection, KernelSample } from "../../../server-labs/protocol.ts";
import { connectionNote, connectionTrap, portOf, type Watched } from "./told.ts";

export interface Told {
  connection: KernelConnection;
  /** What the Clients pane calls it. */
  name: string | undefined;
  watched: readonly Watched[];
  /** Why nobody will be told of what is in there; null when somebody will, or nothing is. */
  trap: string | null;
  note: string | null;
}

const none: Watched[] = [];

export function toldOf(
  sample: KernelSample,
  watched: ReadonlyMap<number, Watched[]>,
  names: ReadonlyMap<number, string>,
): Told[] {
  return sample.connections
    .map(connection => {
      const of = watched.get(connection.fd) ?? none;
      return {
        connection,
        name: names.get(portOf(connection.peer)),
        watched: of,
        trap: connectionTrap(connection, of),
        note: connectionNote(connection, of, sample.epolls),
      };
    })
    .sort((a, b) => a.connection.fd - b.connection.fd);
}

// Connections. Which of the program's calls were about which client, by the peer that each call names. A client is known by
// its port; a port that comes again is another client, from its accept4 on. Read once, as the list of calls grows.
import { type CallRecord, callPriority, portOf, priorityOf } from "../../../../server-labs/protocol.ts";
import type { CallList } from "../../../labs.ts";

interface Connection {
  /** When the first of its calls returned, in milliseconds of the run. */
  at: number;
  /** Places of its calls among all rows ever added: a call that sleeps is replaced where it is. */
  places: number[];
  /** Those of them that repeat what the program did before. */
  repeating: number[];
  /** Calls beyond those that are kept. */
  more: number;
}

/** The program's calls on one client's connection. */
export interface ServerSide {
  calls: CallRecord[];
  more: number;
}

const kept = { ports: 4_000, connections: 8, calls: 300 } as const;

export class ClientConnections {
  #next = 0;
  /** Places of accept4 calls that had not returned when they were read: their peer is known when they have. */
  #accepting: number[] = [];
  /** The connections that had this port one after the other, the newest last. */
  #byPort = new Map<number, Connection[]>();
  #since: number | null = null;

  /**
   * The same connections, as one visit sees them: of those that had one port, the first that was accepted after it began.
   * @param at in milliseconds of the run; null: the newest
   */
  since(at: number | null): ClientConnections {
    const seen = new ClientConnections();
    seen.#byPort = this.#byPort;
    seen.#since = at;
    return seen;
  }

  /** Takes in what is new in the list. */
  read(calls: CallList): void {
    const again = this.#accepting;
    this.#accepting = [];
    for (const place of again) this.#add(calls, place);
    for (let index = calls.indexFrom(this.#next); index < calls.length; index++)
      this.#add(calls, calls.placeOf(index));
    this.#next = calls.added;
  }

  /** What the program did with the client that has this port. */
  of(calls: CallList, port: number): ServerSide {
    const all = this.#byPort.get(port) ?? [];
    const since = this.#since;
    const { places = [], more = 0 } = (since === null ? all.at(-1) : all.find(({ at }) => at >= since)) ?? {};
    const found = places.flatMap(place => {
      const row = calls.at(place);
      return row?.type === "call" ? [row.call] : [];
    });
    return { calls: found, more: more + places.length - found.length };
  }

  #add(calls: CallList, place: number): void {
    const row = calls.at(place);
    if (row?.type !== "call") return;
    const { call, took, peer, at } = row.call;
    if (call === "accept4" && took === null) this.#accepting.push(place);
    if (peer === null) return;
    const port = portOf(peer);
    const all = this.#byPort.get(port) ?? [];
    const known = call === "accept4" ? undefined : all.at(-1);
    const connection = known ?? { at: at + (took ?? 0) / 1000, places: [], repeating: [], more: 0 };
    if (!known) {
      this.#byPort.delete(port);
      this.#byPort.set(port, [...all, connection].slice(-kept.connections));
      if (this.#byPort.size > kept.ports) this.#byPort.delete(this.#byPort.keys().next().value!);
    }
    this.#keep(connection, place, priorityOf(row.call) === callPriority.repeats);
  }

  /** The first calls, and of later ones those that do not repeat, for which those that do make room. */
  #keep(connection: Connection, place: number, repeats: boolean): void {
    const { places, repeating } = connection;
    if (places.length >= kept.calls) {
      connection.more++;
      const newest = repeats ? undefined : repeating.pop();
      if (newest === undefined) return;
      places.splice(places.indexOf(newest), 1);
    }
    places.push(place);
    if (repeats) repeating.push(place);
  }
}

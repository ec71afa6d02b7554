// Which of the program's calls were about which client: from the accept4 that gave the client a descriptor until that
// descriptor is closed. The client is known by its port. Read once, as the list of calls grows.
import type { Syscall } from "../../../server-labs/protocol.ts";
import type { Calls } from "../../labs.ts";

interface Connection {
  /** Places of its calls among all rows ever added: a call that sleeps is replaced where it stands. */
  places: number[];
  /** Calls beyond those that are kept. */
  more: number;
}

/** The program's calls on one client's connection. */
export interface ServerSide {
  calls: Syscall[];
  more: number;
}

const kept = { connections: 4_000, calls: 300 } as const;

export class Connections {
  #next = 0;
  /** Calls that had not returned when they were read. */
  #inside: number[] = [];
  readonly #byFd = new Map<number, Connection>();
  readonly #byPort = new Map<number, Connection>();

  /** Takes in what is new in the list. */
  read(calls: Calls): void {
    const again = this.#inside;
    this.#inside = [];
    for (const place of again) this.#take(calls, place, true);
    this.#next = Math.max(this.#next, calls.forgotten);
    for (const end = calls.forgotten + calls.length; this.#next < end; this.#next++)
      this.#take(calls, this.#next, false);
  }

  /** What the program did with the client that has this port. */
  of(calls: Calls, port: number): ServerSide {
    const { places = [], more = 0 } = this.#byPort.get(port) ?? {};
    const found = places.flatMap(place => {
      const row = calls.row(place - calls.forgotten);
      return row?.type === "call" ? [row.call] : [];
    });
    return { calls: found, more: more + places.length - found.length };
  }

  #take(calls: Calls, place: number, again: boolean): void {
    const row = calls.row(place - calls.forgotten);
    if (row?.type !== "call") return;
    const { call } = row;
    if (call.took === null) this.#inside.push(place);
    if (call.name === "accept4") this.#accepted(call, place);
    else if (!again) this.#belongs(call, place);
  }

  #belongs(call: Syscall, place: number): void {
    const fd = call.name === "epoll_ctl" ? targetOf(call) : call.fd;
    const connection = fd === null ? undefined : this.#byFd.get(fd);
    if (connection) {
      if (connection.places.length < kept.calls) connection.places.push(place);
      else connection.more++;
    }
    if (call.name === "close" && call.fd !== null) this.#byFd.delete(call.fd);
  }

  #accepted(call: Syscall, place: number): void {
    const port = peerPort(call);
    if (call.took === null || call.errno !== null || port === null) return;
    const connection = { places: [place], more: 0 };
    this.#byFd.set(call.returned, connection);
    this.#byPort.set(port, connection);
    if (this.#byPort.size > kept.connections) this.#byPort.delete(this.#byPort.keys().next().value!);
  }
}

/** "3, 127.0.0.1:51322, SOCK_CLOEXEC": the one to whom accept4 opened. */
function peerPort({ args, result }: Syscall): number | null {
  const found = /(?:\d|\]):(\d{1,5})\b/.exec(`${args} ${result}`);
  return found ? Number(found[1]) : null;
}

/** "4, EPOLL_CTL_ADD, 7, …": whom an epoll_ctl is about. */
function targetOf({ args }: Syscall): number | null {
  const found = /^\d+, \w+, (\d+)/.exec(args);
  return found ? Number(found[1]) : null;
}

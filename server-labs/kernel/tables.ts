// TCP tables. The kernel's list of TCP sockets, /proc/<pid>/net/tcp and tcp6 (proc_net_tcp(5)), read as bytes: with ten
// thousand sockets it is 1.5 MB, twelve times a second. Addresses become text only when they are asked for.
import { closeSync, openSync, readSync } from "node:fs";
import { type Endpoint, formatEndpoint, type TcpState } from "../protocol.ts";
import { giveTurn } from "./turns.ts";

/** The names of include/net/tcp_states.h, by the kernel's numbers. */
export const tcpStates: readonly (TcpState | undefined)[] = [
  undefined,
  "ESTABLISHED",
  "SYN_SENT",
  "SYN_RECV",
  "FIN_WAIT1",
  "FIN_WAIT2",
  "TIME_WAIT",
  "CLOSE",
  "CLOSE_WAIT",
  "LAST_ACK",
  "LISTEN",
  "CLOSING",
  "NEW_SYN_RECV",
];

export interface TcpSocket {
  localPort: number;
  remotePort: number;
  state: TcpState;
  /** Bytes that the peer has not yet acknowledged. */
  sendQueue: number;
  /** Bytes that the program has not yet read; for a listener: how many are in its accept queue. */
  recvQueue: number;
  /** 0 while no process holds it: not accepted yet, or closed by its owner and not yet gone. */
  inode: number;
}

export interface TcpRow extends TcpSocket {
  /** Place of its local address in the table's bytes. */
  at: number;
}

/** One of the two tables. */
export class TcpTable {
  readonly rows: TcpRow[] = [];
  readonly #bytes: Buffer;
  readonly #address: number;

  /** @param bytes the whole file; a line that is not as expected is left out */
  constructor(bytes: Buffer, version: 4 | 6) {
    this.#bytes = bytes;
    this.#address = version === 4 ? 8 : 32;
    let line = bytes.indexOf(0x0a) + 1;
    while (line > 0 && line < bytes.length) {
      const end = bytes.indexOf(0x0a, line);
      const row = this.#row(line, end < 0 ? bytes.length : end);
      if (row) this.rows.push(row);
      line = end + 1;
    }
  }

  local(row: TcpRow): string {
    return this.#key(row.at);
  }

  remote(row: TcpRow): string {
    return this.#key(row.at + this.#address + 6);
  }

  #row(line: number, end: number): TcpRow | null {
    const bytes = this.#bytes;
    // "   0: 0100007F:1ED2 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 …"
    const at = bytes.indexOf(0x3a, line) + 2;
    const port = at + this.#address + 1;
    const remotePort = port + 5 + this.#address + 1;
    const queues = remotePort + 8;
    if (at < 2 || queues + 17 > end) return null;
    const state = tcpStates[hex(bytes, remotePort + 5, 2)];
    if (!state) return null;
    return {
      at,
      localPort: hex(bytes, port, 4),
      remotePort: hex(bytes, remotePort, 4),
      state,
      sendQueue: hex(bytes, queues, 8),
      recvQueue: hex(bytes, queues + 9, 8),
      inode: decimalAfter(bytes, queues + 17, 4, end),
    };
  }

  /** "0100007F:1ED2". An IPv4 address inside an IPv6 one is the same as without: so it is its peer's in the other table. */
  #key(at: number): string {
    const text = this.#bytes.toString("latin1", at, at + this.#address + 5);
    return text.startsWith(mapped) ? text.slice(mapped.length) : text;
  }
}

const mapped = "0000000000000000FFFF0000";

/** "0100007F:1ED2" → "127.0.0.1:7890", or "[::1]:7890". */
export function endpoint(key: string): Endpoint {
  return formatEndpoint(hostOf(key), Number.parseInt(key.slice(key.indexOf(":") + 1), 16));
}

/** "0100007F:1ED2" → "127.0.0.1". The kernel prints each 32-bit word in the machine's byte order: little-endian. */
export function hostOf(key: string): string {
  const address = Buffer.from(key.slice(0, key.indexOf(":")), "hex");
  for (let i = 0; i + 4 <= address.length; i += 4) address.subarray(i, i + 4).reverse();
  if (address.length === 4) return address.join(".");
  const groups = Array.from({ length: 8 }, (_, i) => address.readUInt16BE(2 * i).toString(16));
  // The URL parser knows how an IPv6 address is shortened (RFC 5952).
  return new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1);
}

/** Is it the wildcard address, 0.0.0.0 or ::, which means every address of the machine? */
export const isWildcard = (key: string): boolean => /^0+:/.test(key);

/** Reads of the kernel's table without giving other work a turn, each a page of it: about a millisecond. */
const atOnce = 16;

/** A file of /proc whole, into a buffer that is used again and grows. @throws as read(2) does */
export class Bytes {
  #buffer = Buffer.alloc(64 * 1024);

  async read(path: string): Promise<Buffer> {
    const file = openSync(path, "r");
    try {
      let length = 0;
      for (let reads = 1; ; reads++) {
        if (length === this.#buffer.length)
          this.#buffer = Buffer.concat([this.#buffer, Buffer.alloc(length)]);
        const got = readSync(file, this.#buffer, length, this.#buffer.length - length, null);
        if (got === 0) return this.#buffer.subarray(0, length);
        length += got;
        if (reads % atOnce === 0) await giveTurn();
      }
    } finally {
      closeSync(file);
    }
  }
}

function hex(bytes: Buffer, at: number, digits: number): number {
  let value = 0;
  for (let i = at; i < at + digits; i++) {
    const c = bytes[i]!;
    value = value * 16 + (c <= 0x39 ? c - 0x30 : (c & 0xdf) - 0x37);
  }
  return value;
}

/** The decimal number after so many words. */
function decimalAfter(bytes: Buffer, from: number, words: number, end: number): number {
  let at = from;
  for (let skipped = 0; ; skipped++) {
    while (at < end && bytes[at] === 0x20) at++;
    if (skipped === words) break;
    while (at < end && bytes[at] !== 0x20) at++;
  }
  let value = 0;
  for (; at < end; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  return value;
}

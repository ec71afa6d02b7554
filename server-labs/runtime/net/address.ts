// Addresses. Converts { host, port } to struct sockaddr_in (ip(7)) or sockaddr_in6 (ipv6(7)), and back.

import { formatEndpoint } from "../../protocol/endpoint.ts";
import { AF_INET, AF_INET6 } from "../sys/constants.ts";
import { inetPton } from "../sys/libc.ts";
import { type Called, misuse, shown } from "./arguments.ts";

/** The address of one end of a connection: an IP address and a port. See ip(7), ipv6(7). */
export interface Address {
  /** The IP address: "127.0.0.1", "::1". */
  host: string;
  /** The port, 0 to 65535. */
  port: number;
}

/** Bytes of the largest address: struct sockaddr_in6. */
export const sockaddrBytes = 28;
const sizes = { [AF_INET]: 16, [AF_INET6]: 28 };

/**
 * Makes the struct sockaddr of an address.
 * @throws TypeError or RangeError that names the wrong host or port
 */
export function encodeAddress(called: Called, family: number, address: Partial<Address>): Uint8Array {
  if (typeof address !== "object" || address === null) {
    throw misuse(called, `takes an address such as { port: 7890 }, not ${shown(address)}.`);
  }
  const bytes = new Uint8Array(sizes[family as 2 | 10]);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, family, true);
  view.setUint16(2, checkedPort(called, address.port), false);
  const host = numericHost(called, family, address.host);
  if (inetPton(family, host, bytes.subarray(family === AF_INET6 ? 8 : 4)) !== 1) {
    throw misuse(
      called,
      `takes an IP${family === AF_INET6 ? "v6" : "v4"} address as its host, and ${shown(host)} is not one. ` +
        (/^[\d.]+$|:/.test(host)
          ? family === AF_INET && host.includes(":")
            ? "For IPv6 make the socket with new Socket(AF_INET6)."
            : "An IPv4 address is four numbers from 0 to 255 with dots between them: 127.0.0.1."
          : `Names are not looked up: a DNS query would block the whole program. Use the address that \`getent hosts ${host}\` prints.`),
    );
  }
  return bytes;
}

/** Reads the address in a struct sockaddr. */
export function decodeAddress(bytes: Uint8Array): Address {
  const port = (bytes[2]! << 8) | bytes[3]!;
  if (bytes[0] === AF_INET6) return { host: ipv6(bytes), port };
  return { host: `${bytes[4]}.${bytes[5]}.${bytes[6]}.${bytes[7]}`, port };
}

/** "127.0.0.1:7890", "[::1]:7890" */
export function formatAddress({ host, port }: Address): string {
  return formatEndpoint(host, port);
}

function checkedPort(called: Called, port: unknown): number {
  if (typeof port !== "number") {
    throw misuse(
      called,
      `takes a port that is a number, not ${shown(port)}.` +
        (typeof port === "string" ? " Arguments of a program are strings: Number(process.argv[2])." : ""),
    );
  }
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw misuse(called, `takes a port from 0 to 65535 (0: any free one), not ${port}.`, RangeError);
  }
  return port;
}

function numericHost(called: Called, family: number, host: unknown): string {
  const six = family === AF_INET6;
  if (host === undefined || host === "localhost") return six ? "::1" : "127.0.0.1";
  if (host === "") return six ? "::" : "0.0.0.0";
  if (typeof host !== "string") {
    throw misuse(called, `takes a host that is a string such as "127.0.0.1", not ${shown(host)}.`);
  }
  if (host.includes("\0")) throw misuse(called, `got a host with a zero byte in it: ${shown(host)}.`);
  return host;
}

/** RFC 5952: the longest run of zero groups (the first of equals, at least two) becomes "::". */
function ipv6(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[8 + 2 * i]! << 8) | bytes[9 + 2 * i]!);
  const text = groups.map(group => group.toString(16)).join(":");
  const longest = text.match(/\b0(?::0)+\b/g)?.reduce((a, b) => (b.length > a.length ? b : a));
  return longest === undefined ? text : text.replace(new RegExp(`(^|:)${longest}(:|$)`), "::");
}

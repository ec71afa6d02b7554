// What a call is about, as strace writes it: bytes, addresses, sets of descriptors. All of it was written by a
// student's process: lengths are bounded here, and no control character passes.
import { readable } from "./octets.ts";
import * as names from "./strace-names.ts";
import { flags, named } from "./strace-names.ts";

/** Bytes of a preview that are shown as text. */
const shownBytes = 32;
/** An i32 fd and its u32 events, on every machine (trace-layout.ts). */
const pairBytes = 8;
const pollFdBytes = 8;

/** Bytes as a C string, as strace writes them; "…" inside says that there is more. */
export function quoted(bytes: Buffer, length: number): string {
  const cut = bytes.subarray(0, shownBytes);
  const goesOn = length > cut.length;
  return `"${readable(cut, goesOn)}${goesOn ? "…" : ""}"`;
}

export function address(bytes: Buffer): string | undefined {
  const found = internetAddress(bytes);
  if (found) return `{${found.host.includes(":") ? `[${found.host}]` : found.host}:${found.port}}`;
  return bytes.length >= 2 ? `{${named(names.families, bytes.readUInt16LE(0))}}` : undefined;
}

/** The value of a socket option: an int, a struct of socket(7), or one that is not shown. Undefined: there is none. */
export function optionValue(bytes: Buffer, name: string): string | number | undefined {
  if (bytes.length === 0) return undefined;
  if (bytes.length === 4) return bytes.readInt32LE(0);
  if (/^SO_(RCV|SND)TIMEO$/.test(name) && bytes.length === 16)
    return `{tv_sec=${bytes.readBigInt64LE(0)}, tv_usec=${bytes.readBigInt64LE(8)}}`;
  if (name === "SO_LINGER" && bytes.length === 8)
    return `{l_onoff=${bytes.readInt32LE(0)}, l_linger=${bytes.readInt32LE(4)}}`;
  return "{…}";
}

/** struct sockaddr_in and sockaddr_in6: ip(7), ipv6(7). */
export function internetAddress(bytes: Buffer): { host: string; port: number } | null {
  if (bytes.length < 8) return null;
  const family = named(names.families, bytes.readUInt16LE(0));
  const port = bytes.readUInt16BE(2);
  if (family === "AF_INET") return { host: bytes.subarray(4, 8).join("."), port };
  if (family !== "AF_INET6" || bytes.length < 24) return null;
  const groups = [0, 2, 4, 6, 8, 10, 12, 14].map(i => bytes.readUInt16BE(8 + i).toString(16));
  // The URL parser knows how an IPv6 address is shortened (RFC 5952).
  return { host: new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1), port };
}

export function readySet(bytes: Buffer, ready: number): string {
  const shown = Math.max(0, Math.min(ready, Math.floor(bytes.length / pairBytes)));
  const parts = Array.from({ length: shown }, (_, i) => {
    const pair = bytes.subarray(i * pairBytes);
    return `{${pair.readInt32LE(0)}, ${flags(names.epollEvents, pair.readUInt32LE(4))}}`;
  });
  return `[${parts.join(", ")}${ready > shown ? ", …" : ""}]`;
}

/** The descriptors in a ready set, as far as it is shown. */
export function epollFds(bytes: Buffer, ready: number): number[] {
  const shown = Math.max(0, Math.min(ready, Math.floor(bytes.length / pairBytes)));
  return Array.from({ length: shown }, (_, i) => bytes.readInt32LE(i * pairBytes));
}

/** The descriptors that poll(2) is asked about, as far as they are shown. */
export function pollFds(bytes: Buffer): number[] {
  return Array.from({ length: Math.floor(bytes.length / pollFdBytes) }, (_, i) =>
    bytes.readInt32LE(i * pollFdBytes),
  );
}

/** Before the call: what is asked of each descriptor. After it: what came, where something came. */
export function pollSet(bytes: Buffer, count: number, inside: boolean): string {
  const shown = Math.max(0, Math.min(count, Math.floor(bytes.length / pollFdBytes)));
  const parts = Array.from({ length: shown }, (_, i) => {
    const fd = bytes.readInt32LE(i * pollFdBytes);
    const asked = flags(names.pollEvents, bytes.readUInt16LE(i * pollFdBytes + 4));
    const came = bytes.readUInt16LE(i * pollFdBytes + 6);
    return `{${fd}, ${asked}${inside || came === 0 ? "" : ` → ${flags(names.pollEvents, came)}`}}`;
  });
  return `[${parts.join(", ")}${count > shown ? ", …" : ""}]`;
}

// One record of the trace as one call in strace's notation, compact enough to read while it runs:
// recv(7, "GET / HTTP/1.1\r\nHost: …", 1024) = 78. The record was written by a student's process: nothing that
// stands in it may make this throw, and every text that comes out is bounded.
import { constants } from "node:os";
import { getSystemErrorMap } from "node:util";
import type { Syscall } from "./protocol.ts";
import * as names from "./strace-names.ts";
import { flags, named } from "./strace-names.ts";
import { address, internetAddress, optionValue, pollSet, quoted, readySet } from "./strace-values.ts";
import { callsWithoutFd, layout, preview, tracedCalls } from "./trace-layout.ts";

const at = layout.record;
/** The words of libuv, which has most of them, and ours, where they say more (or it has none). */
const errors = getSystemErrorMap();
const ownWords: Record<string, string> = {
  EAGAIN: "would block",
  EINPROGRESS: "in progress",
  // setsockopt of a time-out with a million microseconds or more.
  EDOM: "argument out of domain",
};
const errnoNames = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]));
// Some numbers have two names on Linux; strace and the course use these.
errnoNames.set(constants.errno.EAGAIN, "EAGAIN");
errnoNames.set(constants.errno.EOPNOTSUPP, "EOPNOTSUPP");
const wouldBlock = new Set(["EAGAIN", "EINPROGRESS", "EALREADY"]);
/** Calls that wait for something to become ready: 0 says that nothing did. */
const waits = new Set(["poll", "epoll_wait"]);

/** The fields of a record, read once. */
interface Call {
  name: string;
  args: number[];
  result: number;
  inside: boolean;
  kind: number;
  preview: Buffer;
}

/**
 * One call as the page shows it.
 * @param record recordBytes of trace memory
 * @param n which call of the run it is
 * @param began CLOCK_MONOTONIC in milliseconds at `at` 0
 * @param who what the descriptors are that it speaks of
 */
export function syscallOf(record: Buffer, n: number, began: number, who?: Syscall["who"]): Syscall {
  const call = decode(record);
  const took = record.readDoubleLE(at.took);
  const number = record.readInt32LE(at.errno);
  const line = record.readInt32LE(at.line);
  const failed = !call.inside && call.result === -1 && number !== 0;
  const [errno, words] = failed ? errorOf(number) : [null, ""];
  const asleep =
    call.inside || (call.result === 0 && waits.has(call.name)) || (errno !== null && wouldBlock.has(errno));
  return {
    n,
    at: bounded(record.readDoubleLE(at.at) - began),
    took: call.inside ? null : bounded(took),
    name: call.name,
    fd: callsWithoutFd.has(call.name) ? null : call.args[0]!,
    ...(who ? { who } : {}),
    args: (notation[call.name] ?? plain)(call),
    result: call.inside ? "" : errno ? `-1 ${errno} (${words})` : String(call.result),
    returned: call.inside ? 0 : call.result,
    errno,
    state: asleep ? "waiting" : failed ? "failed" : "ready",
    line: line > 0 ? line : null,
  };
}

/** The name of the call in a record; "?" when it holds none. */
export function nameOf(record: Buffer): string {
  return tracedCalls[callOf(record)]!;
}

/** Its index in tracedCalls; 0 when it is none. */
export function callOf(record: Buffer): number {
  const call = record.readUInt16LE(at.call);
  return call < tracedCalls.length ? call : 0;
}

/** The address that a record carries (of bind, getsockname, accept4, connect); null when it carries none. */
export function addressOf(record: Buffer): { host: string; port: number } | null {
  const { kind, preview: bytes } = decode(record);
  return kind === preview.address ? internetAddress(bytes) : null;
}

const plain = ({ args }: Call) => args.slice(0, 4).join(", ");
const byAddress = ({ args, ...call }: Call) => list(args[0], address(call.preview));
const transfer = (call: Call, flag: number) => {
  const [fd, , size] = call.args;
  const extra = flag === 0 ? undefined : flags(names.messageFlags, flag);
  return list(fd, call.preview.length > 0 ? quoted(call.preview, dataLength(call)) : undefined, size, extra);
};

const notation: Record<string, (call: Call) => string> = {
  socket: ({ args: [domain, type = 0, protocol] }) =>
    list(
      named(names.families, domain!),
      bitsAbove(names.socketTypes, type & 0xff, names.socketFlags, type & ~0xff),
      protocol === 0 ? undefined : named(names.protocols, protocol!),
    ),
  bind: byAddress,
  connect: byAddress,
  getsockname: byAddress,
  getpeername: byAddress,
  listen: ({ args: [fd, backlog] }) => list(fd, backlog),
  accept4: call => list(call.args[0], address(call.preview), flags(names.socketFlags, call.args[3]!)),
  recv: call => transfer(call, call.args[3]!),
  send: call => transfer(call, call.args[3]!),
  read: call => transfer(call, 0),
  write: call => transfer(call, 0),
  shutdown: ({ args: [fd, how] }) => list(fd, named(names.shutdownHow, how!)),
  close: ({ args: [fd] }) => list(fd),
  fcntl: ({ args: [fd, command, argument] }) => {
    const name = named(names.fcntlCommands, command!);
    if (name === "F_SETFL") return list(fd, name, flags(names.fileFlags, argument!));
    return list(fd, name, name === "F_GETFL" || name === "F_GETFD" ? undefined : argument);
  },
  setsockopt: ({ args: [fd, level, option, value], ...call }) => {
    const name = named(names.options[level!], option!);
    return list(fd, named(names.levels, level!), name, optionValue(call.preview, name) ?? value);
  },
  getsockopt: ({ args: [fd, level, option], ...call }) => {
    const name = named(names.options[level!], option!);
    return list(fd, named(names.levels, level!), name, optionValue(call.preview, name));
  },
  poll: ({ args: [, count, timeout], ...call }) =>
    list(pollSet(call.preview, count!, call.inside), count, timeout),
  epoll_create1: ({ args: [flag] }) => flags(names.epollFlags, flag!),
  epoll_ctl: ({ args: [epfd, operation, fd, events] }) => {
    const name = named(names.epollOperations, operation!);
    return list(epfd, name, fd, name === "EPOLL_CTL_DEL" ? undefined : flags(names.epollEvents, events!));
  },
  epoll_wait: ({ args: [epfd, , most, timeout], ...call }) =>
    list(epfd, call.inside ? undefined : readySet(call.preview, call.result), most, timeout),
  eventfd: ({ args: [initial, flag] }) => list(initial, flags(names.eventfdFlags, flag!)),
  nanosleep: ({ args: [seconds = 0, nanoseconds = 0] }) => `${seconds + nanoseconds / 1e9} s`,
  getrlimit: ({ args: [resource] }) => list(named(names.resources, resource!)),
  setrlimit: ({ args: [resource, soft, hard] }) =>
    list(named(names.resources, resource!), `{soft=${soft}, hard=${hard}}`),
  prctl: ({ args: [option, argument] }) => list(named(names.prctlOptions, option!), argument),
};

function decode(record: Buffer): Call {
  const args = [0, 1, 2, 3, 4].map(i => record.readInt32LE(at.args + 4 * i));
  const filled = Math.max(0, Math.min(layout.previewBytes, record.readInt32LE(at.previewLength)));
  const kind = record.readUInt16LE(at.previewKind);
  return {
    name: nameOf(record),
    args,
    result: record.readInt32LE(at.result),
    inside: record.readDoubleLE(at.took) === -1,
    kind,
    preview: kind === preview.none ? Buffer.alloc(0) : record.subarray(at.preview, at.preview + filled),
  };
}

function list(...parts: (string | number | undefined)[]): string {
  return parts.filter(part => part !== undefined && part !== "").join(", ");
}

function bitsAbove(low: Record<number, string>, value: number, high: Record<number, string>, bits: number) {
  return bits === 0 ? named(low, value) : `${named(low, value)}|${flags(high, bits)}`;
}

/** How many bytes the call is about, of which the preview holds the first: what arrived, or what was offered. */
function dataLength(call: Call): number {
  const received = call.name === "recv" || call.name === "read";
  return received ? call.result : call.args[2]!;
}

function errorOf(errno: number): [name: string, words: string] {
  const name = errnoNames.get(errno) ?? `errno ${errno}`;
  const words = errors.get(-errno)?.[1] ?? "no error that Linux has";
  return [name, ownWords[name] ?? words];
}

/** A time that can be shown: not negative, not infinite, to a hundredth. */
function bounded(time: number): number {
  return Number.isFinite(time) && time > 0 ? Math.round(Math.min(time, 1e12) * 100) / 100 : 0;
}

// Trace decoder. Decodes the records of a trace; only this file and the writer use the places of a record's fields.
// A student's process wrote the record: no record may make the decoder throw, and every decoded text and list is
// bounded.
import {
  aboutArgument,
  type CallRecord,
  type CallState,
  type CallTask,
  callIndex,
  errnoName,
  isWouldBlock,
  onDescriptor,
  type Parameter,
  rowsByIndex,
  tracedCalls,
  type Value,
} from "../protocol/calls.ts";
import { layout, placeOfSite, preview } from "./layout.ts";

const at = layout.record;
/** The first bytes of data that a call record holds. */
const dataBytes = 32;
/** An i32 descriptor and its u32 events, on every machine (trace/layout.ts); struct pollfd is as long. */
const pairBytes = 8;
const SOL_SOCKET = 1;
const SO_LINGER = 13;
const timeouts = new Set([20, 21]); // SO_RCVTIMEO, SO_SNDTIMEO

/** The index of the call in the table of calls; 0 when the record holds no known call. */
export function callOf(record: Buffer): number {
  const call = record.readUInt16LE(at.call);
  return call < tracedCalls.length ? call : 0;
}

/** Has the call returned? */
export function hasReturned(record: Buffer): boolean {
  return record.readDoubleLE(at.took) !== -1;
}

/** What it returned. */
export function resultOf(record: Buffer): number {
  return record.readInt32LE(at.result);
}

/** One of its five arguments as a number. */
export function argumentOf(record: Buffer, index: number): number {
  return record.readInt32LE(at.args + 4 * index);
}

/** The descriptor that the call is about (of an epoll_ctl the one that is watched); -1 for a call without one. */
export function descriptorOf(record: Buffer): number {
  const index = aboutArgument[callOf(record)]!;
  return index === -1 ? -1 : argumentOf(record, index);
}

/** What came of a call that has returned, from its result and errno as numbers. */
export function stateOf(call: number, result: number, errno: number): CallState {
  if (result === -1 && errno !== 0) return isWouldBlock(errnoName(errno)) ? "waiting" : "failed";
  return result === 0 && rowsByIndex[call]!.sleeps === "timeout" ? "waiting" : "ready";
}

/** What came of the call in a record; one that has not returned is waiting. */
export function stateOfRecord(record: Buffer): CallState {
  return hasReturned(record)
    ? stateOf(callOf(record), resultOf(record), record.readInt32LE(at.errno))
    : "waiting";
}

/** The internet address in a record (of bind, getsockname, accept4, connect); null when the record has no address. */
export function addressOf(record: Buffer): { host: string; port: number } | null {
  return record.readUInt16LE(at.previewKind) === preview.address ? internetAddress(previewOf(record)) : null;
}

/** The descriptors in the set of an epoll_wait or a poll, as far as the record holds them. */
export function descriptorsInSet(record: Buffer): number[] {
  const kind = record.readUInt16LE(at.previewKind);
  if (kind !== preview.epollEvents && kind !== preview.pollFds) return [];
  const bytes = previewOf(record);
  const filled = Math.floor(bytes.length / pairBytes);
  const shown = kind === preview.pollFds ? filled : Math.max(0, Math.min(resultOf(record), filled));
  return Array.from({ length: shown }, (_, i) => bytes.readInt32LE(i * pairBytes));
}

/** The two descriptors that a call has made; null when the record does not hold them. */
export function pairOf(record: Buffer): [number, number] | null {
  const bytes = previewOfKind(record, preview.bytes);
  return bytes.length === pairBytes ? [bytes.readInt32LE(0), bytes.readInt32LE(4)] : null;
}

/** The facts of a call's descriptors that the calls before it have shown. */
export type Known = Pick<CallRecord, "who" | "peer">;
const unknown: Known = { peer: null };
const noTask = () => undefined;

/**
 * One record as a call, with its times as exact as the program wrote them.
 * @param record recordBytes of trace memory
 * @param n which call of the run it is
 * @param began CLOCK_MONOTONIC in milliseconds at `at` 0
 * @param files the program's files, the one that starts first
 * @param taskOf finds the task of a mark (taskMark)
 */
export function decodeCall(
  record: Buffer,
  n: number,
  began: number,
  known: Known = unknown,
  files: readonly string[] = [],
  taskOf: (mark: number) => CallTask | undefined = noTask,
): CallRecord {
  const call = callOf(record);
  const inside = !hasReturned(record);
  const result = resultOf(record);
  const errno = record.readInt32LE(at.errno);
  const { line, file } = placeOfSite(record.readInt32LE(at.site));
  const mark = record.readUInt32LE(at.previewLength) >>> 8;
  const task = mark === 0 ? undefined : taskOf(mark);
  const isKnown = line > 0 && (file === 0 || file < files.length);
  return {
    n,
    at: timeOf(record.readDoubleLE(at.at) - began),
    took: inside ? null : timeOf(record.readDoubleLE(at.took)),
    call: tracedCalls[call]!,
    fd: onDescriptor[call] ? argumentOf(record, 0) : null,
    args: valuesOf(record, call, inside),
    returned: inside ? 0 : result,
    errno: !inside && result === -1 && errno !== 0 ? errnoName(errno) : null,
    peer: known.peer,
    state: inside ? "waiting" : stateOf(call, result, errno),
    line: isKnown ? line : null,
    ...(isKnown && file > 0 ? { file: files[file]! } : {}),
    ...(known.who ? { who: known.who } : {}),
    ...(task ? { task } : {}),
  };
}

function valuesOf(record: Buffer, call: number, inside: boolean): Value[] {
  const { parameters } = rowsByIndex[call]!;
  const values: Value[] = new Array(parameters.length);
  for (let i = 0; i < parameters.length; i++) {
    let parameter = parameters[i]!;
    if (parameter.is === "depends")
      parameter = parameter.cases[argumentOf(record, parameter.on)] ?? parameter.otherwise;
    values[i] = valueAt(record, call, parameter, i, inside);
  }
  return values;
}

function valueAt(record: Buffer, call: number, parameter: Parameter, i: number, inside: boolean): Value {
  switch (parameter.is) {
    case "flags":
      return argumentOf(record, i) >>> 0;
    case "bytes":
      return dataOf(record, call);
    case "address":
      return addressValue(record);
    case "events":
      return inside ? null : eventsOf(record);
    case "polls":
      return pollsOf(record);
    case "option":
      return optionOf(record, call);
    case "pair": {
      const pair = pairOf(record);
      return pair && { pair };
    }
    case "seconds":
      return argumentOf(record, 0) + argumentOf(record, 1) / 1e9;
    case "limit":
      return { soft: argumentOf(record, 1), hard: argumentOf(record, 2) };
    case "hidden":
      return null;
    default:
      return argumentOf(record, i);
  }
}

const nothing = Buffer.alloc(0);

/** The preview bytes that are filled. */
function previewOf(record: Buffer): Buffer {
  const filled = Math.min(layout.previewBytes, record.readUInt8(at.previewLength));
  return filled === 0 ? nothing : record.subarray(at.preview, at.preview + filled);
}

/** The preview, where it is of this kind. */
function previewOfKind(record: Buffer, kind: number): Buffer {
  return record.readUInt16LE(at.previewKind) === kind ? previewOf(record) : nothing;
}

function dataOf(record: Buffer, call: number): Value {
  const bytes = previewOfKind(record, preview.bytes);
  if (bytes.length === 0) return null;
  const length = rowsByIndex[call]!.moves === "in" ? resultOf(record) : argumentOf(record, 2);
  return { bytes: bytes.toString("latin1", 0, Math.min(dataBytes, bytes.length)), length };
}

function addressValue(record: Buffer): Value {
  const bytes = previewOfKind(record, preview.address);
  return internetAddress(bytes) ?? (bytes.length >= 2 ? { family: bytes.readUInt16LE(0) } : null);
}

/** struct sockaddr_in and sockaddr_in6: ip(7), ipv6(7). */
function internetAddress(bytes: Buffer): { host: string; port: number } | null {
  if (bytes.length < 8) return null;
  const [family, port] = [bytes.readUInt16LE(0), bytes.readUInt16BE(2)];
  if (family === 2) return { host: `${bytes[4]}.${bytes[5]}.${bytes[6]}.${bytes[7]}`, port };
  if (family !== 10 || bytes.length < 24) return null;
  const groups = [0, 2, 4, 6, 8, 10, 12, 14].map(i => bytes.readUInt16BE(8 + i).toString(16));
  // The URL parser knows how an IPv6 address is shortened (RFC 5952).
  return { host: new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1), port };
}

function eventsOf(record: Buffer): Value {
  const [bytes, ready] = [previewOfKind(record, preview.epollEvents), resultOf(record)];
  const shown = Math.max(0, Math.min(ready, Math.floor(bytes.length / pairBytes)));
  const events = Array.from({ length: shown }, (_, i): [number, number] => [
    bytes.readInt32LE(i * pairBytes),
    bytes.readUInt32LE(i * pairBytes + 4),
  ]);
  return { events, more: ready > shown };
}

/** Before the call what is asked of each descriptor, after it what came too. */
function pollsOf(record: Buffer): Value {
  const [bytes, count] = [previewOfKind(record, preview.pollFds), argumentOf(record, 1)];
  const shown = Math.max(0, Math.min(count, Math.floor(bytes.length / pairBytes)));
  const polls = Array.from({ length: shown }, (_, i): [number, number, number] => [
    bytes.readInt32LE(i * pairBytes),
    bytes.readUInt16LE(i * pairBytes + 4),
    bytes.readUInt16LE(i * pairBytes + 6),
  ]);
  return { polls, more: count > shown };
}

const SETSOCKOPT = callIndex("setsockopt");

/** An int, a struct of socket(7), or one that is not shown; null where the call has no value. */
function optionOf(record: Buffer, call: number): Value {
  const bytes = previewOfKind(record, preview.bytes);
  // An int that was set is an argument of the record too.
  if (bytes.length === 0) return call === SETSOCKOPT ? argumentOf(record, 3) : null;
  if (bytes.length === 4) return bytes.readInt32LE(0);
  const option = argumentOf(record, 1) === SOL_SOCKET ? argumentOf(record, 2) : -1;
  if (timeouts.has(option) && bytes.length === 16)
    return { seconds: Number(bytes.readBigInt64LE(0)), microseconds: Number(bytes.readBigInt64LE(8)) };
  if (option === SO_LINGER && bytes.length === 8)
    return { on: bytes.readInt32LE(0), lingerSeconds: bytes.readInt32LE(4) };
  return { struct: bytes.length };
}

/** A time that can be shown: not negative, not infinite; of what was not measured 0. */
function timeOf(time: number): number {
  return Number.isFinite(time) && time > 0 ? Math.min(time, 1e12) : 0;
}

/** The same call with times to a hundredth: an event is JSON, and no eye sees more. */
export function rounded(call: CallRecord): CallRecord {
  call.at = hundredths(call.at);
  if (call.took !== null) call.took = hundredths(call.took);
  return call;
}

function hundredths(time: number): number {
  return Math.round(time * 100) / 100;
}

// Notation. A call record as strace writes it, compact enough to read while the program runs:
// recv(7, "GET / HTTP/1.1\r\nHost: …", 1024) = 78. The page's tooltips, curl, a terminal and failures have it from here.

import { errnoName, errnoWords } from "./calls/errors.ts";
import { epollEvents, families, flags, named, pollEvents, signals } from "./calls/names.ts";
import type { CallRecord, Value } from "./calls/record.ts";
import { callRows, type Parameter, type TracedCall } from "./calls/table.ts";
import { formatEndpoint } from "./endpoint.ts";
import { readableBytes } from "./readable-bytes.ts";

const SOL_SOCKET = 1;
const SO_ERROR = 4;

/** What a call says of itself, without what it says of time, place and other calls. */
type Written = Pick<CallRecord, "call" | "args" | "took" | "returned" | "errno">;

/** "recv(7, 1024) = -1 EAGAIN (would block)"; without the result while the program is inside. */
export function notation(call: Written): string {
  const result = resultNotation(call);
  return result === "" ? callNotation(call) : `${callNotation(call)} = ${result}`;
}

/** A call that was in the kernel for longer, in microseconds, has its time beside it: a person can see that time. */
const longUs = 10_000;

/** How long a call was in the kernel, if that was long: "2.31 s", "48 ms"; else "". */
export function longTime({ took }: Pick<CallRecord, "took">): string {
  if (took === null || took <= longUs) return "";
  const ms = Math.round(took / 1000);
  if (ms < 1000) return `${ms} ms`;
  return ms < 100_000 ? `${(ms / 1000).toFixed(2)} s` : `${Math.round(ms / 1000)} s`;
}

/** "recv(7, 1024)" */
export function callNotation(call: Written): string {
  return `${call.call}(${argsNotation(call)})`;
}

/** "7, 1024" */
export function argsNotation(call: Written): string {
  const written = callRows[call.call].parameters.map((_, index) => argumentNotation(call, index));
  return written.filter(part => part !== "").join(", ");
}

/** "-1 EAGAIN (would block)", "7", "" while the program is inside. */
export function resultNotation({ took, returned, errno }: Written): string {
  if (took === null) return "";
  return errno === null ? String(returned) : `-1 ${errno} (${errnoWords(errno)})`;
}

/** One argument; "" when it is not written. @param index its place among the parameters */
export function argumentNotation({ call, args, took }: Written, index: number): string {
  const parameter = parameterOf(call, index, args);
  const value = args[index];
  if (value === null || value === undefined || parameter.is === "hidden") return "";
  if (typeof value !== "number") return valueNotation(value, took === null);
  switch (parameter.is) {
    case "name":
      return parameter.unlessZero && value === 0 ? "" : named(parameter.of, value);
    case "flags":
      return flagsNotation(parameter, value);
    case "seconds":
      return `${value} s`;
    case "option":
      return isPendingError(args) && value !== 0 ? errnoName(value) : String(value);
    case "signals":
      return signalsNotation(value);
    default:
      return String(value);
  }
}

/** The option is SO_ERROR: its value is an errno, the error of an earlier call. */
function isPendingError([, level, option]: readonly Value[]): boolean {
  return level === SOL_SOCKET && option === SO_ERROR;
}

/** The parameter that is meant, where that depends on another one's value. */
export function parameterOf(call: TracedCall, index: number, args: readonly Value[]): Parameter {
  const parameter = callRows[call].parameters[index]!;
  if (parameter.is !== "depends") return parameter;
  const value = args[parameter.on];
  return (typeof value === "number" ? parameter.cases[value] : undefined) ?? parameter.otherwise;
}

/** "[TERM, INT]": signal n is bit n - 1. */
function signalsNotation(mask: number): string {
  const numbers = Array.from({ length: 32 }, (_, i) => i + 1).filter(n => (mask >>> (n - 1)) & 1);
  return `[${numbers.map(n => named(signals, n)).join(", ")}]`;
}

function flagsNotation(parameter: Parameter & { is: "flags" }, value: number): string {
  const { of, low, unlessZero } = parameter;
  if (!low) return unlessZero && value === 0 ? "" : flags(of, value);
  const bits = (value & ~low.mask) >>> 0;
  const lowName = named(low.of, value & low.mask);
  return bits === 0 ? lowName : `${lowName}|${flags(of, bits)}`;
}

/** A value that is more than a number. @param inside the call has not returned: nothing has come yet */
function valueNotation(value: Exclude<Value, number | null>, inside: boolean): string {
  if ("bytes" in value) return bytesNotation(value);
  if ("host" in value) return `{${formatEndpoint(value.host, value.port)}}`;
  if ("family" in value) return `{${named(families, value.family)}}`;
  if ("events" in value)
    return set(
      value.events.map(([fd, came]) => `{${fd}, ${flags(epollEvents, came)}}`),
      value.more,
    );
  if ("polls" in value)
    return set(
      value.polls.map(([fd, asked, came]) => {
        const answer = inside || came === 0 ? "" : ` → ${flags(pollEvents, came)}`;
        return `{${fd}, ${flags(pollEvents, asked)}${answer}}`;
      }),
      value.more,
    );
  if ("pair" in value) return `[${value.pair.join(", ")}]`;
  if ("struct" in value) return "{…}";
  if ("microseconds" in value) return `{tv_sec=${value.seconds}, tv_usec=${value.microseconds}}`;
  if ("on" in value) return `{l_onoff=${value.on}, l_linger=${value.lingerSeconds}}`;
  return `{soft=${value.soft}, hard=${value.hard}}`;
}

/** Data as a C string; "…" inside it says that there is more. What cannot be seen is written by its number. */
export function bytesNotation({ bytes, length }: { bytes: string; length: number }): string {
  const goesOn = length > bytes.length;
  const data = Uint8Array.from(bytes, character => character.charCodeAt(0));
  return `"${readableBytes(data, goesOn)}${goesOn ? "…" : ""}"`;
}

function set(parts: readonly string[], more: boolean): string {
  return `[${parts.join(", ")}${more ? ", …" : ""}]`;
}

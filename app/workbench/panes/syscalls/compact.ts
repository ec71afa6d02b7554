// Compact form. A call as a person reads it while the program runs: descriptors with what they are, and of the arguments
// only those that tell calls apart. The tooltip has the whole call in strace's notation.
import {
  argumentNotation,
  bytesNotation,
  type CallRecord,
  callRows,
  epollEvents,
  errnoWords,
  flags,
  formatEndpoint,
  type KnownDescriptor,
  pollEvents,
  type Value,
} from "../../../../server-labs/protocol.ts";

/** Words, or what the filter can ask for: a descriptor with what it is, or a peer in full. */
export type Piece = string | { fd: number; who: KnownDescriptor | null } | { peer: string };

export interface Compact {
  /** Between the parentheses. */
  args: Piece[];
  result: Piece[];
  /** What of the result may be cut off first. */
  hint: string;
}

const cache = new WeakMap<CallRecord, Compact>();

export function compact(call: CallRecord): Compact {
  let made = cache.get(call);
  if (!made) {
    made = { args: argsOf(call), ...resultOf(call) };
    cache.set(call, made);
  }
  return made;
}

/** "127.0.0.1:51322" → ":51322": on this machine the port tells peers apart. */
export function shortEndpoint(endpoint: string): string {
  return endpoint.startsWith("127.0.0.1:") ? endpoint.slice(9) : endpoint;
}

/** A descriptor in a word: its peer, or its kind; "" where the number says as much. */
export function descriptorWord({ is, peer }: KnownDescriptor): string {
  if (peer !== undefined) return shortEndpoint(peer);
  return is === "socket" || is === "connection" ? "" : is;
}

/** A call as one line of text: what was asked, and what the kernel answered ("" while it has not). */
export function inWords(call: CallRecord): { made: string; gave: string } {
  const { args, result, hint } = compact(call);
  return { made: `${call.call}(${args.map(plain).join("")})`, gave: result.map(plain).join("") + hint };
}

function plain(piece: Piece): string {
  if (typeof piece === "string") return piece;
  if ("peer" in piece) return shortEndpoint(piece.peer);
  const word = piece.who ? descriptorWord(piece.who) : "";
  return word === "" ? String(piece.fd) : `${piece.fd} ${word}`;
}

/** Arguments that are left out: the result says the same better, or they are the same in every such call. */
const leftOut: { [call in CallRecord["call"]]?: readonly number[] } = {
  accept4: [1, 3],
  epoll_wait: [1, 2, 3],
  poll: [1],
  setsockopt: [1],
  getsockopt: [1],
};
/** The role of their first argument is their name: a listener is what accept4 is called on. */
const namesItsRole = new Set(["accept4", "epoll_wait", "epoll_ctl"]);

function argsOf(call: CallRecord): Piece[] {
  const parts = callRows[call.call].parameters.map(({ is }, i): Piece[] => {
    const value = call.args[i] ?? null;
    if (value === null || is === "bytes" || leftOut[call.call]?.includes(i)) return [];
    if (is === "fd" && i === 0 && namesItsRole.has(call.call)) return [{ fd: Number(value), who: null }];
    if (is === "fd") return [descriptor(call, Number(value))];
    if (isPolls(value))
      return set(
        value.polls.map(([fd, asked]) => [fd, flags(pollEvents, asked)]),
        value.more ? `… ${(Number(call.args[1]) - value.polls.length).toLocaleString("en")} more` : "",
        call,
      );
    if (typeof value === "object" && "host" in value) return [formatEndpoint(value.host, value.port)];
    return [short(argumentNotation(call, i))];
  });
  return commas(parts);
}

function resultOf(call: CallRecord): Omit<Compact, "args"> {
  const { call: name, returned, errno, args, peer } = call;
  const { opens, moves, sleeps } = callRows[name];
  if (call.took === null) return { result: [], hint: "" };
  if (errno !== null) return { result: [`-1 ${errno}`], hint: ` ${errnoWords(errno)}` };
  if (sleeps === "timeout") {
    if (returned === 0) return { result: ["0"], hint: " nothing ready" };
    const ready = readyOf(call);
    return {
      result: ready.length === 0 ? [`${returned} ready`] : [`${returned} ready: `, ...ready],
      hint: "",
    };
  }
  if (moves === "in" && returned === 0) return { result: ["0"], hint: " end of stream" };
  const offered = Number(args[2]);
  if (moves === "out" && returned < offered) return { result: [String(returned)], hint: ` of ${offered}` };
  if (moves) {
    const data = args[1];
    const isData = data !== null && typeof data === "object" && "bytes" in data;
    return { result: [String(returned)], hint: isData ? ` ${bytesNotation(data)}` : "" };
  }
  if (opens === "connection")
    return { result: [{ fd: returned, who: null }, ...(peer ? [" from ", { peer }] : [])], hint: "" };
  if (opens === "epoll") return { result: [{ fd: returned, who: { is: "epoll" } }], hint: "" };
  return { result: [String(returned)], hint: "" };
}

/** The descriptors that became ready, with what came when that is more than IN; of a long list only the first are known. */
function readyOf(call: CallRecord): Piece[] {
  const value = call.args.find(arg => isPolls(arg) || isEvents(arg));
  if (isPolls(value)) {
    const ready = value.polls.filter(([, , came]) => came !== 0);
    return set(
      ready.map(([fd, , came]) => [fd, flags(pollEvents, came)]),
      ready.length > 0 && ready.length < call.returned ? "…" : "",
      call,
    );
  }
  if (!isEvents(value)) return [];
  return set(
    value.events.map(([fd, came]) => [fd, flags(epollEvents, came)]),
    value.more ? "…" : "",
    call,
  );
}

const isPolls = (value: Value | undefined) => typeof value === "object" && value !== null && "polls" in value;
const isEvents = (value: Value | undefined) =>
  typeof value === "object" && value !== null && "events" in value;

const descriptor = (call: CallRecord, fd: number): Piece => ({ fd, who: call.who?.[fd] ?? null });

/** @param rest what stands for those that are not known */
function set(each: [fd: number, events: string][], rest: string, call: CallRecord): Piece[] {
  const parts = each.map(([fd, events]): Piece[] => {
    const words = short(events);
    return [descriptor(call, fd), ...(words === "IN" ? [] : [` ${words}`])];
  });
  return commas(rest === "" ? parts : [...parts, [rest]]);
}

/** The kernel's prefixes say what the call's name says already. */
function short(words: string): string {
  const inner = words.startsWith("{") ? words.slice(1, -1) : words;
  return inner
    .replace(/\|?(SOCK|EPOLL|EFD)_CLOEXEC/g, "")
    .replace(/\b(EPOLL_CTL_|EPOLL|POLL|SHUT_)(?=[A-Z])/g, "");
}

function commas(parts: Piece[][]): Piece[] {
  const given = parts.filter(part => part.length > 0 && part.join("") !== "");
  return given.flatMap((part, i) => (i === 0 ? part : [", ", ...part]));
}

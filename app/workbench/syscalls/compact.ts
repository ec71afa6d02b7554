// A call as a person reads it while it runs: descriptors with what they are, and of the arguments only what tells calls
// apart. The whole in strace's notation is the tooltip.
import type { Syscall } from "../../../server-labs/protocol.ts";

/** Words, or what can be asked for: a descriptor with what it is, or a peer told in full. */
export type Piece = string | { fd: number; who: string | null } | { peer: string };

export interface Compact {
  /** Between the parentheses. */
  args: Piece[];
  result: Piece[];
  /** What of the result may be cut off first. */
  hint: string;
}

const cache = new WeakMap<Syscall, Compact>();

export function compact(call: Syscall): Compact {
  let made = cache.get(call);
  if (!made) {
    const parts = splitArgs(call.args);
    made = { args: argsOf(call, parts), ...resultOf(call, parts) };
    cache.set(call, made);
  }
  return made;
}

/** "127.0.0.1:51322" → ":51322": on this machine the port tells peers apart. A listener or epoll is its word. */
export function shortName(who: string): string {
  return who.startsWith("127.0.0.1:") ? who.slice(9) : who;
}

export const isPeer = (who: string): boolean => who.includes(":");

/** The whole call as strace would write it. */
export function inStrace({ name, args, result }: Syscall): string {
  return `${name}(${args})${result === "" ? "" : ` = ${result}`}`;
}

/** A call as one line of text: what was asked, and what the kernel answered ("" while it has not). */
export function inWords(call: Syscall): { made: string; gave: string } {
  const { args, result, hint } = compact(call);
  return { made: `${call.name}(${args.map(plain).join("")})`, gave: result.map(plain).join("") + hint };
}

function plain(piece: Piece): string {
  if (typeof piece === "string") return piece;
  if ("peer" in piece) return shortName(piece.peer);
  return piece.who === null ? String(piece.fd) : `${piece.fd} ${shortName(piece.who)}`;
}

function argsOf(call: Syscall, parts: string[]): Piece[] {
  const fd = (part: string | undefined): Piece[] => (part === undefined ? [] : [aFd(call, part)]);
  const [first, second, third, fourth] = parts;
  switch (call.name) {
    case "accept4":
    case "epoll_wait":
      // Its role is its name: a listener is what accept4 is asked of.
      return first === undefined ? [] : [{ fd: Number(first), who: null }];
    case "recv":
    case "read":
    case "send":
    case "write": {
      const rest = parts.slice(second?.startsWith('"') ? 2 : 1);
      return commas([fd(first), ...rest.map(part => [short(part)])]);
    }
    case "epoll_ctl":
      return commas([[first ?? ""], [short(second ?? "")], fd(third), fourth ? [short(fourth)] : []]);
    case "setsockopt":
    case "getsockopt":
      return commas([fd(first), ...parts.slice(2).map(part => [short(part)])]);
    case "poll":
      return commas([
        setOf(call, (first ?? "").replace(/ → [A-Z|]+/g, "")),
        ...parts.slice(2).map(part => [part]),
      ]);
    default:
      if (call.fd === null) return [parts.map(short).join(", ")];
      return commas([fd(first), ...parts.slice(1).map(part => [short(part)])]);
  }
}

function resultOf(call: Syscall, parts: string[]): { result: Piece[]; hint: string } {
  const { name, returned, who } = call;
  if (call.took === null) return { result: [], hint: "" };
  if (call.errno !== null) {
    const words = / \((.*)\)$/.exec(call.result)?.[1] ?? "";
    return { result: [`-1 ${call.errno}`], hint: words === "" ? "" : ` ${words}` };
  }
  const plain = { result: [call.result], hint: "" };
  if (name === "accept4") {
    const peer = who?.[returned] ?? parts.find(part => part.startsWith("{"))?.slice(1, -1);
    return { result: [{ fd: returned, who: null }, ...(peer ? [" from ", { peer }] : [])], hint: "" };
  }
  if (name === "epoll_wait" || name === "poll") {
    if (returned === 0) return { result: ["0"], hint: " nobody ready" };
    const set = parts.find(part => part.startsWith("["));
    const ready = name === "poll" ? readyOf(set ?? "") : (set ?? "");
    return { result: [`${returned} ready: `, ...setOf(call, ready)], hint: "" };
  }
  if (name === "recv" || name === "read") {
    if (returned === 0) return { result: ["0"], hint: " end of stream" };
    const data = parts.find(part => part.startsWith('"'));
    return { ...plain, hint: data ? ` ${data}` : "" };
  }
  if (name === "send" || name === "write") {
    const offered = Number(parts.filter(part => /^\d+$/.test(part)).at(1));
    if (returned < offered) return { ...plain, hint: ` of ${offered}` };
    const data = parts.find(part => part.startsWith('"'));
    return { ...plain, hint: data ? ` ${data}` : "" };
  }
  if (name === "epoll_create1") return { result: [{ fd: returned, who: "epoll" }], hint: "" };
  return plain;
}

const aFd = (call: Syscall, part: string): Piece =>
  /^\d+$/.test(part) ? { fd: Number(part), who: call.who?.[Number(part)] ?? null } : part;

/** "[{3, EPOLLIN}, {7, EPOLLIN|EPOLLRDHUP}]": who, and what came of it when that is more than IN. */
function setOf(call: Syscall, set: string): Piece[] {
  const found = [...set.matchAll(/\{(\d+), ([^}]*)\}/g)];
  const each = found.map(([, fd, events]) => {
    const came = short(events ?? "");
    return [aFd(call, fd!), came === "IN" ? "" : ` ${came}`].filter(piece => piece !== "");
  });
  return commas([...each, ...(set.includes("…") ? [["…"]] : [])]);
}

/** Of poll's set those to whom something came, with that. */
function readyOf(set: string): string {
  const ready = [...set.matchAll(/\{(\d+), [A-Z|]+ → ([A-Z|]+)\}/g)];
  return ready.map(([, fd, came]) => `{${fd}, ${came}}`).join(", ");
}

/** The kernel's prefixes say what the call's name says already. */
function short(part: string): string {
  return part
    .replace(/\|?(SOCK|EPOLL|EFD)_CLOEXEC/g, "")
    .replace(/\b(EPOLL_CTL_|EPOLL|POLL|SHUT_)(?=[A-Z])/g, "")
    .replace(/^\{(.*)\}$/, "$1");
}

function commas(parts: Piece[][]): Piece[] {
  const given = parts.filter(part => part.length > 0 && part.join("") !== "");
  return given.flatMap((part, i) => (i === 0 ? part : [", ", ...part]));
}

/** Splits at the commas that are in no string, set or struct. */
function splitArgs(args: string): string[] {
  const parts: string[] = [];
  let [depth, quoted, from] = [0, false, 0];
  for (let i = 0; i < args.length; i++) {
    const character = args[i];
    if (quoted) {
      if (character === "\\") i++;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === "[" || character === "{") depth++;
    else if (character === "]" || character === "}") depth--;
    else if (character === "," && depth === 0) {
      parts.push(args.slice(from, i).trim());
      from = i + 1;
    }
  }
  const last = args.slice(from).trim();
  return last === "" ? parts : [...parts, last];
}

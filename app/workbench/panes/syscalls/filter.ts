// Call filter. Words that a reader types ("fd:7 recv EAGAIN") select calls. Words of one kind widen, kinds narrow:
// fd:7 fd:8 recv selects recv on 7 or 8. A word with - in front excludes. Calls that were only counted are not found.
import { createStore } from "zustand/vanilla";
import { type CallRecord, type CallState, callRows } from "../../../../server-labs/protocol.ts";
import { openPane } from "../../view.ts";

/** The words of the field; empty for no filter. */
export const filter = createStore<{ text: string }>(() => ({ text: "" }));

export const setFilter = (text: string): void => filter.setState({ text });

export interface Wanted {
  fd?: number;
  /** A task, by its number. */
  task?: number;
  /** A connection, by its peer: "127.0.0.1:51322". */
  connection?: string;
  /** A call's name. */
  name?: string;
  /** A state, or the name of an errno. */
  result?: CallState | (string & {});
}

/** Opens Syscalls with only these calls. */
export function filterCalls({ fd, task, connection, name, result }: Wanted): void {
  const numbered = [fd === undefined ? "" : `fd:${fd}`, task === undefined ? "" : `task:${task}`];
  const words = [...numbered, connection ?? "", name ?? "", result ?? ""];
  setFilter(words.filter(word => word !== "").join(" "));
  openPane("Syscalls");
}

/** Adds a word, or takes it away when it is there. */
export function toggleWord(text: string, word: string): string {
  const words = wordsOf(text);
  return (words.includes(word) ? words.filter(each => each !== word) : [...words, word]).join(" ");
}

export const wordsOf = (text: string): string[] => text.split(/\s+/).filter(word => word !== "");

type Kind = "fd" | "task" | "connection" | "state" | "errno" | "name";
export type Matches = (call: CallRecord) => boolean;

const states = new Set(["ready", "waiting", "failed"]);

/** @returns null when nothing is asked, and every call is shown. */
export function parseFilter(text: string): Matches | null {
  const wanted = new Map<Kind, Matches[]>();
  const unwanted: Matches[] = [];
  for (const word of wordsOf(text)) {
    const not = word.startsWith("-");
    const asked = not ? word.slice(1) : word;
    if (asked === "") continue;
    const [kind, matches] = wordMatches(asked);
    if (not) unwanted.push(matches);
    else wanted.set(kind, [...(wanted.get(kind) ?? []), matches]);
  }
  const kinds = [...wanted.values()];
  if (kinds.length === 0 && unwanted.length === 0) return null;
  return call =>
    kinds.every(words => words.some(matches => matches(call))) && !unwanted.some(matches => matches(call));
}

function wordMatches(word: string): [Kind, Matches] {
  const fd = /^fd:(\d{1,9})$/.exec(word)?.[1];
  if (fd !== undefined) return ["fd", speaksOf(Number(fd))];
  const task = /^task:(\d{1,10})$/.exec(word)?.[1];
  if (task !== undefined) return ["task", call => call.task?.id === Number(task)];
  if (/:\d{1,5}$/.test(word)) return ["connection", isWith(word)];
  if (states.has(word)) return ["state", call => call.state === word];
  if (/^E[A-Z0-9]+$/.test(word)) return ["errno", call => call.errno === word];
  return ["name", call => call.call.startsWith(word)];
}

/** It is called on this descriptor, opens it, or speaks of it. */
const speaksOf = (fd: number) => (call: CallRecord) =>
  call.fd === fd ||
  (call.who !== undefined && fd in call.who) ||
  (callRows[call.call].opens !== undefined && call.returned === fd);

/** ":51322" is enough of "127.0.0.1:51322". */
const isWith = (peer: string) => (call: CallRecord) => {
  if (call.peer?.endsWith(peer)) return true;
  for (const fd in call.who) if (call.who[Number(fd)]!.peer?.endsWith(peer)) return true;
  return false;
};

// Filter suggestions. Words for the filter's field that complete the typed word, from the newest calls.
import { errnoWords, type KnownDescriptor } from "../../../../server-labs/protocol.ts";
import type { CallList } from "../../../labs.ts";
import { wordsOf } from "./filter.ts";

export interface Suggestion {
  word: string;
  /** What it is, in a word or two. */
  what: string;
  /** The whole field with the word in it. */
  text: string;
}

/** Rows that are looked at: the newest. */
const lookedAt = 2_000;
const most = 12;

export function suggestions(calls: CallList, text: string): Suggestion[] {
  const typing = /\s$/.test(text) || text === "" ? "" : wordsOf(text).at(-1)!;
  const before = text.slice(0, text.length - typing.length);
  const minus = typing.startsWith("-") ? "-" : "";
  const begun = typing.slice(minus.length).toLowerCase();
  const taken = new Set(wordsOf(before));
  return [...known(calls)]
    .filter(([word]) => word.toLowerCase().includes(begun) && !taken.has(minus + word) && word !== begun)
    .sort(([a], [b]) => Number(b.toLowerCase().startsWith(begun)) - Number(a.toLowerCase().startsWith(begun)))
    .slice(0, most)
    .map(([word, what]) => ({ word: minus + word, what, text: `${before}${minus}${word} ` }));
}

/** Word → what it is: names, then descriptors with their peers, then errors. */
function known(calls: CallList): Map<string, string> {
  const names = new Map<string, string>();
  const fds = new Map<number, KnownDescriptor | null>();
  const errors = new Map<string, string>();
  for (let i = calls.length - 1; i >= Math.max(0, calls.length - lookedAt); i--) {
    const row = calls.row(i);
    if (row?.type !== "call") continue;
    const { call } = row;
    names.set(call.call, "call");
    if (call.errno) errors.set(call.errno, errnoWords(call.errno));
    // The newest is what the number stands for now.
    for (const fd in call.who) if (!fds.has(Number(fd))) fds.set(Number(fd), call.who[Number(fd)]!);
    if (call.fd !== null && !fds.has(call.fd)) fds.set(call.fd, null);
  }
  const all = new Map([...names].sort(([a], [b]) => a.localeCompare(b)));
  for (const [fd, who] of [...fds].sort(([a], [b]) => a - b)) {
    all.set(`fd:${fd}`, who?.peer ?? who?.is ?? "");
    if (who?.peer) all.set(who.peer, "connection");
  }
  for (const [errno, words] of errors) all.set(errno, words);
  return all;
}

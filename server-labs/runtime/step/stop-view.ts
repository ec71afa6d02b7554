// Stop view. Text for a program that is stepped through in a shell: the call, its line, and which descriptors are ready.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { findSourceMap } from "node:module";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";
import { callNotation, notation } from "../../protocol/notation.ts";
import { decodeCall } from "../../trace/decode.ts";
import { layout, recordOffset } from "../../trace/layout.ts";
import { siteFinder } from "../sys/call-site.ts";
import { POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT, POLLRDHUP } from "../sys/constants.ts";
import { native, pollFdBytes } from "../sys/libc.ts";
import type { BoundaryStop } from "../sys/pace.ts";
import { inWordsOf } from "./step-commands.ts";

const words: [number, string][] = [
  [POLLIN, "readable"],
  [POLLOUT, "writable"],
  [POLLRDHUP, "the peer has closed its sending half"],
  [POLLHUP, "closed both ways"],
  [POLLERR, "an error waits"],
  [POLLNVAL, "not open"],
];

export class StopView {
  readonly name: string;
  /** Finds the line of the program that makes a call. */
  readonly line: () => number;
  readonly #memory: Buffer;
  readonly #source: string[];
  /** The descriptors of Node itself, which are not shown. */
  readonly #before = new Set(descriptors().map(({ fd, what }) => `${fd} ${what}`));

  /** @param file the program, as it was started */
  constructor(memory: ArrayBuffer, file: string) {
    this.name = basename(file);
    this.#memory = Buffer.from(memory);
    this.#source = lines(file);
    const site = siteFinder([file]);
    this.line = () => {
      const found = site();
      if (found === null) return 0;
      // tsx puts a program on few lines, and keeps a map of where they were.
      const entry = (findSourceMap(file) ?? findSourceMap(pathToFileURL(file).href))?.findEntry(
        found.line - 1,
        found.column - 1,
      );
      return entry && "originalLine" in entry ? entry.originalLine + 1 : found.line;
    };
  }

  /** "before  recv(7, 1024)", and the line below it. */
  show(
    { where, n, because, breakpoint }: BoundaryStop,
    breakpoints: Parameters<typeof inWordsOf>[0][],
  ): string {
    const start = recordOffset(n);
    const call = decodeCall(this.#memory.subarray(start, start + layout.recordBytes), n, 0);
    const hit = because === "breakpoint" ? breakpoints[breakpoint ?? -1] : undefined;
    const source = call.line === null ? undefined : this.#source[call.line - 1]?.trim();
    return [
      ...(hit ? [`breakpoint on ${inWordsOf(hit)}`] : []),
      `${where.padEnd(6)} ${where === "after" ? notation(call) : callNotation(call)}`,
      ...(source === undefined ? [] : [`       ${this.name}:${call.line}  ${source}`]),
    ].join("\n");
  }

  /** The state of each of the program's descriptors, from poll(2), without waiting. */
  ready(): string {
    const own = descriptors().filter(({ fd, what }) => !this.#before.has(`${fd} ${what}`));
    if (own.length === 0) return "The program has no socket and no epoll open.";
    const list = new Uint8Array(own.length * pollFdBytes);
    const view = new DataView(list.buffer);
    for (const [i, { fd }] of own.entries()) {
      view.setInt32(i * pollFdBytes, fd, true);
      view.setInt16(i * pollFdBytes + 4, POLLIN | POLLOUT | POLLRDHUP, true);
    }
    native.poll(list, own.length, 0);
    return own
      .map(
        ({ fd, what }, i) =>
          `fd ${fd}  ${nounOf(what)}: ${inWords(view.getUint16(i * pollFdBytes + 6, true), what)}`,
      )
      .join("\n");
  }
}

function inWords(revents: number, what: string): string {
  const names = words.filter(([bit]) => (revents & bit) !== 0).map(([, word]) => word);
  if (what.includes("eventpoll"))
    return revents === 0 ? "nothing on its list is ready" : "something on its list is ready";
  return names.join(", ") || "not ready";
}

const anonymous = /^anon_inode:\[(eventpoll|eventfd|signalfd)\]$/;

function nounOf(what: string): string {
  return anonymous.exec(what)?.[1]?.replace("eventpoll", "epoll") ?? what.slice(0, what.indexOf(":"));
}

/** Sockets, epolls, event counters and signal descriptors that this process has open. */
function descriptors(): { fd: number; what: string }[] {
  return readdirSync("/proc/self/fd").flatMap(name => {
    try {
      const what = readlinkSync(`/proc/self/fd/${name}`);
      return /^socket:/.test(what) || anonymous.test(what) ? [{ fd: Number(name), what }] : [];
    } catch {
      return []; // the one that reads the folder
    }
  });
}

function lines(file: string): string[] {
  try {
    return readFileSync(file, "utf8").split("\n");
  } catch {
    return [];
  }
}

// How a program goes through its calls, in words.
import { breakpointSentence } from "./breakpoints.ts";
import type { Breakpoint, Pace, Stop, Syscall } from "./protocol.ts";

export interface Instead {
  /** The newest call, and how many there have been, in all and since the last look. */
  newest: Syscall | null;
  calls: number;
  made: number;
  /** It has made calls, and has not heard at any of them that it is to stop. */
  deaf: boolean;
  /** Its main thread runs; asked only when it makes no call. */
  busy(): boolean;
}

/** What a program does that is to stop and has not yet: "will pause when epoll_wait(4) returns: it is asleep there". */
export function insteadSentence({ newest, calls, made, deaf, busy }: Instead): string {
  if (newest && newest.took === null)
    return `will pause when ${newest.name}(${newest.fd ?? newest.args}) returns: it is asleep there`;
  if (deaf) return "goes on and does not stop: it has closed the control socket on which it is asked to";
  if (made > 0) return "will pause at its next call";
  const since = calls === 0 ? "it has made none yet" : "it has made none since";
  const why = busy() ? "it is busy with its own code" : "Node sleeps, in its own event loop";
  return `will pause at its next call; ${since}: ${why}`;
}

/** "runs at full speed, to a breakpoint: recv of fd 7" */
export function speedSentence(mode: Pace["mode"], delayMs: number, breakpoints: Breakpoint[]): string {
  const slow = `goes in slow motion: waits ${delayMs} ms before each call`;
  const speed = mode === "slow" ? slow : "runs at full speed";
  const words = breakpoints.map(breakpointSentence).join("; ");
  return words === "" ? speed : `${speed}, to a breakpoint: ${words}`;
}

/** "paused after recv(7, 1024) = -1 EAGAIN (would block)" */
export function stopSentence({ where, n }: Stop, call: Syscall | null, hit: Breakpoint | undefined): string {
  const result = call && where === "after" ? ` = ${call.result}` : "";
  const words = call ? `${call.name}(${call.args})${result}` : `call ${n}`;
  return `paused ${where} ${words}${hit ? `, at the breakpoint on ${breakpointSentence(hit)}` : ""}`;
}

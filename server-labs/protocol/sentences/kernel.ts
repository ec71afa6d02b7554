// Kernel sentences. English: the state of a program's sockets, as the room kernel/ reports it.
import type { PausedStatement } from "./pace.ts";
import type { StatementOf } from "./statement.ts";

/** A call that has not returned, with its first arguments. */
export interface OpenCall {
  name: string;
  args: readonly number[];
}

function inside({ name, args: [a = 0, b = 0] }: OpenCall): string {
  if (name === "nanosleep") return `nanosleep(${a + b / 1e9} s)`;
  return name === "poll" ? "poll" : `${name}(${a})`;
}

/** What a program is doing. */
const doing = {
  "not-known": () => "not known",
  "running-now": () => "running",
  "running-inside": ({ call }: { call: OpenCall }) => `running, inside ${inside(call)}`,
  "asleep-in": ({ call }: { call: OpenCall }) => `asleep in ${inside(call)}`,
  "asleep-between-calls": () => "asleep for a moment, between calls",
  "asleep-untraced": () => "asleep, in no call that is traced",
  "waiting-for-disk": () => "waiting for a disk",
  "stopped-by-signal": ({ call }: { call: OpenCall | null }) =>
    `stopped by a signal${call ? `, inside ${inside(call)}` : ""}`,
  "process-ended": () => "ended",
};

/** Why there are fewer samples than were asked for. */
const thin = {
  "samples-are-dear": (cost: { sockets: number; takesMs: number; everyMs: number }) => {
    const sockets = new Intl.NumberFormat("en").format(cost.sockets);
    const every = cost.everyMs < 1000 ? `${cost.everyMs} ms` : `${(cost.everyMs / 1000).toFixed(1)} s`;
    return `${sockets} sockets on this machine: one look takes ${cost.takesMs} ms, so there is one each ${every}.`;
  },
};

/** Why closing did not unregister: epoll(7), question 6. */
const closed = {
  /** @param keptBy another descriptor of the same program; null when it has none */
  "registered-though-closed": ({ keptBy }: { keptBy: number | null }) =>
    `registered; its descriptor was closed, but another descriptor, ${
      keptBy === null ? "perhaps in a child process" : `fd ${keptBy}`
    }, keeps the socket open`,
};

/** What the lab server cannot see. */
const problems = {
  /** @param error an errno's name, or what the system says */
  "proc-unreadable": ({ pid, error }: { pid: number; error: string }) =>
    `The lab server may not read /proc/${pid} (${error}): what the kernel knows of this program cannot be shown. The program goes on without it.`,
};

export const en = { ...doing, ...thin, ...closed, ...problems };

export type DoingStatement = StatementOf<typeof doing> | PausedStatement;
export type ThinStatement = StatementOf<typeof thin>;
export type ClosedStatement = StatementOf<typeof closed>;
export type KernelProblem = StatementOf<typeof problems>;

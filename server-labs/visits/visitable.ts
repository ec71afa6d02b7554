// Visitable place. Where clients can connect to a run: a port of loopback on which a process of the run listens.
// The trace is a claim of the program, /proc is not: only /proc decides.

import { holderOf, listensItself } from "../kernel.ts";
import { Refusal } from "../lib/refusal.ts";

/** The facts of a run that decide where clients can connect. */
interface Visited {
  readonly log: { readonly ended: boolean };
  readonly port: number;
  program(): number | null;
  contains(pid: number): boolean;
}

export interface VisitTarget {
  host: "127.0.0.1" | "::1";
  port: number;
}

/**
 * The place, the run's own port first.
 * @param listening what the trace says of the listeners
 * @throws Refusal that says why no client can connect
 */
export async function visitable(
  run: Visited,
  listening: readonly { host: string; port: number }[],
): Promise<VisitTarget> {
  if (run.log.ended) throw new Refusal({ code: "run-has-ended" });
  // Its own port first: a program may listen elsewhere, too.
  const all = [...listening].sort((a, b) => Number(b.port === run.port) - Number(a.port === run.port));
  if (all.length === 0) throw new Refusal({ code: "not-listening-yet" });
  const near = all.flatMap(({ host: listens, port }): (VisitTarget & { listens: string })[] => {
    if (listens === "::" || listens === "::1") return [{ host: "::1", port, listens }];
    return listens === "0.0.0.0" || listens === "127.0.0.1" ? [{ host: "127.0.0.1", port, listens }] : [];
  });
  if (near.length === 0) throw new Refusal({ code: "listens-out-of-reach", host: all[0]!.host });
  const pid = run.program();
  for (const place of near) {
    if (pid !== null && (await listensItself(pid, place.port, place.listens))) return place;
    const holder = await holderOf(place.port, place.host);
    // A holder that cannot be seen (pid 0) may well be ours, in a sandbox of another user.
    if (holder && (holder.pid === 0 || run.contains(holder.pid))) return place;
  }
  throw new Refusal({ code: "listens-no-more", port: near[0]!.port });
}

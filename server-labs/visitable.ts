// Whether clients can come to a run, and where: to a port on which one of its own processes really listens, on this
// machine's loopback. What a trace says is a claim of the program; what /proc says is not.
import { Refusal } from "./answers.ts";
import { holderOf, listensItself } from "./ports.ts";
import type { Run } from "./run.ts";

export interface Place {
  host: "127.0.0.1" | "::1";
  port: number;
}

/** @throws Refusal 409 that says why nobody can come */
export async function visitable(
  run: Run,
  listening: readonly { host: string; port: number }[],
): Promise<Place> {
  if (run.log.ended) throw new Refusal(409, "This run has ended: press Run, then send clients.");
  // Its own port first: a program may listen elsewhere, too.
  const all = [...listening].sort((a, b) => Number(b.port === run.port) - Number(a.port === run.port));
  if (all.length === 0)
    throw new Refusal(409, "The program does not listen yet: nobody can connect before it calls listen().");
  const near = all.flatMap(({ host: listens, port }): (Place & { listens: string })[] => {
    if (listens === "::" || listens === "::1") return [{ host: "::1", port, listens }];
    return listens === "0.0.0.0" || listens === "127.0.0.1" ? [{ host: "127.0.0.1", port, listens }] : [];
  });
  if (near.length === 0)
    throw new Refusal(
      409,
      `The program listens on ${all[0]!.host} only; clients of the workbook come to 127.0.0.1 or ::1.`,
    );
  const pid = run.program();
  for (const place of near) {
    if (pid !== null && (await listensItself(pid, place.port, place.listens))) return place;
    const holder = await holderOf(place.port, place.host);
    // Whose process cannot be seen (pid 0) may well be ours, in a sandbox of another user.
    if (holder && (holder.pid === 0 || run.contains(holder.pid))) return place;
  }
  throw new Refusal(409, `Nothing of this run listens on ${near[0]!.port} any more: nobody can connect.`);
}

// Lab words. A lab's state in words, for its card in the prose and for the contents.
import { useStore } from "zustand";
import { sentence } from "../../server-labs/protocol.ts";
import type { LabMeta } from "../book.ts";
import { labs } from "../labs.ts";
import { progress } from "../progress.ts";

export interface LabWords {
  /** "1 of 3 checks pass" */
  said: string;
  colour: "" | "ready" | "waiting" | "failed";
  /** The state of a program that runs: "listening on 7890"; else null. */
  running: string | null;
}

/** @param lab its id @param meta its title and checks, from the book */
export function useLabWords(lab: string, meta: LabMeta): LabWords {
  const kept = useStore(progress, ({ checks }) => checks[lab]);
  const view = useStore(labs.store, ({ labs }) => labs[lab]);
  const running = view?.program?.live ? sentence(view.program.statement) : null;
  if (view?.check?.live) return { said: "being checked", colour: "waiting", running };
  const known = meta.checks.filter(({ id }) => kept?.[id]);
  const passed = known.filter(({ id }) => kept?.[id]?.state === "passed").length;
  const all = meta.checks.length;
  if (known.length === 0) return { said: "not checked yet", colour: "", running };
  const said = passed === all ? `all ${all} checks pass` : `${passed} of ${all} checks pass`;
  return { said, colour: passed === all ? "ready" : "waiting", running };
}

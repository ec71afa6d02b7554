// How a lab stands, in words: for its card in the prose and for the contents.
import { useStore } from "zustand";
import type { LabMeta } from "../book.ts";
import { labs } from "../labs.ts";
import { progress } from "../progress.ts";

export interface LabWords {
  /** "1 of 3 checks pass" */
  said: string;
  colour: "" | "ready" | "waiting" | "failed";
  /** Of the program, while it lives: "listening on 7890". */
  running: string | null;
}

/** @param lab its id; @param meta what the book says of it */
export function useLabWords(lab: string, meta: LabMeta): LabWords {
  const states = useStore(progress, ({ checks }) => checks[lab]);
  const view = useStore(labs.store, ({ labs }) => labs[lab]);
  const running = view?.program?.live ? view.program.sentence : null;
  if (view?.check?.live) return { said: "being checked", colour: "waiting", running };
  const known = meta.checks.filter(({ id }) => states?.[id]);
  const passed = known.filter(({ id }) => states?.[id] === "passed").length;
  const all = meta.checks.length;
  if (known.length === 0) return { said: "not checked yet", colour: "", running };
  const said = passed === all ? `all ${all} checks pass` : `${passed} of ${all} checks pass`;
  return { said, colour: passed === all ? "ready" : "waiting", running };
}

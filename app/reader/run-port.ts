// Port of the run. The commands, addresses and numbers of a lesson name the lab's port; while the program has another one,
// they name that.
import type { Root } from "hast";
import { useMemo } from "react";
import { useStore } from "zustand";
import type { LessonMeta } from "../book.ts";
import { labs } from "../labs.ts";
import { useLesson } from "./here.ts";
import { withRunPort } from "./port-in-text.ts";

/** The port of the lesson's newest run; the lab's before there is one, and after one that did not start. */
export function useRunPort(lesson: LessonMeta | null): number | null {
  const port = useStore(labs.store, ({ labs }) => {
    const program = labs[lesson?.id ?? ""]?.program;
    return program && !program.refused ? program.port : null;
  });
  return port ?? lesson?.lab?.port ?? null;
}

/** A text of the lesson around, with the port of the run. */
export function useTreeOfRun(tree: Root): Root {
  const lesson = useLesson();
  const labPort = lesson?.lab?.port ?? null;
  const port = useRunPort(lesson);
  return useMemo(
    () => (labPort === null || port === null || port === labPort ? tree : withRunPort(tree, labPort, port)),
    [tree, labPort, port],
  );
}

// Files. The files of a lab's folder in the page: which there are, which one is open, and a draft of each, so that what
// one file imports from another is typed, and a run finds all of them saved.
import { useCallback, useEffect, useMemo, useState } from "react";
import { useStore } from "zustand";
import { closeDraft, type Draft, openDraft } from "../drafts.ts";
import { labs, noLab } from "../labs.ts";
import type { WorkbenchLab } from "./lab.ts";

export interface LabFiles {
  /** The file that runs, then the others by name. */
  names: readonly string[];
  open: string;
  show(file: string): void;
  /** A draft of each file but the one that runs; of the first moment none. */
  drafts: ReadonlyMap<string, Draft>;
  /** Makes a file and opens it. @returns why not, or null */
  create(file: string, text?: string): Promise<string | null>;
  /** Gives a file that the student made another name, and opens it. @returns why not, or null */
  rename(file: string, to: string): Promise<string | null>;
  /** Removes a file that the student made. @returns its text, or why not */
  remove(file: string): Promise<{ text: string } | { problem: string }>;
  /** Says that the lab's folder has more files than these; else null. */
  crowded: string | null;
}

interface Listed {
  id: string;
  names: string[];
  crowded: string | null;
  before: Record<string, string>;
}

const none: Readonly<Record<string, string>> = {};

/** The lab server lists them when the page meets it, and then announces each that comes or goes. */
function useNames({ id, file }: WorkbenchLab): Pick<LabFiles, "names" | "crowded"> {
  const ready = useStore(labs.store, state => state.connection === "ready");
  const announced = useStore(labs.store, state => (state.labs[id] ?? noLab).files);
  const [listed, setListed] = useState<Listed>();
  useEffect(() => {
    if (!ready) return;
    let gone = false;
    const before = labs.now(id).files;
    void labs.api.files(id).then(answer => {
      if (!gone && !("problem" in answer)) setListed({ id, ...answer, before });
    });
    return () => {
      gone = true;
    };
  }, [id, ready]);
  const { names, crowded, before } = listed?.id === id ? listed : { names: [], crowded: null, before: none };
  const present = new Set(names);
  for (const [name, etag] of Object.entries(announced)) {
    if (before[name] === etag) continue; // known before the list was made
    if (etag === '""') present.delete(name);
    else present.add(name);
  }
  present.delete(file);
  const key = [file, ...[...present].sort()].join("/");
  return { names: useMemo(() => key.split("/"), [key]), crowded };
}

/** The files of a lab, followed for as long as the caller is on the page. */
export function useFiles(lab: WorkbenchLab): LabFiles {
  const { id, file: main } = lab;
  const { names, crowded } = useNames(lab);
  const drafts = useDrafts(id, names);
  const [chosen, setChosen] = useState({ id, file: main });
  const open = chosen.id === id && names.includes(chosen.file) ? chosen.file : main;
  const show = useCallback((file: string) => setChosen({ id, file }), [id]);
  const create = useCallback(
    async (file: string, text = "") => {
      const answer = await labs.api.save(id, file, text, '""');
      if ("problem" in answer) return answer.problem;
      setChosen({ id, file });
      return "conflict" in answer && answer.conflict.text !== text
        ? `There is a file ${file} already.`
        : null;
    },
    [id],
  );
  const remove = useCallback(
    async (file: string) => {
      const draft = drafts.get(file);
      await draft?.save();
      const answer = await labs.api.remove(id, file);
      return "problem" in answer ? answer : { text: draft?.state.text ?? "" };
    },
    [id, drafts],
  );
  const rename = useCallback(
    async (file: string, to: string) => {
      await drafts.get(file)?.save();
      const answer = await labs.api.rename(id, file, to);
      if ("problem" in answer) return answer.problem;
      setChosen({ id, file: to });
      return null;
    },
    [id, drafts],
  );
  return useMemo(
    () => ({ names, open, show, drafts, create, rename, remove, crowded }),
    [names, open, show, drafts, create, rename, remove, crowded],
  );
}

const noDrafts: ReadonlyMap<string, Draft> = new Map();

function useDrafts(id: string, names: readonly string[]): ReadonlyMap<string, Draft> {
  const [drafts, setDrafts] = useState(noDrafts);
  useEffect(() => {
    const others = names.slice(1);
    setDrafts(new Map(others.map(file => [file, openDraft(id, file)])));
    return () => {
      setDrafts(noDrafts);
      for (const file of others) closeDraft(id, file);
    };
  }, [id, names]);
  return drafts;
}

/** The texts of files that are not open; a new list when one of them has changed. */
export function useTexts(drafts: ReadonlyMap<string, Draft>): readonly { file: string; text: string }[] {
  const [texts, setTexts] = useState<readonly { file: string; text: string }[]>([]);
  useEffect(() => {
    const look = () =>
      setTexts(
        [...drafts].flatMap(([file, { state }]) => (state.loaded ? [{ file, text: state.text }] : [])),
      );
    look();
    const ends = [...drafts.values()].map(({ store }) =>
      store.subscribe((now, before) => {
        if (now.text !== before.text || now.loaded !== before.loaded) look();
      }),
    );
    return () => {
      for (const end of ends) end();
    };
  }, [drafts]);
  return texts;
}

// Lab. What the workbench is given of a lab, and what it does with it: run, stop, check.
// Every action sends the text in the editor: what runs is what the student reads, saved or not.

import type { Root } from "hast";
import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { useStore } from "zustand";
import type { LabId, RunBody } from "../../server-labs/protocol.ts";
import { closeDraft, type Draft, type DraftView, emptyView, openDraft } from "../drafts.ts";
import { type CheckResults, checkResults, type LabView, labs, noLab, type RunView } from "../labs.ts";
import { progress } from "../progress.ts";
import { textEtag } from "./etag.ts";
import { openPane, panesInView, scrollToPanes, view } from "./view.ts";

/** What a lesson says of its lab. */
export interface WorkbenchLab {
  id: LabId;
  title: string;
  port: number;
  /** It is an HTTP server; else it reads lines. */
  http: boolean;
  /** "server.ts" */
  file: string;
  /** The text that a student starts from. */
  starter: string;
  /** The files that the lab begins with; `file` is the first. */
  files: string[];
  checks: { id: string; title: string }[];
  /** For each check id its ladder, the gentlest hint first. */
  hints: Record<string, Root[]>;
}

/** How the lab stands, followed for as long as the caller is on the page. */
export function useLab(lab: LabId): LabView {
  useEffect(() => labs.watch(lab), [lab]);
  return useStore(labs.store, state => state.labs[lab] ?? noLab);
}

/** The student's text, opened for as long as the caller is on the page; null for the first moment. */
export function useDraft({ id, file, starter }: WorkbenchLab): Draft | null {
  const [draft, setDraft] = useState<Draft | null>(null);
  useEffect(() => {
    setDraft(openDraft(id, file, starter));
    return () => {
      setDraft(null);
      closeDraft(id, file);
    };
  }, [id, file, starter]);
  return draft;
}

const noDraft = { getState: () => emptyView, getInitialState: () => emptyView, subscribe: () => () => {} };

/** A slice of the draft's state, so that typing re-renders only who shows the text. */
export function useDraftState<T>(draft: Draft | null, select: (state: DraftView) => T): T {
  return useStore((draft?.store ?? noDraft) as Draft["store"], select);
}

/**
 * Whether the text on screen is not the text that runs: that of the program, or of a module that it imports.
 * @param others the drafts of the lab's other files, by name
 */
export function useEditedSinceRun(
  draft: Draft | null,
  others: ReadonlyMap<string, Draft>,
  program: RunView | null,
): boolean {
  const text = useDraftState(draft, state => state.text);
  const loaded = useDraftState(draft, state => state.loaded);
  const etag = program?.live && loaded ? program.etag : null;
  const main = useMemo(() => etag !== null && textEtag(text) !== etag, [text, etag]);
  const follow = useCallback(
    (change: () => void) => {
      const ends = [...others.values()].map(other => other.store.subscribe(change));
      return () => {
        for (const end of ends) end();
      };
    },
    [others],
  );
  const isModuleEdited = () =>
    Object.entries(program?.live ? program.modules : {}).some(([file, etag]) => {
      const state = others.get(file)?.state;
      return state?.loaded && textEtag(state.text) !== etag;
    });
  return useSyncExternalStore(follow, isModuleEdited, isModuleEdited) || main;
}

/**
 * What is known of each check of the lab, beside the texts of this moment.
 * @param modules the lab's other files
 */
export function useCheckResults(
  lab: WorkbenchLab,
  run: RunView | null,
  text: string,
  modules: readonly { file: string; text: string }[],
): CheckResults {
  const last = useStore(labs.store, state => (state.labs[lab.id] ?? noLab).results);
  const kept = useStore(progress, ({ checks }) => checks[lab.id]);
  return useMemo(() => {
    const ids = lab.checks.map(({ id }) => id);
    return checkResults(ids, { run, last, kept: kept ?? {} }, file => {
      const shown = file === undefined ? text : modules.find(one => one.file === file)?.text;
      return shown === undefined ? undefined : textEtag(shown);
    });
  }, [lab.checks, run, last, kept, text, modules]);
}

export interface Actions {
  /** Runs the text; a run of this lab that lives is ended first. */
  run(body?: RunBody): void;
  stop(): void;
  /** @param only ids of the checks to make; all when left out */
  check(only?: string[]): void;
  stopCheck(): void;
}

/** The four things that buttons and keys do. They read the state of the moment and so never change. */
export function useActions(lab: LabId, draft: Draft | null, others: ReadonlyMap<string, Draft>): Actions {
  return useMemo(() => {
    const now = () => labs.now(lab);
    /** What the program imports is read from the disk: a run waits for the files that are being edited, and for no other. */
    const whenSaved = (start: () => void) => {
      const edited = [...others.values()].filter(({ state }) => state.loaded && state.status !== "saved");
      if (edited.length === 0) start();
      else void Promise.all(edited.map(other => other.save())).then(start);
    };
    const text = () => {
      if (!draft?.state.loaded) return {};
      void draft.save();
      return { text: draft.state.text };
    };
    return {
      run(body = {}) {
        const { program } = now();
        const instead = program?.live ? { instead: program.run } : {};
        // The breakpoints stay where they are from run to run.
        const breakpoints = program?.pace?.breakpoints ?? [];
        const pace = breakpoints.length > 0 || body.pace ? { pace: { breakpoints, ...body.pace } } : {};
        whenSaved(() => labs.run(lab, { ...text(), ...instead, ...body, ...pace }));
        if (panesInView(view.getState()).first === "Checks") openPane("Output");
        scrollToPanes();
      },
      stop() {
        const { program } = now();
        if (program?.live) labs.stop(program.run);
      },
      check(only) {
        whenSaved(() => labs.check(lab, { ...text(), ...(only ? { only } : {}) }));
        openPane("Checks");
        scrollToPanes();
      },
      stopCheck() {
        const { check } = now();
        if (check?.live) labs.stop(check.run);
      },
    };
  }, [lab, draft, others]);
}

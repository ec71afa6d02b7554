// The lab that the workbench is given, and what can be done with it: run, stop, check. Every action sends the text
// that is seen, so that what runs is what is read, saved or not.

import type { Root } from "hast";
import { useEffect, useMemo, useState } from "react";
import { useStore } from "zustand";
import type { LabId, RunBody } from "../../server-labs/protocol.ts";
import { closeDraft, type Draft, type DraftState, noText, openDraft } from "../drafts.ts";
import { type LabView, labs, noLab } from "../labs.ts";
import { view } from "./view.ts";

/** What a lesson says of its lab. */
export interface WorkbenchLab {
  id: LabId;
  title: string;
  port: number;
  /** "server.ts" */
  file: string;
  /** The text that a student starts from. */
  starter: string;
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

const noDraft = { getState: () => noText, getInitialState: () => noText, subscribe: () => () => {} };

/** A slice of the draft's state, so that typing re-renders only who shows the text. */
export function useDraftState<T>(draft: Draft | null, select: (state: DraftState) => T): T {
  return useStore((draft?.store ?? noDraft) as Draft["store"], select);
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
export function useActions(lab: LabId, draft: Draft | null): Actions {
  return useMemo(() => {
    const now = () => labs.now(lab);
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
        labs.run(lab, { ...text(), ...instead, ...body, ...pace });
        if (view.getState().pane === "Checks") view.setState({ pane: "Output" });
      },
      stop() {
        const { program } = now();
        if (program?.live) labs.stop(program.run);
      },
      check(only) {
        labs.check(lab, { ...text(), ...(only ? { only } : {}) });
        view.setState({ pane: "Checks" });
      },
      stopCheck() {
        const { check } = now();
        if (check?.live) labs.stop(check.run);
      },
    };
  }, [lab, draft]);
}

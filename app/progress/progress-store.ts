// Progress store. What a reader has done, kept in this browser and the same in all its tabs.
// Each change is made to what is stored at that moment: a tab that wrote its whole memory erased the others' answers.
import { createStore, type StoreApi } from "zustand/vanilla";
import type { LabId, Scores } from "../../server-labs/protocol.ts";
import type { KeptResult } from "../labs.ts";
import type { TextStorage } from "../storage.ts";

/** The last scoreboard of a lab. */
export interface KeptScores extends Scores {
  /** When it was begun, in milliseconds of Unix time. */
  began: number;
}

export interface Progress {
  /** The lesson that was open last. */
  last: string | null;
  /** Lab → check id → its last result. */
  checks: Record<LabId, Record<string, KeptResult>>;
  scores: Record<LabId, KeptScores>;
  /** "<lesson>/<name>" of a predict or quiz → the index of the option chosen, or the words written. */
  answers: Record<string, number | string>;
}

export const progressKey = "workbook.progress";
const version = 2;

/** From each older version to the next. Version 1 kept a check's state without the text's ETag. */
const migrations: Record<number, (state: unknown) => unknown> = {
  1: state => {
    const { checks, ...others } = recordOf(state);
    const withEtag = (results: unknown) =>
      mapValues(recordOf(results), result => ({ state: result, etag: null }));
    return { ...others, checks: mapValues(recordOf(checks), withEtag) };
  },
};

export interface ProgressStore {
  store: StoreApi<Progress>;
  /** Changes what is stored, as it is now. */
  update(change: (stored: Progress) => Progress): void;
  /** Another tab has changed what is stored. */
  refresh(): void;
}

/** Opens the progress that a storage has. */
export function openProgress(storage: TextStorage): ProgressStore {
  const store = createStore<Progress>(() => parse(storage.get(progressKey)) ?? empty());
  /** Null: a newer page of another tab wrote it, which this page cannot read and must not overwrite. */
  const stored = () => parse(storage.get(progressKey));
  return {
    store,
    update(change) {
      const now = stored();
      const state = change(now ?? store.getState());
      if (now) storage.set(progressKey, JSON.stringify({ state, version }));
      store.setState(state, true);
    },
    refresh() {
      const now = stored();
      if (now) store.setState(now, true);
    },
  };
}

const empty = (): Progress => ({ last: null, checks: {}, scores: {}, answers: {} });

/** @returns the progress in a stored text; what is missing or damaged is empty; null if a newer page wrote it */
function parse(text: string | null): Progress | null {
  const record = recordOf(json(text));
  let from = typeof record.version === "number" ? record.version : 1;
  if (from > version) return null;
  let { state } = record;
  for (; from < version; from++) state = migrations[from]?.(state);
  const { last, checks, scores, answers } = recordOf(state);
  return {
    last: typeof last === "string" ? last : null,
    checks: recordOf(checks) as Progress["checks"],
    scores: recordOf(scores) as Progress["scores"],
    answers: recordOf(answers) as Progress["answers"],
  };
}

function json(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return null;
  }
}

const recordOf = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};

const mapValues = <T>(record: Record<string, unknown>, change: (value: unknown) => T): Record<string, T> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));

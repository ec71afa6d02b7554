// The student's text before it is in the workspace: kept in IndexedDB with every pause of the hand, saved when there
// is a lab server, the same in every tab of this browser.
import { get, createStore as openIdb, set } from "idb-keyval";
import { Draft } from "./drafts/draft.ts";
import type { Kept, Surroundings, Word } from "./drafts/kept.ts";
import { labs } from "./labs.ts";

export type { Draft } from "./drafts/draft.ts";
export { type DraftState, noText } from "./drafts/standing.ts";

const idb = openIdb("socket-workbook", "drafts");
const channel = "BroadcastChannel" in window ? new BroadcastChannel("workbook.drafts") : null;
const open = new Map<string, { draft: Draft; users: number }>();

const around: Surroundings = {
  read: (lab, file) => labs.files.read(lab, file),
  save: (lab, file, text, etag) => labs.files.save(lab, file, text, etag),
  keep: {
    get: key => get<Kept>(key, idb).catch(() => undefined),
    set: (key, kept) => set(key, kept, idb).catch(() => {}),
  },
  tell: word => channel?.postMessage(word),
};

/**
 * Opens the student's text of a lab's file; everybody who opens it closes it again.
 * @param starter the lab's first text, for a browser that has never seen the lab server.
 */
export function openDraft(lab: string, file: string, starter: string | null = null): Draft {
  const key = `${lab}/${file}`;
  const known = open.get(key);
  if (known) {
    known.users++;
    return known.draft;
  }
  const draft = new Draft(lab, file, around);
  open.set(key, { draft, users: 1 });
  void draft.load(starter);
  return draft;
}

export function closeDraft(lab: string, file: string): void {
  const key = `${lab}/${file}`;
  const known = open.get(key);
  if (!known || --known.users > 0) return;
  known.draft.close();
  open.delete(key);
}

/** Puts the starter back into the workspace; the student's text is set aside. @returns why not, or null. */
export async function resetDraft(lab: string, file: string): Promise<string | null> {
  const answer = await labs.files.reset(lab, file);
  if ("problem" in answer) return answer.problem;
  await open.get(`${lab}/${file}`)?.draft.afterReset(answer);
  return null;
}

channel?.addEventListener("message", event => {
  const word = (event as MessageEvent<Word>).data;
  open.get(word.key)?.draft.mirror(word);
});

// The last chance to write before a tab is hidden, frozen or closed; `beforeunload` comes too late on phones.
function keepAll(): void {
  for (const { draft } of open.values()) {
    void draft.keep();
    if (draft.state.saved === "edited") void draft.save();
  }
}
window.addEventListener("pagehide", keepAll);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") keepAll();
});

// The file was changed outside, or the lab server is back: look again.
labs.store.subscribe((now, before) => {
  const back = now.connection === "ready" && before.connection !== "ready";
  for (const [key, { draft }] of open) {
    const [chapter, lesson, file] = key.split("/") as [string, string, string];
    const etag = now.labs[`${chapter}/${lesson}`]?.files[file];
    const changed = etag && etag !== before.labs[`${chapter}/${lesson}`]?.files[file];
    if (changed) void draft.changed(etag);
    else if (back) void draft.refresh();
  }
});

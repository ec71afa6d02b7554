// Drafts. The student's text before it is in the workspace: kept in IndexedDB, saved when there is a lab server, the
// same in every tab of this browser.
import { Draft, type DraftEnvironment } from "./drafts/draft.ts";
import type { DraftMessage, DraftRecord } from "./drafts/draft-state.ts";
import { labs } from "./labs.ts";
import { openChannel, openRecords } from "./storage.ts";

export type { Draft } from "./drafts/draft.ts";
export { type DraftView, emptyView } from "./drafts/draft-state.ts";

// Version 2: a tab that still runs an older page would not understand these messages, nor this page its.
const channel = openChannel("workbook.drafts.2");
const open = new Map<string, { draft: Draft; users: number }>();

const environment: DraftEnvironment = {
  read: (lab, file) => labs.api.read(lab, file),
  save: (lab, file, text, etag) => labs.api.save(lab, file, text, etag),
  records: openRecords<DraftRecord>("socket-workbook", "drafts"),
  broadcast: (key, message) => channel?.postMessage({ key, message }),
};

/**
 * Opens the student's text of a lab's file; each caller closes it again.
 * @param starter the lab's first text, for a browser that has never seen the lab server.
 */
export function openDraft(lab: string, file: string, starter: string | null = null): Draft {
  const key = `${lab}/${file}`;
  const known = open.get(key);
  if (known) {
    known.users++;
    return known.draft;
  }
  const draft = new Draft(lab, file, environment);
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
  const answer = await labs.api.reset(lab, file);
  if ("problem" in answer) return answer.problem;
  await open.get(`${lab}/${file}`)?.draft.afterReset(answer);
  return null;
}

channel?.addEventListener("message", event => {
  const { key, message } = (event as MessageEvent<{ key: string; message: DraftMessage }>).data;
  open.get(key)?.draft.receive(message);
});

// The last chance to write before a tab is hidden, frozen or closed; `beforeunload` comes too late on phones.
function hideAll(): void {
  for (const { draft } of open.values()) draft.hide();
}
window.addEventListener("pagehide", hideAll);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") hideAll();
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

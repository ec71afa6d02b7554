// Progress. What this browser remembers of a reader: the last lesson, results of checks, guesses and answers.
import { type KeptResult, labs, sameTexts } from "./labs.ts";
import { openProgress, progressKey } from "./progress/progress-store.ts";
import { local, onLocalChange } from "./storage.ts";

const { store, update, refresh } = openProgress(local);
onLocalChange(progressKey, refresh);

export const progress = store;

export function setLastLesson(lesson: string): void {
  if (progress.getState().last !== lesson) update(now => ({ ...now, last: lesson }));
}

/** @param answer null takes it back. */
export function setAnswer(key: string, answer: number | string | null): void {
  update(now => {
    const { [key]: _, ...others } = now.answers;
    return { ...now, answers: answer === null ? others : { ...others, [key]: answer } };
  });
}

// A result is kept as soon as it is known: the lab's card in the prose and the contents show it.
labs.store.subscribe((now, before) => {
  for (const [lab, { results }] of Object.entries(now.labs)) {
    if (results === before.labs[lab]?.results) continue;
    const known = progress.getState().checks[lab] ?? {};
    const news: Record<string, KeptResult> = {};
    for (const [id, { event, ...texts }] of Object.entries(results)) {
      if (event.state !== "passed" && event.state !== "failed") continue;
      if (known[id]?.state !== event.state || !sameTexts(known[id], texts))
        news[id] = { state: event.state, ...texts };
    }
    if (Object.keys(news).length === 0) continue;
    update(({ checks, ...others }) => ({
      ...others,
      checks: { ...checks, [lab]: { ...checks[lab], ...news } },
    }));
  }
});

// A scoreboard is kept when it ends. One that was stopped takes the place of none that was kept.
labs.store.subscribe((now, before) => {
  for (const [lab, { check }] of Object.entries(now.labs)) {
    if (check === before.labs[lab]?.check || !check?.scores || check.live) continue;
    const { scores, began, exited } = check;
    const kept = progress.getState().scores[lab];
    if (kept && (kept.began === began || exited?.statement.code !== "checks-made")) continue;
    update(all => ({ ...all, scores: { ...all.scores, [lab]: { ...scores, began } } }));
  }
});

// Visits of one run. Each with its steps, the newest last, for the Clients pane.
// The list is bounded: the newest visits, and of a long visit the first and the newest steps.
import type { EventOf, VisitKind } from "../../server-labs/protocol.ts";

type Step = EventOf<"visit">;

/** What a pane shows of one visit; a new object whenever something in it changed. */
export interface VisitView {
  visit: string;
  kind: VisitKind;
  /** What it set out to do; its first step that is known, where that is another one. */
  aim: Step["statement"];
  /** The same for a shell; "" where it is no longer known. */
  command: string;
  steps: readonly Step[];
  /** Steps between the first and the others that are not kept. */
  forgotten: number;
  /** It is under way: it can leave. */
  open: boolean;
  /** What it waits for, or what came of it. */
  state: Step["statement"];
  what: Step["what"];
}

const kept = { visits: 100, first: 50, steps: 400 } as const;

/** States that say what has come, or what has not been sent yet: they are no longer true when bytes come or go. */
const endsWithBytes: ReadonlySet<string> = new Set([
  "client-waits",
  "client-stays",
  "piece-not-read",
  "crowd-waits",
] satisfies Step["statement"]["code"][]);

/** The state of the visit after this step; null when it is as before: bytes come and go all the time. */
function stateAfter(
  { what, statement }: Step,
  before: Step["statement"] | undefined,
): Step["statement"] | null {
  if (what === "sent" || what === "got")
    return before && endsWithBytes.has(before.code) ? { code: "visit-under-way" } : null;
  return what === "begins" ? null : statement;
}

export class VisitLog {
  readonly #visits = new Map<string, VisitView>();
  #list: readonly VisitView[] | null = null;
  #live = true;

  add(step: Step): void {
    const before = this.#visits.get(step.visit);
    const known = before ?? {
      visit: step.visit,
      kind: step.kind,
      aim: step.statement,
      command: "",
      steps: [],
      forgotten: 0,
    };
    const steps = [...known.steps, step];
    const tooMany = Math.max(0, steps.length - kept.steps);
    steps.splice(kept.first, tooMany);
    this.#visits.set(step.visit, {
      ...known,
      command: step.command ?? known.command,
      steps,
      forgotten: known.forgotten + tooMany,
      open: step.what !== "done",
      state: stateAfter(step, before?.state) ?? before?.state ?? { code: "visit-under-way" },
      what: step.what,
    });
    if (this.#visits.size > kept.visits) this.#visits.delete(this.#visits.keys().next().value!);
    this.#list = null;
  }

  /** @param live the run goes on: when it has ended, no visit is under way, whether a step says so or not */
  list(live: boolean): readonly VisitView[] {
    if (this.#list && live === this.#live) return this.#list;
    this.#live = live;
    this.#list = [...this.#visits.values()].map(visit =>
      visit.open && !live
        ? { ...visit, open: false, state: { code: "visit-ended-with-run" }, what: "done" }
        : visit,
    );
    return this.#list;
  }
}

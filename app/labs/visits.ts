// The visits of one run, as the Clients pane shows them: each with its steps, the newest last. Bounded: of a long visit
// the beginning and the newest steps, of many visits the newest.
import type { EventOf, VisitKind } from "../../server-labs/protocol.ts";

type Step = EventOf<"visit">;

/** What a pane shows of one visit; a new object whenever something in it changed. */
export interface VisitView {
  visit: string;
  kind: VisitKind;
  /** What it set out to do: "GET / in 2 pieces → port 7890". */
  title: string;
  /** The same for a shell; "" where it is no longer known. */
  command: string;
  steps: readonly Step[];
  /** Steps between the first and the others that are not kept. */
  forgotten: number;
  /** It is under way: it can be told to leave. */
  open: boolean;
  /** How it stands, or what came of it. */
  sentence: string;
  what: Step["what"];
}

const kept = { visits: 100, first: 50, steps: 400 } as const;

/** What a step says of how the visit stands; of octets that come and go it is not said. */
function standing({ what, sentence }: Step): string | null {
  return what === "begins" || what === "sent" || what === "got" ? null : sentence;
}

export class Visits {
  readonly #visits = new Map<string, VisitView>();
  #list: readonly VisitView[] | null = null;
  #live = true;

  take(step: Step): void {
    const before = this.#visits.get(step.visit);
    const known = before ?? {
      visit: step.visit,
      kind: step.kind,
      title: step.sentence,
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
      sentence: standing(step) ?? before?.sentence ?? "is under way",
      what: step.what,
    });
    if (this.#visits.size > kept.visits) this.#visits.delete(this.#visits.keys().next().value!);
    this.#list = null;
  }

  /** @param live of a run that has ended nobody is under way any more, whether that was told or not */
  list(live: boolean): readonly VisitView[] {
    if (this.#list && live === this.#live) return this.#list;
    this.#live = live;
    this.#list = [...this.#visits.values()].map(visit =>
      visit.open && !live ? { ...visit, open: false, sentence: "ended with the run", what: "done" } : visit,
    );
    return this.#list;
  }
}

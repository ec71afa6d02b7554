// The visits that a student's clients pay to one run. The clients live in the visitor, a process of its own that is
// started with the first visit and ends with the run; what it says is bounded and checked like the words of any child.
import { Refusal } from "./answers.ts";
import type { EventLog } from "./event-log.ts";
import {
  type Held,
  type VisitAnswer,
  type VisitBody,
  type VisitKind,
  type VisitorCommand,
  type VisitorSays,
  visitLimits,
} from "./protocol.ts";
import { visitCommand } from "./visit-command.ts";
import { orderOf, sentenceOf } from "./visit-order.ts";
import { Visitor } from "./visitor.ts";

export interface VisitsOptions {
  log: EventLog;
  packageRoot: string;
  /** Where the run listens now, as its own process holds it. @throws Refusal 409 that says why nobody can come */
  where(): Promise<{ host: "127.0.0.1" | "::1"; port: number }>;
}

const heldBy = { full: null, slow: "in slow motion", paused: "paused" } as const;

export class Visits {
  readonly #options: VisitsOptions;
  readonly #open = new Map<string, { kind: VisitKind; clients: number }>();
  readonly #known = new Set<string>();
  #begun = 0;
  #visitor: Visitor | null = null;
  #held: Held | null = null;
  #closed = false;

  constructor(options: VisitsOptions) {
    this.#options = options;
    options.log.onAppend(event => {
      if (event.type === "pace") this.#hold(heldBy[event.mode]);
    });
  }

  /** Begins a visit; what it does are events. @throws Refusal 400, 409 */
  async begin(body: VisitBody): Promise<VisitAnswer> {
    const { log } = this.#options;
    const where = await this.#options.where();
    const visit = `v${this.#begun + 1}`;
    const { order, path } = orderOf(body, visit, where);
    const { kind } = order;
    const clients = kind === "burst" || kind === "idle" ? order.count : 1;
    this.#admit(clients);
    this.#begun++;
    this.#open.set(visit, { kind, clients });
    this.#known.add(visit);
    const command = visitCommand(order, path);
    const who = clients === 1 ? "client" : `${clients} clients`;
    this.#step({ visit, who, what: "begins", clock: clock(), sentence: sentenceOf(order) }, command);
    this.#tell(order);
    return { visit, kind, command, events: `/api/runs/${log.run}/events` };
  }

  /** Ends a visit that is under way, or all of them; how many. @throws Refusal 404 */
  leave(visit?: string): number {
    if (visit !== undefined && !this.#known.has(visit))
      throw new Refusal(404, `This run has had no visit "${visit.slice(0, 64)}".`);
    const leaving = [...this.#open.keys()].filter(one => visit === undefined || one === visit);
    for (const one of leaving) this.#tell({ type: "leave", visit: one });
    return leaving.length;
  }

  /** The run ends, and its visits with it. */
  close(): void {
    if (this.#closed) return;
    this.#endAll("ended with the run");
    this.#closed = true;
    this.#visitor?.end();
  }

  #admit(clients: number): void {
    if (this.#closed) throw new Refusal(409, "The run is ending: nobody can visit it any more.");
    if (this.#open.size >= visitLimits.open)
      throw new Refusal(409, `${visitLimits.open} visits are under way: let some of them leave first.`);
    const all = [...this.#open.values()].reduce((sum, one) => sum + one.clients, clients);
    if (all > visitLimits.allClients)
      throw new Refusal(
        409,
        `All visits together have at most ${visitLimits.allClients} clients: let some of them leave first.`,
      );
  }

  #hold(held: Held | null): void {
    if (held === this.#held) return;
    this.#held = held;
    if (this.#visitor) this.#tell({ type: "held", held });
  }

  #tell(command: VisitorCommand): void {
    if (!this.#visitor) {
      this.#visitor = new Visitor(
        this.#options.packageRoot,
        says => this.#heard(says),
        why => this.#died(why),
      );
      if (this.#held) this.#visitor.tell({ type: "held", held: this.#held });
    }
    this.#visitor.tell(command);
  }

  #heard(says: VisitorSays): boolean {
    if (!this.#open.has(says.visit) || says.what === "begins") return false;
    this.#step(says);
    if (says.what === "done") this.#open.delete(says.visit);
    return true;
  }

  /** The next visit starts another one. */
  #died(why: string): void {
    this.#visitor = null;
    this.#endAll(`its clients are gone: the visitor ${why}; the next visit starts another`);
  }

  #endAll(sentence: string): void {
    for (const visit of [...this.#open.keys()])
      this.#step({ visit, who: "", what: "done", clock: clock(), sentence: sentence.slice(0, 400) });
    this.#open.clear();
  }

  #step({ clock: at, visit, ...step }: VisitorSays, command?: string): void {
    const { log } = this.#options;
    if (this.#closed || log.ended) return;
    const { kind } = this.#open.get(visit)!;
    const when = Math.max(0, Math.round((at - clockAt(log.began)) * 100) / 100);
    log.append({ type: "visit", visit, kind, when, ...step, ...(command === undefined ? {} : { command }) });
  }
}

/** CLOCK_MONOTONIC in milliseconds: the clock of the visitor, and of the trace. */
const clock = () => Number(process.hrtime.bigint()) / 1e6;
/** The same at a moment of performance.now(). */
const clockAt = (moment: number) => clock() - (performance.now() - moment);

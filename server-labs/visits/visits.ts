// Visits. All visits of one run: started, bounded, ended, and written into the run's log step by step.
// The first visit starts the visitor, the process of the clients; it ends with the run.

import type { EventLog } from "../events.ts";
import { Refusal } from "../lib/refusal.ts";
import {
  type Held,
  type VisitAnswer,
  type VisitBody,
  type VisitKind,
  type VisitorCommand,
  type VisitorEnd,
  type VisitorReport,
  type VisitStep,
  visitLimits,
} from "../protocol.ts";
import { aimOf, orderOf } from "./order.ts";
import { visitCommand } from "./shell-command.ts";
import { Visitor } from "./visitor.ts";

export interface VisitsOptions {
  log: EventLog;
  packageRoot: string;
  /** Where the run listens now, as its own process holds it. @throws Refusal that says why no client can connect */
  where(): Promise<{ host: "127.0.0.1" | "::1"; port: number }>;
}

const heldBy = { full: null, slow: "slow", paused: "paused" } as const;

export class Visits {
  readonly #options: VisitsOptions;
  readonly #open = new Map<string, { kind: VisitKind; clients: number }>();
  readonly #known = new Set<string>();
  #started = 0;
  #visitor: Visitor | null = null;
  #held: Held | null = null;
  #closed = false;

  constructor(options: VisitsOptions) {
    this.#options = options;
    options.log.onAppend(event => {
      if (event.type === "pace") this.#hold(heldBy[event.mode]);
    });
  }

  /** Starts a visit; what its clients do are `visit` events of the run. @throws Refusal */
  async start(body: VisitBody): Promise<VisitAnswer> {
    const { log } = this.#options;
    const where = await this.#options.where();
    const visit = `v${this.#started + 1}`;
    const { order, path } = orderOf(body, visit, where);
    const { kind } = order;
    const clients = kind === "burst" || kind === "idle" ? order.count : 1;
    this.#admit(clients);
    this.#started++;
    this.#open.set(visit, { kind, clients });
    this.#known.add(visit);
    const command = visitCommand(order, path);
    const who = clients === 1 ? "client" : `${clients} clients`;
    this.#append({ visit, who, what: "begins", clock: clock(), statement: aimOf(order), command });
    this.#send(order);
    return { visit, kind, command, events: `/api/runs/${log.run}/events` };
  }

  /** Ends a visit that is under way, or all of them. @returns how many @throws Refusal for a visit that never was */
  leave(visit?: string): number {
    if (visit !== undefined && !this.#known.has(visit))
      throw new Refusal({ code: "unknown-visit", visit: visit.slice(0, 64) });
    const leaving = [...this.#open.keys()].filter(one => visit === undefined || one === visit);
    for (const one of leaving) this.#send({ type: "leave", visit: one });
    return leaving.length;
  }

  /** The run ends, and its visits with it. */
  close(): void {
    if (this.#closed) return;
    this.#endAll({ code: "visit-ended-with-run" });
    this.#closed = true;
    this.#visitor?.end();
  }

  #admit(clients: number): void {
    if (this.#closed) throw new Refusal({ code: "run-is-ending" });
    if (this.#open.size >= visitLimits.open)
      throw new Refusal({ code: "too-many-visits", limit: visitLimits.open });
    const all = [...this.#open.values()].reduce((sum, one) => sum + one.clients, clients);
    if (all > visitLimits.allClients)
      throw new Refusal({ code: "too-many-clients", limit: visitLimits.allClients });
  }

  #hold(held: Held | null): void {
    if (held === this.#held) return;
    this.#held = held;
    if (this.#visitor) this.#send({ type: "held", held });
  }

  #send(command: VisitorCommand): void {
    if (!this.#visitor) {
      this.#visitor = new Visitor(
        this.#options.packageRoot,
        report => this.#onReport(report),
        end => this.#onVisitorEnd(end),
      );
      if (this.#held) this.#visitor.send({ type: "held", held: this.#held });
    }
    this.#visitor.send(command);
  }

  #onReport(report: VisitorReport): boolean {
    if (!this.#open.has(report.visit) || report.what === "begins") return false;
    this.#append(report);
    if (report.what === "done") this.#open.delete(report.visit);
    return true;
  }

  /** The next visit starts another visitor. */
  #onVisitorEnd(end: VisitorEnd): void {
    this.#visitor = null;
    this.#endAll({ code: "visitor-ended", ...end });
  }

  #endAll(statement: VisitStep["statement"]): void {
    for (const visit of [...this.#open.keys()])
      this.#append({ visit, who: "", what: "done", clock: clock(), statement });
    this.#open.clear();
  }

  #append({ clock: at, visit, ...step }: Omit<VisitStep, "kind" | "when"> & { clock: number }): void {
    const { log } = this.#options;
    if (this.#closed || log.ended) return;
    const { kind } = this.#open.get(visit)!;
    const when = Math.max(0, Math.round((at - clockAt(log.startedAt)) * 100) / 100);
    log.append({ type: "visit", visit, kind, when, ...step });
  }
}

/** CLOCK_MONOTONIC in milliseconds: the clock of the visitor, and of the trace. */
const clock = () => Number(process.hrtime.bigint()) / 1e6;
/** The same at a moment of performance.now(). */
const clockAt = (moment: number) => clock() - (performance.now() - moment);

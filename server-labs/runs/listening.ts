// Listening places. Where a run listens: each place becomes one event, and at the end each port must be free again.
// The trace reports a listen() at once, but only of the program's main thread. What Node's own library, a worker thread
// or a child process listens on is in /proc, which has no events: it is looked at, ever less often, until the run listens.
import {
  type Holder,
  holderAmong,
  holderOf,
  type ListeningSocket,
  listenersOn,
  listeningOn,
  untilFree,
} from "../kernel.ts";
import { formatEndpoint, type UntracedStatement } from "../protocol.ts";
import type { Listener } from "../trace.ts";
import type { ProcessRun } from "./run.ts";

/** A program may listen on ever new ports: more of them than this are not shown. */
const mostListening = 64;
const freeMs = 1000;

/** Milliseconds between two looks at /proc: the first, the last, and how they grow. */
const looks = { firstMs: 100, lastMs: 2000, growth: 1.5 } as const;
/** Looks may take this part of a processor: with 10,000 sockets on the machine, one takes 20 ms. */
const share = 0.02;
/** The record of a traced listen() is written after the kernel has made the listener. */
const recordMs = 100;

export class ListeningPlaces {
  readonly #run: ProcessRun;
  readonly #port: number;
  readonly #trace: { read(): void; lost(): number };
  /** In order. */
  readonly #places: { host: string; port: number }[] = [];
  /** "host:port" of each listening event. */
  readonly #shown = new Set<string>();
  readonly #ports = new Set<number>();
  #timer: NodeJS.Timeout | null = null;
  #lookedAt = Number.NEGATIVE_INFINITY;
  /** What a look took last, in milliseconds. */
  #cost = 0;
  #everyMs: number = looks.firstMs;
  #looking: Promise<void> | null = null;
  #closed = false;

  /** @param port the port that the program was given */
  constructor(run: ProcessRun, port: number, trace: { read(): void; lost(): number }) {
    this.#run = run;
    this.#port = port;
    this.#trace = trace;
  }

  /** The program runs: looks at /proc from now on, until it listens on its port. */
  watch(): void {
    this.#plan(this.#everyMs);
    // Who listens often says so: then it is seen at once.
    this.#run.log.onAppend(({ type }) => {
      if (type === "output" && this.#timer !== null) this.#plan(0);
    });
  }

  /** Where it listens now, as the trace and a look at /proc show. */
  async now(): Promise<readonly { host: string; port: number }[]> {
    if (!this.#done) await this.#look();
    return this.#places;
  }

  /** The program has called listen(2). */
  async add(listener: Listener): Promise<void> {
    let { host, port } = listener;
    if (port === 0) {
      const pid = this.#run.program();
      const found = pid ? await listeningOn(pid, listener.fd).catch(() => null) : null;
      if (!found) return;
      ({ host, port } = found);
    }
    this.#add(host, port, null);
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  /**
   * A port that another process still holds when the program is gone: at level "plain" a process that escaped may.
   * @returns null when all ports are free within a second
   */
  async stillHeld(): Promise<{ port: number; holder: Holder } | null> {
    const ports = new Set([...this.#ports, ...(this.#port > 0 ? [this.#port] : [])]);
    if (await untilFree(ports, freeMs)) return null;
    for (const port of ports) {
      const holder = await holderOf(port);
      if (holder) return { port, holder };
    }
    return null;
  }

  /** There is nothing more to look for. */
  get #done(): boolean {
    return this.#closed || this.#run.log.ended || this.#ports.has(this.#port);
  }

  #add(host: string, port: number, statement: UntracedStatement | null): void {
    const key = `${host}:${port}`;
    if (this.#run.log.ended || this.#shown.has(key) || this.#shown.size >= mostListening) return;
    this.#shown.add(key);
    this.#ports.add(port);
    this.#places.push({ host, port });
    const untraced = statement === null ? {} : { statement };
    this.#run.log.append({ type: "listening", host, port, url: urlOf(host, port), ...untraced });
    const ports = [...this.#ports];
    this.#run.become("listening", { code: "listening", ports, asked: this.#port });
    if (this.#done) this.#cancel();
  }

  /** The next look: not before `ms` have passed, nor before the looks until now are paid for. */
  #plan(ms: number): void {
    this.#cancel();
    if (this.#done) return;
    const paid = this.#lookedAt + Math.max(looks.firstMs, this.#cost / share) - performance.now();
    this.#timer = setTimeout(() => void this.#lookAgain(), Math.max(ms, paid)).unref();
  }

  #cancel(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  async #lookAgain(): Promise<void> {
    this.#timer = null;
    await this.#look();
    this.#everyMs = Math.min(this.#everyMs * looks.growth, looks.lastMs);
    this.#plan(this.#everyMs);
  }

  /** One look at a time; never rejects: what cannot be read now is read the next time. */
  #look(): Promise<void> {
    this.#looking ??= this.#find()
      .catch(() => {})
      .finally(() => {
        this.#looking = null;
      });
    return this.#looking;
  }

  async #find(): Promise<void> {
    const began = performance.now();
    const found = await listenersOn(this.#port);
    this.#lookedAt = performance.now();
    this.#cost = this.#lookedAt - began;
    const program = this.#run.program();
    const ours: [ListeningSocket, Holder][] = [];
    for (const one of found) {
      const holder = await holderAmong(one.inode, program, pid => this.#run.contains(pid));
      if (holder !== null) ours.push([one, holder]);
    }
    if (ours.length === 0) return;
    await this.#record();
    // The trace had it after all.
    if (this.#done) return;
    for (const [{ host, port }, holder] of ours)
      this.#add(host, port, this.#untraced(port, holder, holder.pid === program));
  }

  /** Waits until the record of a listen() that the trace has would have been read. */
  async #record(): Promise<void> {
    await new Promise(resolve => setTimeout(resolve, recordMs));
    if (!this.#closed) this.#trace.read();
  }

  /** Null where it cannot be known: the record of listen() may be among those that the trace has lost. */
  #untraced(port: number, { pid, command }: Holder, isProgram: boolean): UntracedStatement | null {
    if (!isProgram) return { code: "child-listens-untraced", port, pid, command };
    return this.#trace.lost() > 0 ? null : { code: "listens-untraced", port };
  }
}

/** The address with which a browser or curl on this machine reaches it. */
function urlOf(host: string, port: number): string {
  const reached = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${formatEndpoint(reached, port)}/`;
}

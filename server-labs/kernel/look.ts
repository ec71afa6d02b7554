// One look at a program: /proc and the trace put together. Nothing stops meanwhile, so what is concluded about a moment
// ("it sleeps, therefore its ready list is empty") is concluded only when the same was so before the look and after it.
import { readlink } from "node:fs/promises";
import type { KernelSample } from "../protocol.ts";
import { kernelLimits, paceLimits } from "../protocol.ts";
import { type Inside, KernelCalls } from "./calls.ts";
import { Connections, ranked, sum } from "./connections.ts";
import { Descriptors, type Links, registrations, socketInode, whatIs } from "./descriptors.ts";
import { doingInWords } from "./doing.ts";
import { endsOf } from "./ends.ts";
import { concludeEpoll, type End, type Slept } from "./epolls.ts";
import { descriptorLimit, processState, rssBytes, somaxconn, tcpMemory } from "./facts.ts";
import { Sockets } from "./sockets.ts";

export type Looked = Omit<KernelSample, "everyMs" | "thin">;

/** What a look needs of a run. */
export interface Lookable {
  /** The program's process, as this machine numbers it; null before it runs and after. */
  pid(): number | null;
  /** Reads the trace as far as it is written: its records go to `calls.see`. */
  read(): void;
  /** Calls so far of which the trace has lost all but their number. */
  lost(): number;
  /** Where the program waits at a boundary, in words; null when it does not. */
  paused(): string | null;
  /** fd → revents of poll(2), while the program waits at a boundary; else null. */
  peek(fds: number[]): Promise<Map<number, number> | null>;
}

const epollLink = "anon_inode:[eventpoll]";

export class Looker {
  readonly calls: KernelCalls;
  readonly #at: Lookable;
  readonly #descriptors: Descriptors;
  readonly #sockets = new Sockets();
  readonly #connections: Connections;
  #slept: Slept | null = null;

  /** @param own Node's own descriptors, before the program begins */
  constructor(own: Links, at: Lookable) {
    this.#at = at;
    this.#descriptors = new Descriptors(own);
    this.calls = new KernelCalls(fd => this.#descriptors.made(fd));
    this.#connections = new Connections(this.calls, this.#sockets);
  }

  /** @returns null when there is no process (any more). Never rejects for what /proc does not let us see. */
  async look(): Promise<{ sample: Looked; sockets: number } | null> {
    const pid = this.#at.pid();
    if (pid === null) return null;
    try {
      return await this.#look(pid);
    } catch (error) {
      const { code = "", message } = error as NodeJS.ErrnoException;
      // Between two reads it has ended.
      if (code === "ENOENT" || code === "ESRCH" || this.#at.pid() === null) return null;
      const problem = `The lab server may not read /proc/${pid} (${code || message}): what the kernel knows of this program cannot be shown. The program goes on without it.`;
      return { sample: { ...nothing, problem, calls: this.#counts() }, sockets: 0 };
    }
  }

  async #look(pid: number): Promise<{ sample: Looked; sockets: number }> {
    this.#at.read();
    const { inside, seen } = this.calls;
    const before = await processState(pid);
    await this.#sockets.read(pid, 4);
    const { open, links } = await this.#descriptors.look(pid, inode => this.#sockets.holds(inode));
    // A look at IPv6 costs as much as one at IPv4, and most programs have none of it.
    if ([...links].some(([fd, link]) => this.#mayBeIpv6(fd, link))) await this.#sockets.read(pid, 6);
    const held = this.#sockets.held(links);
    const listening = held.filter(({ row }) => row.state === "LISTEN");
    const connected = ranked(held.filter(({ row }) => row.state !== "LISTEN"));
    const gone = this.#connections.gone(links, connected);
    const ends = await endsOf(pid, links, held, gone);
    const watched = await this.#registrations(pid, links);
    const asked = [...watched.keys(), ...ends.keys()].slice(0, paceLimits.peekedFds);
    const peeked = watched.size > 0 && this.#at.paused() !== null ? await this.#at.peek(asked) : null;
    const after = await processState(pid);
    this.#at.read();
    const still = this.calls.inside === inside ? inside : null;
    const asleep =
      still !== null && this.#at.paused() === null && before.state === "S" && after.state === "S";
    const silent =
      peeked && this.calls.seen === seen ? [...watched.keys()].find(fd => peeked.get(fd) === 0) : undefined;
    if (asleep) this.#slept = this.#sleeping(still, ends);
    else if (silent !== undefined) this.#slept = this.#sleeping({ name: "epoll_wait", args: [silent] }, ends);

    const shown = connected.slice(0, kernelLimits.connections);
    const first = new Set([...listening, ...shown, ...gone].map(({ fd }) => fd));
    const moment = { inside: still, asleep, peeked, slept: this.#slept };
    const others = await this.#others(pid, links, new Set([...held, ...gone].map(({ fd }) => fd)));
    const [most, limit] = [await somaxconn(), await descriptorLimit(pid)];
    const sample: Looked = {
      doing: doingInWords(after.state, still, this.#at.paused(), this.calls.seen !== seen),
      problem: null,
      cpuMs: after.cpuMs,
      rssBytes: await rssBytes(pid),
      threads: after.threads,
      descriptors: { open, limit },
      calls: this.#counts(),
      listeners: listening.map(one => this.#sockets.listener(one, this.#backlog(one.fd, most))),
      connections: [
        ...gone.slice(0, kernelLimits.connections),
        ...(await this.#connections.shown(pid, shown, this.#at.lost())),
      ],
      omitted: {
        ...sum(connected.slice(shown.length), Math.max(0, gone.length - kernelLimits.connections)),
        others: Math.max(0, others.length - kernelLimits.others),
      },
      epolls: [...watched].map(([fd, list]) => concludeEpoll(fd, list, ends, first, moment)),
      others: others.slice(0, kernelLimits.others),
      tcpMemoryBytes: await tcpMemory(pid),
    };
    return { sample, sockets: this.#sockets.size };
  }

  #sleeping(inside: Inside, ends: ReadonlyMap<number, End>): Slept {
    const { seen } = this.calls;
    const lost = this.#at.lost();
    const before = new Map(this.calls.accepted);
    const accepted = (fd: number) =>
      this.#at.lost() === lost && this.calls.untouched(fd, seen)
        ? (this.calls.accepted.get(fd) ?? 0) - (before.get(fd) ?? 0)
        : null;
    return { inside, ends, accepted };
  }

  #counts(): KernelSample["calls"] {
    return { ...this.calls.counts, unseen: this.#at.lost() };
  }

  #backlog(fd: number, most: number | null): number | null {
    const given = this.calls.backlogs.get(fd);
    if (given === undefined || most === null) return null;
    // As the kernel compares them: without a sign, so that -1 is as many as there may be.
    return Math.min(given >>> 0, most);
  }

  #mayBeIpv6(fd: number, link: string): boolean {
    const inode = socketInode(link);
    if (inode === 0 || this.#sockets.holds(inode)) return false;
    return this.calls.peers.get(fd)?.startsWith("[") ?? true;
  }

  async #registrations(pid: number, links: Links) {
    const instances = [...links].flatMap(([fd, link]) => (link === epollLink ? [fd] : []));
    const found = new Map<number, Awaited<ReturnType<typeof registrations>>>();
    for (const fd of instances.slice(0, kernelLimits.epolls)) found.set(fd, await registrations(pid, fd));
    return found;
  }

  async #others(pid: number, links: Links, shown: ReadonlySet<number>): Promise<KernelSample["others"]> {
    const rest = [...links].filter(([fd, link]) => link !== epollLink && !shown.has(fd));
    const cwd = rest.length > 0 ? await readlink(`/proc/${pid}/cwd`).catch(() => "") : "";
    return rest.map(([fd, link]) => ({ fd, what: whatIs(link, cwd) }));
  }
}

/** What is known when nothing is. */
export const nothing: Looked = {
  doing: "not known",
  problem: null,
  cpuMs: 0,
  rssBytes: 0,
  threads: 0,
  descriptors: { open: 0, limit: 0 },
  calls: { ready: 0, waiting: 0, failed: 0, unseen: 0 },
  listeners: [],
  connections: [],
  omitted: { connections: 0, recvQ: 0, sendQ: 0, others: 0 },
  epolls: [],
  others: [],
  tcpMemoryBytes: 0,
};

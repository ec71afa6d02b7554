// Look at a program. Puts /proc and the trace together. Nothing stops meanwhile, so what is concluded about a moment
// ("it sleeps, therefore its ready list is empty") is concluded only when the same was so before the look and after it.
import { readlinkSync } from "node:fs";
import {
  type ClosedDescriptor,
  type KernelSample,
  kernelLimits,
  type PausedStatement,
  paceLimits,
} from "../protocol.ts";
import type { DescriptorTable } from "../trace.ts";
import { type Inside, KernelCalls } from "./calls.ts";
import { Connections, ranked, sum } from "./connections.ts";
import { Descriptors, type Links, linkOf, socketInode, whatIs } from "./descriptors.ts";
import { doingOf } from "./doing.ts";
import { concludeEpoll, type End, endsOf, type Slept } from "./epolls.ts";
import { descriptorLimit, processState, rssBytes, somaxconn, tcpMemory } from "./facts.ts";
import { RegistrationReader, type WatchedFile } from "./registrations.ts";
import { type HeldSocket, Sockets } from "./sockets.ts";
import { endpoint } from "./tables.ts";
import { besides } from "./turns.ts";

export type Looked = Omit<KernelSample, "everyMs" | "thin" | "rates">;

/** What is counted without end, at one moment. */
export interface Counted {
  /** When it was read, in milliseconds of performance.now(). */
  at: number;
  cpuMs: number;
  ready: number;
  waiting: number;
  failed: number;
  unseen: number;
}

export interface KernelLook {
  sample: Looked;
  /** Rows of the kernel's tables: what the look costs. */
  sockets: number;
  counted: Counted;
}

/** What a look needs of a run. */
export interface Lookable {
  /** The program's process, as this machine numbers it; null before it runs and after. */
  pid(): number | null;
  /** Its descriptors, as the trace shows them. */
  descriptors: DescriptorTable;
  /** Reads the trace as far as it is written: its records go to `calls.see`. */
  read(): void;
  /** Calls so far of which the trace has lost all but their number. */
  lost(): number;
  /** Where the program waits at a boundary; null when it does not. */
  paused(): PausedStatement | null;
  /** fd → revents of poll(2), while the program waits at a boundary; else null. */
  peek(fds: number[]): Promise<Map<number, number> | null>;
}

/** A program may listen without end: of more sockets than this, a backlog is known only while no calls are lost. */
const mostBacklogs = 1024;
const epollLink = "anon_inode:[eventpoll]";

export class Looker {
  readonly calls = new KernelCalls();
  readonly #at: Lookable;
  readonly #table: DescriptorTable;
  readonly #descriptors: Descriptors;
  readonly #sockets = new Sockets();
  readonly #connections: Connections;
  readonly #registrations: RegistrationReader;
  /** What listen(2) was given, by the listener's link. */
  readonly #backlogs = new Map<string, number>();
  #slept: Slept | null = null;

  /** @param own Node's own descriptors, before the program begins */
  constructor(own: Links, at: Lookable) {
    this.#at = at;
    this.#descriptors = new Descriptors(own);
    this.#registrations = new RegistrationReader(new Map(own));
    this.#table = at.descriptors;
    this.#connections = new Connections(this.#table, this.#sockets);
  }

  /** The program has made this descriptor itself: it is not one of Node's own. */
  opened(fd: number): void {
    this.#descriptors.made(fd);
  }

  /** The program has called listen(2): what it gave is remembered by the socket, as calls may be lost later. */
  listens(fd: number): void {
    const pid = this.#at.pid();
    const link = pid === null ? null : linkOf(pid, fd);
    const backlog = this.#table.backlogOf(fd);
    if (link === null || backlog === null || this.#backlogs.size >= mostBacklogs) return;
    this.#backlogs.set(link, backlog);
  }

  /** @returns null when there is no process (any more). Never rejects for what /proc does not let us see. */
  async look(): Promise<KernelLook | null> {
    const pid = this.#at.pid();
    if (pid === null) return null;
    try {
      return await this.#look(pid);
    } catch (error) {
      const { code = "", message } = error as NodeJS.ErrnoException;
      // Between two reads it has ended.
      if (code === "ENOENT" || code === "ESRCH" || this.#at.pid() === null) return null;
      const problem = { code: "proc-unreadable", pid, error: code || message } as const;
      const counted = { at: performance.now(), cpuMs: 0, ...this.#counts() };
      return { sample: { ...nothing, problem, calls: this.#counts() }, sockets: 0, counted };
    }
  }

  async #look(pid: number): Promise<KernelLook | null> {
    this.#at.read();
    const { inside } = this.calls;
    const { seen } = this.#table;
    const before = processState(pid);
    const { open, links } = await this.#socketsAndLinks(pid);
    const held = this.#sockets.held(links);
    const listening = held.filter(({ row }) => row.state === "LISTEN");
    const connected = ranked(held.filter(({ row }) => row.state !== "LISTEN"));
    const gone = this.#connections.gone(links, connected);
    const watched = this.#watched(pid, links);
    const closed = this.#closedSockets(watched);
    const ends = endsOf(
      [...held, ...closed.values()],
      gone.map(({ fd }) => links.get(fd)!),
    );
    const asked = [...watched.keys(), ...held.map(({ fd }) => fd)].slice(0, paceLimits.peekedFds);
    const answers =
      watched.size > 0 && this.#at.paused() !== null ? await besides(this.#at.peek(asked)) : null;
    const after = processState(pid);
    // Another process has this pid by now.
    if (after.started !== before.started) return null;
    this.#at.read();
    const counts = this.#counts();
    const counted = { at: performance.now(), cpuMs: after.cpuMs, ...counts };
    const still = this.calls.inside === inside ? inside : null;
    const asleep =
      still !== null && this.#at.paused() === null && before.state === "S" && after.state === "S";
    // A call meanwhile may have made another file of any number that was asked about.
    const peeked = this.#table.seen === seen ? answers : null;
    const silent = peeked ? [...watched.keys()].find(fd => peeked.get(fd) === 0) : undefined;
    if (asleep) this.#slept = this.#sleeping(still, ends);
    else if (silent !== undefined) this.#slept = this.#sleeping({ name: "epoll_wait", args: [silent] }, ends);

    const shown = connected.slice(0, kernelLimits.connections);
    const first = new Set([...listening, ...shown, ...gone].map(({ fd }) => fd));
    const closedOf = (file: WatchedFile) => closedDescriptor(file, links, closed);
    const moment = { inside: still, asleep, peeked, slept: this.#slept };
    const others = this.#others(pid, links, new Set([...held, ...gone].map(({ fd }) => fd)));
    const [most, limit] = [somaxconn(), descriptorLimit(pid)];
    const sample: Looked = {
      doing: doingOf(after.state, still, this.#at.paused(), this.#table.seen !== seen),
      problem: null,
      cpuMs: after.cpuMs,
      rssBytes: rssBytes(pid),
      threads: after.threads,
      // The limit is one of numbers: a descriptor that was made before a lower limit takes none of them.
      descriptors: { open: limit === 0 ? open.length : open.filter(fd => fd < limit).length, limit },
      calls: counts,
      listeners: listening.map(one => this.#sockets.listener(one, this.#backlog(one, most))),
      connections: [
        ...gone.slice(0, kernelLimits.connections),
        ...(await this.#connections.shown(pid, shown, this.#at.lost())),
      ],
      omitted: {
        ...sum(connected.slice(shown.length), Math.max(0, gone.length - kernelLimits.connections)),
        others: Math.max(0, others.length - kernelLimits.others),
      },
      epolls: [...watched].map(([fd, list]) => concludeEpoll(fd, list, ends, first, moment, closedOf)),
      others: others.slice(0, kernelLimits.others),
      tcpMemoryBytes: tcpMemory(pid),
    };
    return { sample, sockets: this.#sockets.size, counted };
  }

  #sleeping(inside: Inside, ends: ReadonlyMap<string, End>): Slept {
    const { seen } = this.#table;
    const lost = this.#at.lost();
    const before = this.#table.accepted();
    const accepted = (fd: number) =>
      this.#at.lost() === lost && this.#table.untouched(fd, seen)
        ? this.#table.acceptedOn(fd) - (before.get(fd) ?? 0)
        : null;
    return { inside, ends, accepted };
  }

  #counts(): KernelSample["calls"] {
    return { ...this.calls.counts, unseen: this.#at.lost() };
  }

  /** The tables are read first: what is opened after that is in neither, and no connection seems to be gone for it. */
  async #socketsAndLinks(pid: number): Promise<{ open: readonly number[]; links: Links }> {
    await this.#sockets.read(pid, 4);
    const found = await this.#descriptors.look(pid, inode => this.#sockets.holds(inode));
    // It was accepted after the table was read, or has been reset since: the table as it is now has the one, not the other.
    if ([...found.links].some(([fd, link]) => this.#connections.isNews(fd, link)))
      await this.#sockets.read(pid, 4);
    // A look at IPv6 costs as much as one at IPv4, and most programs have no IPv6 socket.
    if ([...found.links].some(([fd, link]) => this.#mayBeIpv6(fd, link))) await this.#sockets.read(pid, 6);
    return found;
  }

  #backlog({ fd, link }: HeldSocket, most: number | null): number | null {
    const given = this.#table.backlogOf(fd) ?? this.#backlogs.get(link) ?? null;
    if (given === null || most === null) return null;
    // As the kernel compares them: without a sign, so that -1 is as many as there may be.
    return Math.min(given >>> 0, most);
  }

  #mayBeIpv6(fd: number, link: string): boolean {
    const inode = socketInode(link);
    if (inode === 0 || this.#sockets.holds(inode)) return false;
    return this.#table.peerOf(fd)?.startsWith("[") ?? true;
  }

  #watched(pid: number, links: Links): Map<number, WatchedFile[]> {
    const instances = [...links].flatMap(([fd, link]) => (link === epollLink ? [fd] : []));
    const found = new Map<number, WatchedFile[]>();
    for (const fd of instances.slice(0, kernelLimits.epolls))
      found.set(fd, this.#registrations.of(pid, fd, links));
    return found;
  }

  /** Sockets that are watched and whose descriptor was closed, by their links. */
  #closedSockets(watched: ReadonlyMap<number, readonly WatchedFile[]>): Map<string, HeldSocket> {
    const found = new Map<string, HeldSocket>();
    for (const { fd, link, closed } of [...watched.values()].flat()) {
      const socket = closed && link !== null ? this.#sockets.of(link) : undefined;
      if (socket) found.set(link!, { fd, link: link!, ...socket });
    }
    return found;
  }

  #others(pid: number, links: Links, shown: ReadonlySet<number>): KernelSample["others"] {
    const rest = [...links].filter(([fd, link]) => link !== epollLink && !shown.has(fd));
    const cwd = rest.length > 0 ? folderOf(pid) : "";
    rest.sort(([a], [b]) => a - b); // readdir gives names: 100 is before 20
    return rest.map(([fd, link]) => ({ fd, what: whatIs(link, cwd) }));
  }
}

/** "" when it cannot be read. */
function folderOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return "";
  }
}

function closedDescriptor(
  { link }: WatchedFile,
  links: Links,
  sockets: ReadonlyMap<string, HeldSocket>,
): ClosedDescriptor {
  const keptBy = link === null ? undefined : [...links].find(([, other]) => other === link)?.[0];
  const held = sockets.get(link ?? "");
  return {
    statement: { code: "registered-though-closed", keptBy: keptBy ?? null },
    socket: held
      ? {
          local: endpoint(held.table.local(held.row)),
          peer: endpoint(held.table.remote(held.row)),
          state: held.row.state,
          recvQ: held.row.recvQueue,
        }
      : null,
  };
}

/** The sample of a program of which the lab server can see nothing. */
export const nothing: Looked = {
  doing: { code: "not-known" },
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

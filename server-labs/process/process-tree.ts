// Process tree. The processes of one run: asks the program to end, kills all, and waits until all have ended. In
// bubblewrap they have a pid namespace of their own; at level "plain" they share a group, or have a mark.
import type { ChildProcess } from "node:child_process";
import { constants } from "node:os";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { flow } from "./held-streams.ts";
import {
  allProcesses,
  carrying,
  childrenOf,
  descendantsOf,
  descendsFrom,
  innerPid,
  isAlive,
  type ProcessFacts,
  processFacts,
  signal,
} from "./processes.ts";

export interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
  /**
   * True when bubblewrap or the namespace's init reports 128+n: the program was ended by signal n, or has itself called
   * exit(128+n). `signal` is then the signal that it would be.
   */
  ambiguous: boolean;
}

export interface Tree {
  /** The pid of the program itself on this machine; null before it runs and after. */
  program(): number | null;
  /** Does this process belong to the tree? */
  contains(pid: number): boolean;
  /** The processes of the tree, those of the sandbox itself among them. */
  members(): number[];
  /** Asks the program itself to end, with SIGTERM, which it may handle in another way. */
  terminate(): void;
  /** Ends the whole tree with SIGKILL. */
  kill(): void;
  /** Resolves when the program and every process that it left behind have ended. Never rejects. */
  ended: Promise<Ending>;
}

const waitMs = 2;
/** At level "plain", how often processes that left their family are looked for. */
const strayMs = 2000;
/** A process in uninterruptible sleep cannot be killed; it is waited for no longer than this. */
const mostWaitMs = 5000;
/** The first name of each: SIGABRT, not SIGIOT. */
const signalNames = new Map<number, NodeJS.Signals>();
for (const [name, number] of Object.entries(constants.signals))
  if (!signalNames.has(number)) signalNames.set(number, name as NodeJS.Signals);

export async function plainTree(child: ChildProcess, mark: string, exited: Promise<Ending>): Promise<Tree> {
  await new Promise(resolve => child.once("spawn", resolve));
  const pid = child.pid!;
  const started = processFacts(pid)?.started;
  let over = false;
  /** The number is still this program, or its group without it, and not a process that has it by now. */
  const isOurs = () => (processFacts(pid)?.started ?? started) === started;
  const marked = () => carrying(`LAB_RUN=${mark}\0`);
  /** Those that no longer descend from the program. To find them takes a look at every process: not each time. */
  let found: number[] = [];
  let looked = Number.NEGATIVE_INFINITY;
  const strays = () => {
    if (performance.now() - looked > strayMs) {
      found = [...marked(), ...inGroup(pid)].map(process => process.pid);
      looked = performance.now();
    }
    return found;
  };
  const kill = () => {
    if (isOurs()) signal(-pid, "SIGKILL");
    for (const process of marked()) signal(process.pid, "SIGKILL");
  };
  return {
    program: () => (over ? null : pid),
    contains: other =>
      (isOurs() && (descendsFrom(other, pid) || processFacts(other)?.group === pid)) ||
      marked().some(p => p.pid === other),
    members: () => (over || !isOurs() ? [] : [...new Set([...descendantsOf(pid), ...strays()])]),
    terminate: () => void (over || !isOurs() || signal(pid, "SIGTERM")),
    kill,
    ended: exited.then(async ending => {
      over = true;
      kill();
      await until(() => {
        if (![...marked(), ...(isOurs() ? inGroup(pid) : [])].some(p => isAlive(p.pid, p.started)))
          return true;
        kill();
        return false;
      });
      return ending;
    }),
  };
}

/**
 * Three generations: bubblewrap or unshare, which we started; an init, pid 1 inside; the program, pid 2 inside. When the
 * program ends, the init ends (bubblewrap's by --die-with-parent), and with it the kernel kills all the rest.
 */
export async function namespaceTree(
  child: ChildProcess,
  status: Readable,
  exited: Promise<Ending>,
): Promise<Tree> {
  let said = "";
  // From the beginning: a sandbox that ended without a word may be closed before its status pipe is.
  const childClosed = new Promise(resolve => child.once("close", resolve));
  const initKnown = new Promise<number | null>(resolve => {
    status.on("error", () => {});
    status.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString("latin1")).slice(0, 4096);
      const pid = Number(/"child-pid": (\d+)/.exec(said)?.[1]);
      if (pid > 0) resolve(pid);
      // The first process in unshare's namespace does not know its pid outside.
      else if (said.startsWith("made\n")) resolve(childrenOf(child.pid!)[0]?.pid ?? null);
    });
    status.on("close", () => resolve(null));
  });
  const init = await initKnown;
  if (init === null) {
    const words: Buffer[] = [];
    flow(child.stderr!, (chunk: Buffer) => words.push(chunk));
    // "close" comes when every stream is at its end.
    for (const stream of child.stdio)
      if (stream && stream !== child.stderr) flow(stream as Readable, () => {});
    await childClosed;
    throw new Error(
      `The sandbox could not be made: ${Buffer.concat(words).toString("utf8").trim() || "it said nothing"}`,
    );
  }
  const started = processFacts(init)?.started;
  const lives = () => started !== undefined && isAlive(init, started);
  let found: ProcessFacts | null = null;
  const program = () => {
    if (found !== null && isAlive(found.pid, found.started)) return found.pid;
    found = lives() ? (childrenOf(init).find(p => innerPid(p.pid) === 2) ?? null) : null;
    return found?.pid ?? null;
  };
  const kill = () => {
    child.kill("SIGKILL");
    if (lives()) signal(init, "SIGKILL");
  };
  return {
    program,
    contains: pid => lives() && descendsFrom(pid, init),
    members: () => (lives() ? descendantsOf(init) : []),
    terminate() {
      const pid = program();
      // The program has not started yet: it cannot be asked to end.
      if (pid === null || !signal(pid, "SIGTERM")) kill();
    },
    kill,
    ended: Promise.all([exited, closed(status)]).then(async ([ending]) => {
      await until(() => {
        if (!lives()) return true;
        kill();
        return false;
      });
      return inside(ending, said);
    }),
  };
}

/** What the report says of the program's end: a death by signal n is the exit code 128+n. */
function inside(ending: Ending, said: string): Ending {
  const code = /"exit-code": (\d+)/.exec(said)?.[1];
  if (code === undefined) return ending;
  const name = signalNames.get(Number(code) - 128);
  if (!name) return { code: Number(code), signal: null, ambiguous: false };
  return { code: Number(code), signal: name, ambiguous: true };
}

/** Waits until it is done, for some seconds at most. */
export async function until(done: () => boolean): Promise<void> {
  const end = performance.now() + mostWaitMs;
  while (!done() && performance.now() < end) await sleep(waitMs);
}

function closed(stream: Readable): Promise<void> {
  return new Promise(resolve => (stream.closed ? resolve() : stream.once("close", () => resolve())));
}

function inGroup(group: number): ProcessFacts[] {
  return allProcesses().filter(process => process.group === group);
}

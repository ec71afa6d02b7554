// The processes of one run, however many they are: asked to end, ended, and waited for until none is left. In
// bubblewrap they live in a pid namespace of their own; at level "plain" they share a group, or carry a mark.
import type { ChildProcess } from "node:child_process";
import { constants } from "node:os";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { flow } from "./held.ts";
import {
  allProcesses,
  carrying,
  childrenOf,
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
   * True when bubblewrap reports 128+n: the program was ended by signal n, or has itself called exit(128+n).
   * `signal` is then the signal that it would be.
   */
  ambiguous: boolean;
}

export interface Tree {
  /** The program itself, as this machine numbers it; null before it runs and after. */
  program(): number | null;
  /** Does this process belong to the tree? */
  contains(pid: number): boolean;
  /** Asks the program itself to end. It may do something else. */
  terminate(): void;
  /** Ends the whole tree; it cannot refuse. */
  kill(): void;
  /** The program has ended, and everything that it left behind has been ended too. Never rejects. */
  ended: Promise<Ending>;
}

const waitMs = 2;
/** A process in uninterruptible sleep cannot be killed; nobody waits for it longer than this. */
const mostWaitMs = 5000;
/** The first name of each: SIGABRT, not SIGIOT. */
const signalNames = new Map<number, NodeJS.Signals>();
for (const [name, number] of Object.entries(constants.signals))
  if (!signalNames.has(number)) signalNames.set(number, name as NodeJS.Signals);

export async function plainTree(child: ChildProcess, mark: string, exited: Promise<Ending>): Promise<Tree> {
  await new Promise(resolve => child.once("spawn", resolve));
  const pid = child.pid!;
  let over = false;
  const marked = () => carrying(`LAB_RUN=${mark}\0`);
  const kill = () => {
    signal(-pid, "SIGKILL");
    for (const process of marked()) signal(process.pid, "SIGKILL");
  };
  return {
    program: () => (over ? null : pid),
    contains: other =>
      descendsFrom(other, pid) || processFacts(other)?.group === pid || marked().some(p => p.pid === other),
    terminate: () => void (over || signal(pid, "SIGTERM")),
    kill,
    ended: exited.then(async ending => {
      over = true;
      kill();
      await until(() => {
        if (![...marked(), ...inGroup(pid)].some(p => isAlive(p.pid, p.started))) return true;
        kill();
        return false;
      });
      return ending;
    }),
  };
}

/**
 * Three generations: bubblewrap, which we started; its own init, pid 1 inside; the program, pid 2 inside. When the
 * program ends, bubblewrap ends, the init is killed (--die-with-parent), and with it the kernel kills all the rest.
 */
export async function bubblewrapTree(
  child: ChildProcess,
  status: Readable,
  exited: Promise<Ending>,
): Promise<Tree> {
  let said = "";
  const initKnown = new Promise<number | null>(resolve => {
    status.on("error", () => {});
    status.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString("latin1")).slice(0, 4096);
      const pid = Number(/"child-pid": (\d+)/.exec(said)?.[1]);
      if (pid > 0) resolve(pid);
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
    await new Promise(resolve => child.once("close", resolve));
    throw new Error(
      `The sandbox could not be made: ${Buffer.concat(words).toString("utf8").trim() || "bwrap said nothing"}`,
    );
  }
  const started = processFacts(init)?.started;
  const lives = () => started !== undefined && isAlive(init, started);
  let found: number | null = null;
  const program = () => {
    if (found !== null && isAlive(found)) return found;
    found = lives() ? (childrenOf(init).find(p => innerPid(p.pid) === 2)?.pid ?? null) : null;
    return found;
  };
  const kill = () => {
    child.kill("SIGKILL");
    if (lives()) signal(init, "SIGKILL");
  };
  return {
    program,
    contains: pid => lives() && descendsFrom(pid, init),
    terminate() {
      const pid = program();
      // Not there yet: nothing of the student's has run, so there is nobody to ask.
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

/** What bubblewrap's end says of the program's: it reports a death by signal n as the exit code 128+n. */
function inside(ending: Ending, said: string): Ending {
  const code = /"exit-code": (\d+)/.exec(said)?.[1];
  if (code === undefined) return ending;
  const name = signalNames.get(Number(code) - 128);
  if (!name) return { code: Number(code), signal: null, ambiguous: false };
  return { code: Number(code), signal: name, ambiguous: true };
}

async function until(done: () => boolean): Promise<void> {
  const end = performance.now() + mostWaitMs;
  while (!done() && performance.now() < end) await sleep(waitMs);
}

function closed(stream: Readable): Promise<void> {
  return new Promise(resolve => (stream.closed ? resolve() : stream.once("close", () => resolve())));
}

function inGroup(group: number): ProcessFacts[] {
  return allProcesses().filter(process => process.group === group);
}

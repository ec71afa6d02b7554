// Server start. Starts a program and waits until it listens on its port, or fails with what the program did instead: it
// ended, listened on another port, or did not listen at all.
import { basename } from "node:path";
import { listeners, Poller, throttle } from "../clients.ts";
import { freePort } from "../kernel.ts";
import { StartFailure, type Why } from "./outcome.ts";
import { settled } from "./own-time.ts";
import { processTree, runState, socketInodes } from "./proc.ts";
import { type Runnable, ServerProcess, type Subject } from "./server-process.ts";

/** A Node that loads koffi listens after 0.2 s; this limit is for a busy machine. Milliseconds. */
const listenWithinMs = 15_000;
/** A program that listens on another port may still open the right one within so many milliseconds. */
const elsewhereMs = 1000;
/** The record of a traced listen() is written after the kernel has made the listener; on a busy machine, much later. */
const recordMs = 2000;

export interface StartOptions {
  /** The number of descriptors that the program may hold at most. */
  descriptors?: number | undefined;
  /** Its children belong to it, and its main thread may sleep while they serve. */
  workers?: boolean | undefined;
  /** Milliseconds. */
  listenWithin?: number | undefined;
}

/**
 * Starts a program and waits until it listens. Another process may take the port between freeServerPort() and the
 * program's bind(): then the program is started again with another port.
 * @throws StartFailure when it does not listen; the program has been ended then
 */
export async function startServer(subject: Subject, options: StartOptions = {}): Promise<ServerProcess> {
  for (let tries = 1; ; tries++) {
    try {
      return await startOnce(subject, options);
    } catch (error) {
      const taken =
        error instanceof StartFailure && /EADDRINUSE|address already in use/i.test(error.evidence.join());
      if (!taken || tries === 3) throw error;
    }
  }
}

async function startOnce(
  subject: Subject,
  { descriptors, workers, listenWithin = listenWithinMs }: StartOptions,
): Promise<ServerProcess> {
  if (subject.kind === "unready") throw subject.failure;
  const program = new ServerProcess(subject, await freePort(), { descriptors, workers });
  const began = performance.now();
  const { state, ports } = await untilListening(program, listenWithin);
  if (state === "listens") return program;
  const ms = Math.round(performance.now() - began);
  await program.kill();
  throw didNotListen(program, subject, { state, ms, ports });
}

type ListenState = "listens" | "ended" | "elsewhere";

/** Waits until this program listens on its port. @returns its state, null when `within` milliseconds passed without one */
export async function untilListening(
  program: ServerProcess,
  within = listenWithinMs,
): Promise<{ state: ListenState | null; ports: number[] }> {
  let elsewhere: { ports: number[]; since: number } | null = null;
  const poller = new Poller(() => program.tracing?.turn());
  const mayLook = lookWhen(program);
  const found = (): ListenState | null => {
    if (!mayLook()) return null;
    const ports = portsOf(program);
    if (ports.includes(program.port)) return "listens";
    if (program.ended) return "ended";
    if (ports.length > 0) elsewhere ??= { ports, since: performance.now() };
    return elsewhere && performance.now() - elsewhere.since > elsewhereMs ? "elsewhere" : null;
  };
  const state = await poller.until(found, within);
  // The kernel may show the listener before the trace was read: the next reader would find no calls.
  program.tracing?.turn();
  if (state === "listens") {
    const isAsleep = () => runState(program.pid) === "S";
    await poller.until(() => isTraced(program) || isAsleep(), recordMs);
    program.tracing?.turn();
    if (!isTraced(program)) program.leaveTrace();
    if (program.isRival) await untilSettled(program, poller);
  }
  const { ports } = (elsewhere ?? { ports: [] }) as { ports: number[] };
  return { state, ports };
}

/**
 * nginx listens before its worker has started, and a check counts the sockets that a server holds: waits until all of its
 * processes sleep, and hold as many sockets as before.
 */
async function untilSettled(program: ServerProcess, poller: Poller): Promise<void> {
  const pids = () => program.pids();
  const held = () => pids().reduce((sum, pid) => sum + 1 + socketInodes(pid).size, 0);
  await settled(pids, poller, held, { over: 50, within: 2000 });
}

/** Is the listener one of the calls that are traced? Not that of Node's own library, a worker thread or a child. */
function isTraced({ tracing }: ServerProcess): boolean {
  const calls = tracing?.since(0);
  // Of lost calls it is not known what they were.
  return calls !== undefined && (calls.missed > 0 || calls.named("listen").length > 0);
}

/** A look at the ports is expensive: it happens often once the trace has a listen(), and seldom before. */
function lookWhen(program: ServerProcess): () => boolean {
  const [often, seldom] = [throttle(4, () => true), throttle(program.tracing ? 40 : 4, () => true)];
  let [from, listenCalled] = [0, false];
  return () => {
    const { tracing, ended } = program;
    if (tracing && !listenCalled && tracing.next > from) {
      listenCalled = tracing.since(from).named("listen").length > 0;
      from = tracing.next;
    }
    return ended || (listenCalled ? often() : seldom()) === true;
  };
}

function didNotListen(
  program: ServerProcess,
  subject: Runnable,
  { state, ms, ports }: { state: ListenState | null; ms: number; ports: number[] },
): StartFailure {
  const { port } = program;
  const lines = program.output.lastLines(12);
  const evidence = [
    `started: ${subject.kind === "file" ? `${basename(subject.name)} ${port}` : subject.line.replaceAll("{port}", String(port))}`,
    ...(lines.length > 0 ? ["it printed:", ...lines.map(line => `  ${line}`)] : ["it printed nothing"]),
  ];
  const see = subject.kind === "file" ? `npx tsx ${basename(subject.name)} {port}` : undefined;
  const why = (because: string): Why & { line?: number | undefined } => ({
    because,
    ...(see ? { see } : {}),
    line: subject.kind === "file" ? lineIn(lines.join("\n"), subject.name) : undefined,
  });
  if (state === "elsewhere") {
    const there = ports.map(String).join(" and ");
    return new StartFailure(
      `The server listens on port ${there}, and not on port ${port}, which it was started with.`,
      evidence,
      why(
        "The port is the program's first argument, process.argv[2]. Each check starts it with another port.",
      ),
    );
  }
  if (state === "ended") {
    evidence.push(`after ${ms} ms it ${program.end}`);
    const exited = program.end === "exited with 0";
    return new StartFailure(
      `The server ended before it listened: ${program.end}.`,
      evidence,
      why(
        exited
          ? "A server must run until it is stopped; this program came to its last line."
          : "Its last output, above, says where it went wrong.",
      ),
    );
  }
  const inside = program.tracing?.inside;
  if (inside) evidence.push(`it is inside ${inside.call}(), which has not returned`);
  evidence.push(`after ${ms} ms it did not listen on any port`);
  return new StartFailure(
    `The server runs, but did not listen on port ${port} within ${Math.round(ms / 1000)} s.`,
    evidence,
    why(
      "A client can connect as soon as the server has called listen() on a socket that is bound to the port.",
    ),
  );
}

/** The ports on which a program listens: its children, too, where one of them has its port. */
function portsOf(program: ServerProcess): number[] {
  const all = listeners();
  const portsOfAll = (pids: readonly number[]) => {
    const inodes = new Set(pids.flatMap(pid => [...socketInodes(pid)]));
    return [...new Set(all.filter(row => inodes.has(row.inode)).map(row => row.localPort))];
  };
  const ports = portsOfAll(program.pids());
  if (ports.includes(program.port) || !all.some(row => row.localPort === program.port)) return ports;
  const more = portsOfAll(processTree(program.pid));
  if (!more.includes(program.port)) return ports;
  program.includeChildren();
  return more;
}

/** The innermost line of this file that a stack trace names. */
function lineIn(text: string, file: string): number | undefined {
  const name = basename(file).replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const match = new RegExp(`${name}:(\\d+)`).exec(text);
  return match ? Number(match[1]) : undefined;
}

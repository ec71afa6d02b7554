// From "start this program" to "it listens on the port that it was given", or a failure that says what it did
// instead: ended, listened elsewhere, or nothing at all.
import { randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { AF_INET, SOCK_STREAM, Socket, SyscallError } from "../runtime/net.ts";
import { listeners } from "./connections.ts";
import { StartFailure, type Why } from "./failure.ts";
import { socketInodes } from "./proc.ts";
import { Program, type Runnable, type Subject } from "./program.ts";
import { every, Waiting } from "./wait.ts";

/** A Node that loads koffi listens after 0.2 s; this is for a machine that does a hundred other things. */
const listenWithinMs = 15_000;
/** A program that listens elsewhere may still open the right port: it gets this long. */
const elsewhereMs = 1000;

export interface StartOptions {
  /** Descriptors that the program may hold at most. */
  descriptors?: number | undefined;
  /** Milliseconds. */
  listenWithin?: number | undefined;
}

/**
 * A program that listens. Between our look at a port and its bind() somebody else may have taken the port: then it
 * gets another one.
 * @throws StartFailure when it does not; it has been ended then
 */
export async function start(subject: Subject, options: StartOptions = {}): Promise<Program> {
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
  { descriptors, listenWithin = listenWithinMs }: StartOptions,
): Promise<Program> {
  if (subject.kind === "unready") throw subject.failure;
  const program = new Program(subject, freePort(), descriptors);
  const began = performance.now();
  const { outcome, ports } = await listening(program, listenWithin);
  if (outcome === "listens") return program;
  const ms = Math.round(performance.now() - began);
  await program.kill();
  throw didNotListen(program, subject, outcome, ms, ports);
}

/** Waits until this program listens on its port, and says what it did: null when it did nothing in time. */
export async function listening(
  program: Program,
  within = listenWithinMs,
): Promise<{ outcome: "listens" | "ended" | "elsewhere" | null; ports: number[] }> {
  let elsewhere: { ports: number[]; since: number } | null = null;
  const waiting = new Waiting(() => program.tracing?.turn());
  const due = lookWhen(program);
  const settled = () => {
    if (!due()) return null;
    const ports = portsOf(program);
    if (ports.includes(program.port)) return "listens";
    if (program.ended) return "ended";
    if (ports.length > 0) elsewhere ??= { ports, since: performance.now() };
    return elsewhere && performance.now() - elsewhere.since > elsewhereMs ? "elsewhere" : null;
  };
  const outcome = await waiting.until(settled, within);
  // The kernel may have shown the listener before its calls were seen: whoever comes next would think that there are none.
  program.tracing?.turn();
  const { ports } = (elsewhere ?? { ports: [] }) as { ports: number[] };
  return { outcome, ports };
}

/** When a look at its ports is worth its price: once listen() is in its trace often, else now and then. */
function lookWhen(program: Program): () => boolean {
  const [often, seldom] = [every(4, () => true), every(program.tracing ? 40 : 4, () => true)];
  let [from, heard] = [0, false];
  return () => {
    const { tracing, ended } = program;
    if (tracing && !heard && tracing.next > from) {
      heard = tracing.since(from).named("listen").length > 0;
      from = tracing.next;
    }
    return ended || (heard ? often() : seldom()) === true;
  };
}

function didNotListen(
  program: Program,
  subject: Runnable,
  outcome: string | null,
  ms: number,
  ports: number[],
): StartFailure {
  const { port } = program;
  const words = program.printed.tail(12);
  const evidence = [
    `started: ${subject.kind === "file" ? `${basename(subject.name)} ${port}` : subject.line.replaceAll("{port}", String(port))}`,
    ...(words.length > 0 ? ["it printed:", ...words.map(line => `  ${line}`)] : ["it printed nothing"]),
  ];
  const see = subject.kind === "file" ? `npx tsx ${basename(subject.name)} {port}` : undefined;
  const why = (because: string): Why & { line?: number | undefined } => ({
    because,
    ...(see ? { see } : {}),
    line: subject.kind === "file" ? lineIn(words.join("\n"), subject.name) : undefined,
  });
  if (outcome === "elsewhere") {
    const there = ports.map(String).join(" and ");
    return new StartFailure(
      `The server listens on ${there}, and not on ${port}, the port that it was given.`,
      evidence,
      why("The port is the program's first argument: process.argv[2]. Each check gives it another one."),
    );
  }
  if (outcome === "ended") {
    evidence.push(`after ${ms} ms it ${program.end}`);
    const cameToItsEnd = program.end === "exited with 0";
    return new StartFailure(
      `The server ended before it listened: ${program.end}.`,
      evidence,
      why(
        cameToItsEnd
          ? "A server runs until somebody stops it; this one came to the end of its program."
          : "What it printed last, above, says where it went wrong.",
      ),
    );
  }
  const inside = program.tracing?.inside;
  if (inside) evidence.push(`it is inside ${inside.name}(), and does not come out`);
  evidence.push(`after ${ms} ms it listened nowhere`);
  return new StartFailure(
    `The server runs, but has not listened on ${port} within ${Math.round(ms / 1000)} s.`,
    evidence,
    why(`A client can come as soon as the server has called listen() on a socket that is bound to the port.`),
  );
}

/** The ports on which a program listens. */
function portsOf(program: Program): number[] {
  const inodes = new Set(program.pids().flatMap(pid => [...socketInodes(pid)]));
  const mine = listeners().filter(row => inodes.has(row.inode));
  return [...new Set(mine.map(row => row.localPort))];
}

/** The innermost line of this file that a stack trace names. */
function lineIn(text: string, file: string): number | undefined {
  const name = basename(file).replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const match = new RegExp(`${name}:(\\d+)`).exec(text);
  return match ? Number(match[1]) : undefined;
}

/** Ports that were given last. */
const given = new Set<number>();

/**
 * A port that nobody uses. Not one of those that the kernel gives to clients (ip_local_port_range): one of our
 * own clients could take it before the server does. Bound without SO_REUSEADDR, so that none in TIME_WAIT passes.
 */
export function freePort(): number {
  const [first] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8")
    .trim()
    .split(/\s+/)
    .map(Number);
  const most = Math.max(12_000, Math.min(first ?? 32_768, 32_768));
  for (let tries = 0; tries < 200; tries++) {
    const port = randomInt(10_000, most);
    if (given.has(port)) continue;
    const socket = new Socket(AF_INET, SOCK_STREAM);
    try {
      socket.bind({ host: "127.0.0.1", port });
      given.add(port);
      // Several programs are started at a time, and none may get the port of one that has not bound it yet.
      if (given.size > 1000) given.delete(given.values().next().value!);
      return port;
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
    } finally {
      socket.close();
    }
  }
  throw new Error("No free port was found in 200 tries.");
}

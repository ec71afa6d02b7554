// Visitor. The process of the clients that a student sends against the running program.
// It reads commands from its stdin and writes reports to its stdout; a signal of the kernel ends it with the lab server.
import { readSync } from "node:fs";
import { JsonLines } from "../lib/json-lines.ts";
import {
  type Held,
  type VisitKind,
  type VisitorCommand,
  type VisitorReport,
  visitKinds,
} from "../protocol.ts";
import { EAGAIN, installSynchronousOutput, native } from "../runtime.ts";
import { Network } from "./network.ts";
import { drip, halfClose, oneGet, pipeline, raw, readSlowly, reset, silent, split } from "./visits/kinds.ts";
import { Loop } from "./visits/loop.ts";
import { burst, idle } from "./visits/many-clients.ts";
import { type Script, Visit, type VisitOrder } from "./visits/visit.ts";

const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;
/** A request is at most 64 KB of text, and JSON may write one byte as six. */
const mostCommandBytes = 1024 * 1024;

const scripts: Record<VisitKind, Script> = {
  get: oneGet,
  silent,
  split,
  drip,
  pipeline,
  "slow-reader": readSlowly,
  "half-close": halfClose,
  reset,
  burst,
  idle,
  raw,
};

const network = new Network();
const loop = new Loop(network);
const visits = new Map<string, Visit>();
let held: Held | null = null;

function onCommand(command: VisitorCommand): void {
  if (command.type === "held") held = command.held;
  else if (command.type === "leave") visits.get(command.visit)?.leave();
  else if (command.type === "visit") start(command);
}

function start(order: VisitOrder): void {
  // The lab server names the host; this is the second check that clients visit no other machine.
  if (order.host !== "127.0.0.1" && order.host !== "::1") throw new Error(`no visits to ${order.host}`);
  if (!visitKinds.includes(order.kind)) throw new Error(`no visit is called ${order.kind}`);
  const visit = new Visit(order, loop, network, () => held, send);
  visits.set(order.visit, visit);
  // An unexpected error ends the visitor with its stack on stderr: the lab server reports it.
  void visit.run(scripts[order.kind]).then(() => visits.delete(order.visit), fail);
}

function send(report: VisitorReport): void {
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

function fail(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
}

const commands = new JsonLines(mostCommandBytes);

/** The standard input: the loop watches it with the sockets of the clients. */
const stdin = {
  fd: 0,
  close() {},
  onReady() {
    const buffer = Buffer.alloc(64 * 1024);
    let got: number;
    try {
      got = readSync(0, buffer, 0, buffer.length, null);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).errno === -EAGAIN) return;
      throw error;
    }
    if (got === 0) process.exit(0);
    for (const line of commands.push(buffer.subarray(0, got))) {
      if (line.kind === "bad") throw new Error(line.problem);
      if (line.kind === "value") onCommand(line.value as VisitorCommand);
    }
  },
};

native.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
installSynchronousOutput();
network.watch(stdin, { read: true, write: false });
await loop
  .run(() => {
    for (const visit of visits.values()) visit.steps.tick();
  })
  .catch(fail);

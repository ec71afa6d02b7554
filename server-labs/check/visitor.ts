// The visitor: the process in which the clients live that a student sends against the running program. It takes orders
// on its stdin, and says what happens on its stdout; it ends with the lab server, whichever way that ends.
import { readSync } from "node:fs";
import { type Held, type VisitKind, type VisitorCommand, type VisitorSays, visitKinds } from "../protocol.ts";
import { EAGAIN } from "../runtime/errno.ts";
import { native } from "../runtime/libc.ts";
import { installSynchronousOutput } from "../runtime/stdio.ts";
import { Network } from "./network.ts";
import { burst, idle } from "./visits/crowd.ts";
import { drip, get, halfClose, pipeline, raw, reset, silent, slowly, split } from "./visits/kinds.ts";
import { Loop } from "./visits/loop.ts";
import { type Order, type Script, Visit } from "./visits/visit.ts";

const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;

const scripts: Record<VisitKind, Script> = {
  get,
  silent,
  split,
  drip,
  pipeline,
  "slow-reader": slowly,
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
let unread = "";

function obey(command: VisitorCommand): void {
  if (command.type === "held") held = command.held;
  else if (command.type === "leave") visits.get(command.visit)?.leave();
  else if (command.type === "visit") begin(command);
}

function begin(order: Order): void {
  // The lab server says where to; that nobody else is visited is also our own affair.
  if (order.host !== "127.0.0.1" && order.host !== "::1") throw new Error(`no visits to ${order.host}`);
  if (!visitKinds.includes(order.kind)) throw new Error(`no visit is called ${order.kind}`);
  const visit = new Visit(order, loop, network, () => held, say);
  visits.set(order.visit, visit);
  // A mistake of ours ends the visitor, with its words on stderr: the lab server says so.
  void visit.run(scripts[order.kind]).then(() => visits.delete(order.visit), fail);
}

function say(step: VisitorSays): void {
  process.stdout.write(`${JSON.stringify(step)}\n`);
}

function fail(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
}

/** Commands, as a descriptor among those of the clients. */
const stdin = {
  fd: 0,
  close() {},
  move() {
    const buffer = Buffer.alloc(64 * 1024);
    let got: number;
    try {
      got = readSync(0, buffer, 0, buffer.length, null);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).errno === -EAGAIN) return;
      throw error;
    }
    if (got === 0) process.exit(0);
    const lines = (unread + buffer.toString("latin1", 0, got)).split("\n");
    unread = lines.pop()!;
    // Decoded whole: a character may come in two reads.
    for (const line of lines) obey(JSON.parse(Buffer.from(line, "latin1").toString()) as VisitorCommand);
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

// Three hubs. In each an async function waits for an event, some calls deep. The program counts how often the hub sleeps from
// this event until the code that awaits the function goes on: npx tsx hubs.ts
import { EPOLLIN, Epoll, EventFd } from "workbook/net";

/** A hub that sleeps so often without an event is stopped. */
const mostSleeps = 20;
let finished = false;
let sleeps = 0;
let resolve: () => void;
const event = new EventFd();
const epoll = new Epoll();
epoll.register(event, EPOLLIN);

/** Waits for the event, so many calls deep. */
async function waitFor(event: Promise<void>, calls: number): Promise<void> {
  if (calls > 1) await waitFor(event, calls - 1);
  else await event;
}

const over = () => finished || sleeps === mostSleeps;

/** One turn of a hub. It sleeps 5 ms at most: in a server it would sleep until another event comes. */
function turn(): void {
  if (epoll.poll(5).length === 0) {
    sleeps++;
  } else {
    event.take();
    resolve();
  }
}

// #region hubs
async function synchronous() {
  while (!over()) turn();
}

async function awaitsNull() {
  while (!over()) {
    turn();
    await null;
  }
}

async function awaitsImmediate() {
  while (!over()) {
    turn();
    await new Promise(setImmediate);
  }
}
// #endregion hubs

console.log("calls deep   synchronous   await null   setImmediate");
for (const calls of [1, 2, 3, 10]) {
  const row = [String(calls).padEnd(11)];
  for (const hub of [synchronous, awaitsNull, awaitsImmediate]) {
    finished = false;
    sleeps = 0;
    const happens = new Promise<void>(then => (resolve = then));
    const task = waitFor(happens, calls).then(() => (finished = true));
    event.add(1);
    await hub();
    row.push((finished ? String(sleeps) : "never").padEnd(11));
    await task;
  }
  console.log(row.join("  ").trimEnd());
}

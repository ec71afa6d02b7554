// What silent clients cost a server: its processes, threads and memory, without them and with them.
import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const [port, clients] = process.argv.slice(2).map(Number);
if (!port || !clients) {
  console.log("run it like this: node cost.js 7891 12");
  process.exit(1);
}

const read = path => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // the process has ended
  }
};
const list = path => {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
};
const link = path => {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
};
const pids = () => list("/proc").filter(name => /^\d+$/.test(name));

/** The process that listens on the port: one of its descriptors is the socket that /proc/net/tcp shows. */
function listening() {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const rows = read("/proc/net/tcp").split("\n");
  const row = rows
    .map(line => line.trim().split(/\s+/))
    .find(([, at, , state]) => at?.endsWith(`:${hex}`) && state === "0A");
  const socket = `socket:[${row?.[9]}]`;
  return pids().find(pid => list(`/proc/${pid}/fd`).some(fd => link(`/proc/${pid}/fd/${fd}`) === socket));
}

/** This process and its descendants, without those that have ended (state Z). */
function family(pid) {
  const stats = pids().map(one => [
    one,
    ...(/\) ([^Z]) (\d+)/.exec(read(`/proc/${one}/stat`))?.slice(1) ?? []),
  ]);
  const found = [pid];
  for (const one of found) for (const [child, , parent] of stats) if (parent === one) found.push(child);
  return found;
}

/** Pss: a page that n processes share counts as one nth in each of them. */
function cost(pid) {
  const processes = family(pid);
  const sum = of => processes.map(of).reduce((all, one) => all + one, 0);
  return {
    processes: processes.length,
    threads: sum(one => list(`/proc/${one}/task`).length),
    mb: sum(one => Number(/^Pss: +(\d+)/m.exec(read(`/proc/${one}/smaps_rollup`))?.[1] ?? 0)) / 1024,
  };
}

const show = ({ processes, threads, mb }) =>
  `processes ${processes}, threads ${threads}, memory ${mb.toFixed(0)} MB`;

const pid = listening();
if (pid === undefined) throw new Error(`No process of yours listens on port ${port}.`);
const before = cost(pid);
console.log(`no client:  ${show(before)}`);
const sockets = Array.from({ length: clients }, () => connect(port, "127.0.0.1"));
await Promise.all(sockets.map(socket => once(socket, "connect")));
let after = before;
for (let still = 0; still < 6; ) {
  await sleep(500);
  const now = cost(pid);
  still = now.threads === after.threads && Math.abs(now.mb - after.mb) < 2 ? still + 1 : 0;
  after = now;
}
console.log(`${clients} clients: ${show(after)}`);
console.log(`for each:   ${((after.mb - before.mb) / clients).toFixed(1)} MB`);
for (const socket of sockets) socket.destroy();

// Ports. Which process holds a TCP port, and which port is free: read from /proc, and asked of the kernel by binding.
import { randomInt } from "node:crypto";
import { readdir, readFile, readlink } from "node:fs/promises";
import { createServer } from "node:net";
import { socketInode } from "./descriptors.ts";
import { hostOf, TcpTable } from "./tables.ts";

/** A socket in state LISTEN. */
export interface ListeningSocket {
  host: string;
  port: number;
  /** Of the socket; what /proc/<pid>/fd/* links to as "socket:[inode]". */
  inode: number;
}

export interface Holder {
  /** 0 when the process cannot be seen: it belongs to another user, or lives in another container. */
  pid: number;
  command: string;
}

const pollMs = 5;

/** True when a program could bind host:port now. A port that we may not have at all (EACCES) counts as free. */
export function isFree(port: number, host = "127.0.0.1"): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(false);
      else if (error.code === "EACCES") resolve(true);
      else reject(error);
    });
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/** Ports that freePort() has chosen and that their programs may not have bound yet; the oldest are forgotten. */
const chosen = new Set<number>();
const mostChosen = 1000;

/**
 * A free port of 127.0.0.1: the first from `from` on, or a random one when `from` is 0 or no port near it is free. The
 * random one lies below the ports that the kernel gives to clients (ip_local_port_range): a client could get one of
 * those before the server binds it. A port with a connection in TIME_WAIT counts as used.
 */
export async function freePort(from = 0): Promise<number> {
  for (let port = from; port > 0 && port < Math.min(from + 100, 65536); port++) {
    if (await isFree(port)) return port;
  }
  const range = await readFile("/proc/sys/net/ipv4/ip_local_port_range", "utf8").catch(() => "");
  const firstOfClients = Number(/^\d+/.exec(range.trim())?.[0] ?? 32_768);
  const end = Math.max(12_000, Math.min(firstOfClients, 32_768));
  const used = new Set((await tables()).flatMap(table => table.rows.map(row => row.localPort)));
  for (let tries = 0; tries < 200; tries++) {
    const port = randomInt(10_000, end);
    if (chosen.has(port) || used.has(port)) continue;
    // Chosen before it is awaited: programs that start at the same time get different ports.
    chosen.add(port);
    if (chosen.size > mostChosen) chosen.delete(chosen.values().next().value!);
    if (await isFree(port)) return port;
  }
  throw new Error(`No free port was found in 200 tries between 10000 and ${end}.`);
}

/** The process that listens on a port that this address needs; null without one (the port may still be bound). */
export async function holderOf(
  port: number,
  host: "127.0.0.1" | "::1" = "127.0.0.1",
): Promise<Holder | null> {
  const needed = host === "::1" ? (at: string) => at === "::" || at === "::1" : inTheWay;
  const inodes = new Set(
    (await listening()).filter(l => l.port === port && needed(l.host)).map(l => l.inode),
  );
  if (inodes.size === 0) return null;
  for (const name of await readdir("/proc")) {
    const pid = Number(name);
    if (pid > 0 && (await holds(pid, inodes))) return { pid, command: await commandOf(pid) };
  }
  return { pid: 0, command: "a process that this user may not see" };
}

/** Does this process listen there? Cheaper than holderOf(). */
export async function listensItself(pid: number, port: number, host: string): Promise<boolean> {
  const inodes = (await listening()).filter(l => l.port === port && l.host === host).map(l => l.inode);
  return inodes.length > 0 && holds(pid, new Set(inodes));
}

/** The sockets that listen on this port, on whatever address. */
export async function listenersOn(port: number): Promise<ListeningSocket[]> {
  return (await listening()).filter(one => one.port === port);
}

/**
 * A process that holds this socket; null when none of those that belong does.
 * @param first the process that is asked first, which costs little; the others cost a look at every process
 */
export async function holderAmong(
  inode: number,
  first: number | null,
  belongs: (pid: number) => boolean,
): Promise<Holder | null> {
  const inodes = new Set([inode]);
  if (first !== null && (await holds(first, inodes))) return { pid: first, command: await commandOf(first) };
  for (const name of await readdir("/proc")) {
    const pid = Number(name);
    if (pid > 0 && pid !== first && (await holds(pid, inodes)) && belongs(pid))
      return { pid, command: await commandOf(pid) };
  }
  return null;
}

/** Waits until no process listens on any of these ports. False when one still does after `ms` milliseconds. */
export async function untilFree(ports: Iterable<number>, ms: number): Promise<boolean> {
  const wanted = new Set(ports);
  const end = performance.now() + ms;
  while (wanted.size > 0 && (await listening()).some(l => wanted.has(l.port) && inTheWay(l.host))) {
    if (performance.now() > end) return false;
    await new Promise(resolve => setTimeout(resolve, pollMs));
  }
  return true;
}

/** Where the socket behind a process's descriptor listens; null when it does not, or is gone. */
export async function listeningOn(pid: number, fd: number): Promise<ListeningSocket | null> {
  const link = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => "");
  const inode = socketInode(link);
  return inode === 0 ? null : ((await listening()).find(l => l.inode === inode) ?? null);
}

/** Every socket of this network namespace in state LISTEN; see proc(5), /proc/net/tcp. */
async function listening(): Promise<ListeningSocket[]> {
  return (await tables()).flatMap(table =>
    table.rows
      .filter(({ state }) => state === "LISTEN")
      .map(row => ({ host: hostOf(table.local(row)), port: row.localPort, inode: row.inode })),
  );
}

async function tables(): Promise<TcpTable[]> {
  const read = (version: 4 | 6) =>
    readFile(`/proc/net/${version === 4 ? "tcp" : "tcp6"}`).catch(() => Buffer.alloc(0));
  return [new TcpTable(await read(4), 4), new TcpTable(await read(6), 6)];
}

/** Would a listener on this address keep a program from binding 127.0.0.1? "::" takes IPv4 as well. */
function inTheWay(host: string): boolean {
  return ["0.0.0.0", "127.0.0.1", "::"].includes(host);
}

async function holds(pid: number, inodes: Set<number>): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  const fds = await readdir(folder).catch(() => []);
  const links = await Promise.all(fds.map(fd => readlink(`${folder}/${fd}`).catch(() => "")));
  return links.some(link => inodes.has(socketInode(link)));
}

/** The command line of a process, as one would type it, cut at a length that a sentence can hold. */
async function commandOf(pid: number): Promise<string> {
  const words = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0").filter(Boolean);
  const name = (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")).trim();
  const command = words.join(" ").replace(/\p{C}/gu, " ") || name || "a process without a name";
  return command.length > 120 ? `${command.slice(0, 119)}…` : command;
}

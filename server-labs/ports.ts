// Who holds a TCP port, and which one is free: read from /proc, and asked of the kernel by binding. It only
// looks: whatever it finds, it ends nobody's process.
import { readdir, readFile, readlink } from "node:fs/promises";
import { createServer } from "node:net";

/** A socket that listens somewhere on this machine. */
export interface Listening {
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

/** The first free port from `from` on, else any; 0 asks for any. */
export async function freePort(from = 0, host = "127.0.0.1"): Promise<number> {
  for (let port = from; port > 0 && port < Math.min(from + 100, 65536); port++) {
    if (await isFree(port, host)) return port;
  }
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen({ port: 0, host, exclusive: true }, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

/** Who listens on a port that this address needs; null when nobody does (it may be bound, but not listening). */
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

/** Does this process listen there? Cheaper than to ask who does. */
export async function listensItself(pid: number, port: number, host: string): Promise<boolean> {
  const inodes = (await listening()).filter(l => l.port === port && l.host === host).map(l => l.inode);
  return inodes.length > 0 && holds(pid, new Set(inodes));
}

/** Waits until nobody listens on any of these ports. False when somebody still does after `ms` milliseconds. */
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
export async function listeningOn(pid: number, fd: number): Promise<Listening | null> {
  const link = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => "");
  const inode = Number(/^socket:\[(\d+)\]$/.exec(link)?.[1]);
  return (await listening()).find(l => l.inode === inode) ?? null;
}

/** Every socket of this network namespace in state LISTEN; see proc(5), /proc/net/tcp. */
export async function listening(): Promise<Listening[]> {
  const tables = await Promise.all(
    ["tcp", "tcp6"].map(t => readFile(`/proc/net/${t}`, "latin1").catch(() => "")),
  );
  const found: Listening[] = [];
  for (const line of tables.join("\n").split("\n")) {
    // "  0: 0100007F:1ED2 00000000:0000 0A …", where 0A is TCP_LISTEN; the 10th field is the inode.
    const fields = line.trim().split(/\s+/);
    if (fields[3] !== "0A") continue;
    const [address = "", port = ""] = fields[1]!.split(":");
    found.push({ host: hostOf(address), port: Number.parseInt(port, 16), inode: Number(fields[9]) });
  }
  return found;
}

/** The kernel prints each 32-bit word of an address in the machine's own byte order: little-endian on x64 and arm64. */
function hostOf(hex: string): string {
  const bytes = Buffer.from(hex, "hex");
  for (let i = 0; i + 4 <= bytes.length; i += 4) bytes.subarray(i, i + 4).reverse();
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16));
  return new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1);
}

/** Would a listener on this address keep a program from binding 127.0.0.1? "::" takes IPv4 as well. */
function inTheWay(host: string): boolean {
  return ["0.0.0.0", "127.0.0.1", "::", "::ffff:7f00:1", "::ffff:0:0"].includes(host);
}

async function holds(pid: number, inodes: Set<number>): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  const fds = await readdir(folder).catch(() => []);
  const links = await Promise.all(fds.map(fd => readlink(`${folder}/${fd}`).catch(() => "")));
  return links.some(link => inodes.has(Number(/^socket:\[(\d+)\]$/.exec(link)?.[1])));
}

/** The command line of a process, as one would type it, cut at a length that a sentence can hold. */
async function commandOf(pid: number): Promise<string> {
  const words = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0").filter(Boolean);
  const name = (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")).trim();
  const command = words.join(" ").replace(/\p{C}/gu, " ") || name || "a process without a name";
  return command.length > 120 ? `${command.slice(0, 119)}…` : command;
}

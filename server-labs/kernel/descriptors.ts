// The descriptors of a program: what each is, and which are the student's. Node has some twenty of its own before the
// program begins (four of them epoll instances); those that are still the same are nobody's business here.
import { readdirSync, readlinkSync } from "node:fs";
import { readdir, readFile, readlink } from "node:fs/promises";

/** fd → what /proc/<pid>/fd says that it is: "socket:[4711]", "anon_inode:[eventpoll]", a path. */
export type Links = Map<number, string>;

/** As it is now, at once: for the moment before a program begins, which does not wait. Empty when it cannot be seen. */
export function linksNow(pid: number): Links {
  const links: Links = new Map();
  try {
    for (const name of readdirSync(`/proc/${pid}/fd`)) {
      try {
        links.set(Number(name), readlinkSync(`/proc/${pid}/fd/${name}`));
      } catch {
        // closed between the listing and the look
      }
    }
  } catch {
    // gone, or not ours to see: the samples will say so
  }
  return links;
}

export class Descriptors {
  readonly #own: Links;
  /** As read last. A look at each of thousands costs more than the sockets' own table does. */
  #known: Links = new Map();

  /** @param own what Node has open itself, before the program begins */
  constructor(own: Links) {
    this.#own = own;
  }

  /** The program has made this descriptor with a call of its own. */
  made(fd: number): void {
    this.#own.delete(fd);
    this.#known.delete(fd);
  }

  /**
   * All that are open, and what each of the student's is.
   * @param same is this socket's inode still held by somebody? Then a descriptor that had it has it still.
   * @throws as opendir(3) does: EACCES, ENOENT
   */
  async look(pid: number, same: (inode: number) => boolean): Promise<{ open: number; links: Links }> {
    const open = (await readdir(`/proc/${pid}/fd`)).map(Number);
    const before = this.#known;
    const links: Links = new Map();
    const asked = open.filter(fd => {
      const link = before.get(fd);
      const inode = link === undefined ? 0 : socketInode(link);
      if (inode === 0 || !same(inode)) return true;
      links.set(fd, link!);
      return false;
    });
    // Not all at once: each is a turn of the thread pool, which others need too.
    for (let i = 0; i < asked.length; i += 64) {
      const slice = asked.slice(i, i + 64);
      const found = await Promise.all(
        slice.map(fd => readlink(`/proc/${pid}/fd/${fd}`).catch(() => undefined)),
      );
      for (const [k, link] of found.entries()) if (link !== undefined) links.set(slice[k]!, link);
    }
    for (const [fd, link] of links) if (this.#own.get(fd) === link) links.delete(fd);
    this.#known = links;
    return { open: open.length, links };
  }
}

/** The inode of a socket, 0 for anything else. */
export function socketInode(link: string): number {
  return link.startsWith("socket:[") ? Number.parseInt(link.slice(8), 10) : 0;
}

/** In words, for what is no connection and no epoll instance. @param cwd the program's folder: files in it are named from there */
export function whatIs(link: string, cwd: string): string {
  if (link.startsWith("socket:")) return "socket (not connected)";
  const kind = /^(?:anon_inode:\[?|)([a-z]+)(?:\]|:\[\d+\])$/.exec(link)?.[1];
  if (kind) return kind;
  return `file ${cwd !== "" && link.startsWith(`${cwd}/`) ? link.slice(cwd.length + 1) : link}`;
}

export interface Registration {
  fd: number;
  /** As the kernel keeps it: EPOLLERR and EPOLLHUP always, unless a ONESHOT is disarmed. */
  events: number;
}

/** What an epoll instance watches: the "tfd" lines of its fdinfo, see epoll(7). */
export async function registrations(pid: number, fd: number): Promise<Registration[]> {
  const text = await fdinfo(pid, fd);
  const found: Registration[] = [];
  // "tfd:        6 events:       1b data:                6  pos:0 ino:4 sdev:8"
  for (const line of text.split("\n")) {
    if (!line.startsWith("tfd:")) continue;
    const events = line.indexOf("events:");
    if (events < 0) continue;
    found.push({
      fd: Number.parseInt(line.slice(4, events), 10),
      events: Number.parseInt(line.slice(events + 7), 16),
    });
  }
  return found;
}

/** O_NONBLOCK among the "flags" (octal) of a descriptor's fdinfo; null when it is gone. */
export async function isNonblocking(pid: number, fd: number): Promise<boolean | null> {
  const flags = /^flags:\s*([0-7]+)/m.exec(await fdinfo(pid, fd))?.[1];
  return flags === undefined ? null : (Number.parseInt(flags, 8) & 0o4000) !== 0;
}

/** The count of an eventfd; null when it is none. */
export async function eventfdCount(pid: number, fd: number): Promise<number | null> {
  const count = /^eventfd-count:\s*([0-9a-f]+)/m.exec(await fdinfo(pid, fd))?.[1];
  return count === undefined ? null : Number.parseInt(count, 16);
}

function fdinfo(pid: number, fd: number): Promise<string> {
  return readFile(`/proc/${pid}/fdinfo/${fd}`, "latin1").catch(() => "");
}

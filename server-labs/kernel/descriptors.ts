// Descriptors. What each descriptor of a program is, and which are the student's. Node has some twenty of its own before
// the program starts, four of them epoll instances; those are left out as long as they are the same.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { giveTurn } from "./turns.ts";

/** fd → what /proc/<pid>/fd says that it is: "socket:[4711]", "anon_inode:[eventpoll]", a path. */
export type Links = Map<number, string>;

/** The descriptors now, synchronously, because a program that starts does not wait. Empty when they cannot be read. */
export function linksNow(pid: number): Links {
  const links: Links = new Map();
  try {
    for (const name of readdirSync(`/proc/${pid}/fd`)) {
      try {
        links.set(Number(name), readlinkSync(`/proc/${pid}/fd/${name}`));
      } catch {
        // closed between readdir and readlink
      }
    }
  } catch {
    // gone, or of another user: the samples will say so
  }
  return links;
}

/**
 * Descriptors that one look reads, at 6 µs each. Of a program with more, a socket that is still open somewhere is taken to
 * be what it was, and read again in turn: another process may hold it, while the number is another file by now.
 */
const readEachLook = 1024;
/** Read without giving other work a turn: less than a millisecond. */
const atOnce = 128;

export class Descriptors {
  readonly #own: Links;
  readonly #most: number;
  /** As read last. */
  #known: Links = new Map();
  /** The descriptor that was read again last. */
  #cursor = -1;

  /**
   * @param own what Node itself has open before the program starts
   * @param most descriptors that one look reads, but for those that are new
   */
  constructor(own: Links, most = readEachLook) {
    this.#own = own;
    this.#most = most;
  }

  /** Marks a descriptor that the program has made with a call of its own. */
  made(fd: number): void {
    this.#own.delete(fd);
    this.#known.delete(fd);
  }

  /**
   * All that are open, and what each of the student's is.
   * @param same does a process still hold this socket's inode? Then a descriptor that had it may still have it.
   * @throws as opendir(3) does: EACCES, ENOENT
   */
  async look(
    pid: number,
    same: (inode: number) => boolean,
  ): Promise<{ open: readonly number[]; links: Links }> {
    const open = readdirSync(`/proc/${pid}/fd`).map(Number);
    const before = this.#known;
    const links: Links = new Map();
    const asked: number[] = [];
    const trusted: number[] = [];
    for (const fd of open) {
      const inode = socketInode(before.get(fd) ?? "");
      (inode !== 0 && same(inode) ? trusted : asked).push(fd);
    }
    const again = this.#inTurn(trusted, Math.max(this.#most - asked.length, 1));
    for (const fd of trusted) links.set(fd, before.get(fd)!);
    for (const [i, fd] of [...asked, ...again].entries()) {
      if (i % atOnce === atOnce - 1) await giveTurn();
      const link = linkOf(pid, fd);
      if (link === null) links.delete(fd);
      else links.set(fd, link);
    }
    for (const [fd, link] of links) if (this.#own.get(fd) === link) links.delete(fd);
    this.#known = links;
    return { open, links };
  }

  /** So many of these, those first that were not read for longest. */
  #inTurn(fds: readonly number[], most: number): readonly number[] {
    if (fds.length <= most) return fds;
    const from = Math.max(
      0,
      fds.findIndex(fd => fd > this.#cursor),
    );
    const again = [...fds.slice(from), ...fds.slice(0, from)].slice(0, most);
    this.#cursor = again.at(-1)!;
    return again;
  }
}

/** What a descriptor is; null when it is closed. */
export function linkOf(pid: number, fd: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    return null;
  }
}

/** The inode of a socket, 0 for anything else. */
export function socketInode(link: string): number {
  return link.startsWith("socket:[") ? Number.parseInt(link.slice(8), 10) : 0;
}

/** Characters of a path that are shown, from its end: a path may have 4096 bytes, and a sample 64 of them. */
const mostPath = 200;

/** What a descriptor is that is not a connection and not an epoll instance. @param cwd the program's folder: files in it have paths from there */
export function whatIs(link: string, cwd: string): string {
  if (link.startsWith("socket:")) return "socket (no TCP connection)";
  const kind = /^(?:anon_inode:\[?|)([a-z]+)(?:\]|:\[\d+\])$/.exec(link)?.[1];
  if (kind) return kind;
  const path = cwd !== "" && link.startsWith(`${cwd}/`) ? link.slice(cwd.length + 1) : link;
  return `file ${path.length > mostPath ? `…${path.slice(-mostPath)}` : path}`;
}

/** O_NONBLOCK among the "flags" (octal) of a descriptor's fdinfo; null when it is gone. */
export function isNonblocking(pid: number, fd: number): boolean | null {
  const flags = /^flags:\s*([0-7]+)/m.exec(fdinfo(pid, fd))?.[1];
  return flags === undefined ? null : (Number.parseInt(flags, 8) & 0o4000) !== 0;
}

/** What /proc/<pid>/fdinfo/<fd> holds, see proc_pid_fdinfo(5); "" when it is closed. */
export function fdinfo(pid: number, fd: number): string {
  try {
    return readFileSync(`/proc/${pid}/fdinfo/${fd}`, "latin1");
  } catch {
    return "";
  }
}

// Registrations. What an epoll instance watches. It watches open files, each under the number that the file had when it was
// registered: after close(2) that number is another file or none, and the registration stays for as long as any other
// descriptor refers to the open file, in this process or in a child. See epoll(7), question 6.
import { statSync } from "node:fs";
import { fdinfo, type Links, socketInode } from "./descriptors.ts";

/** An open file, whatever its number: where two of these are different, the files are. */
interface FileIdentity {
  inode: number;
  device: number;
}

/** A line of an instance's fdinfo. */
export interface Registration {
  fd: number;
  /** EPOLLERR and EPOLLHUP always, unless a ONESHOT is disarmed. */
  events: number;
  /** Null before Linux 4.13, which does not show it. */
  file: FileIdentity | null;
}

/** A registration, and what is known of the file that it watches. */
export interface WatchedFile {
  fd: number;
  events: number;
  /** As /proc/<pid>/fd would link to it: "socket:[4711]". Null when it is no socket, or cannot be known. */
  link: string | null;
  /** The number is another file by now, or none. */
  closed: boolean;
}

/** The "tfd" lines of an epoll instance's fdinfo, see proc_pid_fdinfo(5). */
export function registrationsIn(text: string): Registration[] {
  const found: Registration[] = [];
  // "tfd:        6 events:       1b data:                6  pos:0 ino:4f1 sdev:8"
  for (const line of text.split("\n")) {
    if (!line.startsWith("tfd:")) continue;
    const events = line.indexOf("events:");
    if (events < 0) continue;
    const [inode, device] = [hexAfter(line, " ino:"), hexAfter(line, " sdev:")];
    found.push({
      fd: Number.parseInt(line.slice(4, events), 10),
      events: Number.parseInt(line.slice(events + 7), 16),
      file: inode === null || device === null ? null : { inode, device },
    });
  }
  return found;
}

/** The registrations of the epoll instances of one program. */
export class RegistrationReader {
  /** Node's own descriptors: among them is always a socket, the control socket. */
  readonly #own: Links;
  /** Of all sockets of this machine: an inode is unique within a device. */
  #socketDevice: number | null = null;

  constructor(own: Links) {
    this.#own = own;
  }

  /** @param epoll the instance's descriptor @param links what each descriptor of the student's is */
  of(pid: number, epoll: number, links: Links): WatchedFile[] {
    const read = () => registrationsIn(fdinfo(pid, epoll));
    const registered = read();
    this.#socketDevice ??= deviceOfSockets(pid, [...this.#own, ...links]);
    const found: WatchedFile[] = [];
    for (const one of registered) found.push(this.#unchanged(one, links) ?? this.#lookUp(pid, one));
    if (!found.some(({ closed }) => closed)) return found;
    // Closed between two reads, and with it the registration? Only what is still there is watched though it was closed.
    const keys = new Set(read().map(keyOf));
    return found.filter(({ closed }, i) => !closed || keys.has(keyOf(registered[i]!)));
  }

  /** The usual case, which costs no further look: the number is still the socket that was registered. */
  #unchanged({ fd, events, file }: Registration, links: Links): WatchedFile | null {
    const link = links.get(fd);
    if (file === null || link === undefined || file.device !== this.#socketDevice) return null;
    return socketInode(link) === file.inode ? { fd, events, link, closed: false } : null;
  }

  #lookUp(pid: number, { fd, events, file }: Registration): WatchedFile {
    if (file === null) return { fd, events, link: null, closed: false };
    const now = fileOf(pid, fd);
    const closed = now === null || now.inode !== file.inode || now.device !== file.device;
    // All eventfds and epoll instances share one inode: of those it cannot be known whether it is still the same.
    const link = file.device === this.#socketDevice ? `socket:[${file.inode}]` : null;
    return { fd, events, link, closed };
  }
}

function deviceOfSockets(pid: number, links: readonly (readonly [number, string])[]): number | null {
  for (const [fd, link] of links) {
    const inode = socketInode(link);
    const file = inode === 0 ? null : fileOf(pid, fd);
    if (file?.inode === inode) return file.device;
  }
  return null;
}

/** The open file of a descriptor; null when it is closed. */
function fileOf(pid: number, fd: number): FileIdentity | null {
  try {
    const found = statSync(`/proc/${pid}/fd/${fd}`);
    return { inode: found.ino, device: kernelDevice(found.dev) };
  } catch {
    return null;
  }
}

/** A device as fdinfo has it, in the kernel's form, from the form of stat(2): 12 bits for the major, 20 for the minor. */
const kernelDevice = (dev: number): number =>
  ((dev >>> 8) & 0xfff) * 2 ** 20 + ((dev & 0xff) | ((dev >>> 12) & 0xfff00));

const keyOf = ({ fd, file }: Registration): string => `${fd} ${file?.inode} ${file?.device}`;

function hexAfter(line: string, name: string): number | null {
  const at = line.lastIndexOf(name);
  const value = at < 0 ? Number.NaN : Number.parseInt(line.slice(at + name.length), 16);
  return Number.isNaN(value) ? null : value;
}

// The program's end of the control socket: hears what the lab server says, tells it to look, and waits there when the
// program is to wait. It believes that the lab server's lines are well-formed, and that the student may have closed the
// descriptor, or may be using its number for something else: then nobody drives, and the program goes on for good.
import { readlinkSync } from "node:fs";
import { forgetTime, realNow } from "./clock.ts";
import { MSG_DONTWAIT, MSG_NOSIGNAL, POLLIN, POLLOUT, POLLPRI, POLLRDHUP } from "./constants.ts";
import { EAGAIN, EINTR } from "./errno.ts";
import { lastErrno, native, pollFdBytes } from "./libc.ts";
import type { Driver, Pace, PaceCommand, Stop } from "./pace.ts";

type Command = PaceCommand | { type: "peek"; id: number; fds: number[] };

/** When the lab server ends, so do we, by a signal; the socket tells it a moment sooner. */
const deathMs = 1000;
const asked = POLLIN | POLLPRI | POLLOUT | POLLRDHUP;
const newline = new Uint8Array([0x0a]);

/** Tells whoever watches to look. */
export function sayLook(fd: number): void {
  // Not traced: this is ours, not the program's. When the socket is full, a newline is already there.
  native.send(fd, newline, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

export class Control implements Driver {
  readonly fd: number;
  /** "socket:[4711]" */
  readonly #name: string | null;
  readonly #room = Buffer.alloc(64 * 1024);
  readonly #pollfd = new Uint8Array(pollFdBytes);
  readonly #view = new DataView(this.#pollfd.buffer);
  /** What has come on it and was not taken yet. */
  #heard = "";
  /** What the socket has not taken yet. */
  #unsaid = "";
  #lost = false;

  constructor(fd: number) {
    this.fd = fd;
    this.#name = nameOf(fd);
  }

  /** This has come on it already, and was read by somebody else. */
  take(heard: string): void {
    this.#heard += heard;
  }

  /** Tells the lab server to look. */
  wake(): void {
    if (this.#lost) return;
    if (this.#unsaid === "") sayLook(this.fd);
    else this.#flush();
  }

  /** The program has closed it, or has something else by its number. */
  lose(): void {
    this.#lost = true;
  }

  hear(pace: Pace): boolean {
    let news = this.#obey(pace);
    while (!this.#lost) {
      if (nameOf(this.fd) !== this.#name) this.#lost = true;
      const got = this.#lost ? -1 : native.recv(this.fd, this.#room, this.#room.length, MSG_DONTWAIT);
      const errno = got === -1 && !this.#lost ? lastErrno() : 0;
      if (errno === EAGAIN) break;
      if (errno === EINTR) continue;
      if (got > 0) {
        this.#heard += this.#room.toString("latin1", 0, got);
        news = this.#obey(pace) || news;
        continue;
      }
      // The end: our own end follows, if it is the lab server that has gone and not the student who shut this down.
      if (got === 0) native.poll(this.#pollfd, 0, deathMs);
      this.#lost = true;
    }
    if (this.#lost) pace.free();
    return news;
  }

  wait(pace: Pace, stop: Stop): void {
    const began = realNow();
    this.#say({ type: "stopped", ...stop });
    while (pace.stopped) {
      this.#sleep(-1);
      this.hear(pace);
    }
    this.#say({ type: "going" });
    forgetTime(realNow() - began);
  }

  delay(pace: Pace, ms: number): void {
    const began = realNow();
    for (let left = ms; left > 0; left = began + ms - realNow()) {
      if (this.#lost || (this.#sleep(Math.ceil(left)) && this.hear(pace))) break;
    }
    forgetTime(realNow() - began);
  }

  /** Sleeps until there is something to hear; true when there is (or the socket is gone, which hear() finds out). */
  #sleep(ms: number): boolean {
    if (this.#lost) return true;
    this.#flush();
    this.#view.setInt32(0, this.fd, true);
    this.#view.setInt16(4, this.#unsaid === "" ? POLLIN : POLLIN | POLLOUT, true);
    this.#view.setInt16(6, 0, true);
    native.poll(this.#pollfd, 1, ms);
    return (this.#view.getInt16(6, true) & ~POLLOUT) !== 0;
  }

  /** Takes the whole lines of what was heard; true when one of them was about the pace. */
  #obey(pace: Pace): boolean {
    let news = false;
    for (let end = this.#heard.indexOf("\n"); end !== -1; end = this.#heard.indexOf("\n")) {
      const line = this.#heard.slice(0, end);
      this.#heard = this.#heard.slice(end + 1);
      const command = JSON.parse(line) as Command;
      if (command.type === "peek") this.#peek(command.id, command.fds);
      else if (command.type === "pace" || command.type === "step") {
        pace.obey(command);
        news = true;
      }
    }
    return news;
  }

  /** What poll(2) says of these descriptors now, without waiting: it takes nothing away from what it looks at. */
  #peek(id: number, fds: number[]): void {
    const list = new Uint8Array(fds.length * pollFdBytes);
    const view = new DataView(list.buffer);
    for (const [i, fd] of fds.entries()) {
      view.setInt32(i * pollFdBytes, fd, true);
      view.setInt16(i * pollFdBytes + 4, asked, true);
    }
    native.poll(list, fds.length, 0);
    this.#say({
      type: "peeked",
      id,
      fds: fds.map((fd, i) => [fd, view.getUint16(i * pollFdBytes + 6, true)]),
    });
  }

  #say(what: object): void {
    if (this.#lost) return;
    this.#unsaid += `${JSON.stringify(what)}\n`;
    this.#flush();
  }

  #flush(): void {
    while (this.#unsaid !== "" && !this.#lost) {
      const bytes = Buffer.from(this.#unsaid, "latin1");
      const sent = native.send(this.fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent > 0) this.#unsaid = this.#unsaid.slice(sent);
      else if (lastErrno() === EAGAIN) return;
      else this.#lost = true;
    }
  }
}

/**
 * What the kernel calls the open file behind a descriptor; null when there is none. Not fs.fstatSync: Node 20 keeps
 * its answer, and on seeing a socket there the next import does not follow symbolic links.
 */
function nameOf(fd: number): string | null {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return null;
  }
}

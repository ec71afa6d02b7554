// Control socket. The program's end: receives the lab server's commands, wakes its reader, and waits there while the
// program is paused. It relies on well-formed lines from the lab server. The student may have closed the descriptor, or
// may use its number for another file: then the program has no driver any more, and runs at full speed to its end.
import { readlinkSync } from "node:fs";
import type { JsonLine, JsonLines } from "../../lib/json-lines.ts";
import { hideTime, realNow } from "./clock.ts";
import { MSG_DONTWAIT, MSG_NOSIGNAL, POLLIN, POLLOUT, POLLPRI, POLLRDHUP } from "./constants.ts";
import { EAGAIN, EINTR } from "./errno.ts";
import { lastErrno, native, pollFdBytes } from "./libc.ts";
import { memoryUse } from "./memory-use.ts";
import type { BoundaryStop, Driver, PaceCommand, ProgramPace } from "./pace.ts";

type Command = PaceCommand | { type: "peek"; id: number; fds: number[] } | { type: "measure"; id: number };

/** When the lab server ends, a signal ends this process too; the socket shows the end a moment sooner. */
const signalMs = 1000;
const polledEvents = POLLIN | POLLPRI | POLLOUT | POLLRDHUP;
const newline = new Uint8Array([0x0a]);

/** Wakes the reader of the trace at the other end of the socket. */
export function wakeReader(fd: number): void {
  // Not traced: this is ours, not the program's. When the socket is full, a newline is already there.
  native.send(fd, newline, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

export class Control implements Driver {
  readonly fd: number;
  /** "socket:[4711]" */
  readonly #target: string | null;
  readonly #buffer = Buffer.alloc(64 * 1024);
  readonly #pollfd = new Uint8Array(pollFdBytes);
  readonly #view = new DataView(this.#pollfd.buffer);
  readonly #lines: JsonLines;
  /** Commands that have come and are not applied yet. */
  readonly #commands: Command[] = [];
  /** Lines that the kernel has not accepted yet. */
  #unsent = "";
  #lost = false;

  /** @param lines the reader of the socket: it may hold the beginning of a line */
  constructor(fd: number, lines: JsonLines) {
    this.fd = fd;
    this.#lines = lines;
    this.#target = linkTarget(fd);
  }

  /** Queues the commands of these lines. A line that is not JSON is not the lab server's, and is dropped. */
  queueCommands(lines: readonly JsonLine[]): void {
    for (const line of lines) if (line.kind === "value") this.#commands.push(line.value as Command);
  }

  /** Wakes the lab server, which then reads the trace. */
  wake(): void {
    if (this.#lost) return;
    if (this.#unsent === "") wakeReader(this.fd);
    else this.#flush();
  }

  /** The program has closed the socket, or uses its number for another file. */
  disconnect(): void {
    this.#lost = true;
  }

  applyCommands(pace: ProgramPace): boolean {
    let changed = this.#applyQueue(pace);
    while (!this.#lost) {
      if (linkTarget(this.fd) !== this.#target) this.#lost = true;
      const got = this.#lost ? -1 : native.recv(this.fd, this.#buffer, this.#buffer.length, MSG_DONTWAIT);
      const errno = got === -1 && !this.#lost ? lastErrno() : 0;
      if (errno === EAGAIN) break;
      if (errno === EINTR) continue;
      if (got > 0) {
        this.queueCommands(this.#lines.push(this.#buffer.subarray(0, got)));
        changed = this.#applyQueue(pace) || changed;
        continue;
      }
      // End of stream: if the lab server has ended, a signal follows; if the student has shut the socket down, no signal comes.
      if (got === 0) native.poll(this.#pollfd, 0, signalMs);
      this.#lost = true;
    }
    if (this.#lost) pace.release();
    return changed;
  }

  wait(pace: ProgramPace, stop: BoundaryStop): void {
    const began = realNow();
    this.#send({ type: "stopped", ...stop });
    while (pace.stopped) {
      this.#sleep(-1);
      this.applyCommands(pace);
    }
    this.#send({ type: "going" });
    hideTime(realNow() - began);
  }

  delay(pace: ProgramPace, ms: number): void {
    const began = realNow();
    for (let left = ms; left > 0; left = began + ms - realNow()) {
      if (this.#lost || (this.#sleep(Math.ceil(left)) && this.applyCommands(pace))) break;
    }
    hideTime(realNow() - began);
  }

  /** Sleeps until a command comes; true when one has come (or the socket is gone, which applyCommands() detects). */
  #sleep(ms: number): boolean {
    if (this.#lost) return true;
    this.#flush();
    this.#view.setInt32(0, this.fd, true);
    this.#view.setInt16(4, this.#unsent === "" ? POLLIN : POLLIN | POLLOUT, true);
    this.#view.setInt16(6, 0, true);
    native.poll(this.#pollfd, 1, ms);
    return (this.#view.getInt16(6, true) & ~POLLOUT) !== 0;
  }

  /** Applies the queued commands; true when one of them was about the pace. */
  #applyQueue(pace: ProgramPace): boolean {
    let changed = false;
    for (let command = this.#commands.shift(); command; command = this.#commands.shift()) {
      if (command.type === "peek") this.#peek(command.id, command.fds);
      else if (command.type === "measure") this.#send({ type: "measured", id: command.id, ...memoryUse() });
      else if (command.type === "pace" || command.type === "step") {
        pace.apply(command);
        changed = true;
      }
    }
    return changed;
  }

  /** Sends what poll(2) reports of these descriptors now; poll does not wait, and changes nothing. */
  #peek(id: number, fds: number[]): void {
    const list = new Uint8Array(fds.length * pollFdBytes);
    const view = new DataView(list.buffer);
    for (const [i, fd] of fds.entries()) {
      view.setInt32(i * pollFdBytes, fd, true);
      view.setInt16(i * pollFdBytes + 4, polledEvents, true);
    }
    native.poll(list, fds.length, 0);
    this.#send({
      type: "peeked",
      id,
      fds: fds.map((fd, i) => [fd, view.getUint16(i * pollFdBytes + 6, true)]),
    });
  }

  #send(message: object): void {
    if (this.#lost) return;
    this.#unsent += `${JSON.stringify(message)}\n`;
    this.#flush();
  }

  #flush(): void {
    while (this.#unsent !== "" && !this.#lost) {
      const bytes = Buffer.from(this.#unsent, "latin1");
      const sent = native.send(this.fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent > 0) this.#unsent = this.#unsent.slice(sent);
      else if (lastErrno() === EAGAIN) return;
      else this.#lost = true;
    }
  }
}

/**
 * The kernel's name of the open file behind a descriptor; null when the descriptor is closed. Not fs.fstatSync: Node 20
 * keeps its answer, and after it has seen a socket there the next import does not follow symbolic links.
 */
function linkTarget(fd: number): string | null {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return null;
  }
}

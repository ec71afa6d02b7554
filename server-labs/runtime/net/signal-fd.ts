// Signal descriptor. signalfd(2): signals that the program reads from a descriptor, when it chooses to.
import { inspect } from "node:util";
import { isMainThread } from "node:worker_threads";
import { EBADF } from "../sys/errno.ts";
import { forwardToMainThread, stopForwarding } from "../sys/signal-forwarding.ts";
import * as sys from "../sys/syscalls.ts";
import { type Called, checkFlags, integer, misuse, shown } from "./arguments.ts";
import { failed } from "./errors.ts";
import { transfer } from "./transfer.ts";

const SFD_CLOEXEC = 0o2000000;
const SIG_BLOCK = 0;
const SIG_UNBLOCK = 1;
const SIGKILL = 9;
const SIGSTOP = 19;
/** struct signalfd_siginfo, and sigset_t as the C library has it. */
const [infoBytes, setBytes] = [128, 128];
const info = Buffer.alloc(infoBytes);

/** A signal that has come. */
export interface ArrivedSignal {
  /** Its number: SIGTERM, SIGINT, … */
  signal: number;
  /** The process that sent it; 0: the kernel. */
  pid: number;
}

/** A descriptor that is readable while one of its signals has come and was not read. See signalfd(2), signal(7). */
export class SignalFd {
  /** The file descriptor; -1 after close. */
  readonly fd: number;
  /** The signals that this descriptor has blocked, each once. */
  readonly #signals: number[] = [];

  /**
   * Blocks these signals, and makes a descriptor for them: sigprocmask(2) with SIG_BLOCK, then signalfd(2). A blocked
   * signal does not do what it does by default: SIGTERM no longer ends the process, and interrupts no call. It waits in
   * the kernel until `read` returns it. Each signal waits once, however often it is sent.
   *
   * `process.on("SIGTERM", …)` is no help to a loop that does not end: Node calls its handlers in its own event loop, and
   * the loop does not return there. Node has other threads, too, which block no signal: workbook/net installs a handler
   * (sigaction(2)) that passes such a signal on to the main thread. Signals of the hardware (SIGSEGV, …), SIGKILL and
   * SIGSTOP cannot be read.
   * @param signals SIGTERM, SIGINT, …: at least one
   * @param flags SFD_NONBLOCK: `read` returns null when no signal has come; 0: it waits for one
   * @throws SyscallError EMFILE when this process may open no more descriptors; TypeError in a worker thread
   */
  constructor(signals: readonly number[], flags = 0) {
    if (!Array.isArray(signals) || signals.length === 0)
      throw misuse(SignalFd, `takes a list of signals such as [SIGTERM], not ${shown(signals)}.`);
    checkFlags(SignalFd, "SFD_NONBLOCK", flags);
    const set = setOf(signals);
    if (!isMainThread) throw misuse(SignalFd, "works in the main thread only: signals are forwarded to it.");
    // In this order: a main thread that did not block the signal would forward it to itself, without end.
    if (sys.sigprocmask(SIG_BLOCK, set) === -1)
      throw failed(SignalFd, "sigprocmask", "new SignalFd()", sys.errno);
    try {
      for (const signal of new Set(signals)) {
        forwardToMainThread(signal);
        this.#signals.push(signal);
      }
    } catch (error) {
      this.#unblock();
      throw error;
    }
    this.fd = sys.signalfd(-1, set, flags | SFD_CLOEXEC);
    if (this.fd === -1) {
      const { errno } = sys;
      this.#unblock();
      throw failed(SignalFd, "signalfd", "new SignalFd()", errno);
    }
  }

  /**
   * Takes the next signal that has come: read(2).
   * @returns which signal, and which process sent it; null: no signal has come (would block)
   * @throws SyscallError EBADF when it is closed
   */
  read(): ArrivedSignal | null {
    const fd = this.#open(this.read);
    const got = transfer("read", fd, info, { called: this.read, shown: `read(signal fd ${fd})` });
    return got === null ? null : { signal: info.readUInt32LE(0), pid: info.readUInt32LE(12) };
  }

  /**
   * Closes the descriptor, and unblocks its signals: close(2), sigprocmask(2) with SIG_UNBLOCK. From now on they do what
   * they did before, and one that has come and was not read does it at once. A signal that another SignalFd reads stays
   * blocked. A second close does nothing.
   */
  close(): void {
    if (this.fd === -1) return;
    const fd = this.fd;
    (this as { fd: number }).fd = -1;
    sys.close(fd);
    this.#unblock();
  }

  /** The text that `console.log` prints. */
  [inspect.custom](): string {
    return this.fd === -1
      ? "<SignalFd closed>"
      : `<SignalFd fd=${this.fd} signals=${this.#signals.join(",")}>`;
  }

  #unblock(): void {
    // While they are still blocked: the handler in the main thread would send the signal to itself, without end.
    sys.sigprocmask(SIG_UNBLOCK, setOf(this.#signals.filter(stopForwarding)));
  }

  #open(called: Called): number {
    if (this.fd !== -1) return this.fd;
    throw failed(called, called.name, `${called.name} on a closed SignalFd`, EBADF, "Make a new one.");
  }
}

/** The sigset_t of these signals. */
function setOf(signals: readonly number[]): Uint8Array {
  const set = new Uint8Array(setBytes);
  for (const signal of signals) {
    integer(SignalFd, "signals such as SIGTERM", signal, 1, 31);
    if (signal === SIGKILL || signal === SIGSTOP)
      throw misuse(SignalFd, "cannot read SIGKILL and SIGSTOP: no program can block them.", RangeError);
    set[(signal - 1) >> 3]! |= 1 << ((signal - 1) & 7);
  }
  return set;
}

// Whether the program waits at a boundary: before a call, when nothing of it is done, or after it, when all of it is.
// Only the decision is here. Who waits, on what, and who says when to go on, is the driver's: the lab server at the
// other end of a socket (control.ts), or a person at a terminal (step.ts).
import { callsThatOpen, callsWithoutFd, tracedCalls } from "../trace-layout.ts";

/** All that is not null must be true of a call: the index of its name, its errno, its descriptor. */
export interface Condition {
  call: number | null;
  errno: number | null;
  fd: number | null;
}

/** What a driver may say. `paused` null: stays as it is. */
export type PaceCommand =
  | { type: "pace"; paused: boolean | null; delayMs: number; breakpoints: Condition[] }
  | { type: "step"; to: "boundary" | "call" };

export interface Why {
  because: "asked" | "step" | "breakpoint";
  breakpoint?: number;
}

export interface Stop extends Why {
  where: "before" | "after";
  /** Which call of the program, from 0. */
  n: number;
}

/** Who says when to go on. */
export interface Driver {
  /** Obeys what has been said by now; it does not wait. */
  hear(pace: Pace): void;
  /** The program has stopped: returns when `pace.stopped` is false again. */
  wait(pace: Pace, stop: Stop): void;
  /** Slow motion: returns after so many milliseconds, or at once when something new is said. */
  delay(pace: Pace, ms: number): void;
}

const EPOLL_CTL = tracedCalls.indexOf("epoll_ctl");

export class Pace {
  stopped = false;
  delayMs = 0;
  breakpoints: Condition[] = [];
  #paused = false;
  #step: "boundary" | "call" | null = null;

  /** Is there anything to decide at a boundary? */
  get active(): boolean {
    return this.#paused || this.#step !== null || this.delayMs > 0 || this.breakpoints.length > 0;
  }

  obey(command: PaceCommand): void {
    if (command.type === "step") {
      this.#step = command.to;
      this.#paused = true;
      this.stopped = false;
      return;
    }
    this.delayMs = command.delayMs;
    this.breakpoints = command.breakpoints;
    if (command.paused === null) return;
    this.#paused = command.paused;
    this.#step = null;
    if (!command.paused) this.stopped = false;
  }

  /** Nobody drives any more, and nobody will: full speed for good. */
  free(): void {
    this.obey({ type: "pace", paused: false, delayMs: 0, breakpoints: [] });
  }

  /** Does it stop before this call? `target` is the descriptor that an epoll_ctl is about. */
  before(call: number, fd: number, target: number): Why | null {
    const hit = this.breakpoints.findIndex(
      c => c.errno === null && named(c, call) && (c.fd === null || about(c.fd, call, fd, target)),
    );
    return this.#why(hit, this.#step !== null);
  }

  /** Does it stop after it? */
  after(call: number, fd: number, target: number, result: number, errno: number): Why | null {
    const hit = this.breakpoints.findIndex(c => {
      if (!named(c, call)) return false;
      const made = c.fd !== null && result === c.fd && callsThatOpen.includes(tracedCalls[call]!);
      if (c.errno === null) return made;
      return c.errno === errno && (c.fd === null || made || about(c.fd, call, fd, target));
    });
    return this.#why(hit, this.#step === "boundary");
  }

  #why(hit: number, stepDone: boolean): Why | null {
    let why: Why | null = null;
    if (hit !== -1) why = { because: "breakpoint", breakpoint: hit };
    else if (stepDone) why = { because: "step" };
    else if (this.#paused && this.#step === null) why = { because: "asked" };
    if (why === null) return null;
    this.#step = null;
    this.#paused = true;
    this.stopped = true;
    return why;
  }
}

function named(condition: Condition, call: number): boolean {
  return condition.call === null || condition.call === call;
}

function about(wanted: number, call: number, fd: number, target: number): boolean {
  if (call === EPOLL_CTL && target === wanted) return true;
  return fd === wanted && !callsWithoutFd.has(tracedCalls[call]!);
}

// Pace. Whether the program waits at a boundary: before a call, when nothing of it is done, or after it, when all of it is.
// Only the decision is here. A driver makes the program wait and go on: the lab server at the other end of a socket
// (control.ts), or a person at a terminal (step.ts).
import { aboutArgument, onDescriptor, rowsByIndex } from "../../protocol/calls.ts";

/** All that is not null must be true of a call: the index of its name, its errno, its descriptor. */
export interface BreakpointCondition {
  call: number | null;
  errno: number | null;
  fd: number | null;
}

/** A command of a driver. `paused` null: stays as it is. */
export type PaceCommand =
  | { type: "pace"; paused: boolean | null; delayMs: number; breakpoints: BreakpointCondition[] }
  /** `task`: to before the first call of this task's next step. */
  | { type: "step"; to: "boundary" | "call" | "task"; task?: number };

export interface StopReason {
  because: "asked" | "step" | "breakpoint";
  breakpoint?: number;
}

export interface BoundaryStop extends StopReason {
  where: "before" | "after";
  /** Which call of the program, from 0. */
  n: number;
}

/** The lab server or the terminal: decides when the program goes on. */
export interface Driver {
  /** Applies the commands that have come by now; it does not wait. */
  applyCommands(pace: ProgramPace): void;
  /** The program has stopped: returns when `pace.stopped` is false again. */
  wait(pace: ProgramPace, stop: BoundaryStop): void;
  /** Slow motion: returns after so many milliseconds, or at once when a command comes. */
  delay(pace: ProgramPace, ms: number): void;
}

/** Where the program's hub is; the trace of tasks writes it. */
export interface TaskPosition {
  /** The mark of the task that runs, where a call's record has it; 0: none runs. */
  taskBits: number;
  /** The number of that task; 0: none runs. */
  task: number;
  /** How many steps all tasks have begun. */
  taskSteps: number;
  taskEnded(task: number): void;
}

export class ProgramPace implements TaskPosition {
  stopped = false;
  delayMs = 0;
  breakpoints: BreakpointCondition[] = [];
  #paused = false;
  #step: "boundary" | "call" | "task" | null = null;
  /** Which task it waits for, and the steps that all tasks had begun when the command came. */
  #wanted = 0;
  #fromStep = 0;
  taskBits = 0;
  task = 0;
  taskSteps = 0;

  /** Is there anything to decide at a boundary? */
  get active(): boolean {
    return this.#paused || this.#step !== null || this.delayMs > 0 || this.breakpoints.length > 0;
  }

  apply(command: PaceCommand): void {
    if (command.type === "step") {
      this.#step = command.to;
      this.#wanted = command.task ?? 0;
      this.#fromStep = this.taskSteps;
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

  /** The driver has gone: full speed from now on. */
  release(): void {
    this.apply({ type: "pace", paused: false, delayMs: 0, breakpoints: [] });
  }

  /** Does it stop before this call? `target` is the descriptor that an epoll_ctl is about. */
  before(call: number, fd: number, target: number): StopReason | null {
    const hit = this.breakpoints.findIndex(
      c => c.errno === null && named(c, call) && (c.fd === null || about(c.fd, call, fd, target)),
    );
    return this.#why(hit, this.#step !== null && this.#isAtTask());
  }

  /** Is this call one of the next step of the task that the step leads to? A step of another kind leads to any call. */
  #isAtTask(): boolean {
    return this.#step !== "task" || (this.task === this.#wanted && this.taskSteps !== this.#fromStep);
  }

  /** A task has ended: a step that leads to it ends at the next call, of whatever task. */
  taskEnded(task: number): void {
    if (this.#step === "task" && task === this.#wanted) this.#step = "call";
  }

  /** Does it stop after it? */
  after(call: number, fd: number, target: number, result: number, errno: number): StopReason | null {
    const hit = this.breakpoints.findIndex(c => {
      if (!named(c, call)) return false;
      const made = c.fd !== null && result === c.fd && rowsByIndex[call]!.opens !== undefined;
      if (c.errno === null) return made;
      return c.errno === errno && (c.fd === null || made || about(c.fd, call, fd, target));
    });
    return this.#why(hit, this.#step === "boundary");
  }

  #why(hit: number, stepDone: boolean): StopReason | null {
    let why: StopReason | null = null;
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

function named(condition: BreakpointCondition, call: number): boolean {
  return condition.call === null || condition.call === call;
}

function about(wanted: number, call: number, fd: number, target: number): boolean {
  // Of the calls that name a second descriptor it is the third argument.
  if (aboutArgument[call]! > 0 && target === wanted) return true;
  return fd === wanted && onDescriptor[call]!;
}

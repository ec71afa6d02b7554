// Task trace writer. Writes what each task does now into the table behind the trace (trace/task-layout.ts): some stores into
// typed arrays for each step, no system call, and one look at the clock.
import { taskTableOffset, traceBytes } from "../../trace/layout.ts";
import {
  longRunMs,
  type ParkKind,
  parkKinds,
  slotState,
  type TaskWarningKind,
  taskLayout,
  taskMark,
  taskWarnings,
  turnsInARow,
  warningsOffset,
} from "../../trace/task-layout.ts";
import { hiddenMs, realNow } from "./clock.ts";
import type { TaskPosition } from "./pace.ts";

const { slots, slot: at, header, slotBytes, headerBytes, warning: warningAt } = taskLayout;
const slotWords = slotBytes / 4;
const STATE = at.state / 4;
const GENERATION = at.generation / 4;
const ID = at.id / 4;
const PARENT = at.parent / 4;
const SINCE = at.since / 8;
const RAN = at.ran / 8;
const OPERAND = at.operand / 8;
const RESUMES = at.resumes / 4;
const IN_A_ROW = at.inARow / 4;
const NAME_LENGTH = at.nameLength / 4;
const ORDINAL = at.ordinal / 4;
const FIRST = headerBytes / 4;
/** A task that is woken so soon after a long step was ready while that step went on. */
const soonMs = 5;
const kindOf = Object.fromEntries(parkKinds.map((kind, i) => [kind, i])) as Record<ParkKind, number>;
const encoder = new TextEncoder();

export class TaskTrace {
  readonly #i32: Int32Array;
  readonly #f64: Float64Array;
  readonly #u8: Uint8Array;
  readonly #position: TaskPosition;
  readonly #notify: () => void;
  /** From realNow() to CLOCK_MONOTONIC, in milliseconds. */
  readonly #epoch = Number(process.hrtime.bigint()) / 1e6 - realNow();
  /** Slots whose tasks have ended, the one that ended first at #freeFrom. */
  readonly #free = new Int32Array(slots);
  #freeFrom = 0;
  #freeCount = 0;
  #made = 0;
  /** Tasks that are ready, and have not begun their step. */
  #ready = 0;
  /** The slot of the task that runs, and whether one runs: slot 0 may. */
  #slot = 0;
  #runs = false;
  /** The clock as it was read last, and what was hidden by then. */
  #now = realNow();
  #hidden = 0;
  /** A step that took long, when no other task was known to be ready. */
  #long: { slot: number; ms: number; at: number } | null = null;

  /**
   * @param memory the trace memory, all of it
   * @param position gets which task runs
   * @param notify wakes the reader
   */
  constructor(memory: ArrayBuffer, position: TaskPosition, notify: () => void) {
    const length = traceBytes - taskTableOffset;
    this.#i32 = new Int32Array(memory, taskTableOffset, length / 4);
    this.#f64 = new Float64Array(memory, taskTableOffset, length / 8);
    this.#u8 = new Uint8Array(memory, taskTableOffset, length);
    this.#position = position;
    this.#notify = notify;
  }

  /** A hub begins. @param own it is the program's, and not that of workbook/tasks */
  hub(own: boolean): void {
    this.#i32[header.hub] = own ? 2 : 1;
    this.readClock();
  }

  /** The hub has slept, or other code has run: what comes now happens now. */
  readClock(): void {
    this.#now = realNow();
    const hidden = hiddenMs();
    if (hidden === this.#hidden) return;
    this.#hidden = hidden;
    this.#f64[header.hidden / 2] = hidden;
  }

  /** A turn begins: the tasks that are ready now run. */
  turn(): void {
    const i32 = this.#i32;
    i32[header.turns]!++;
    i32[header.turnTasks] = this.#ready;
    const long = this.#long;
    if (long === null) return;
    this.#long = null;
    const isReady = this.#i32[FIRST + long.slot * slotWords + STATE] === slotState.ready;
    const others = this.#ready - (isReady ? 1 : 0);
    if (others > 0 && this.#now - long.at < soonMs)
      this.#warn("ran-long", long.slot, Math.round(long.ms), others);
  }

  /**
   * A task was spawned, and is ready.
   * @param name undefined: "task" with its ordinal
   * @param parent the slot of the task that spawned it; 0: none
   * @returns its slot; 0 when the table is full
   */
  spawned(name: string | undefined, ordinal: number, parent: number): number {
    const slot = this.#takeSlot();
    const base = FIRST + slot * slotWords;
    const i32 = this.#i32;
    i32[base + ID] = ++this.#made;
    i32[base + PARENT] = parent === 0 ? 0 : i32[FIRST + parent * slotWords + ID]!;
    i32[base + RESUMES] = 0;
    i32[base + IN_A_ROW] = 0;
    i32[base + ORDINAL] = ordinal;
    i32[base + NAME_LENGTH] =
      name === undefined ? 0 : this.#write(name, 4 * base + at.name, taskLayout.nameBytes);
    this.#f64[(base >> 1) + RAN] = 0;
    this.#f64[(base >> 1) + SINCE] = this.#now + this.#epoch;
    i32[base + STATE] = slotState.ready;
    i32[header.spawned]!++;
    this.#ready++;
    return slot;
  }

  /** The number of a slot's task. */
  idOf(slot: number): number {
    return this.#i32[FIRST + slot * slotWords + ID]!;
  }

  /** The task was woken: it runs in the next turn. */
  ready(slot: number): void {
    const base = FIRST + slot * slotWords;
    this.#i32[base + STATE] = slotState.ready;
    this.#f64[(base >> 1) + SINCE] = this.#now + this.#epoch;
    this.#ready++;
  }

  /** A ready task parks or ends without a step. */
  notReady(): void {
    this.#ready--;
  }

  /** The task's next step begins. */
  runs(slot: number): void {
    const base = FIRST + slot * slotWords;
    const i32 = this.#i32;
    i32[base + STATE] = slotState.running;
    i32[base + RESUMES]!++;
    this.#f64[(base >> 1) + SINCE] = this.#now + this.#epoch;
    i32[header.running] = slot;
    i32[header.resumes]!++;
    this.#ready--;
    this.#slot = slot;
    this.#runs = true;
    const position = this.#position;
    position.taskBits = taskMark(slot, i32[base + GENERATION]!) << 8;
    position.task = i32[base + ID]!;
    position.taskSteps++;
  }

  /** Its step is over, and it has been woken already, or has asked for its next turn. */
  goesOn(slot: number): void {
    // It counts as ready by now, and is no other task.
    this.#stepEnds(slot, this.#ready - 1);
    const base = FIRST + slot * slotWords;
    this.#i32[base + STATE] = slotState.ready;
    this.#f64[(base >> 1) + SINCE] = this.#now + this.#epoch;
    const inARow = ++this.#i32[base + IN_A_ROW]!;
    if (inARow === turnsInARow) this.#warn("never-waits", slot, inARow, this.#ready - 1);
  }

  /**
   * Its step is over, and it waits.
   * @param fd of a descriptor; else 0
   * @param operand a timer's moment, of performance.now(); the number of the task that it joins; else 0
   */
  parks(slot: number, kind: ParkKind, fd: number, operand: number): void {
    this.#stepEnds(slot);
    const base = FIRST + slot * slotWords;
    const moment = kind === "timer" ? operand + this.#epoch : operand;
    this.#f64[(base >> 1) + OPERAND] = moment;
    this.#f64[(base >> 1) + SINCE] = this.#now + this.#epoch;
    this.#i32[base + IN_A_ROW] = 0;
    this.#i32[base + STATE] = slotState.parked | (kindOf[kind] << 3) | (fd << 7);
  }

  /** Does the task of this slot wait for this descriptor? */
  waitsFor(slot: number, kind: ParkKind, fd: number): boolean {
    return (
      this.#i32[FIRST + slot * slotWords + STATE] === (slotState.parked | (kindOf[kind] << 3) | (fd << 7))
    );
  }

  /** It has ended. @param failed with an error */
  ended(slot: number, failed: boolean): void {
    this.#stepEnds(slot);
    const i32 = this.#i32;
    i32[header.ended]!++;
    if (failed) i32[header.failed]!++;
    if (slot === 0) return;
    this.#position.taskEnded(this.idOf(slot));
    i32[FIRST + slot * slotWords + STATE] = slotState.ended;
    this.#free[(this.#freeFrom + this.#freeCount++) & (slots - 1)] = slot;
  }

  /** It waited for this descriptor, and the program closed it. */
  closed(slot: number, fd: number): void {
    this.#warn("descriptor-closed", slot, fd, 0);
  }

  /** It has ended with an error that no task awaited. */
  errorLost(slot: number, error: unknown): void {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    this.#warn("error-lost", slot, 0, 0, text);
  }

  #takeSlot(): number {
    const i32 = this.#i32;
    const isScarce = this.#freeCount < taskLayout.freeSlots;
    if (isScarce && i32[header.highest]! < slots - 1) return ++i32[header.highest]!;
    if (this.#freeCount === 0) return 0;
    const slot = this.#free[this.#freeFrom]!;
    this.#freeFrom = (this.#freeFrom + 1) & (slots - 1);
    this.#freeCount--;
    i32[FIRST + slot * slotWords + GENERATION]!++;
    return slot;
  }

  /** @param others the tasks that are ready */
  #stepEnds(slot: number, others = this.#ready): void {
    if (!this.#runs || this.#slot !== slot) return;
    this.#runs = false;
    const [began, hiddenBefore] = [this.#now, this.#hidden];
    this.readClock();
    // The time for which a person has paused the program is not the task's.
    const ms = Math.max(0, this.#now - began - (this.#hidden - hiddenBefore));
    this.#f64[((FIRST + slot * slotWords) >> 1) + RAN]! += ms;
    this.#i32[header.running] = 0;
    this.#slot = 0;
    this.#position.taskBits = 0;
    this.#position.task = 0;
    if (ms <= longRunMs) return;
    if (others > 0) this.#warn("ran-long", slot, Math.round(ms), others);
    else this.#long = { slot, ms, at: this.#now };
  }

  #warn(kind: TaskWarningKind, slot: number, amount: number, others: number, text = ""): void {
    const code = taskWarnings.indexOf(kind);
    const { keptWarnings, warningBytes, nameBytes, warningTextBytes } = taskLayout;
    const i32 = this.#i32;
    const count = i32[header.warned + code]!;
    const to = warningsOffset + (code * keptWarnings + (count & (keptWarnings - 1))) * warningBytes;
    const base = FIRST + slot * slotWords;
    // Not #now: while a task runs, that is when its step began.
    this.#f64[(to + warningAt.at) / 8] = realNow() + this.#epoch;
    i32[(to + warningAt.id) / 4] = i32[base + ID]!;
    i32[(to + warningAt.amount) / 4] = amount;
    i32[(to + warningAt.others) / 4] = others;
    const length = i32[base + NAME_LENGTH]!;
    if (length === 0)
      i32[(to + warningAt.nameLength) / 4] = this.#write(
        `task ${i32[base + ORDINAL]}`,
        to + warningAt.name,
        nameBytes,
      );
    else {
      this.#u8.copyWithin(to + warningAt.name, 4 * base + at.name, 4 * base + at.name + length);
      i32[(to + warningAt.nameLength) / 4] = length;
    }
    i32[(to + warningAt.textLength) / 4] = this.#write(text, to + warningAt.text, warningTextBytes);
    i32[header.warned + code] = count + 1;
    this.#notify();
  }

  /** Writes a text's first bytes. @returns how many */
  #write(text: string, to: number, most: number): number {
    const u8 = this.#u8;
    const length = Math.min(text.length, most);
    // Nearly every name is short and ASCII: this is a tenth of what the encoder costs.
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 127) return encoder.encodeInto(text, u8.subarray(to, to + most)).written;
      u8[to + i] = code;
    }
    return length;
  }
}

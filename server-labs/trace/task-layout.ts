// Task table layout. Behind the rings of calls the trace memory has a table with a slot for each task that lives: what it
// does now, since when, what it waits for. The program writes a few words of a slot whenever its task goes on or parks, and a
// reader looks whenever a person does: a hundred thousand steps a second cost the reader nothing, and no count is lost.

/** Where a slot's task is. `free` also means that nothing has been written. */
export const slotState = { free: 0, ready: 1, running: 2, parked: 3, ended: 4 } as const;

/** What a parked task waits for, by its number in a slot's state word. */
export const parkKinds = [
  "unknown",
  "readable",
  "writable",
  "timer",
  "task",
  "nursery",
  "queue",
  "semaphore",
] as const;
export type ParkKind = (typeof parkKinds)[number];

/** The warnings, by their number: each has a count and a ring of its own, so that none pushes another out. */
export const taskWarnings = ["ran-long", "descriptor-closed", "never-waits", "error-lost"] as const;
export type TaskWarningKind = (typeof taskWarnings)[number];

/** How long a task may run while others are ready, in milliseconds. */
export const longRunMs = 100;
/** A task that has asked for its next turn so often in a row, and has waited for nothing in between, never waits. */
export const turnsInARow = 10_000;

export const taskLayout = {
  /** Slots, a power of two. Slot 0 is no task: tasks for which there is no slot write there, and no reader looks. */
  slots: 16_384,
  /** Int32 words of the table's header. The counts are unsigned and wrap. */
  header: {
    /** 0: no task so far; 1: a hub of workbook/tasks; 2: the program's own hub. */
    hub: 0,
    /** The slot of the task that runs; 0: none. */
    running: 1,
    turns: 2,
    /** Tasks with which the newest turn began. */
    turnTasks: 3,
    spawned: 4,
    ended: 5,
    /** Of the ended ones: with an error. */
    failed: 6,
    resumes: 7,
    /** The highest slot that was ever used. */
    highest: 8,
    /** Two words, an f64: the milliseconds for which a person has paused the program, as performance.now() hides them. */
    hidden: 10,
    /** The first of the counts of warnings. */
    warned: 16,
  },
  headerBytes: 256,
  slotBytes: 128,
  /** Offsets in a slot, in bytes. */
  slot: {
    /** i32: slotState, then from bit 3 the place in parkKinds, and from bit 7 the descriptor: one word, never half written. */
    state: 0,
    /** i32: how many tasks had this slot before. */
    generation: 4,
    /** i32: the task's number, and that of the task that spawned it; 0: none. */
    id: 8,
    parent: 12,
    /** f64: since when it is in this state, in milliseconds of CLOCK_MONOTONIC. */
    since: 16,
    /** f64: how long it ran so far, in milliseconds. */
    ran: 24,
    /** f64: a timer's moment, in milliseconds of CLOCK_MONOTONIC less what is hidden; the number of the task that it joins. */
    operand: 32,
    /** i32: how often it was resumed, and how often in a row it has asked for its next turn. */
    resumes: 40,
    inARow: 44,
    /** i32: bytes of its name; 0: its name is "task" with its ordinal. */
    nameLength: 48,
    ordinal: 52,
    name: 64,
  },
  nameBytes: 64,
  /** An ended task's slot is used again only when so many others are free: its calls can still be named. */
  freeSlots: 1024,
  /** Warnings of each kind that are kept, a power of two. */
  keptWarnings: 16,
  warningBytes: 256,
  /** Offsets in a warning, in bytes. */
  warning: {
    /** f64: when, in milliseconds of CLOCK_MONOTONIC. */
    at: 0,
    /** i32: the task's number. */
    id: 8,
    /** i32: milliseconds, descriptor or turns; and how many other tasks were ready. */
    amount: 12,
    others: 16,
    nameLength: 20,
    /** i32: bytes of the error's text. */
    textLength: 24,
    name: 32,
    text: 96,
  },
  warningTextBytes: 160,
} as const;

const { slots, headerBytes, slotBytes, keptWarnings, warningBytes } = taskLayout;

/** Where the warnings begin, in bytes from the start of the table. */
export const warningsOffset = headerBytes + slots * slotBytes;

/** Size of the table in bytes. */
export const taskTableBytes = warningsOffset + taskWarnings.length * keptWarnings * warningBytes;

/** The bits of a mark that are the slot; those above are the slot's generation. */
const slotBits = Math.log2(slots);
/** A call's record has room for so many bits. */
const markBits = 24;

/** The task that makes a call, as its record has it: slot and generation; 0 for no task. */
export function taskMark(slot: number, generation: number): number {
  return slot === 0 ? 0 : (slot | (generation << slotBits)) & (2 ** markBits - 1);
}

/** The slot of a mark. */
export function slotOfMark(mark: number): number {
  return mark & (slots - 1);
}

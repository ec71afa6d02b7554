// Trace layout. The trace memory is a header and a ring buffer of fixed-size records, one for each system call.
// The program maps the memory and writes; the lab server or a checker reads the same pages as a file. A record costs no
// system call and survives a crash of the program, and a slow reader loses old records but never their count: the header
// counts by name. Calls that differ from what repeats are copied to a second ring, which a flood does not write over.
// Behind both is the table of tasks (task-layout.ts).
import { taskTableBytes } from "./task-layout.ts";

/**
 * What the preview bytes of a record are: data of the program, a struct sockaddr, pairs of i32 fd and u32 events, or
 * struct pollfd (i32 fd, i16 events, i16 revents).
 */
export const preview = { none: 0, bytes: 1, address: 2, epollEvents: 3, pollFds: 4 } as const;

export const layout = {
  magic: 0x534f434b,
  version: 4,
  /** Records in the ring, a power of two: 10 ms of a program that makes a call every microsecond and a quarter. */
  capacity: 8192,
  /** Int32 words of the header, at the start of the memory. */
  header: {
    magic: 0,
    version: 1,
    /** Records begun since the program started, as an unsigned count that wraps. Stored with Atomics. */
    head: 2,
    /** How many commands the reader has written on the control socket: when it changes, the program reads one. */
    command: 3,
    /** 1 once the program ends by itself: it has called exit, with whatever status. A signal leaves it 0. */
    exiting: 4,
    /** Records kept since the program started, like `head`. */
    kept: 5,
    /** Calls that opened or closed a descriptor and were not kept, because such calls came too fast themselves. */
    missed: 6,
    /** The first of the counts by name, one for each row of the table of calls: their sum is `head`. */
    counts: 8,
  },
  headerBytes: 256,
  /** Records in the ring of kept calls, a power of two: 100 ms at the writer's limit (runtime/sys/repetition.ts). */
  keptCapacity: 2048,
  recordBytes: 128,
  /** Offsets inside a record, in bytes. */
  record: {
    /** f64: when the call began, in milliseconds of CLOCK_MONOTONIC; of a call that is not timed, a little before. */
    at: 0,
    /** f64: how long it took, in microseconds; -1 while the call has not returned; NaN: it has, but in a flood not
     * every call is timed. */
    took: 8,
    /** i32: what the call returned. */
    result: 16,
    /** i32: errno when result is -1, else 0. */
    errno: 20,
    /** u16: which call, by its place in the table of calls (protocol/calls/table.ts). */
    call: 24,
    /** u16: one of preview. */
    previewKind: 26,
    /** i32: the place in the program's source that makes the call, as callSite() packs it; 0 when unknown. */
    site: 28,
    /** i32 × 5: the arguments as numbers, fd first where there is one; the fifth is 0. */
    args: 32,
    /** i32: of a kept record, in place of the fifth argument: the index of the call. */
    keptIndex: 48,
    /** u8: how many bytes of preview are filled; above it, 24 bits: the task that makes the call (taskMark). */
    previewLength: 52,
    preview: 56,
  },
  previewBytes: 72,
} as const;

const lineBits = 20;
const mostLine = 2 ** lineBits - 1;
/** Files of a program whose lines are known; there may be more. */
const mostFiles = 2 ** (31 - lineBits);

/**
 * A line of one of the program's files as one number, so that a record costs no more for it.
 * @param line from 1 @param file its place in the list of the program's files, which both sides have; 0: the one that starts
 */
export function callSite(line: number, file: number): number {
  return line < 1 || line > mostLine || file >= mostFiles ? 0 : file * 2 ** lineBits + line;
}

/** The line, 0 when unknown, and the file of what callSite() has packed. */
export function placeOfSite(site: number): { line: number; file: number } {
  return site <= 0 ? { line: 0, file: 0 } : { line: site & mostLine, file: site >> lineBits };
}

/** Where the ring of kept calls begins, in bytes from the start of the memory. */
export const keptOffset = layout.headerBytes + layout.capacity * layout.recordBytes;

/** Where the table of tasks begins. */
export const taskTableOffset = keptOffset + layout.keptCapacity * layout.recordBytes;

/** Size of the whole memory in bytes. */
export const traceBytes = taskTableOffset + taskTableBytes;

/** Where the record of call `index` begins, in bytes from the start of the memory. */
export function recordOffset(index: number): number {
  return layout.headerBytes + (index & (layout.capacity - 1)) * layout.recordBytes;
}

/** Where kept record `count` begins. */
export function keptRecordOffset(count: number): number {
  return keptOffset + (count & (layout.keptCapacity - 1)) * layout.recordBytes;
}

// What bounds a run, a page and a file. Each bound has its reason beside it.

/** Bounds, each with its reason. Sizes in bytes, times in milliseconds. */
export const limits = {
  /** A source file that a student may save or send: 200 times the longest lab. */
  fileBytes: 512 * 1024,
  /** An HTTP body or a WebSocket message: a file as JSON, in which one byte can become six ("\\u0001"), and its request. */
  messageBytes: 6 * 512 * 1024 + 64 * 1024,
  /** Files that the page shows of a lab's folder, and how long their names may be. */
  labFiles: 32,
  fileNameLength: 64,
  /** Output of one run that is kept for replay. */
  outputRingBytes: 1024 * 1024,
  /** Syscall events of one run that are kept for replay, as bytes of JSON. */
  syscallRingBytes: 2 * 1024 * 1024,
  /** Of older ones, those that differ from what the program repeats, and those that opened, closed or failed. */
  differingRingBytes: 1024 * 1024,
  essentialRingBytes: 2 * 1024 * 1024,
  /** Steps of visits of one run that are kept for replay, as bytes of JSON: some dozens of visits. */
  visitRingBytes: 1024 * 1024,
  /** Output beyond this rate is left out, counted, and said. */
  outputBytesPerSecond: 2 * 1024 * 1024,
  outputBurstBytes: 4 * 1024 * 1024,
  /** The end of what was left out is always shown: it holds the last words before a crash. */
  outputTailBytes: 64 * 1024,
  /** Syscalls shown one by one; beyond it they are counted. */
  syscallsPerSecond: 1_000,
  syscallsBurst: 10_000,
  /** Beyond it those that differ from what repeats: a burst of clients, then a few. */
  keptPerSecond: 500,
  keptBurst: 4_000,
  /** The newest of the calls left out are always shown. */
  syscallsTail: 200,
  /** Unacknowledged events in flight to one page, as bytes of JSON. */
  windowBytes: 512 * 1024,
  /** Output and calls are sent at most this often. */
  flushMs: 16,
  /** Between SIGTERM and SIGKILL: a lesson has its server end within a second. */
  graceMs: 1500,
  /** A run that has printed nothing, listened nowhere and not ended is still only "starting". */
  startMs: 10_000,
  /** A check that has not ended by itself is ended. */
  checkMs: 60_000,
  /** Of all processes of a run together: twice what one may have over an idle Node. */
  runMemoryBytes: 1024 * 1024 * 1024,
  /** Processes of one run. */
  runProcesses: 128,
  /** Threads of one run, or of a check with its servers, in the sandbox: a Node has eleven, a pool of four has five Nodes. */
  runThreads: 1024,
  /** What a run may add to its lab's folder. */
  runFolderBytes: 256 * 1024 * 1024,
  runFolderEntries: 20_000,
  /** WebSockets at once. */
  sessions: 64,
} as const;

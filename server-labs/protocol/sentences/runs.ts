// Run sentences. English: the states of a run, why it was refused, and how it ended.
import { type StatementOf, writeStatement } from "./statement.ts";

/** Signals that say something about a program. */
const meanings: Record<string, string | undefined> = {
  SIGSEGV: "a bad pointer was given to the kernel or to a C function",
  SIGBUS: "the program touched memory that has nothing behind it",
  SIGABRT: "the program gave itself up: what it printed last says why",
  SIGFPE: "an arithmetic error in native code",
  SIGILL: "the processor was given something that is no instruction",
  SIGKILL: "another process ended it, or the machine ran out of memory",
  SIGXFSZ: "the program wrote a file larger than 64 MB",
  SIGXCPU: "the program used more processor time than it may",
  SIGPIPE: "the program wrote to a pipe that no process reads",
  SIGTRAP: "V8 could not go on: what it printed last says why",
};

const states = {
  starting: () => "starting",
  running: () => "running",
  "running-silently": () => "running, but it has printed nothing and listens nowhere",
  /** @param asked the port that the program was given; 0 without one */
  listening: ({ ports, asked }: { ports: number[]; asked: number }) => {
    const where = `listening on ${ports.join(" and ")}`;
    return asked === 0 || ports.includes(asked)
      ? where
      : `${where}, not on ${asked}, the port that it was given`;
  },
  checking: () => "checking",
  stopping: () => "stopping",
};

/** What listens for the run, and is not traced. */
const untraced = {
  "listens-untraced": ({ port }: { port: number }) =>
    `The program listens on port ${port} with calls that are not traced, of Node's own library or of a worker thread: Syscalls has only what the main thread calls through workbook/net.`,
  "child-listens-untraced": ({ port, pid, command }: { port: number; pid: number; command: string }) =>
    `A process that the program has started listens on port ${port}: ${command} (pid ${pid}). What it does is not traced: Syscalls and Kernel show the program itself.`,
};

/** What the processes of a run, or its lab's folder, had too much of, all together. */
const exceeded = {
  "too-much-memory": ({
    processes,
    megabytes,
    most,
  }: {
    processes: number;
    megabytes: number;
    most: number;
  }) =>
    `ended: its ${processes} processes had ${megabytes} MB of memory together, and a run may have ${most} MB`,
  /** By the kernel, which lets a run have no byte more, and may count a process twice that it ends. */
  "memory-refused": ({ most }: { most: number }) =>
    `ended: its processes together had no room in the ${most} MB of memory that a run may have`,
  "too-many-processes": ({ most }: { most: number }) =>
    `ended: it had more than ${most} processes, and a run may have ${most}`,
  /** The kernel refused the next one; a process without further threads is one, too. */
  "too-many-threads": ({ most }: { most: number }) =>
    `ended: its processes had ${most} threads together, and a run may have no more`,
  "folder-too-large": ({ megabytes, most }: { megabytes: number; most: number }) =>
    `ended: it added ${megabytes} MB to its lab's folder, and a run may add ${most} MB. Remove there what is not needed`,
  "folder-too-full": ({ most }: { most: number }) =>
    `ended: it added more than ${most} files and folders to its lab's folder. Remove there what is not needed`,
};
export type ExceededStatement = StatementOf<typeof exceeded>;

/** How a process ended. */
const endings = {
  ...exceeded,
  stopped: () => "stopped",
  "killed-after-grace": ({ graceMs }: { graceMs: number }) =>
    `stopped; it did not end within ${graceMs} ms of SIGTERM, so it was killed`,
  "out-of-memory": ({ heapMegabytes }: { heapMegabytes: number }) =>
    `ran out of memory: its JavaScript objects needed more than ${heapMegabytes} MB`,
  "ended-by-signal": ({ signal }: { signal: string }) => {
    const meaning = meanings[signal];
    return `ended by ${signal}${meaning ? ` (${meaning})` : ""}`;
  },
  "exited-with": ({ status }: { status: number | null }) => `exited with ${status}`,
};
export type EndingStatement = StatementOf<typeof endings>;

/** How many of a run's checks came out how. */
export interface CheckCounts {
  passed: number;
  all: number;
  unobserved: number;
  unjudged: number;
}

function counted({ passed, all, unobserved, unjudged }: CheckCounts): string {
  const observed = unobserved > 0 ? `, ${unobserved} could not be observed` : "";
  const rest = unjudged > 0 ? `${observed}, ${unjudged} not judged` : observed;
  return `${passed} of ${all} ${all === 1 ? "check" : "checks"} passed${rest}`;
}

/** How a check ended; `checks` is null when the checker had not checked anything. */
const checkEndings = {
  "checks-made": ({ checks, garbled }: { checks: CheckCounts; garbled: number }) =>
    garbled > 0 ? `${counted(checks)}; ${garbled} of the checker's reports made no sense` : counted(checks),
  "checks-stopped": ({ checks }: { checks: CheckCounts }) => `stopped: ${counted(checks)}`,
  "checks-too-slow": ({ checks, seconds }: { checks: CheckCounts | null; seconds: number }) =>
    `${checks ? counted(checks) : "nothing was checked"}; the checks took more than ${seconds} s and were ended`,
  "checker-ended-early": ({ checks, ending }: { checks: CheckCounts | null; ending: EndingStatement }) =>
    checks
      ? `${counted(checks)}; the checker ended before it was done: ${writeStatement(endings, ending)}`
      : `the checker ended before it had checked anything: ${writeStatement(endings, ending)}`,
};

const ends = {
  ...endings,
  ...checkEndings,
  "port-still-held": ({
    ending,
    port,
    holder,
  }: {
    ending: EndingStatement;
    port: number;
    holder: { pid: number; command: string };
  }) => `${writeStatement(endings, ending)}; port ${port} is held by ${holder.command} (pid ${holder.pid})`,
  "ending-lost": ({ text }: { text: string }) => `ended; how it ended was lost: ${text}`,
  "lab-server-restarted": () => "ended with the lab server, which was started again",
};

export interface Place {
  file: string;
  /** From 1, as editors count. */
  line: number;
  /** From 1, in UTF-16 units. */
  column: number;
}
const at = ({ file, line, column }: Place) => `${file}:${line}:${column}`;

/** TypeScript that makes code of its own, with the plain JavaScript way to say it. */
const constructs = {
  enum: ["An enum", "write const Colour = { Red: 0, Green: 1 } as const instead."],
  namespace: ["A namespace", "use a module (a file of its own) or a plain object instead."],
  "parameter-property": [
    "A parameter property",
    "declare the field in the class and set it in the constructor instead.",
  ],
  "import-equals": ["import =", 'write import x from "…" instead.'],
  "export-equals": ["export =", "write export default instead."],
  "angle-bracket-assertion": ["A type assertion in angle brackets", "write value as Type instead."],
  other: ["This piece of TypeScript", "write it in plain JavaScript instead."],
} as const;
export type Construct = keyof typeof constructs;

/** Why a run did not start. */
const refusals = {
  "file-too-long": ({ file, bytes, mostBytes }: { file: string; bytes: number; mostBytes: number }) => {
    const [is, most] = [bytes, mostBytes].map(n => `${Math.ceil(n / 1024)} KB`);
    return `${file} is ${is} long; a lab's file may have ${most}. Make it shorter.`;
  },
  "nested-too-deeply": ({ file }: { file: string }) =>
    `${file} is nested too deeply: its brackets, blocks or operators reach thousands of levels. Split it up.`,
  /** @param text what TypeScript says, without the full stop */
  "syntax-error": ({ text, ...place }: Place & { text: string }) => `${at(place)}: ${text}. Nothing was run.`,
  "cannot-be-stripped": ({ construct, ...place }: Place & { construct: Construct }) => {
    const [what, instead] = constructs[construct];
    return `${at(place)}: ${what} would have to be translated, but a lab's types are only taken away; ${instead} Nothing was run.`;
  },
  "decorator-unknown": (place: Place) =>
    `${at(place)}: Node does not know decorators yet; call the function yourself instead. Nothing was run.`,
  "module-missing": ({ specifier, ...place }: Place & { specifier: string }) =>
    `${at(place)}: there is no file "${specifier}" beside ${place.file}. Make it, or import another one. Nothing was run.`,
  "module-outside": ({ specifier, ...place }: Place & { specifier: string }) =>
    `${at(place)}: "${specifier}" leads out of the lab's folder, which is all that a run sees. Put that file into the folder. Nothing was run.`,
  "too-many-modules": ({ files, megabytes }: { files: number; megabytes: number }) =>
    `The program consists of more than ${files} files or ${megabytes} MB; a run takes no more. Import fewer.`,
  "port-held-by-run": (held: {
    port: number;
    holder: { run: string; lab: string; kind: "program" | "check" };
    freePort: number;
  }) =>
    `Port ${held.port} is held by your own ${held.holder.kind} of ${held.holder.lab}, which is still running. Stop it, or use port ${held.freePort}.`,
  "port-held-by-process": (held: {
    port: number;
    /** A pid of 0 when the lab server may not see the process. */
    holder: { pid: number; command: string };
    freePort: number;
  }) => {
    const { pid, command } = held.holder;
    return `Port ${held.port} is held by ${pid > 0 ? `${command} (pid ${pid})` : command}, which is not a run of this workbook and is left alone. End it yourself, or use port ${held.freePort}.`;
  },
  "port-bound": ({ port, freePort }: { port: number; freePort: number }) =>
    `Port ${port} is taken, though no socket listens on it: a socket is bound there, or connections to an address of it are still closing. Try again, or use port ${freePort}.`,
  /** @param text what the workspace or the file system says */
  "text-unreadable": ({ text }: { text: string }) => text,
  /** @param text what the system says of the process that could not be started */
  "process-not-started": ({ text }: { text: string }) => text,
  "lab-server-ending": () => "The lab server is ending.",
  "start-failed": () => "The lab server made a mistake of its own. Try again; your text is safe.",
};

export const en = { ...states, ...untraced, ...ends, ...refusals };

export type StateStatement = StatementOf<typeof states>;
export type UntracedStatement = StatementOf<typeof untraced>;
export type EndStatement = StatementOf<typeof ends>;
export type RefusalStatement = StatementOf<typeof refusals>;

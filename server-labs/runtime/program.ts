// The process that a student's program runs in. It waits for one command on the control socket, which names the file,
// as long as it takes; from then on it is that program. It dies with the lab server, and nothing that it printed is lost.
import { readSync } from "node:fs";
import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";
import { forgetTime, realNow } from "./clock.ts";
import { POLLIN } from "./constants.ts";
import { sayLook } from "./control.ts";
import { mapTrace, prepareTrace } from "./crossing.ts";
import { EAGAIN } from "./errno.ts";
import { native } from "./libc.ts";
import "./net.ts";
import { prime } from "./prime.ts";
import { awaitReady, hungUp, installSynchronousOutput, writeAll } from "./stdio.ts";
import { reportUncaught } from "./uncaught.ts";

/** What the lab server says first. */
interface ProgramCommand {
  type: "program";
  /** Absolute path of the JavaScript to import. */
  file: string;
  /** Absolute path of the student's own file: how the program and its stack traces call it. */
  name: string;
  /** What follows the name on the command line: ["7890"]. */
  args: string[];
  /** The first command of its pace (pace.ts), to be heard before its first call. */
  pace?: object;
}

/** EX_SOFTWARE of <sysexits.h>: the fault is not the student's. */
const badCommand = 70;
const mostCommandBytes = 64 * 1024;
const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;

await boot();

async function boot(): Promise<void> {
  // Under bubblewrap the parent is the sandbox's own init, which dies with the lab server: harmless there.
  native.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  installSynchronousOutput();
  const control = descriptorFrom("LAB_CONTROL_FD");
  const traceFd = descriptorFrom("LAB_TRACE_FD");
  if (control === null)
    refuse("LAB_CONTROL_FD does not say where commands come from; the lab server sets it.");
  const memory = traceFd === null ? null : mapped(traceFd);
  const trace = memory === null ? null : prepareTrace(memory, control);
  await prime();
  const asleep = realNow();
  sayLook(control);
  const { line, rest } = readLine(control);
  const { file, name, args, pace } = parse(line);
  forgetTime(realNow() - asleep);
  // Whoever started us may have died before prctl was called, and then no signal comes: its socket tells.
  if (hungUp(control)) process.exit(badCommand);
  process.argv = [process.execPath, name, ...args];
  reportUncaught({ file, name });
  const first = pace === undefined ? "" : `${JSON.stringify(pace)}\n`;
  trace?.(name, first + rest);
  run(file);
}

function mapped(trace: number): ArrayBuffer {
  try {
    return mapTrace(trace);
  } catch (error) {
    refuse(`LAB_TRACE_FD=${trace} is no trace memory: ${(error as Error).message}.`);
  }
}

/** An error of the program is left uncaught, to be reported as any other. */
function run(file: string): void {
  let settled = false;
  process.once("exit", () => {
    // As Node does for its main module: awaiting what can never come is not success.
    if (!settled && process.exitCode === undefined) {
      writeAll(
        2,
        Buffer.from(
          "The program ended while a top-level await was still waiting: nothing was left that could wake it.\n",
        ),
      );
      process.exitCode = 13;
    }
  });
  import(pathToFileURL(file).href).then(
    () => {
      settled = true;
    },
    error => {
      settled = true;
      // Thrown outside of any promise: then it is uncaught, whatever it is, and not a rejection about a rejection.
      process.nextTick(() => {
        throw error;
      });
    },
  );
}

/** The number in an environment variable. It is taken out: a process that the program starts has no such descriptor. */
function descriptorFrom(variable: string): number | null {
  const text = process.env[variable];
  delete process.env[variable];
  if (text === undefined || text === "") return null;
  if (!/^\d{1,9}$/.test(text))
    refuse(`${variable} must be the number of a descriptor, not ${JSON.stringify(text)}.`);
  return Number(text);
}

/** The first line that comes, and what came with it. The process has nothing else to do, so it sleeps in read(2). */
function readLine(fd: number): { line: string; rest: string } {
  const buffer = Buffer.alloc(mostCommandBytes);
  let filled = 0;
  while (filled < buffer.length) {
    const got = readSome(fd, buffer, filled);
    if (got === 0) refuse("the control socket ended before a command came: the lab server has gone away.");
    const end = buffer.indexOf(0x0a, filled);
    filled += got;
    if (end !== -1 && end < filled)
      return { line: buffer.toString("utf8", 0, end), rest: buffer.toString("latin1", end + 1, filled) };
  }
  refuse(`a command is at most ${mostCommandBytes} bytes.`);
}

function readSome(fd: number, buffer: Buffer, at: number): number {
  for (;;) {
    try {
      return readSync(fd, buffer, at, buffer.length - at, null);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).errno !== -EAGAIN) {
        refuse(`LAB_CONTROL_FD=${fd} cannot be read: ${(error as Error).message}.`);
      }
      awaitReady(fd, POLLIN);
    }
  }
}

function parse(line: string): ProgramCommand {
  let command: Partial<ProgramCommand> | null;
  try {
    command = JSON.parse(line);
  } catch {
    return refuse(`a command is one line of JSON, not ${JSON.stringify(line.slice(0, 80))}.`);
  }
  const { type, file, name, args, pace } = command ?? {};
  if (type !== "program")
    return refuse(`the first command must be of type "program", not ${JSON.stringify(type)}.`);
  if (typeof file !== "string" || !isAbsolute(file))
    return refuse("the command's file must be an absolute path.");
  if (typeof name !== "string" || !isAbsolute(name))
    return refuse("the command's name must be an absolute path.");
  if (!Array.isArray(args) || !args.every(arg => typeof arg === "string")) {
    return refuse("the command's args must be a list of strings.");
  }
  if (pace !== undefined && (typeof pace !== "object" || pace === null)) {
    return refuse("the command's pace must be an object.");
  }
  return { type, file, name, args, pace };
}

function refuse(sentence: string): never {
  try {
    writeAll(2, Buffer.from(`The workbook's runtime could not start a program: ${sentence}\n`));
  } catch {
    // Nobody reads stderr any more; the exit code is all that is left to say.
  }
  process.exit(badCommand);
}

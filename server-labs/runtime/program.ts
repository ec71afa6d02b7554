// Program process. The process in which a student's program runs: it waits for a command on the control socket that names
// the file, and then runs that file where it lies. It dies with the lab server, and loses no output.
import { readSync } from "node:fs";
import { isAbsolute } from "node:path";
import { type JsonLine, JsonLines } from "../lib/json-lines.ts";
import { hideTime, realNow } from "./sys/clock.ts";
import { POLLIN } from "./sys/constants.ts";
import { wakeReader } from "./sys/control.ts";
import { EAGAIN } from "./sys/errno.ts";
import { native } from "./sys/libc.ts";
import { mapTrace, prepareTrace } from "./sys/native-call.ts";
import "./net.ts";
import { ModuleLoader } from "./process/module-loader.ts";
import { prime } from "./process/prime.ts";
import { standardInputWasOpened, watchStandardInput } from "./process/stdin.ts";
import { awaitReady, hungUp, installSynchronousOutput, writeAll } from "./process/stdio.ts";
import { forkFrom, readTexts, type TextFiles } from "./process/student-child.ts";
import { runWorkersFrom } from "./process/student-worker.ts";
import { reportUncaught } from "./process/uncaught.ts";

/** The first command of the lab server. */
interface ProgramCommand extends TextFiles {
  type: "program";
  /** The arguments behind the name on the command line: ["7890"]. */
  args: string[];
  /** The first command for its pace (pace.ts), which holds before its first system call. */
  pace?: object;
}

/** The exit code EX_SOFTWARE of <sysexits.h>: the fault is not the student's. */
const badCommand = 70;
const mostCommandBytes = 64 * 1024;
const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;

await boot();

async function boot(): Promise<void> {
  // Under bubblewrap the parent is the init process of the sandbox, which dies with the lab server.
  native.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  installSynchronousOutput();
  const control = descriptorFrom("LAB_CONTROL_FD");
  const traceFd = descriptorFrom("LAB_TRACE_FD");
  if (control === null)
    refuse("the lab server must set LAB_CONTROL_FD, the descriptor that commands come from.");
  const lines = new JsonLines(mostCommandBytes);
  const memory = traceFd === null ? null : mapped(traceFd);
  const trace = memory === null ? null : prepareTrace(memory, control, lines);
  await prime();
  const asleep = realNow();
  wakeReader(control);
  const [line, ...rest] = readLines(control, lines);
  const command = parse(line!);
  const { name, args, pace } = command;
  hideTime(realNow() - asleep);
  // The parent may have died before prctl was called, and then no signal comes: the closed socket shows it.
  if (hungUp(control)) process.exit(badCommand);
  process.argv = [process.execPath, name, ...args];
  const texts = textsOf(command);
  const loader = new ModuleLoader(texts);
  runWorkersFrom(texts);
  forkFrom({ file: command.file, name, modules: command.modules });
  reportUncaught(loader);
  watchStandardInput();
  trace?.(
    [name, ...[...texts.keys()].filter(path => path !== name)],
    pace === undefined ? rest : [{ kind: "value", value: pace }, ...rest],
  );
  run(loader, name);
}

function textsOf(files: TextFiles): Map<string, string> {
  try {
    return readTexts(files);
  } catch (error) {
    return refuse(`its text cannot be read: ${(error as Error).message}.`);
  }
}

function mapped(trace: number): ArrayBuffer {
  try {
    return mapTrace(trace);
  } catch (error) {
    refuse(`LAB_TRACE_FD=${trace} is not a trace memory: ${(error as Error).message}.`);
  }
}

const neverWoken =
  "The program ended while a top-level await was still waiting: no timer, socket or child process was left that could wake it.";
const noInput =
  "The program waits for its standard input, and there is no input here: a run has no keyboard. Send it the words with a " +
  "client, over a socket, or write them into the program.";

/** Runs the program. Its error stays uncaught, and is reported like every other uncaught error. */
function run(loader: ModuleLoader, name: string): void {
  let settled = false;
  process.once("exit", () => {
    // Node does the same for its main module: a program whose await never ends has not succeeded.
    if (!settled && process.exitCode === undefined) {
      writeAll(2, Buffer.from(`${standardInputWasOpened() ? noInput : neverWoken}\n`));
      process.exitCode = 13;
    }
  });
  loader.run(name).then(
    () => {
      settled = true;
    },
    error => {
      settled = true;
      // Thrown outside of a promise: an uncaught error, and not an unhandled rejection.
      process.nextTick(() => {
        throw error;
      });
    },
  );
}

/** The number in an environment variable, which is removed: a child process of the program has no such descriptor. */
function descriptorFrom(variable: string): number | null {
  const text = process.env[variable];
  delete process.env[variable];
  if (text === undefined || text === "") return null;
  if (!/^\d{1,9}$/.test(text))
    refuse(`${variable} must be the number of a descriptor, not ${JSON.stringify(text)}.`);
  return Number(text);
}

/** The first lines that come. The process has nothing else to do, so it sleeps in read(2). */
function readLines(fd: number, lines: JsonLines): JsonLine[] {
  const buffer = Buffer.alloc(mostCommandBytes);
  for (;;) {
    const got = readSome(fd, buffer);
    if (got === 0) refuse("the control socket ended before a command came: the lab server has ended.");
    const received = lines.push(buffer.subarray(0, got));
    if (received.length > 0) return received;
  }
}

function readSome(fd: number, buffer: Buffer): number {
  for (;;) {
    try {
      return readSync(fd, buffer, 0, buffer.length, null);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).errno !== -EAGAIN) {
        refuse(`LAB_CONTROL_FD=${fd} cannot be read: ${(error as Error).message}.`);
      }
      awaitReady(fd, POLLIN);
    }
  }
}

function parse(line: JsonLine): ProgramCommand {
  if (line.kind !== "value")
    return refuse(
      `a command is one line of JSON. ${line.kind === "bad" ? line.problem : "The line is empty."}`,
    );
  const command = line.value as Partial<ProgramCommand> | null;
  const { type, file, name, modules, args, pace } = command ?? {};
  if (type !== "program")
    return refuse(`the first command must be of type "program", not ${JSON.stringify(type)}.`);
  if (typeof file !== "string" || !isAbsolute(file))
    return refuse("the command's file must be an absolute path.");
  if (typeof name !== "string" || !isAbsolute(name))
    return refuse("the command's name must be an absolute path.");
  if (modules !== undefined && (typeof modules !== "string" || !isAbsolute(modules)))
    return refuse("the command's modules must be an absolute path.");
  if (!Array.isArray(args) || !args.every(arg => typeof arg === "string")) {
    return refuse("the command's args must be a list of strings.");
  }
  if (pace !== undefined && (typeof pace !== "object" || pace === null)) {
    return refuse("the command's pace must be an object.");
  }
  return { type, file, name, modules, args, pace };
}

function refuse(sentence: string): never {
  try {
    writeAll(2, Buffer.from(`The workbook's runtime could not start a program: ${sentence}\n`));
  } catch {
    // stderr has no reader any more: only the exit code is left.
  }
  process.exit(badCommand);
}

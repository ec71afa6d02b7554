// Uncaught errors. Reports an uncaught error as Node does (the line, the stack, exit code 1), with a stack that names the
// student's files only, and not the runtime.
import { spawnSync } from "node:child_process";
import { inspect } from "node:util";
import type { FaultyText, ModuleLoader } from "./module-loader.ts";
import { writeAll } from "./stdio.ts";

/** The URL of the runtime's folder, as stacks name it. */
const runtime = new URL("..", import.meta.url).href;

type Modules = Pick<ModuleLoader, "javascriptOf" | "faultOf">;

/** Installs the report. @param modules the student's, whose JavaScript has its positions unchanged */
export function reportUncaught(modules: Modules): void {
  process.on("uncaughtException", error => {
    // A program with a handler of its own handles the error, as in Node.
    if (process.listenerCount("uncaughtException") > 1) return;
    writeAll(2, Buffer.from(`${report(error, modules)}\n`));
    process.exit(1);
  });
}

function report(error: unknown, modules: Modules): string {
  if (!(error instanceof Error)) return `Uncaught ${inspect(error)}`;
  const text = inspect(error)
    .split("\n")
    .filter(line => !/^\s+at /.test(line) || !(line.includes(runtime) || line.includes("node:internal/")))
    .join("\n");
  const fault = modules.faultOf(error);
  return (fault ? faultyLine(fault) : sourceLine(text, modules)) + text;
}

/** The lines that Node prints above a stack: "file:///…/server.ts:12", the source line, a caret. */
function sourceLine(text: string, modules: Modules): string {
  for (const [, url, line, column] of text.matchAll(/(file:\/\/[^\s()]+?):(\d+):(\d+)/g)) {
    const source = modules.javascriptOf(url!)?.split("\n")[Number(line) - 1];
    if (source === undefined) continue;
    return `${url}:${line}\n${source}\n${source.slice(0, Number(column) - 1).replace(/\S/g, " ")}^\n\n`;
  }
  return "";
}

function faultyLine({ url, javascript, line }: FaultyText): string {
  if (line !== null) return `${url}:${line}\n${javascript.split("\n")[line - 1]}\n\n`;
  // Only Node's own report names the line of a syntax error. A text with such an error is parsed, and never runs.
  const options = { input: javascript, encoding: "utf8" } as const;
  const { stderr } = spawnSync(process.execPath, ["--input-type=module"], options);
  const [, at, source, caret] = /\[eval1\]:(\d+)\n(.*)\n(.*)/.exec(stderr ?? "") ?? [];
  return at === undefined ? "" : `${url}:${at}\n${source}\n${caret}\n\n`;
}

// An error that nobody caught ends the program as in plain Node: the line, the stack, exit code 1. But the stack names
// the student's file only, not what runs it.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { writeAll } from "./stdio.ts";

/** Where this runtime's own files are, as a stack names them. */
const runtime = new URL(".", import.meta.url).href;

/**
 * Installs the report.
 * @param file what is run, types blanked, positions unchanged
 * @param name the student's own file, which stack traces name
 */
export function reportUncaught({ file, name }: { file: string; name: string }): void {
  process.on("uncaughtException", error => {
    // A program that handles these itself is left to do so, as in plain Node.
    if (process.listenerCount("uncaughtException") > 1) return;
    writeAll(2, Buffer.from(`${report(error, file, name)}\n`));
    process.exit(1);
  });
}

function report(error: unknown, file: string, name: string): string {
  const [ran, written] = [pathToFileURL(file).href, pathToFileURL(name).href];
  if (!(error instanceof Error)) return `Uncaught ${inspect(error)}`;
  const text = inspect(error)
    .replaceAll(ran, written)
    .split("\n")
    .filter(line => !/^\s+at /.test(line) || !(line.includes(runtime) || line.includes("node:internal/")))
    .join("\n");
  const where = sourceLine(text, written, file);
  return (where === "" && error instanceof SyntaxError ? parserLine(file, written) : where) + text;
}

/** "file:///…/server.ts:12", the line, a caret: what Node prints above a stack. */
function sourceLine(text: string, url: string, file: string): string {
  const escaped = url.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const [, line, column] = text.match(new RegExp(`${escaped}:(\\d+):(\\d+)`)) ?? [];
  if (line === undefined) return "";
  try {
    const source = readFileSync(file, "utf8").split("\n")[Number(line) - 1] ?? "";
    return `${url}:${line}\n${source}\n${source.slice(0, Number(column) - 1).replace(/\S/g, " ")}^\n\n`;
  } catch {
    return "";
  }
}

/** V8 does not tell where its parser gave up, but to Node's own report; so that one is asked, once and at the end. */
function parserLine(file: string, url: string): string {
  const { stderr } = spawnSync(process.execPath, ["--check", file], { encoding: "utf8" });
  const [place, source, caret] = (stderr ?? "").split("\n");
  return place?.startsWith(`${file}:`) ? `${url}${place.slice(file.length)}\n${source}\n${caret}\n\n` : "";
}

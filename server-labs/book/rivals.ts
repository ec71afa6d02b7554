// Rivals. Reads lab/rivals/rivals.yaml: the servers that the scoreboard sets beside the student's. No program is run or
// looked for here; what lies beside the declaration (programs, configurations) is there when a server runs.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { isMap, isScalar, type Pair, parseDocument, type YAMLMap } from "yaml";
import { suggestion } from "../protocol.ts";
import { type BookProblem, place } from "./problem.ts";

/** A server that the scoreboard sets beside the student's. */
export interface DeclaredRival {
  /** Its key in the declaration. */
  id: string;
  /** Its name in the table. */
  name: string;
  /** The shell command that starts it in the foreground; {port} is replaced by the port. */
  command: string;
  /** The program that must be installed, and the command that installs it. */
  needs?: string;
  get?: string;
  /** The folder with its declaration, absolute. */
  folder: string;
}

/** The file in lab/rivals/ that declares the servers. */
const declaration = "rivals.yaml";

const text = (most: number) =>
  v.pipe(v.string(), v.regex(/^\S[^\n]*$/, "must be one line of text"), v.maxLength(most, `is too long`));
const fields = v.strictObject({
  name: text(24),
  command: text(300),
  needs: v.optional(v.pipe(v.string(), v.regex(/^[\w.+-]+$/, "is the name of a program"))),
  get: v.optional(text(100)),
});

type Report = (file: string, mistake: Omit<BookProblem, "file">) => void;

/** The rivals that a lab declares, in their order; none without lab/rivals/. @param folder lab/rivals, absolute */
export function readRivals(folder: string, report: Report): DeclaredRival[] {
  if (!existsSync(folder)) return [];
  const file = join(folder, declaration);
  if (!existsSync(file)) {
    report(file, { line: 1, column: 1, sentence: `rivals/ has a ${declaration}, and this file is missing.` });
    return [];
  }
  const source = readFileSync(file, "utf8");
  const yaml = parseDocument(source, { prettyErrors: false });
  const at = (offset: number, sentence: string) => report(file, { ...place(source, offset), sentence });
  for (const error of yaml.errors) at(error.pos[0], `This is not YAML: ${error.message}.`);
  if (yaml.errors.length > 0) return [];
  if (!isMap(yaml.contents)) {
    at(0, `${declaration} has a key for each rival: "nginx:", and below it name and command.`);
    return [];
  }
  return (yaml.contents as YAMLMap).items.flatMap(pair => rivalOf(pair, folder, at) ?? []);
}

function rivalOf(
  pair: Pair,
  folder: string,
  at: (offset: number, sentence: string) => void,
): DeclaredRival | null {
  const id = isScalar(pair.key) ? String(pair.key.value) : "";
  const offset = offsetOfKey(pair);
  if (!/^[a-z0-9][a-z0-9-]{0,23}$/.test(id) || id === "own") {
    at(
      offset,
      `"${id}" is not a name for a rival: use small letters, digits and hyphens; "own" is the student's.`,
    );
    return null;
  }
  const value = isMap(pair.value) ? pair.value : null;
  const result = v.safeParse(fields, value?.toJSON());
  if (!result.success) {
    for (const issue of result.issues) {
      const key = issue.path === undefined ? undefined : String(issue.path[0]!.key);
      const found = value?.items.find(item => isScalar(item.key) && item.key.value === key);
      at(found ? offsetOfKey(found) : offset, sentenceOf(issue, id, key));
    }
    return null;
  }
  const rival = { id, folder, ...withoutAbsent(result.output) };
  const mistake = mistakeOf(rival);
  if (mistake === null) return rival;
  const command = value!.items.find(item => isScalar(item.key) && item.key.value === "command");
  at(offsetOfKey(command!), mistake);
  return null;
}

/** What is wrong with its command. */
function mistakeOf({ command, folder, needs, get }: DeclaredRival): string | null {
  if (!command.includes("{port}"))
    return `The command must contain {port}: "${command} {port}". The server listens there.`;
  const unknown = command.match(/\{(?!port\})\w*\}/)?.[0];
  if (unknown) return `A command knows {port}, and not ${unknown}.`;
  if ((needs === undefined) !== (get === undefined))
    return `"needs" and "get" belong together: the program that must be installed, and the command that installs it.`;
  const files = readdirSync(folder);
  const absent = command.split(/\s+/).find(word => /^[\w-]+\.[a-z]\w*$/i.test(word) && !files.includes(word));
  if (absent === undefined) return null;
  return `There is no ${absent} in rivals/.${suggestion(absent, files, "files")}`;
}

function sentenceOf(issue: v.BaseIssue<unknown>, id: string, key: string | undefined): string {
  const known = Object.keys(fields.entries);
  if (key === undefined) return `"${id}" has fields of its own: ${known.join(", ")}.`;
  if (!known.includes(key)) return `"${key}" is not a field of a rival.${suggestion(key, known, "fields")}`;
  if (issue.input === undefined) return `The rival "${id}" has no "${key}".`;
  if (issue.type === "string")
    return `"${key}" must be text: put it in quotes if it looks like something else.`;
  return `"${key}" ${issue.message}.`;
}

const offsetOfKey = ({ key }: Pair) => (isScalar(key) ? (key.range?.[0] ?? 0) : 0);

/** Without the fields that are undefined. */
function withoutAbsent({ needs, get, ...rest }: v.InferOutput<typeof fields>) {
  return { ...rest, ...(needs === undefined ? {} : { needs }), ...(get === undefined ? {} : { get }) };
}

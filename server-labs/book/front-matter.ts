// Front matter. The YAML between the two --- at the top of chapter.md and lesson.md; an unknown field is an error. It
// holds only what is needed to list, number or run a lesson.
import * as v from "valibot";
import { isMap, isScalar, LineCounter, parseDocument, type Range } from "yaml";
import { suggestion } from "../protocol.ts";
import type { BookProblem } from "./problem.ts";

const line = v.pipe(
  v.string(),
  v.regex(/^\S[^\n]*$/, "must be one line of text"),
  v.maxLength(300, "is longer than 300 characters"),
);
const id = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]*\/[a-z0-9][a-z0-9-]*$/, "is <chapter>/<lesson>"));
const whole = (least: number, most: number) =>
  v.pipe(
    v.number(`must be a whole number from ${least} to ${most}`),
    v.integer(`must be a whole number from ${least} to ${most}`),
    v.minValue(least, `must be a whole number from ${least} to ${most}`),
    v.maxValue(most, `must be a whole number from ${least} to ${most}`),
  );

export const chapterFields = v.strictObject({ title: line, summary: line });

export const lessonFields = v.strictObject({
  /** For readers of the file only: it must agree with the folders' names. */
  id: v.optional(id),
  title: line,
  summary: line,
  /** Section of the course that the lesson comes from. */
  course: v.optional(line),
  /** How long it takes an average reader, lab included. */
  minutes: v.optional(whole(1, 240)),
  lab: v.optional(
    v.strictObject({
      /** The task, as the card shows it; the lesson's own title and summary when left out. */
      title: v.optional(line),
      summary: v.optional(line),
      /** The port that the student's program listens on. */
      port: whole(1024, 65535),
      /** File descriptors the program may hold, when the usual 4096 are not enough. */
      descriptors: v.optional(whole(16, 1_048_576)),
      /** Its server serves files: the student's folder gets a copy of the workbook's html/. */
      site: v.optional(v.boolean()),
      /** Its server speaks HTTP, when left out; one that does not reads lines. */
      http: v.optional(v.boolean()),
      /** An earlier lab whose checks its server must pass, too: "epoll/static-server". */
      passes: v.optional(id),
    }),
  ),
});

type Schema = typeof chapterFields | typeof lessonFields;

/**
 * Reads the front matter of one Markdown file.
 * @param noun what the file describes, for sentences: "chapter" or "lesson"
 * @returns the fields, and where the Markdown after them begins; null after reporting every mistake
 */
export function frontMatter<S extends Schema>(
  text: string,
  schema: S,
  noun: string,
  report: (mistake: Omit<BookProblem, "file">) => void,
): v.InferOutput<S> | null {
  const match = /^---[ \t]*\r?\n([\s\S]*?)^---[ \t]*(?:\r?\n|$)/m.exec(text);
  if (match?.index !== 0) {
    const sentence = `A ${noun} begins with its fields between two lines of ---: ${Object.keys(schema.entries).join(", ")}.`;
    report({ line: 1, column: 1, sentence });
    return null;
  }
  const lines = new LineCounter();
  const start = match[0].indexOf("\n") + 1;
  const yaml = parseDocument(match[1]!, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: line + text.slice(0, start).split("\n").length - 1, column: col };
  };
  for (const error of yaml.errors)
    report({ ...at(error.pos[0]), sentence: `This is not YAML: ${error.message}.` });
  if (yaml.errors.length > 0) return null;

  const result = v.safeParse(schema, yaml.toJS() ?? {});
  if (result.success) return result.output as v.InferOutput<S>;
  for (const issue of result.issues) {
    const path = (issue.path ?? []).map(step => String(step.key));
    report({ ...at(offsetOf(yaml.contents, path)), sentence: sentenceFor(issue, path, schema, noun) });
  }
  return null;
}

function sentenceFor(issue: v.BaseIssue<unknown>, path: string[], schema: Schema, noun: string): string {
  const name = path.join(".");
  if (issue.type === "strict_object" && issue.expected === "never") {
    const known = knownAt(schema, path.slice(0, -1));
    return `"${name}" is not a field of a ${noun}.${suggestion(path.at(-1)!, known, "fields")}`;
  }
  if (issue.input === undefined) return `The ${noun} has no "${name}".`;
  if (issue.type === "string")
    return `"${name}" must be text: put it in quotes if it looks like something else.`;
  if (issue.type === "strict_object")
    return `"${name}" has fields of its own: ${knownAt(schema, path).join(", ")}.`;
  return `"${name}" ${issue.message}.`;
}

function knownAt(schema: Schema, path: string[]): string[] {
  if (path.length === 0) return Object.keys(schema.entries);
  return Object.keys(lessonFields.entries.lab.wrapped.entries);
}

/** The offset of the key that a path leads to, or of the nearest that exists. */
function offsetOf(node: unknown, path: string[]): number {
  let offset = 0;
  let here = node;
  for (const key of path) {
    if (!isMap(here)) break;
    const pair = here.items.find(item => isScalar(item.key) && String(item.key.value) === key);
    if (!pair) break;
    offset = ((pair.key as { range?: Range | null }).range ?? [offset])[0];
    here = pair.value;
  }
  return offset;
}

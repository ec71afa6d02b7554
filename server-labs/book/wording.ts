// Wording. Finds the words and sentences in an author's text that hide who acts, or that are too long to follow, with their
// places. Lessons that are still to be rewritten are listed in chapters/unrevised.txt, and are not looked at.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { type BookProblem, place } from "./problem.ts";

/** The most words of a sentence that a reader of a second language follows. */
const mostWords = 30;

const avoided: [words: RegExp, instead: string][] = [
  [/\b(nobody|somebody|whoever)\b/gi, "name the client, the kernel or the reader, and negate the verb"],
  [/(?<!\bthere )\b(is|are|was|were) none\b/gi, 'write "is not a …" or "has no …"'],
  [/\bstands\b(?! for\b)/gi, 'write what it does or where it is: "is", "waits", "is written"'],
  [/\boctets?\b/gi, 'write "byte"; "octet" is for quotations of an RFC'],
];

interface Finding {
  at: number;
  sentence: string;
}

/** What is wrong with the words of one lesson: its text, hints, walk-through and checks. */
export function wordingProblems(lesson: { id: string; folder: string }, chapters: string): BookProblem[] {
  if (unrevised(chapters).has(lesson.id)) return [];
  const found: BookProblem[] = [];
  for (const name of ["lesson.md", "lab/hints.md", "lab/walkthrough.md", "lab/checks.ts"]) {
    const file = join(lesson.folder, name);
    if (!existsSync(file)) continue;
    const text = readFileSync(file, "utf8");
    const findings = name.endsWith(".ts") ? wordingOfChecks(text) : wordingOf(text);
    for (const { at, sentence } of findings)
      found.push({ file: relative(dirname(chapters), file), ...place(text, at), sentence });
  }
  return found;
}

/** The lessons whose words are not yet held to the rules: ids, one on a line. */
function unrevised(chapters: string): Set<string> {
  const file = join(chapters, "unrevised.txt");
  const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
  return new Set(lines.map(line => line.replace(/#.*$/, "").trim()).filter(line => line !== ""));
}

/** What is wrong with the words of a Markdown text. */
export function wordingOf(markdown: string): Finding[] {
  const prose = masked(markdown);
  const findings: Finding[] = [];
  for (const { at, text } of blocksOf(prose)) findings.push(...wordingOfBlock(text, at));
  return findings.sort((a, b) => a.at - b.at);
}

/** A string that begins like this is a command of a shell. */
const command = /^["`](?:bash|curl|timeout|node|ss|prlimit|kill|sleep|cd) /;
const literal = /(see:\s*)?("(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)|\/\*\*[\s\S]*?\*\/|\/\/[^\n]*/g;

/** What is wrong with the titles, failures and doc comments of a checks.ts. Its commands are not prose. */
function wordingOfChecks(source: string): Finding[] {
  return [...source.matchAll(literal)].flatMap(match => {
    const [all, see, string] = match;
    if (see || all.startsWith("//") || command.test(all) || !/[a-z] [a-z]/i.test(all)) return [];
    const text = (string ?? all)
      .replaceAll(/\$\{[^}]*\}/g, hidden)
      .replaceAll(/\\n/g, "\n ")
      .replace(/^(["`]|\/\*\*)/, blank)
      .replace(/(["`]|\*\/)$/, blank)
      .replaceAll(/^\s*\*/gm, blank);
    return wordingOfBlock(text, match.index + all.length - (string ?? all).length);
  });
}

function wordingOfBlock(text: string, from: number): Finding[] {
  const findings: Finding[] = [];
  // A quotation keeps its words.
  const own = text.replaceAll(/“[^”]*”/g, hidden);
  for (const [words, instead] of avoided)
    for (const { 0: word, index } of own.matchAll(words))
      findings.push({ at: from + index, sentence: `"${word}": ${instead}.` });
  for (const { index, 0: sentence } of own.matchAll(/\S[\s\S]*?(?:[.!?…][*_”’")]*(?=\s|$)|$)/g)) {
    const headless = /(?:^|[;:]\s+|,\s+(?:and|but|or)\s+)(who)\s/i.exec(sentence);
    if (headless && !/\?[*_”’")]*$/.test(sentence)) {
      const at = from + index + headless.index + headless[0].toLowerCase().lastIndexOf("who");
      findings.push({ at, sentence: `"${headless[1]}": begin with a noun: "A client that …".` });
    }
    const count = sentence.split(/\s+/).filter(word => /[\p{L}\p{N}]/u.test(word)).length;
    if (count > mostWords)
      findings.push({
        at: from + index,
        sentence: `This sentence has ${count} words, and ${mostWords} are the most: make two of it.`,
      });
  }
  return findings;
}

const blank = (text: string) => text.replaceAll(/[^\n]/g, " ");
/** One word of the same length, which no rule knows. */
const hidden = (text: string) => text.replaceAll(/[^\n]/g, "x");

/** The text with blanks for what is not prose, so that every place stays what it was. */
function masked(markdown: string): string {
  return (
    markdown
      .replace(/^---\n[\s\S]*?^---$/m, fields =>
        fields.replaceAll(/^(?! *(title|summary): ).*$|^ *(title|summary): /gm, blank),
      )
      .replaceAll(/^(\s*)(`{3,}|~{3,})[\s\S]*?^\s*\2`*$/gm, blank)
      .replaceAll(/<!--[\s\S]*?-->/g, blank)
      .replaceAll(/(`+)[^`][\s\S]*?\1/g, hidden)
      .replaceAll(/^>.*$/gm, blank)
      // The hints of a check: its id, not prose.
      .replaceAll(/^## [a-z-]+$/gm, blank)
      .replaceAll(/:(?:check|syscall|pane|man|rfc|call)\[[^\]]*\](?:\{[^}]*\})?/g, hidden)
      .replaceAll(/\{[^}\n]*\}/g, blank)
      .replaceAll(/\]\([^)\s]*\)/g, blank)
  );
}

/** Paragraphs, list items, headings and cells, each from where it begins. */
function* blocksOf(prose: string): Generator<{ at: number; text: string }> {
  const boundary = /\n\s*\n|\n(?=\s*(?:[-*+]|\d+\.)\s)|\n(?=#|:::|---)|(?<=^(?:#|:::|---|\S+:).*)\n|\|/gm;
  let from = 0;
  for (const { index, 0: sign } of [...prose.matchAll(boundary), { index: prose.length, 0: "" }]) {
    const text = prose
      .slice(from, index)
      .replace(/^\s*(?:[-*+]|\d+\.|#+)\s/, blank)
      .replace(/\[[ x]\]/, blank);
    if (text.trim() !== "" && !/^\s*:{2,}/.test(text)) yield { at: from, text };
    from = index + sign.length;
  }
}

// Highlight. Turns code into a tree of coloured spans, at build time. Colours are the page's own variables (--code-token-*), so
// that prose, editor and output share one palette in both themes. Only the languages listed here are loaded.
import type { Element, Text } from "hast";
import { createCssVariablesTheme, createHighlighter, type ThemeRegistration } from "shiki";

/** What a fence may say after its three backticks, and the grammar behind it. */
export const languages: Record<string, string> = {
  ts: "typescript",
  js: "javascript",
  python: "python",
  shell: "shellscript",
  c: "c",
  http: "http",
  json: "json",
  text: "text",
};

// As in the editor: keyword = accent, string = ready, number = waiting, comment = ink-3, and the rest is ink.
const colour = (token: string, scope: string[]) => ({
  scope,
  settings: { foreground: `var(--code-token-${token})` },
});
const theme: ThemeRegistration = {
  ...createCssVariablesTheme({ name: "workbook", variablePrefix: "--code-", variableDefaults: {} }),
  tokenColors: [
    colour("keyword", ["keyword", "storage", "constant.language", "variable.language"]),
    colour("keyword", ["support.type.primitive", "support.type.builtin"]),
    { scope: ["keyword.operator"], settings: { foreground: "var(--code-foreground)" } },
    colour("keyword", [
      "keyword.operator.expression",
      "keyword.operator.new",
      "keyword.operator.logical.python",
    ]),
    colour("string", ["string"]),
    { scope: ["meta.template.expression"], settings: { foreground: "var(--code-foreground)" } },
    colour("constant", ["constant.numeric", "constant.character.escape"]),
    colour("comment", ["comment", "punctuation.definition.comment", "string.quoted.docstring"]),
  ],
};

/** @param marked lines (from 1) that the prose points at */
export type Highlight = (code: string, lang: string, marked: ReadonlySet<number>) => Element;

let loading: Promise<Highlight> | undefined;

/** The function that highlights; the grammars are loaded once in a process (about 300 ms). */
export function loadHighlight(): Promise<Highlight> {
  loading ??= createHighlight();
  return loading;
}

async function createHighlight(): Promise<Highlight> {
  const grammars = Object.values(languages).filter(name => name !== "text");
  const shiki = await createHighlighter({ themes: [theme], langs: grammars });
  const done = new Map<string, Element>();
  const highlight: Highlight = (code, lang, marked) => {
    const root = shiki.codeToHast(code, {
      lang: languages[lang] ?? "text",
      theme: "workbook",
      mergeSameStyleTokens: true,
    });
    const classes = code.split("\n").map((line, i, all) => {
      const more = lang === "shell" && i > 0 && goesOn(all[i - 1]!, line);
      return ["line", ...(marked.has(i + 1) ? ["marked"] : []), ...(more ? ["more"] : [])];
    });
    const pre = root.children[0] as Element;
    const lines = pre.children[0] as Element;
    return {
      type: "element",
      tagName: "pre",
      // A block that scrolls sideways must be reachable with the keyboard.
      properties: { className: ["code"], tabIndex: 0 },
      children: [
        { type: "element", tagName: "code", properties: {}, children: classed(lines.children, classes) },
      ],
    };
  };
  // After an edit nearly all code is what it was.
  return (code, lang, marked) => {
    const key = JSON.stringify([code, lang, [...marked]]);
    const known = done.get(key) ?? highlight(code, lang, marked);
    done.set(key, known);
    return known;
  };
}

/** Whether a shell would show its second prompt, ">", before this line, because the command has not ended yet. */
function goesOn(before: string, line: string): boolean {
  return (
    /(\\|\||&&|\b(do|then|else))$/.test(before.trimEnd()) || /^\s|^(do|done|then|else|fi|\})\b/.test(line)
  );
}

function classed(lines: Element["children"], classes: string[][]): Element["children"] {
  let next = 0;
  return lines.map(line => {
    if (line.type !== "element") return line;
    const className = classes[next++] ?? ["line"];
    return { ...line, properties: { className }, children: line.children.map(plainSpan) };
  });
}

/** A span in the default ink needs no element of its own. */
function plainSpan(child: Element["children"][number]): Element["children"][number] {
  const plain =
    child.type === "element" &&
    child.properties.style === "color:var(--code-foreground)" &&
    child.children.length === 1;
  return plain ? (child.children[0] as Text) : child;
}

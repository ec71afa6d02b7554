// The two directives that ask: :::predict (guess, then look) and :::quiz (choose, then read why).
import type { List, ListItem, Nodes, Paragraph } from "mdast";
import { type Page, type Word, word } from "./page.ts";

type Container = Nodes & { children: Nodes[] };

/** What stands before the line of --- is the question, with a list of answers to choose from if it ends in one. */
export function predict(node: Container, name: string, page: Page): Word | null {
  const line = node.children.findIndex(child => child.type === "thematicBreak");
  if (line < 1 || line === node.children.length - 1) {
    page.report(
      node,
      ":::predict has a question, a line of ---, and below it what to look at once one has guessed.",
    );
    return null;
  }
  const before = node.children.slice(0, line);
  const last = before.at(-1);
  const options = last?.type === "list" ? last.children : [];
  const question = options.length > 0 ? before.slice(0, -1) : before;
  return word(node, "lesson-predict", { name }, [
    word(node, "lesson-question", {}, question),
    ...options.map(item => word(item, "lesson-option", {}, choiceOf(item))),
    word(node, "lesson-reveal", {}, node.children.slice(line + 1)),
  ]);
}

/** The question, then a task list: the right answer is [x], and every wrong one says why it is wrong. */
export function quiz(node: Container, name: string, page: Page): Word | null {
  const list = node.children.at(-1);
  if (list?.type !== "list" || node.children.length < 2) {
    page.report(
      node,
      ":::quiz has a question, then a list of answers: - [ ] wrong, - [x] right, each with its why.",
    );
    return null;
  }
  const right = list.children.filter(item => item.checked);
  if (right.length !== 1)
    page.report(list, `A quiz has exactly one right answer, - [x]; this one has ${right.length}.`);
  return word(node, "lesson-quiz", { name }, [
    word(node, "lesson-question", {}, node.children.slice(0, -1)),
    ...(list as List).children.map(item => answer(item, page)),
  ]);
}

function answer(item: ListItem, page: Page): Word {
  if (item.checked === null || item.checked === undefined)
    page.report(item, "An answer begins with [ ] if it is wrong, or [x] if it is right.");
  const explanation = item.children.slice(1);
  if (!item.checked && explanation.length === 0)
    page.report(
      item,
      "A wrong answer says why it is wrong, in a paragraph below it (indented by two spaces).",
    );
  const correct = item.checked === true;
  return word(item, "lesson-option", correct ? { correct } : {}, [
    word(item, "lesson-choice", {}, choiceOf(item)),
    ...(explanation.length > 0 ? [word(item, "lesson-explanation", {}, explanation)] : []),
  ]);
}

/** The words of an answer: its first paragraph, without being one. */
function choiceOf(item: ListItem): Nodes[] {
  const first = item.children[0];
  return first?.type === "paragraph" ? (first as Paragraph).children : item.children.slice(0, 1);
}

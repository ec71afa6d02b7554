// Questions. The two directives that ask: :::predict (guess, then look) and :::quiz (choose, then read why).
import type { List, ListItem, Nodes, Paragraph } from "mdast";
import { type DirectiveNode, directiveNode, type Page } from "./page.ts";

type Container = Nodes & { children: Nodes[] };

/**
 * Before the line of --- is the question, with a list of answers to choose from if it ends in one. - [x] is the right
 * one, and a paragraph below another one says why it is wrong.
 */
export function predict(node: Container, name: string, page: Page): DirectiveNode | null {
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
  const right = options.filter(item => item.checked);
  if (right.length > 1)
    page.report(last!, `A guess has at most one right answer, - [x]; this one has ${right.length}.`);
  const silent = options.filter(item => !item.checked && item.children.length < 2);
  if (right.length === 1 && silent.length > 0)
    page.note(
      `${silent.length === 1 ? "A wrong answer of this guess does" : `${silent.length} wrong answers of this guess do`} not say why: a paragraph below the answer, indented by two spaces.`,
      last,
    );
  return directiveNode(node, "lesson-predict", { name }, [
    directiveNode(node, "lesson-question", {}, question),
    ...options.map(optionOf),
    directiveNode(node, "lesson-reveal", {}, node.children.slice(line + 1)),
  ]);
}

/** The question, then a task list: the right answer is [x], and every wrong one says why it is wrong. */
export function quiz(node: Container, name: string, page: Page): DirectiveNode | null {
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
  return directiveNode(node, "lesson-quiz", { name }, [
    directiveNode(node, "lesson-question", {}, node.children.slice(0, -1)),
    ...(list as List).children.map(item => answer(item, page)),
  ]);
}

function answer(item: ListItem, page: Page): DirectiveNode {
  if (item.checked === null || item.checked === undefined)
    page.report(item, "An answer begins with [ ] if it is wrong, or [x] if it is right.");
  if (!item.checked && item.children.length < 2)
    page.report(
      item,
      "A wrong answer says why it is wrong, in a paragraph below it (indented by two spaces).",
    );
  return optionOf(item);
}

/** One answer: its words, and why it is right or wrong. */
function optionOf(item: ListItem): DirectiveNode {
  const explanation = item.children.slice(1);
  const correct = item.checked === true;
  return directiveNode(item, "lesson-option", correct ? { correct } : {}, [
    directiveNode(item, "lesson-choice", {}, choiceOf(item)),
    ...(explanation.length > 0 ? [directiveNode(item, "lesson-explanation", {}, explanation)] : []),
  ]);
}

/** The words of an answer: its first paragraph, without being one. */
function choiceOf(item: ListItem): Nodes[] {
  const first = item.children[0];
  return first?.type === "paragraph" ? (first as Paragraph).children : item.children.slice(0, 1);
}

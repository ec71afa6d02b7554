// "We test". One line for each check of the lesson's lab: what is sent, and what is expected. The words are the doc comment
// above the check, so that a lesson cannot promise other tests than those that run.
import type { Lab } from "../../../server-labs/book.ts";
import { markdownOf } from "./call-card.ts";
import { type Directive, type DirectiveNode, directiveNode, type Page } from "./page.ts";

export function weTest(node: Directive, page: Page): DirectiveNode | null {
  const lab = page.lesson?.lab;
  const silent = lab ? silentChecks(lab) : [];
  const mistake = !lab
    ? "This lesson has no lab, so there is nothing that we test."
    : !page.takeName("::we-test")
      ? "A lesson says once what we test."
      : silent.length > 0
        ? `In lab/checks.ts no doc comment above ${listOf(silent)} says what is sent and what is expected: /** … */.`
        : null;
  if (mistake) page.report(node, mistake);
  if (!lab || mistake) return null;
  const items = lab.checks
    .filter(isOwn)
    .map(({ id, title, tests }) =>
      directiveNode(node, "lesson-we-test-item", { name: id }, [
        directiveNode(node, "lesson-check", { name: id }, [{ type: "text", value: title }]),
        ...markdownOf(tests!),
      ]),
    );
  return directiveNode(node, "lesson-we-test", {}, items);
}

/** The sentence for a lesson that does not say what its lab tests; null for one that does. */
export function untoldTests(lab: Lab | null, page: Page): string | null {
  if (!lab || !page.takeName("::we-test")) return null;
  const silent = silentChecks(lab);
  const first =
    silent.length > 0 ? ` Write a doc comment above ${listOf(silent)} in lab/checks.ts first.` : "";
  return `This lesson does not say what its checks send and expect: ::we-test does.${first}`;
}

/** What an earlier lab tests, that lab's lesson says. */
const isOwn = ({ from }: Lab["checks"][number]) => from === undefined;

const silentChecks = (lab: Lab) =>
  lab.checks
    .filter(isOwn)
    .filter(({ tests }) => tests === null)
    .map(({ id }) => id);

const listOf = (ids: readonly string[]) => ids.map(id => `"${id}"`).join(", ");

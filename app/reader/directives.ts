// Components of directives. The elements of lesson-content.ts, each with its component.
// A component that crashes is replaced by a sentence; the text around it stays.
import type { Components } from "hast-util-to-jsx-runtime";
import type { DirectiveElements } from "../book.ts";
import { CallCard, CallDetails, CallItem, CallNames, CallPart } from "./directives/CallCard.tsx";
import { CodeBlock, Compare } from "./directives/CodeBlock.tsx";
import { Figure } from "./directives/Figure.tsx";
import { guarded } from "./directives/guarded.tsx";
import { Anchor, CheckLink, PaneLink, SyscallLink, Table } from "./directives/inline.tsx";
import { LabCard } from "./directives/LabCard.tsx";
import { Measure } from "./directives/Measure.tsx";
import { Predict } from "./directives/Predict.tsx";
import { DirectivePart } from "./directives/parts.tsx";
import { Quiz } from "./directives/Quiz.tsx";
import { ScoreboardFigure } from "./directives/Scoreboard.tsx";
import { TermEntry, TermLink, TermList } from "./directives/Term.tsx";
import { Aside, Recap, Saw, ShellCommand, Try } from "./directives/Try.tsx";
import { Diff, Walkthrough } from "./directives/Walkthrough.tsx";
import { WeTest, WeTestItem } from "./directives/WeTest.tsx";

const words: Record<keyof DirectiveElements, unknown> = {
  "lesson-lab": guarded(LabCard, "The card of this lab"),
  "lesson-predict": guarded(Predict, "This question"),
  "lesson-quiz": guarded(Quiz, "This question"),
  "lesson-question": DirectivePart,
  "lesson-option": DirectivePart,
  "lesson-choice": DirectivePart,
  "lesson-explanation": DirectivePart,
  "lesson-reveal": DirectivePart,
  "lesson-try": Try,
  "lesson-command": guarded(ShellCommand, "This command"),
  "lesson-saw": Saw,
  "lesson-recap": Recap,
  "lesson-walkthrough": guarded(Walkthrough, "The walk-through"),
  "lesson-diff": Diff,
  "lesson-we-test": WeTest,
  "lesson-we-test-item": WeTestItem,
  "lesson-aside": Aside,
  "lesson-figure": guarded(Figure, "This figure"),
  "lesson-measure": guarded(Measure, "This measurement"),
  "lesson-scoreboard": guarded(ScoreboardFigure, "The scoreboard"),
  "lesson-compare": Compare,
  "lesson-code": guarded(CodeBlock, "This code"),
  "lesson-call": guarded(CallCard, "This call"),
  "lesson-call-details": CallDetails,
  "lesson-call-part": CallPart,
  "lesson-call-item": CallItem,
  "lesson-names": CallNames,
  "lesson-syscall": SyscallLink,
  "lesson-term": guarded(TermLink, "This term"),
  "lesson-terms": TermList,
  "lesson-term-entry": TermEntry,
  "lesson-pane": PaneLink,
  "lesson-check": CheckLink,
};

// Our words are no HTML elements, which is all that the library's type knows.
export const components = { ...words, a: Anchor, table: Table } as Partial<Components>;

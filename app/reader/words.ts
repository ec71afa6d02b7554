// The words that prose may use (lessons/content.ts names them), each with its component. A part that breaks is
// replaced by a sentence; the text around it stays.
import type { Components } from "hast-util-to-jsx-runtime";
import type { Words } from "../book.ts";
import { Code, Compare } from "./words/Code.tsx";
import { Figure } from "./words/Figure.tsx";
import { guarded } from "./words/guarded.tsx";
import { Anchor, CheckLink, PaneLink, Syscall, Table } from "./words/inline.tsx";
import { Lab } from "./words/Lab.tsx";
import { Predict } from "./words/Predict.tsx";
import { Part } from "./words/parts.tsx";
import { Quiz } from "./words/Quiz.tsx";
import { Aside, Command, Try } from "./words/Try.tsx";

const words: Record<keyof Words, unknown> = {
  "lesson-lab": guarded(Lab, "The card of this lab"),
  "lesson-predict": guarded(Predict, "This question"),
  "lesson-quiz": guarded(Quiz, "This question"),
  "lesson-question": Part,
  "lesson-option": Part,
  "lesson-choice": Part,
  "lesson-explanation": Part,
  "lesson-reveal": Part,
  "lesson-try": Try,
  "lesson-command": guarded(Command, "This command"),
  "lesson-aside": Aside,
  "lesson-figure": guarded(Figure, "This figure"),
  "lesson-compare": Compare,
  "lesson-code": guarded(Code, "This code"),
  "lesson-syscall": Syscall,
  "lesson-pane": PaneLink,
  "lesson-check": CheckLink,
};

// Our words are no HTML elements, which is all that the library's type knows.
export const components = { ...words, a: Anchor, table: Table } as Partial<Components>;

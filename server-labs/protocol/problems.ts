// Problems. The statements with which the lab server refuses a request.

import type { en as http } from "./sentences/http.ts";
import type { refusals as visits } from "./sentences/visits.ts";
import type { fileRefusals as workspace } from "./sentences/workspace.ts";
import type { Statement } from "./sentences.ts";

type PaceProblem = "program-has-ended" | "driven-by-another" | "call-not-traced" | "errno-unknown";

export type ProblemCode = keyof typeof http | keyof typeof visits | keyof typeof workspace | PaceProblem;
export type ProblemStatement = Statement<ProblemCode>;

/** An HTTP answer of 400 and above: the sentence in English for a shell, and the statement that it says. */
export interface Problem {
  problem: string;
  code?: string;
}

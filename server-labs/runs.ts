// Runs. A run's life: start, refusal, output, end; programs and checks.
export type { StrippedPrograms } from "./runs/checker.ts";
export type { ProcessRun } from "./runs/run.ts";
export { Runs } from "./runs/runs.ts";

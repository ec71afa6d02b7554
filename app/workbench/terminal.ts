// Terminal door. Loads xterm when a program first runs.
export type { OutputFacts } from "./terminal/shown-run.ts";
export { default, type TerminalHandle } from "./terminal/Terminal.tsx";

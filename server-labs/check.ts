// Check. What checks are made of, and the process that makes them.
export { ModuleFolder } from "./check/module-folder.ts";
export { cpuMs, processTree, runState } from "./check/proc.ts";

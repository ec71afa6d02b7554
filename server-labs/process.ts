// Process. Launch, sandbox, process tree and spare of the programs that runs start.
export { findCgroups } from "./process/cgroup.ts";
export { flow } from "./process/held-streams.ts";
export { type Launched, type LaunchOptions, launch } from "./process/launch.ts";
export type { Ending } from "./process/process-tree.ts";
export {
  allProcesses,
  descendantsOf,
  factsOf,
  isAlive,
  type ProcessFacts,
  processFacts,
  proportionalBytes,
  residentBytes,
} from "./process/processes.ts";
export { type RunFolder, RunFolders } from "./process/run-folder.ts";
export { findSandbox } from "./process/sandbox.ts";
export {
  inCgroups,
  packageParts,
  programEnvironment,
  type SandboxLevel,
  workspaceParts,
} from "./process/sandbox-level.ts";
export type { Setting, Spare } from "./process/spare.ts";
export { Spares } from "./process/spares.ts";

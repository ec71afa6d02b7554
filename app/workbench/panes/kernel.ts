// Kernel door. The samples of a run, for the panes that show them.
export { useKernel, useRunClock } from "./kernel/use-kernel.ts";

// Pace. How fast a program goes through its system calls, and who drives it.
export { conditionOf } from "./pace/breakpoints.ts";
export { Pacer, programHasEnded } from "./pace/pacer.ts";
export { Wrapper } from "./pace/wrapper.ts";

// Syscalls door. The parts of the call list that the rest of the workbench shares.
export { inWords } from "./syscalls/compact.ts";
export { filterCalls, setFilter } from "./syscalls/filter.ts";
export { insideWords } from "./syscalls/inside-words.ts";
export { stopOf } from "./syscalls/Row.tsx";
export { useCalls } from "./syscalls/use-calls.ts";

// Trace. A run's system calls: the shared memory, its reader, the decoder of records, the descriptor table.
export {
  argumentOf,
  callOf,
  decodeCall,
  hasReturned,
  type Known,
  resultOf,
  stateOf,
  stateOfRecord,
} from "./trace/decode.ts";
export {
  type DescriptorEvents,
  DescriptorTable,
  type Listener,
  mostDescriptors,
} from "./trace/descriptors.ts";
export { traceBytes } from "./trace/layout.ts";
export { createTraceMemory } from "./trace/memory.ts";
export { type Observer, TraceReader } from "./trace/reader.ts";
export { type RingLook, RingReader } from "./trace/ring.ts";
export { TaskTable } from "./trace/tasks.ts";

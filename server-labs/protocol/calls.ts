// Calls. The contract's part about system calls: the table of calls, the record of one call, names of constants and errors.
// It loads nothing else of the contract, because a student's program loads it too.
export { errnoName, errnoNumbers, errnoWords } from "./calls/errors.ts";
export { epollEvents, flagNames, flags, pollEvents } from "./calls/names.ts";
export {
  type CallRecord,
  type CallState,
  type CallTask,
  callPriority,
  isWouldBlock,
  type KnownDescriptor,
  portOf,
  priorityOf,
  timeoutMs,
  type Value,
} from "./calls/record.ts";
export {
  aboutArgument,
  type CallRow,
  callIndex,
  callRows,
  type DescriptorKind,
  isTracedCall,
  onDescriptor,
  type Parameter,
  rowsByIndex,
  type TracedCall,
  tracedCalls,
} from "./calls/table.ts";

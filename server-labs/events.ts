// Events. Everything that happened in one run, in one order, within bounds, and a way to follow it.
export { type Batch, type EventBody, EventLog } from "./events/event-log.ts";
export { follow, type Log } from "./events/follow.ts";

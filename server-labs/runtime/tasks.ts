// workbook/tasks. Coroutines over a hub on epoll_wait(2): tasks are generators that wait with `yield*`, in a program that
// sleeps only when all of them wait.
export { runAsync, wait } from "./tasks/async.ts";
export { DescriptorClosed } from "./tasks/descriptor-waits.ts";
export { Nursery, nursery } from "./tasks/nursery.ts";
export { hubTurn, type TaskNow, taskIs, taskSpawned } from "./tasks/own-hub.ts";
export { accept, connect, recv, send } from "./tasks/sockets.ts";
export type { Awaited, Park, Steps } from "./tasks/task.ts";
export { Cancelled, Task, type TaskState } from "./tasks/task.ts";
export { TaskQueue } from "./tasks/task-queue.ts";
export { TaskSemaphore } from "./tasks/task-semaphore.ts";
export { deadline, timeout } from "./tasks/time-limit.ts";
export { TimedOut } from "./tasks/timed-out.ts";
export { currentTask, currentTurn, pass, readable, run, sleep, spawn, writable } from "./tasks/wait.ts";

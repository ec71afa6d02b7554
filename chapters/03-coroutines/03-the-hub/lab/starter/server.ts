// A hub that never goes to sleep: it resumes each task in turn, and does not look at what the task waits for. That is the
// exercise. The tasks are in clients.ts.
import type { Socket } from "workbook/net";
import { listen, type Steps } from "./clients.ts";

// #region state
const tasks = new Set<Steps>();
// #endregion state

// #region spawn
/** A new task: it runs in this turn. */
function spawn(task: Steps): void {
  tasks.add(task);
}
// #endregion spawn

// #region run
function run(): void {
  while (tasks.size > 0) {
    for (const task of tasks) {
      const { done } = task.next();
      if (done) tasks.delete(task);
    }
  }
}
// #endregion run

// #region close
function close(socket: Socket): void {
  socket.close();
}
// #endregion close

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  spawn(listen({ spawn, close }, port));
  run();
} else {
  console.log("run it like this: npx tsx server.ts 7911");
  process.exit(1);
}

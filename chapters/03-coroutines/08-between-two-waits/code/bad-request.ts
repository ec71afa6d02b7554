// Bad request. One of three tasks fails, alone and in a nursery.
import { nursery, run, type Steps, sleep, spawn } from "workbook/tasks";

// #region tasks
function* serve(request: string): Steps<void> {
  if (request === "bad") throw new Error("bad request");
  yield* sleep(20);
  console.log(`served ${request}`);
}

function* alone(): Steps<void> {
  const tasks = ["one", "bad", "two"].map(request => spawn(serve(request), request));
  while (tasks.some(task => !task.ended)) yield* sleep(10);
  console.log(`alone: ${tasks.filter(task => task.ended).length} tasks have ended`);
}

function* together(): Steps<void> {
  try {
    yield* nursery(n => {
      for (const request of ["one", "bad", "two"]) n.spawn(serve(request), request);
    });
  } catch (error) {
    console.log(`together: ${(error as Error).message}`);
  }
}
// #endregion tasks

run(alone());
run(together());

// Order of steps. A `finally` around a callback, and a `finally` in a coroutine.
import { run, type Steps, sleep } from "workbook/tasks";

// #region callback
function askWithCallback(onTea: (tea: string) => void): void {
  setTimeout(() => onTea("green"), 20);
}

function serveWithCallback(): void {
  try {
    askWithCallback(tea => console.log(`callback: the tea is ${tea}`));
  } finally {
    console.log("callback: close");
  }
}
// #endregion callback

// #region coroutine
function* ask(): Steps<string> {
  yield* sleep(20);
  return "green";
}

function* serve(): Steps<void> {
  try {
    const tea = yield* ask();
    console.log(`coroutine: the tea is ${tea}`);
  } finally {
    console.log("coroutine: close");
  }
}
// #endregion coroutine

run(serve());
serveWithCallback();

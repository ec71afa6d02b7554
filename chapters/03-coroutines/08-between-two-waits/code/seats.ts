// Seats. Ten guests come to four seats. Between the look at the count and its change, a task may wait.
import { run, type Steps, sleep, spawn, TaskSemaphore } from "workbook/tasks";

const seats = 4;
let seated = 0;
let most = 0;

function sitDown(): void {
  seated++;
  most = Math.max(most, seated);
}

// #region guests
function* looksThenWaits(): Steps<void> {
  if (seated < seats) {
    yield* sleep(10); // the waiter greets the guest
    sitDown();
  }
}

function* sitsThenWaits(): Steps<void> {
  if (seated < seats) {
    sitDown();
    yield* sleep(10);
  }
}
// #endregion guests

// #region semaphore
const free = new TaskSemaphore(seats);

function* waitsForSeat(): Steps<void> {
  yield* free.with(drinks());
}

function* drinks(): Steps<void> {
  sitDown();
  yield* sleep(10);
  seated--;
}
// #endregion semaphore

function* evening(name: string, guest: () => Steps<void>): Steps<void> {
  seated = 0;
  most = 0;
  const guests = Array.from({ length: 10 }, () => spawn(guest()));
  for (const each of guests) yield* each.join();
  console.log(`${name}: ${most} guests on ${seats} seats`);
}

function* main(): Steps<void> {
  yield* evening("looks, waits, sits", looksThenWaits);
  yield* evening("looks, sits, waits", sitsThenWaits);
  yield* evening("waits for a seat", waitsForSeat);
}

run(main());

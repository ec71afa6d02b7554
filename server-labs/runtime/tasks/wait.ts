// Waits. The functions that a task calls with `yield*` to wait for a descriptor, a time, or its next turn; and spawn.
import { descriptor, type HasDescriptor } from "../net/arguments.ts";
import { Hub, theHub } from "./hub.ts";
import type { Park, Steps, Task } from "./task.ts";
import { TimedOut } from "./timed-out.ts";

/**
 * Makes a hub, runs this task on it, and returns when the task has ended. The hub then cancels all other tasks, and waits
 * until they have ended. Nothing else of the program runs meanwhile, as with any loop over epoll_wait(2).
 * @param main the first task: `run(main())`
 * @param name its name in errors; "main" by default
 * @returns what the task returned
 * @throws what the task threw; Error when a hub runs already, and when all tasks wait and nothing can wake one
 */
export function run<T>(main: Steps<T>, name = "main"): T {
  return new Hub().run(main, name);
}

/**
 * Makes a task, which begins in the hub's next turn. It lives until it ends, or until the hub's first task has ended. An
 * error that it throws, and that no task takes with `join`, is printed. `nursery` spawns tasks that do not outlive a block.
 * @param steps the call of a generator function: `spawn(serve(client), "client 7")`
 * @param name its name in errors; "task 3" by default
 * @throws Error when no hub runs
 */
export function spawn<T>(steps: Steps<T>, name?: string): Task<T> {
  return theHub("spawn()").spawn(steps, name);
}

/** The task that runs now. @throws Error when no hub runs */
export function currentTask(): Task {
  return theHub("currentTask()").current;
}

/**
 * The number of the hub's turn: it grows each time that the hub asks epoll for events. In one turn each ready task runs once,
 * so what one task has just found out (what time it is, whether a file has changed) may serve the others, too.
 * @throws Error when no hub runs
 */
export function currentTurn(): number {
  return theHub("currentTurn()").turn;
}

/**
 * Waits until a descriptor is readable: `yield* readable(socket)`. A listener is readable when a client has connected.
 * @param on a Socket, or the number of a descriptor
 * @param until a moment of performance.now(), in milliseconds: as `deadline(until, readable(on))`, at a lower cost
 * @throws Error when another task waits for the same; DescriptorClosed when it is closed meanwhile; TimedOut; SyscallError
 *   of epoll_ctl(2): EPERM for a regular file
 */
export function* readable(on: HasDescriptor, until = Number.POSITIVE_INFINITY): Steps<void> {
  const hub = theHub("readable()");
  const park = hub.descriptors.park(descriptor(readable, on), "readable", hub.current);
  yield until === Number.POSITIVE_INFINITY ? park : limited(hub, park, until);
}

/**
 * Waits until a descriptor is writable: the kernel has room for more bytes, or a handshake has ended.
 * @param on a Socket, or the number of a descriptor
 * @param until as of readable
 * @throws as readable
 */
export function* writable(on: HasDescriptor, until = Number.POSITIVE_INFINITY): Steps<void> {
  const hub = theHub("writable()");
  const park = hub.descriptors.park(descriptor(writable, on), "writable", hub.current);
  yield until === Number.POSITIVE_INFINITY ? park : limited(hub, park, until);
}

/** A park that ends with TimedOut at this moment. An event of the same turn comes first. */
function limited({ timers }: Hub, park: Park, until: number): Park {
  const began = performance.now();
  return {
    awaited: park.awaited,
    start: task => {
      const undo = park.start(task);
      const timer = timers.add(until, () => task.wake({ error: new TimedOut(until - began) }));
      return () => {
        timers.remove(timer);
        undo();
      };
    },
  };
}

/**
 * Waits for this time, and lets other tasks run: unlike sleep of workbook/net, which blocks the whole program.
 * @param ms milliseconds, 0 or more
 */
export function* sleep(ms: number): Steps<void> {
  const { timers } = theHub("sleep()");
  const until = performance.now() + checkedMs(ms, "sleep()");
  yield {
    awaited: { kind: "timer", until },
    start: task => {
      const timer = timers.add(until, () => task.wake());
      return () => timers.remove(timer);
    },
  };
}

/** Lets all other tasks that are ready run first: for a task that computes for long. */
export function* pass(): Steps<void> {
  theHub("pass()");
  yield {
    awaited: { kind: "turn" },
    start: task => {
      // Not now: a task that is woken while it parks has no arrangement yet.
      task.wake();
      return () => {};
    },
  };
}

/** @throws TypeError when this is no time that a timer can have */
export function checkedMs(ms: number, called: string): number {
  if (typeof ms === "number" && ms >= 0 && ms < Number.POSITIVE_INFINITY) return ms;
  throw new TypeError(`${called} takes milliseconds, 0 or more, not ${String(ms)}.`);
}

// workbook/tasks: waiting, time limits, cancellation, nurseries, and that nothing is left behind.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { EPOLLIN, Epoll, Socket, socketPair } from "../net.ts";
import {
  accept,
  Cancelled,
  connect,
  currentTask,
  currentTurn,
  DescriptorClosed,
  deadline,
  nursery,
  pass,
  readable,
  recv,
  run,
  runAsync,
  type Steps,
  send,
  sleep,
  spawn,
  TaskQueue,
  TaskSemaphore,
  TimedOut,
  timeout,
  wait,
  writable,
} from "../tasks.ts";

const descriptors = () => readdirSync("/proc/self/fd").length;

/** A socket, and its other end, which a test writes to as the peer. */
function pair(): [Socket, Socket] {
  const [one, other] = socketPair();
  return [one, other];
}

test("a task returns its value, and its error reaches the caller", () => {
  assert.equal(
    run(
      (function* () {
        yield* sleep(1);
        return 7;
      })(),
    ),
    7,
  );
  assert.throws(
    () =>
      run(
        (function* (): Steps<void> {
          yield* pass();
          throw new Error("broken");
        })(),
      ),
    /broken/,
  );
});

test("tasks take turns where they wait, and in no other place", () => {
  const order: string[] = [];
  function* speak(name: string): Steps<void> {
    for (let i = 1; i <= 3; i++) {
      order.push(`${name}${i}`);
      yield* pass();
    }
  }
  run(
    (function* () {
      const [a, b] = [spawn(speak("a")), spawn(speak("b"))];
      yield* a.join();
      yield* b.join();
    })(),
  );
  assert.deepEqual(order, ["a1", "b1", "a2", "b2", "a3", "b3"]);
});

test("sleepers wake in the order of their moments", () => {
  const order: number[] = [];
  run(
    nursery(n => {
      for (const ms of [30, 10, 20, 0])
        n.spawn(
          (function* () {
            yield* sleep(ms);
            order.push(ms);
          })(),
        );
    }),
  );
  assert.deepEqual(order, [0, 10, 20, 30]);
});

test("a server and its clients, in one program", () => {
  const before = descriptors();
  function* echo(socket: Socket): Steps<void> {
    try {
      while (true) {
        const bytes = yield* recv(socket, 1024);
        if (bytes.length === 0) return;
        yield* send(socket, bytes);
      }
    } finally {
      socket.close();
    }
  }
  function* serve(listener: Socket, count: number): Steps<void> {
    yield* nursery(function* (n) {
      for (let i = 0; i < count; i++) n.spawn(echo((yield* accept(listener)).client), `client ${i}`);
    });
    listener.close();
  }
  function* ask(port: number, words: Buffer): Steps<Buffer> {
    const socket = yield* connect({ port });
    try {
      // Each side sends more than the kernel holds: only tasks that wait for both directions get through.
      const sending = spawn(send(socket, words), "sends");
      const got: Buffer[] = [];
      for (let length = 0; length < words.length; length += got.at(-1)!.length)
        got.push(yield* recv(socket, 64 * 1024));
      yield* sending.join();
      return Buffer.concat(got);
    } finally {
      socket.close();
    }
  }
  const answers = run(
    (function* () {
      const listener = new Socket();
      listener.bind({ host: "127.0.0.1", port: 0 });
      listener.listen();
      const { port } = listener.localAddress();
      const server = spawn(serve(listener, 3), "server");
      const asking = [1, 2, 3].map(i => spawn(ask(port, Buffer.alloc(3_000_000, i)), `asks ${i}`));
      const all: Buffer[] = [];
      for (const task of asking) all.push(yield* task.join());
      yield* server.join();
      return all;
    })(),
  );
  for (const [i, answer] of answers.entries()) assert.ok(answer.equals(Buffer.alloc(3_000_000, i + 1)));
  assert.equal(descriptors(), before);
});

test("two tasks that wait for one descriptor and direction: an error in words", () => {
  const [one, other] = pair();
  assert.throws(
    () =>
      run(
        nursery(n => {
          n.spawn(readable(one), "first");
          n.spawn(readable(one), "second");
        }),
      ),
    new RegExp(
      `task "second" would wait for fd ${one.fd} to be readable, and task "first" does already\\. One event wakes one task`,
    ),
  );
  one.close();
  other.close();
});

test("closing a descriptor wakes its waiter with an error, and a stranger's bytes wake no one", () => {
  const [one, other] = pair();
  const { fd } = one;
  const error = run(
    (function* () {
      const waits = spawn(recv(one, 10), "reader");
      yield* pass();
      one.close();
      try {
        yield* waits.join();
        return null;
      } catch (error) {
        return error;
      }
    })(),
  );
  assert.ok(error instanceof DescriptorClosed);
  assert.equal(
    error.message,
    `fd ${fd} was closed while task "reader" waited for it to be readable. Cancel that task, or let it end, before close().`,
  );
  other.close();
});

test("a time limit throws where the task waits, and its finally blocks run", () => {
  const [one, other] = pair();
  const order: string[] = [];
  function* reads(): Steps<void> {
    try {
      yield* recv(one, 10);
    } finally {
      order.push("unwound");
      yield* sleep(1); // a finally block may wait
      order.push("and waited");
    }
  }
  run(
    (function* () {
      try {
        yield* timeout(5, reads());
      } catch (error) {
        order.push((error as Error).name);
      }
      // The descriptor is free for another task.
      other.send("tea");
      order.push((yield* timeout(1000, recv(one, 10))).toString());
      yield* sleep(10); // the second limit is over by now, and means nothing
    })(),
  );
  assert.deepEqual(order, ["unwound", "and waited", "TimedOut", "tea"]);
  one.close();
  other.close();
});

test("of nested limits the one that is over is thrown, and the bytes of the same turn are not lost", () => {
  const [one, other] = pair();
  run(
    (function* () {
      const at = performance.now() + 5;
      const outer = yield* attempt(deadline(at, timeout(1000, recv(one, 1))));
      assert.ok(outer instanceof TimedOut && outer.ms <= 5);
      // Timer and bytes come in one turn: the task goes on once, with the bytes.
      other.send("x");
      const until = performance.now();
      const got = yield* deadline(until, recv(one, 1));
      assert.equal(got.toString(), "x");
      yield* sleep(5);
    })(),
  );
  one.close();
  other.close();
});

test("a wait for a descriptor with a deadline: bytes come first, and nothing remains of it", () => {
  const [one, other] = pair();
  run(
    (function* () {
      const late = yield* attempt(readable(one, performance.now() + 5));
      assert.ok(late instanceof TimedOut && late.ms <= 5);
      other.send("x");
      yield* readable(one, performance.now());
      assert.equal(one.recv(1)?.toString(), "x");
      yield* writable(one, performance.now() + 5);
      yield* sleep(10); // the limit is over by now, and means nothing
      const alone = yield* attempt(new TaskQueue<number>().take());
      assert.match(String(alone), /No task can go on/);
    })(),
  );
  one.close();
  other.close();
});

test("cancel: a task that waits, one that has not begun, and one that has ended", () => {
  const order: string[] = [];
  function* waits(name: string): Steps<void> {
    try {
      order.push(`${name} begins`);
      yield* sleep(60_000);
    } catch (error) {
      order.push(`${name}: ${(error as Error).name}`);
      throw error;
    }
  }
  run(
    (function* () {
      const first = spawn(waits("first"), "first");
      yield* pass();
      first.cancel();
      const second = spawn(waits("second"), "second");
      second.cancel();
      assert.ok((yield* attempt(first.join())) instanceof Cancelled);
      assert.ok((yield* attempt(second.join())) instanceof Cancelled);
      first.cancel();
      assert.equal(first.state, "ended");
    })(),
  );
  assert.deepEqual(order, ["first begins", "first: Cancelled"]);
});

test("a nursery ends its other tasks when one fails, waits for them, and throws the first error", () => {
  const order: string[] = [];
  function* sibling(): Steps<void> {
    try {
      yield* sleep(60_000);
    } finally {
      yield* sleep(2);
      order.push("sibling unwound");
    }
  }
  function* fails(): Steps<void> {
    yield* sleep(1);
    throw new Error("the kitchen burns");
  }
  const error = run(
    (function* () {
      const thrown = yield* attempt(
        nursery(function* (n) {
          n.spawn(sibling(), "sibling");
          n.spawn(fails(), "fails");
          try {
            yield* sleep(60_000);
          } finally {
            order.push("block unwound");
          }
        }),
      );
      order.push("nursery over");
      return thrown;
    })(),
  );
  assert.match(String(error), /the kitchen burns/);
  assert.deepEqual(order, ["block unwound", "sibling unwound", "nursery over"]);
});

test("a nursery whose time is over leaves no task, no timer and no descriptor registered", () => {
  const [one, other] = pair();
  run(
    (function* () {
      const main = currentTask();
      const thrown = yield* attempt(
        timeout(
          5,
          nursery(n => {
            n.spawn(recv(one, 1), "reads");
            n.spawn(sleep(60_000), "sleeps");
          }),
        ),
      );
      assert.ok(thrown instanceof TimedOut);
      assert.equal(main.state, "running");
      // A deadlock is noticed, so nothing else waits here: neither the reader nor a timer.
      const alone = yield* attempt(new TaskQueue<number>().take());
      assert.match(String(alone), /No task can go on: .* task "main" waits for an item of a queue/);
    })(),
  );
  one.close();
  other.close();
});

test("the error of a task that no other awaits is printed, and the others go on", t => {
  const printed = t.mock.method(console, "error", () => {});
  const result = run(
    (function* () {
      spawn(
        (function* (): Steps<void> {
          yield* pass();
          throw new Error("one bad request");
        })(),
        "client 7",
      );
      yield* sleep(2);
      return "served";
    })(),
  );
  assert.equal(result, "served");
  assert.equal(printed.mock.callCount(), 1);
  assert.match(
    String(printed.mock.calls[0]!.arguments[0]),
    /^task "client 7" ended with an error that no task awaited: Error: one bad request/,
  );
});

test("when the first task ends, the others are cancelled, and run returns when they have ended", () => {
  const order: string[] = [];
  run(
    (function* () {
      spawn(
        (function* () {
          try {
            yield* sleep(60_000);
          } finally {
            yield* sleep(1);
            order.push("unwound");
          }
        })(),
      );
      yield* pass();
      order.push("main ends");
    })(),
  );
  assert.deepEqual(order, ["main ends", "unwound"]);
});

test("a queue keeps its order, and its limit makes a fast producer wait", () => {
  const queue = new TaskQueue<number>(2);
  const got: number[] = [];
  let most = 0;
  run(
    nursery(n => {
      n.spawn(
        (function* () {
          for (let i = 0; i < 20; i++) {
            yield* queue.put(i);
            most = Math.max(most, queue.size);
          }
        })(),
      );
      for (let takers = 0; takers < 2; takers++)
        n.spawn(
          (function* () {
            for (let i = 0; i < 10; i++) got.push(yield* queue.take());
          })(),
        );
    }),
  );
  assert.deepEqual(
    got,
    Array.from({ length: 20 }, (_, i) => i),
  );
  assert.equal(most, 2);
});

test("a semaphore: never more than its permits, and a cancelled waiter takes none with it", () => {
  const semaphore = new TaskSemaphore(2);
  let [inside, most] = [0, 0];
  function* work(): Steps<void> {
    inside++;
    most = Math.max(most, inside);
    try {
      yield* sleep(2);
    } finally {
      inside--;
    }
  }
  run(
    (function* () {
      const tasks = Array.from({ length: 8 }, () => spawn(semaphore.with(work())));
      yield* pass();
      tasks[5]!.cancel();
      for (const [i, task] of tasks.entries()) {
        const end = yield* attempt(task.join());
        assert.equal(end instanceof Cancelled, i === 5);
      }
    })(),
  );
  assert.deepEqual([most, inside, semaphore.free], [2, 0, 2]);
});

test("10,000 parked tasks, and none of them costs a turn", () => {
  run(
    (function* () {
      const parked = Array.from({ length: 10_000 }, (_, i) => spawn(sleep(60_000), `sleeper ${i}`));
      yield* pass();
      const began = process.cpuUsage();
      for (let i = 0; i < 1000; i++) yield* pass();
      const { user, system } = process.cpuUsage(began);
      // 1000 turns that visited every parked task would take seconds.
      assert.ok(user + system < 1_500_000, `${user + system} µs`);
      for (const task of parked) task.cancel();
    })(),
  );
});

test("the turn is the same for all tasks that were ready together, and another after a wait", () => {
  const turns: number[] = [];
  run(
    nursery(n => {
      for (let i = 0; i < 2; i++)
        n.spawn(
          (function* () {
            turns.push(currentTurn());
            yield* pass();
            turns.push(currentTurn());
          })(),
        );
    }),
  );
  const [first, second] = [turns[0]!, turns[2]!];
  assert.deepEqual(turns, [first, first, second, second]);
  assert.ok(second > first);
});

test("what needs a hub says so, and an epoll of one's own goes on to work beside it", () => {
  assert.throws(() => spawn(sleep(1)), /spawn\(\) needs a hub/);
  assert.throws(() => [...sleep(-1)], /needs a hub|milliseconds/);
  const [one, other] = pair();
  const epoll = new Epoll();
  epoll.register(one, EPOLLIN);
  run(
    (function* () {
      spawn(
        (function* () {
          yield* sleep(1);
          other.send("x");
        })(),
      );
      yield* readable(epoll.fd);
      assert.deepEqual(epoll.poll(0), [{ fd: one.fd, events: EPOLLIN }]);
    })(),
  );
  epoll.close();
  one.close();
  other.close();
});

test("async functions wait on the same hub, many awaits deep, and several at once", async () => {
  const [one, other] = pair();
  const deep = async (levels: number): Promise<string> =>
    levels === 0 ? (await wait(recv(one, 100))).toString() : await deep(levels - 1);
  const order: string[] = [];
  const result = await runAsync(async () => {
    const reading = deep(5);
    await Promise.all(
      [20, 5, 10].map(async ms => {
        await wait(sleep(ms));
        order.push(String(ms));
      }),
    );
    other.send("tea");
    return reading;
  });
  assert.deepEqual([result, order], ["tea", ["5", "10", "20"]]);
  one.close();
  other.close();
});

test("an async function may await what is not the hub's; an abort cancels, and an error rejects", async () => {
  const abort = new AbortController();
  await runAsync(async () => {
    assert.match(await readFile("/proc/self/comm", "utf8"), /node|MainThread/);
    const sleeping = wait(sleep(60_000), { signal: abort.signal });
    await wait(pass());
    abort.abort();
    await assert.rejects(sleeping, Cancelled);
    await assert.rejects(wait(timeout(1, sleep(60_000))), TimedOut);
    await assert.rejects(wait(sleep(1), { signal: abort.signal }), Cancelled);
  });
  await assert.rejects(
    runAsync(async () => {
      wait(sleep(60_000)).catch(() => {});
      throw new Error("broken");
    }),
    /broken/,
  );
  await assert.rejects(async () => wait(pass()), /wait\(\) needs a hub/);
});

/** @returns what these steps throw; null when they return */
function* attempt(steps: Steps<unknown>): Steps<unknown> {
  try {
    yield* steps;
    return null;
  } catch (error) {
    return error;
  }
}

test("a recv that took all bytes is followed by a wait, and not by a recv in vain", () => {
  const [one, other] = pair();
  const { recv: asks } = one;
  const took: (number | null)[] = [];
  one.recv = (size, flags) => {
    const bytes = asks.call(one, size, flags);
    took.push(bytes?.length ?? null);
    return bytes;
  };
  function* reads(): Steps<string> {
    let text = "";
    while (true) {
      const bytes = yield* recv(one, 4);
      if (bytes.length === 0) return text;
      text += bytes;
    }
  }
  const text = run(
    (function* (): Steps<string> {
      const reading = spawn(reads(), "reads");
      for (const words of ["tea", "green tea", "black"]) {
        yield* pass();
        yield* send(other, words);
        yield* sleep(1);
      }
      other.close();
      return yield* reading.join();
    })(),
  );
  one.close();
  assert.equal(text, "teagreen teablack");
  // null: the first recv, before epoll knew the socket. After each piece of fewer than 4 bytes the task waits.
  assert.deepEqual(took, [null, 3, 4, 4, 1, 4, 1, 0]);
});

// Queue. A task answers with 16 MB, and its client reads slowly. How much waits in the program?
import { type Socket, socketPair } from "workbook/net";
import { recv, run, type Steps, send, sleep, spawn, TaskQueue } from "workbook/tasks";

const pieces = 256;
const piece = Buffer.alloc(64 * 1024);
type Answer = (socket: Socket) => Steps<void>;

/** Pieces that are made and not sent, now and at most. */
let waiting = 0;
let most = 0;
function made(): void {
  waiting++;
  most = Math.max(most, waiting);
}

function* sent(socket: Socket): Steps<void> {
  yield* send(socket, piece);
  waiting--;
}

// #region answers
/** @param limit the queue's: put waits for room */
function queues(limit: number): Answer {
  return function* (socket) {
    const queue = new TaskQueue<Buffer>(limit);
    const writer = spawn(writes(socket, queue));
    for (let i = 0; i < pieces; i++) {
      made();
      yield* queue.put(piece);
    }
    yield* writer.join();
  };
}

function* sends(socket: Socket): Steps<void> {
  for (let i = 0; i < pieces; i++) {
    made();
    yield* sent(socket);
  }
}
// #endregion answers

function* writes(socket: Socket, queue: TaskQueue<Buffer>): Steps<void> {
  for (let i = 0; i < pieces; i++) {
    yield* queue.take();
    yield* sent(socket);
  }
}

function* readsSlowly(socket: Socket): Steps<void> {
  for (let left = pieces * piece.length; left > 0; ) {
    left -= (yield* recv(socket, piece.length)).length;
    yield* sleep(1);
  }
}

function* measure(name: string, answer: Answer): Steps<void> {
  const [server, client] = socketPair();
  waiting = 0;
  most = 0;
  const reader = spawn(readsSlowly(client));
  yield* answer(server);
  yield* reader.join();
  server.close();
  client.close();
  console.log(`${name}: at most ${(most * piece.length) / 1024} KB wait in the program`);
}

function* main(): Steps<void> {
  yield* measure("a queue without a limit", queues(Number.POSITIVE_INFINITY));
  yield* measure("a queue of 4 pieces", queues(4));
  yield* measure("send, and wait", sends);
}

run(main());

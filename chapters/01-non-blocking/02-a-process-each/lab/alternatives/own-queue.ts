// Another right answer: the main thread accepts, and puts the descriptors into a queue of its own, from which the threads
// take them. The queue is shared memory: Atomics.wait() sleeps until a number has changed, as a condition variable does.
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { SO_RCVTIMEO, SO_REUSEADDR, SOL_SOCKET, Socket } from "workbook/net";

/** Room for descriptors: more clients than these wait in the accept queue. */
const room = 256;
// 0: how many were put in; 1: how many were taken out; then the descriptors, in a ring.
const memory = new Int32Array(
  isMainThread ? new SharedArrayBuffer(4 * (2 + room)) : (workerData as SharedArrayBuffer),
);

if (isMainThread) accept();
else for (;;) serve(new Socket({ fd: take() }));

function accept(): void {
  const listener = new Socket();
  listener.setOption(SOL_SOCKET, SO_REUSEADDR, true);
  listener.bind({ port: Number(process.argv[2]) });
  listener.listen();
  for (let i = 0; i < 6; i++) new Worker(process.argv[1]!, { workerData: memory.buffer });
  for (let put = 0; ; put++) {
    const { client } = listener.accept()!;
    for (;;) {
      const taken = Atomics.load(memory, 1);
      if (put - taken < room) break;
      Atomics.wait(memory, 1, taken);
    }
    Atomics.store(memory, 2 + (put % room), client.fd);
    Atomics.store(memory, 0, put + 1);
    Atomics.notify(memory, 0, 1);
  }
}

function take(): number {
  for (;;) {
    const [put, taken] = [Atomics.load(memory, 0), Atomics.load(memory, 1)];
    if (put === taken) {
      Atomics.wait(memory, 0, put);
      continue;
    }
    const fd = Atomics.load(memory, 2 + (taken % room));
    // Another thread may have been quicker.
    if (Atomics.compareExchange(memory, 1, taken, taken + 1) !== taken) continue;
    Atomics.notify(memory, 1, 1);
    return fd;
  }
}

function serve(client: Socket): void {
  try {
    client.setOption(SOL_SOCKET, SO_RCVTIMEO, new BigInt64Array([0n, 400_000n]));
    const [method, target] = (client.recv(4096) ?? "").toString("latin1").split(" ");
    if (method === "GET") client.send(`HTTP/1.0 200 OK\r\n\r\nyou asked for ${target}\n`);
  } catch (error) {
    console.log((error as Error).message);
  } finally {
    client.close();
  }
}

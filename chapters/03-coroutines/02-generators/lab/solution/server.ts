// A printer of labels: one task for each client, a generator that reads from top to bottom. The trampoline resumes each of
// them in turn.
// #region imports
import { SO_REUSEADDR, SOCK_NONBLOCK, SOL_SOCKET, Socket, SyscallError, sleep } from "workbook/net";

// #endregion imports

// #region client
interface Client {
  socket: Socket;
  /** What has come and is not answered, a character for each byte. */
  unread: string;
}

/** The line is no number that fits: the order is given up. */
class BadNumber extends Error {}
/** The client has closed, or sends a line without an end. */
class Gone extends Error {}
// #endregion client

const [mostTeas, mostSheets, mostLine] = [9, 100_000, 4096];

// #region main
/** A generator that gives the loop nothing but its turn: it is parked at its `yield`. */
type Task = Generator<void, void>;

const tasks = new Set<Task>();

function main(port: number): void {
  const listener = new Socket();
  listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
  listener.bind({ port });
  listener.listen(128);
  listener.setBlocking(false);
  console.log(`process ${process.pid} serves port ${port}`);

  tasks.add(welcome(listener));
  while (true) {
    for (const task of tasks) {
      if (task.next().done) tasks.delete(task);
    }
    sleep(1);
  }
}

function* welcome(listener: Socket): Task {
  while (true) {
    const next = listener.accept(SOCK_NONBLOCK);
    if (next === null) yield;
    else tasks.add(serve(next.client));
  }
}
// #endregion main

// #region serve
function* serve(socket: Socket): Task {
  const client = { socket, unread: "" };
  let [name, orders] = ["no name", 0];
  try {
    for (let line = yield* recvLine(client); line !== "bye"; line = yield* recvLine(client)) {
      name = line;
      if (yield* takeOrder(client, name)) orders++;
    }
    yield* sendAll(client, "bye\n");
  } catch (error) {
    if (!(error instanceof SyscallError || error instanceof Gone)) throw error;
  } finally {
    socket.close();
    console.log(`left: ${name}, orders: ${orders}`);
  }
}
// #endregion serve

// #region order
/** @returns whether the order is done */
function* takeOrder(client: Client, name: string): Generator<void, boolean> {
  try {
    yield* sendAll(client, `hello ${name}, how many teas?\n`);
    const count = yield* recvNumber(client, mostTeas);
    const teas: string[] = [];
    while (teas.length < count) {
      yield* sendAll(client, `tea ${teas.length + 1}?\n`);
      teas.push(yield* recvLine(client));
    }
    yield* sendAll(client, "how many sheets?\n");
    const sheets = yield* recvNumber(client, mostSheets);
    const sheet = teas.map(tea => `${name}: ${tea}\n`).join("");
    for (let i = 0; i < sheets; i++) yield* sendAll(client, sheet);
    yield* sendAll(client, `done, ${name}\n`);
    return true;
  } catch (error) {
    if (!(error instanceof BadNumber)) throw error;
    yield* sendAll(client, `sorry, ${error.message}\n`);
    return false;
  }
}

function* recvNumber(client: Client, most: number): Generator<void, number> {
  const number = numberIn(yield* recvLine(client), most);
  if (number === 0) throw new BadNumber(`a number from 1 to ${most}`);
  return number;
}
// #endregion order

/** The number that this line is, or 0 if the line is no number from 1 to `most`. */
function numberIn(line: string, most: number): number {
  return /^\d{1,9}$/.test(line) && Number(line) <= most ? Number(line) : 0;
}

// #region helpers
function* recvLine(client: Client): Generator<void, string> {
  while (true) {
    const end = client.unread.indexOf("\n");
    if (end >= 0) {
      const line = client.unread.slice(0, end);
      client.unread = client.unread.slice(end + 1);
      return line;
    }
    const data = client.socket.recv(16 * 1024);
    if (data === null) yield;
    else if (data.length === 0 || client.unread.length > mostLine) throw new Gone();
    else client.unread += data.toString("latin1");
  }
}

function* sendAll(client: Client, text: string): Generator<void, void> {
  let rest = Buffer.from(text, "latin1");
  while (rest.length > 0) {
    const sent = client.socket.send(rest);
    if (sent === null) yield;
    else rest = rest.subarray(sent);
  }
}
// #endregion helpers

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  main(port);
} else {
  console.log("run it like this: npx tsx server.ts 7910");
  process.exit(1);
}

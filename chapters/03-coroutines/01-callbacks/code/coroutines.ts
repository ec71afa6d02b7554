// Server of coroutines. Each client has a task that reads from top to bottom; one hub runs them all.
import type { Socket } from "workbook/net";
import { accept, recv, run, type Steps, send, spawn } from "workbook/tasks";
import { Lines, listen, toNumber } from "./parts.ts";

interface Client {
  socket: Socket;
  lines: Lines;
}

// #region serve
function* serve(client: Client): Steps<void> {
  try {
    const cups = yield* askNumber(client, "Cups?");
    for (let cup = 1; cup <= cups; cup++) {
      const tea = yield* ask(client, `Cup ${cup}?`);
      yield* say(client, `Cup ${cup} is ${tea}.`);
    }
    const tip = yield* askNumber(client, "Tip?");
    yield* say(client, `Thank you for ${tip}.`);
  } finally {
    client.socket.close();
  }
}

function* askNumber(client: Client, question: string): Steps<number> {
  const line = yield* ask(client, question);
  return toNumber(line);
}
// #endregion serve

function* ask(client: Client, question: string): Steps<string> {
  yield* say(client, question);
  while (true) {
    const line = client.lines.next();
    if (line !== null) return line;
    const bytes = yield* recv(client.socket, 1024);
    if (bytes.length === 0) throw new Error("the client has left");
    client.lines.push(bytes);
  }
}

function* say(client: Client, text: string): Steps<void> {
  yield* send(client.socket, Buffer.from(`${text}\n`, "latin1"));
}

function* main(port: number): Steps<void> {
  const listener = listen(port);
  while (true) {
    const { client: socket } = yield* accept(listener);
    spawn(serve({ socket, lines: new Lines() }), `client on fd ${socket.fd}`);
  }
}

run(main(Number(process.argv[2])));

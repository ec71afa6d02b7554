// Server on tasks. A static server of one file on workbook/tasks, a task for each client; it asks the file system at every
// request, as the book's solution does.
import { readFileSync, statSync } from "node:fs";
import { SO_REUSEADDR, SOL_SOCKET, Socket, SyscallError } from "workbook/net";
import { accept, nursery, recv, run, type Steps, send } from "workbook/tasks";

const file = "html/index.html";
const body = readFileSync(file);
const head = `HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: ${body.length}\r\n\r\n`;
const answer = Buffer.concat([Buffer.from(head), body]);
const listener = new Socket();
listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
listener.bind({ port: Number(process.argv[2]) });
listener.listen(512);

function* serve(client: Socket): Steps<void> {
  let received = "";
  try {
    for (;;) {
      const bytes = yield* recv(client, 16_384);
      if (bytes.length === 0) return;
      received += bytes.toString("latin1");
      for (let end = received.indexOf("\r\n\r\n"); end !== -1; end = received.indexOf("\r\n\r\n")) {
        received = received.slice(end + 4);
        if (statSync(file).size !== body.length) return;
        yield* send(client, answer);
      }
    }
  } catch (error) {
    // A client that resets its connection ends its own task, and not the nursery.
    if (!(error instanceof SyscallError)) throw error;
  } finally {
    client.close();
  }
}

run(
  nursery(function* (n) {
    for (;;) {
      const { client } = yield* accept(listener);
      n.spawn(serve(client), "client");
    }
  }),
);

// All that polling can do: the loop asks each client in turn, answers each that has sent, and rests after a turn that
// found nothing. How long it rests is one number, and no value of that number is right: that is the exercise.
import { AF_INET, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, Socket, SyscallError, sleep } from "workbook/net";

/** How long to rest after a turn that found nothing, in milliseconds. */
const restMs = 5;

/** The connected clients. */
const clients = new Set<Socket>();

function main(port: number): void {
  const listener = new Socket(AF_INET, SOCK_STREAM);
  listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
  listener.bind({ host: "127.0.0.1", port });
  listener.listen(512);
  listener.setBlocking(false);

  // #region turn
  while (true) {
    let busy = acceptAll(listener);
    for (const client of clients) {
      if (hear(client)) busy = true;
    }
    if (!busy) sleep(restMs);
  }
  // #endregion turn
}

/** Accepts all clients in the accept queue. @returns whether there was one */
function acceptAll(listener: Socket): boolean {
  let came = false;
  try {
    for (let arrival = listener.accept(); arrival !== null; arrival = listener.accept()) {
      arrival.client.setBlocking(false);
      clients.add(arrival.client);
      came = true;
    }
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    console.log(`cannot accept for now: ${error.message}`);
  }
  return came;
}

/** Sends this client's own bytes back. @returns whether there was anything to read */
function hear(client: Socket): boolean {
  try {
    const words = client.recv(1024);
    if (words === null) return false; // no bytes yet
    // The client has closed, or it does not read its answers.
    if (words.length === 0 || client.send(words) !== words.length) leave(client);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    leave(client); // it reset its connection
  }
  return true;
}

function leave(client: Socket): void {
  clients.delete(client);
  client.close();
}

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  main(port);
} else {
  console.log("run it like this: npx tsx server.ts 7887");
  process.exit(1);
}

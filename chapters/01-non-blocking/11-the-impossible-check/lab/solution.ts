// It asks nobody in turn. One call hands the kernel the list of everybody, and sleeps until one of them has something:
// whoever speaks ends the sleep. In spite of its name poll(2) does not poll.
import {
  AF_INET,
  POLLIN,
  poll,
  SO_REUSEADDR,
  SOCK_STREAM,
  SOL_SOCKET,
  Socket,
  SyscallError,
} from "workbook/net";

/** Everybody who is here, by descriptor. */
const clients = new Map<number, Socket>();
/** No descriptor is left for a newcomer: until somebody leaves, it is no use to be told that one waits. */
let full = false;

function main(port: number): void {
  const listener = new Socket(AF_INET, SOCK_STREAM);
  listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
  listener.bind({ host: "127.0.0.1", port });
  listener.listen(512);
  listener.setBlocking(false);

  // #region wait
  while (true) {
    const watched = full ? [...clients.values()] : [listener, ...clients.values()];
    const ready = poll(watched.map(fd => ({ fd, events: POLLIN })));
    for (const { fd } of ready) {
      if (fd === listener.fd) acceptAll(listener);
      else hear(clients.get(fd)!);
    }
  }
  // #endregion wait
}

/** Lets in everybody who waits in the accept queue. */
function acceptAll(listener: Socket): void {
  try {
    for (let arrival = listener.accept(); arrival !== null; arrival = listener.accept()) {
      arrival.client.setBlocking(false);
      clients.set(arrival.client.fd, arrival.client);
    }
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    console.log(`cannot accept for now: ${error.message}`);
    full = true;
  }
}

/** Answers what this client has said with the same words. If there is more, the next poll() says so at once. */
function hear(client: Socket): void {
  try {
    const words = client.recv(1024);
    if (words === null) return; // ready is a hint; only the call itself knows
    // Who has closed, or does not read what it is told, has to go.
    if (words.length === 0 || client.send(words) !== words.length) leave(client);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    leave(client); // cut off
  }
}

function leave(client: Socket): void {
  clients.delete(client.fd);
  client.close();
  full = false;
}

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  main(port);
} else {
  console.log("run it like this: npx tsx server.ts 7887");
  process.exit(1);
}

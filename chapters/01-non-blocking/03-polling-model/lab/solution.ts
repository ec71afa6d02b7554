// One process that never waits for a client, and does all that polling can do: in each turn it calls accept() and
// recv() until they return null, and it sleeps only after a turn that found nothing.
import {
  type Address,
  AF_INET,
  SO_REUSEADDR,
  SOCK_STREAM,
  SOL_SOCKET,
  Socket,
  SyscallError,
  sleep,
} from "workbook/net";

interface Client {
  socket: Socket;
  name: string;
}

/** The most bytes read from one client in one turn: a fast sender must not keep the others waiting. */
const turnBytes = 256 * 1024;
/** The sleep after a turn that found nothing: a shorter one costs more while idle, a longer one delays new clients. */
const restMs = 5;

/** The connected clients. */
const clients = new Set<Client>();
/** The error code of the last accept(), printed once, at the first failure; null after a success. */
let trouble: string | null = null;

function main(port: number): void {
  // #region socket
  const listener = new Socket(AF_INET, SOCK_STREAM);
  listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
  listener.bind({ host: "127.0.0.1", port });
  listener.listen(128);
  listener.setBlocking(false);
  console.log(`listening on 127.0.0.1:${port}`);
  // #endregion socket

  // #region turn
  while (true) {
    let busy = acceptAll(listener);
    // A loop through a Set may delete members; a loop through an array would skip the next.
    for (const client of clients) {
      if (hear(client)) busy = true;
    }
    if (!busy) sleep(restMs);
  }
  // #endregion turn
}

// #region accept
/** Accepts all clients in the accept queue. @returns whether there was one */
function acceptAll(listener: Socket): boolean {
  let found = false;
  try {
    for (let arrival = listener.accept(); arrival !== null; arrival = listener.accept()) {
      add(arrival.client, arrival.peer);
      found = true;
      trouble = null;
    }
  } catch (error) {
    // EMFILE, most likely: the clients in the queue wait until another client leaves. Print it once, and not in
    // each turn.
    if (!(error instanceof SyscallError)) throw error;
    if (trouble !== error.code) console.log(`cannot accept for now: ${error.message}`);
    trouble = error.code;
  }
  return found;
}

function add(socket: Socket, peer: Address): void {
  socket.setBlocking(false); // on Linux an accepted socket does not inherit this from the listener
  const client = { socket, name: `${peer.host}:${peer.port}` };
  clients.add(client);
  console.log(`${client.name} connected; ${clients.size} clients`);
}
// #endregion accept

// #region hear
/** Reads from this client, up to its share of the turn. @returns whether there was anything to read */
function hear(client: Client): boolean {
  let read = 0;
  try {
    while (read < turnBytes) {
      const data = client.socket.recv(64 * 1024);
      if (data === null) return read > 0; // would block: no more bytes yet
      if (data.length === 0) {
        leave(client, "has closed");
        return true;
      }
      read += data.length;
      console.log(`${client.name} sent ${quote(data)}`);
    }
  } catch (error) {
    // An error on this connection ends this connection only.
    if (!(error instanceof SyscallError)) throw error;
    leave(client, `is lost: ${error.message}`);
  }
  return true;
}

function leave(client: Client, how: string): void {
  client.socket.close();
  clients.delete(client);
  console.log(`${client.name} ${how}; ${clients.size} clients`);
}
// #endregion hear

/** The first bytes of a piece as text, on one line, for the log. */
function quote(data: Buffer): string {
  const start = JSON.stringify(data.toString("utf8", 0, 60));
  return data.length > 60 ? `${start}… (${data.length} bytes)` : start;
}

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  main(port);
} else {
  console.log("run it like this: npx tsx server.ts 7890");
  process.exit(1);
}

// caught by: burst
// The mistake: accept() is called once in each turn, however many wait.
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

/** Bytes taken from one client in one turn: a talker gets much, and still everybody gets their turn. */
const turnBytes = 256 * 1024;
/** How long to rest after a turn that found nothing: what an idle server costs, and how long a guest waits. */
const restMs = 5;

/** Everybody who is here. */
const clients = new Set<Client>();
/** Why nobody can be let in, said once, when it begins; null while all is well. */
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
    // A Set may lose members while one walks through it; an array would skip the next.
    for (const client of clients) {
      if (hear(client)) busy = true;
    }
    if (!busy) sleep(restMs);
  }
  // #endregion turn
}

// #region accept
/** Lets in everybody who waits in the accept queue; true if there was anybody. */
function acceptAll(listener: Socket): boolean {
  let came = false;
  try {
    const arrival = listener.accept();
    if (arrival !== null) {
      welcome(arrival.client, arrival.peer);
      came = true;
      trouble = null;
    }
  } catch (error) {
    // EMFILE, most likely: whoever is in the queue stays there until somebody leaves. Not a reason to stop,
    // nor to spin, nor to say it every turn.
    if (!(error instanceof SyscallError)) throw error;
    if (trouble !== error.code) console.log(`cannot accept for now: ${error.message}`);
    trouble = error.code;
  }
  return came;
}

function welcome(socket: Socket, peer: Address): void {
  socket.setBlocking(false); // on Linux it does not inherit that from the listener
  const client = { socket, name: `${peer.host}:${peer.port}` };
  clients.add(client);
  console.log(`${client.name} has come; ${clients.size} are here`);
}
// #endregion accept

// #region hear
/** Takes what this client has sent, up to its share of the turn; true if there was anything. */
function hear(client: Client): boolean {
  let heard = 0;
  try {
    while (heard < turnBytes) {
      const data = client.socket.recv(64 * 1024);
      if (data === null) return heard > 0; // would block: nothing more for now
      if (data.length === 0) {
        leave(client, "has closed");
        return true;
      }
      heard += data.length;
      console.log(`${client.name} says ${quote(data)}`);
    }
  } catch (error) {
    // An error on this connection is the end of this connection, and of nobody else's.
    if (!(error instanceof SyscallError)) throw error;
    leave(client, `is lost: ${error.message}`);
  }
  return true;
}

function leave(client: Client, how: string): void {
  client.socket.close();
  clients.delete(client);
  console.log(`${client.name} ${how}; ${clients.size} are here`);
}
// #endregion hear

/** The beginning of what was said, on one line: a log is for people. */
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

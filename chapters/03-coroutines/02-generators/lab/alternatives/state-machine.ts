// Another right answer, in another style: the state machine, repaired. The middle of the loop over the sheets is a state, and
// each end leads through one function.
import {
  EPOLLIN,
  EPOLLOUT,
  Epoll,
  SO_REUSEADDR,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  Socket,
  SyscallError,
} from "workbook/net";

interface Client {
  socket: Socket;
  input: string;
  output: Buffer;
  next: (client: Client, line: string) => void;
  name: string;
  count: number;
  teas: string[];
  sheets: number;
  orders: number;
  leaves: boolean;
}

const clients = new Map<number, Client>();
const epoll = new Epoll();
const listener = new Socket();
listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
listener.bind({ port: Number(process.argv[2]) });
listener.listen(128);
listener.setBlocking(false);
epoll.register(listener, EPOLLIN);

function say(client: Client, text: string): void {
  client.output = Buffer.concat([client.output, Buffer.from(text, "latin1")]);
}

function takeName(client: Client, line: string): void {
  if (line === "bye") {
    say(client, "bye\n");
    client.leaves = true;
    return;
  }
  client.name = line;
  client.next = takeCount;
  say(client, `hello ${line}, how many teas?\n`);
}

function takeCount(client: Client, line: string): void {
  client.next = takeName;
  if (!/^[1-9]$/.test(line)) {
    say(client, "sorry, a number from 1 to 9\n");
    return;
  }
  Object.assign(client, { count: Number(line), teas: [], next: takeTea });
  say(client, "tea 1?\n");
}

function takeTea(client: Client, line: string): void {
  client.teas.push(line);
  if (client.teas.length < client.count) {
    say(client, `tea ${client.teas.length + 1}?\n`);
    return;
  }
  client.next = takeSheets;
  say(client, "how many sheets?\n");
}

function takeSheets(client: Client, line: string): void {
  client.next = takeName;
  const sheets = /^\d+$/.test(line) ? Number(line) : 0;
  if (sheets < 1 || sheets > 100_000) {
    say(client, "sorry, a number from 1 to 100000\n");
    return;
  }
  client.sheets = sheets;
}

/** Sends what is there, then makes the next piece of the conversation: until the client has to do something. */
function goOn(client: Client): void {
  while (true) {
    while (client.output.length > 0) {
      const sent = client.socket.send(client.output);
      if (sent === null) {
        epoll.modify(client.socket, EPOLLOUT);
        return;
      }
      client.output = client.output.subarray(sent);
    }
    if (client.leaves) {
      leave(client);
      return;
    }
    if (client.sheets > 0) {
      say(client, client.teas.map(tea => `${client.name}: ${tea}\n`).join(""));
      if (--client.sheets > 0) continue;
      say(client, `done, ${client.name}\n`);
      client.orders++;
      continue;
    }
    const end = client.input.indexOf("\n");
    if (end < 0) {
      epoll.modify(client.socket, EPOLLIN);
      return;
    }
    const line = client.input.slice(0, end);
    client.input = client.input.slice(end + 1);
    client.next(client, line);
  }
}

function leave(client: Client): void {
  epoll.unregister(client.socket);
  clients.delete(client.socket.fd);
  client.socket.close();
  console.log(`left: ${client.name}, orders: ${client.orders}`);
}

function welcome(): void {
  const next = listener.accept(SOCK_NONBLOCK);
  if (next === null) return;
  const fresh = { input: "", output: Buffer.alloc(0), next: takeName, name: "no name", count: 0, teas: [] };
  clients.set(next.client.fd, { ...fresh, socket: next.client, sheets: 0, orders: 0, leaves: false });
  epoll.register(next.client, EPOLLIN);
}

function serve(client: Client, events: number): void {
  try {
    if ((events & EPOLLOUT) === 0) {
      const data = client.socket.recv(4096);
      if (data === null) return;
      if (data.length === 0) {
        leave(client);
        return;
      }
      client.input += data.toString("latin1");
    }
    goOn(client);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    leave(client);
  }
}

while (true) {
  for (const { fd, events } of epoll.poll()) {
    const client = clients.get(fd);
    if (client) serve(client, events);
    else welcome();
  }
}

// Clients. The tasks of the server: one accepts, and each client has one of its own. They are async functions: a task that
// must wait awaits a promise, which the hub settles.
import {
  AF_INET,
  EPOLLIN,
  EPOLLOUT,
  SO_REUSEADDR,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  Socket,
} from "workbook/net";

/** What the tasks need of the hub. */
export interface Hub {
  /** Calls this function, as a task: it runs until it waits. */
  spawn(task: () => Promise<void>): void;
  /** Waits for EPOLLIN or EPOLLOUT of this socket. */
  wait(socket: Socket, events: number): Promise<void>;
  /** Lets other tasks run. */
  pass(): Promise<void>;
  /** Closes a socket, for which another task may wait. */
  close(socket: Socket): void;
}

interface Client {
  socket: Socket;
  name: string;
  /** What has come and is not answered. One character is one byte. */
  unread: string;
}

const named = new Map<string, Client>();
/** How many tasks of clients have begun, and not ended. */
let tasks = 0;
/** How often a client has said `stop`. */
let stops = 0;

/** The first task: it accepts all clients, and spawns a task for each. */
export async function listen(hub: Hub, port: number): Promise<void> {
  const listener = new Socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
  listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
  listener.bind({ host: "127.0.0.1", port });
  listener.listen(512);
  while (true) {
    const arrival = listener.accept(SOCK_NONBLOCK);
    if (arrival === null) await hub.wait(listener, EPOLLIN);
    else hub.spawn(() => serve(hub, { socket: arrival.client, name: "", unread: "" }));
  }
}

// #region serve
async function serve(hub: Hub, client: Client): Promise<void> {
  tasks++;
  try {
    for (let line = await recvLine(hub, client); line !== null; line = await recvLine(hub, client)) {
      const reply = await answer(hub, client, line);
      await sendAll(hub, client.socket, `${reply}\n`);
      await hub.pass(); // the next line may be here already
    }
  } finally {
    tasks--;
    if (named.get(client.name) === client) named.delete(client.name);
    hub.close(client.socket);
  }
}
// #endregion serve

async function answer(hub: Hub, client: Client, line: string): Promise<string> {
  const [, command, rest = ""] = /^(I am|hear|sing|sum|deep|count) (.*)$/s.exec(line) ?? [];
  if (line === "tasks") return String(tasks);
  if (line === "stop") return stop();
  if (command === "I am") return take(hub, client, rest);
  if (command === "hear") return await hear(hub, rest);
  if (command === "sing") return "la".repeat(Number(rest));
  if (command === "sum") return add(rest.split(" "));
  if (command === "deep") return await deep(Number(rest));
  if (command === "count") return await countTo(hub, Number(rest));
  return line;
}

/** @throws SyntaxError when a word is no number */
function add(words: string[]): string {
  let sum = 0n;
  for (const word of words) sum += BigInt(word);
  return String(sum);
}

/** So many calls, each of which awaits the next. */
async function deep(calls: number): Promise<string> {
  return calls > 1 ? await deep(calls - 1) : "bottom";
}

// #region count
/** Counts so far, or until a client says `stop`. */
async function countTo(hub: Hub, most: number): Promise<string> {
  const before = stops;
  let n = 0;
  while (n < most && stops === before) {
    n++;
    await hub.pass();
  }
  return `counted ${n}`;
}
// #endregion count

function stop(): string {
  stops++;
  return "stopped";
}

/** The next line of another client. */
async function hear(hub: Hub, name: string): Promise<string> {
  const other = named.get(name);
  if (other === undefined) return `no ${name}`;
  try {
    return `${name}: ${(await recvLine(hub, other)) ?? "has left"}`;
  } catch (error) {
    return `error: ${(error as Error).message}`;
  }
}

/** A name has one client: another that has it is disconnected. */
function take(hub: Hub, client: Client, name: string): string {
  const other = named.get(name);
  if (other !== undefined && other !== client) hub.close(other.socket);
  if (named.get(client.name) === client) named.delete(client.name);
  client.name = name;
  named.set(name, client);
  return `hello ${name}`;
}

// #region recvLine
/** @returns the next line of this client; null at the end of its stream */
async function recvLine(hub: Hub, client: Client): Promise<string | null> {
  while (true) {
    const end = client.unread.indexOf("\n");
    if (end !== -1) {
      const line = client.unread.slice(0, end);
      client.unread = client.unread.slice(end + 1);
      return line;
    }
    const bytes = await recv(hub, client.socket, 4096);
    if (bytes.length === 0) return null;
    client.unread += bytes.toString("latin1");
  }
}
// #endregion recvLine

// #region recv
async function recv(hub: Hub, socket: Socket, size: number): Promise<Buffer> {
  while (true) {
    const bytes = socket.recv(size);
    if (bytes !== null) return bytes;
    await hub.wait(socket, EPOLLIN);
  }
}
// #endregion recv

async function sendAll(hub: Hub, socket: Socket, text: string): Promise<void> {
  let left = Buffer.from(text, "latin1");
  while (left.length > 0) {
    const sent = socket.send(left);
    if (sent === null) await hub.wait(socket, EPOLLOUT);
    else left = left.subarray(sent);
  }
}

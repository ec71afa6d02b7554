// Clients. The tasks of the server: one accepts, and each client has one of its own, which reads from top to bottom. A task
// that must wait yields what it waits for, and the hub resumes it.
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

/** What a task waits for. */
export interface Wait {
  fd: number;
  /** EPOLLIN or EPOLLOUT. */
  events: number;
}

/** A function that can wait, and returns a T at the end. A task is one, too. */
export type Steps<T = void> = Generator<Wait, T, void>;

/** What the tasks need of the hub. */
export interface Hub {
  /** Makes a task of these steps. */
  spawn(task: Steps): void;
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

/** The first task: it accepts all clients, and spawns a task for each. */
export function* listen(hub: Hub, port: number): Steps {
  const listener = new Socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
  listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
  listener.bind({ host: "127.0.0.1", port });
  listener.listen(512);
  while (true) hub.spawn(serve(hub, { socket: yield* accept(listener), name: "", unread: "" }));
}

// #region serve
function* serve(hub: Hub, client: Client): Steps {
  tasks++;
  try {
    for (let line = yield* recvLine(client); line !== null; line = yield* recvLine(client)) {
      const reply = yield* answer(hub, client, line);
      yield* sendAll(client.socket, `${reply}\n`);
    }
  } finally {
    tasks--;
    if (named.get(client.name) === client) named.delete(client.name);
    hub.close(client.socket);
  }
}
// #endregion serve

function* answer(hub: Hub, client: Client, line: string): Steps<string> {
  const [, command, rest = ""] = /^(I am|hear|sing|sum) (.*)$/s.exec(line) ?? [];
  if (line === "tasks") return String(tasks);
  if (command === "I am") return take(hub, client, rest);
  if (command === "hear") return yield* hear(rest);
  if (command === "sing") return "la".repeat(Number(rest));
  if (command === "sum") return add(rest.split(" "));
  return line;
}

/** @throws SyntaxError when a word is no number */
function add(words: string[]): string {
  let sum = 0n;
  for (const word of words) sum += BigInt(word);
  return String(sum);
}

// #region hear
/** The next line of another client. */
function* hear(name: string): Steps<string> {
  const other = named.get(name);
  if (other === undefined) return `no ${name}`;
  try {
    return `${name}: ${(yield* recvLine(other)) ?? "has left"}`;
  } catch (error) {
    return `error: ${(error as Error).message}`;
  }
}
// #endregion hear

/** A name has one client: another that has it is disconnected. */
function take(hub: Hub, client: Client, name: string): string {
  const other = named.get(name);
  if (other !== undefined && other !== client) hub.close(other.socket);
  if (named.get(client.name) === client) named.delete(client.name);
  client.name = name;
  named.set(name, client);
  return `hello ${name}`;
}

/** @returns the next line of this client; null at the end of its stream */
function* recvLine(client: Client): Steps<string | null> {
  while (true) {
    const end = client.unread.indexOf("\n");
    if (end !== -1) {
      const line = client.unread.slice(0, end);
      client.unread = client.unread.slice(end + 1);
      return line;
    }
    const bytes = yield* recv(client.socket, 4096);
    if (bytes.length === 0) return null;
    client.unread += bytes.toString("latin1");
  }
}

// #region calls
function* accept(listener: Socket): Steps<Socket> {
  while (true) {
    const arrival = listener.accept(SOCK_NONBLOCK);
    if (arrival !== null) return arrival.client;
    yield { fd: listener.fd, events: EPOLLIN };
  }
}

function* recv(socket: Socket, size: number): Steps<Buffer> {
  while (true) {
    const bytes = socket.recv(size);
    if (bytes !== null) return bytes;
    yield { fd: socket.fd, events: EPOLLIN };
  }
}

function* sendAll(socket: Socket, text: string): Steps {
  let left = Buffer.from(text, "latin1");
  while (left.length > 0) {
    const sent = socket.send(left);
    if (sent === null) yield { fd: socket.fd, events: EPOLLOUT };
    else left = left.subarray(sent);
  }
}
// #endregion calls

// Calls. The functions in which a task waits: each yields what it waits for, and the hub resumes it there.
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

/** A function that can wait, and returns a T at the end. It yields null to wait until the hub is asked to wake it. */
export type Steps<T = void> = Generator<Wait | null, T, void>;

export interface Client {
  socket: Socket;
  /** What has come and is not answered. One character is one byte. */
  unread: string;
}

export function listenOn(port: number): Socket {
  const listener = new Socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
  listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
  listener.bind({ host: "127.0.0.1", port });
  listener.listen(512);
  return listener;
}

export function* accept(listener: Socket): Steps<Socket> {
  while (true) {
    const arrival = listener.accept(SOCK_NONBLOCK);
    if (arrival !== null) return arrival.client;
    yield { fd: listener.fd, events: EPOLLIN };
  }
}

/** Waits for the first byte of the next request. @returns false at the end of the stream */
export function* hasBytes(client: Client): Steps<boolean> {
  return client.unread !== "" || (yield* recv(client));
}

/** @throws Error at the end of the stream */
export function* readLine(client: Client): Steps<string> {
  while (true) {
    const end = client.unread.indexOf("\n");
    if (end !== -1) {
      const line = client.unread.slice(0, end);
      client.unread = client.unread.slice(end + 1);
      return line;
    }
    if (!(yield* recv(client))) throw new Error("the stream has ended within a line");
  }
}

function* recv(client: Client): Steps<boolean> {
  while (true) {
    const bytes = client.socket.recv(4096);
    if (bytes !== null) {
      client.unread += bytes.toString("latin1");
      return bytes.length > 0;
    }
    yield { fd: client.socket.fd, events: EPOLLIN };
  }
}

export function* send(socket: Socket, text: string): Steps {
  let left = Buffer.from(text, "latin1");
  while (left.length > 0) {
    const sent = socket.send(left);
    if (sent === null) yield { fd: socket.fd, events: EPOLLOUT };
    else left = left.subarray(sent);
  }
}

// #region ask
/** Asks the kitchen on this port for a dish. @returns the line that it answers */
export function* ask(port: number, dish: string): Steps<string> {
  const socket = new Socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
  try {
    yield* connect(socket, port);
    yield* send(socket, `${dish}\n`);
    return yield* readLine({ socket, unread: "" });
  } finally {
    socket.close();
  }
}
// #endregion ask

function* connect(socket: Socket, port: number): Steps {
  if (socket.connect({ host: "127.0.0.1", port })) return;
  yield { fd: socket.fd, events: EPOLLOUT };
  const error = socket.takeError();
  if (error) throw error;
}

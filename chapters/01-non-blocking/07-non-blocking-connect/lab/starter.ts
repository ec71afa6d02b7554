// A waiter with many kitchens: each line of a client names a kitchen by its port, and a dish: "9001 green tea". The
// server asks that kitchen, and passes on its answer. It polls, and still one call waits: connect(). That is the exercise.
import { AF_INET, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, Socket, SyscallError, sleep } from "workbook/net";

interface Client {
  socket: Socket;
  /** What has come and is not answered. One character is one byte. */
  unread: string;
  /** The order whose answer is still to come: the client's next line waits until then. */
  order: Order | null;
}

// #region order
interface Order {
  kitchen: Socket;
  /** What has come from the kitchen. */
  answer: string;
}
// #endregion order

/** The longest line. A new connection has room for it, so one send() takes all of it. */
const mostBytes = 4096;
const clients = new Set<Client>();

function main(port: number): void {
  const listener = new Socket(AF_INET, SOCK_STREAM);
  listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
  listener.bind({ host: "127.0.0.1", port });
  listener.listen(128);
  listener.setBlocking(false);

  while (true) {
    let busy = false;
    for (let arrival = listener.accept(); arrival !== null; arrival = listener.accept()) {
      arrival.client.setBlocking(false);
      clients.add({ socket: arrival.client, unread: "", order: null });
      busy = true;
    }
    for (const client of clients) {
      if (serve(client)) busy = true;
    }
    if (!busy) sleep(5);
  }
}

/** Does for this client what can be done without waiting. @returns whether that was anything */
function serve(client: Client): boolean {
  try {
    const data = client.unread.length > mostBytes ? null : client.socket.recv(16 * 1024);
    client.unread += data?.toString("latin1") ?? "";
    const end = client.unread.indexOf("\n");
    if (data?.length === 0 || end > mostBytes || (end === -1 && client.unread.length > mostBytes)) {
      leave(client);
    } else if (client.order !== null) {
      const line = follow(client.order);
      if (line === null) return data !== null;
      answer(client, line);
    } else if (end === -1) {
      return data !== null;
    } else {
      const order = take(client.unread.slice(0, end));
      client.unread = client.unread.slice(end + 1);
      if (order === null) leave(client);
      else if (typeof order === "string") answer(client, order);
      else client.order = order;
    }
  } catch (error) {
    codeOf(error);
    leave(client);
  }
  return true;
}

// #region take
/** Brings an order to its kitchen. @returns the order, or the name of an error; null: the line is no order */
function take(line: string): Order | string | null {
  const [, port, dish] = /^(\d{1,5}) (.+)$/s.exec(line) ?? [];
  if (dish === undefined || Number(port) > 65535) return null;
  let kitchen: Socket | null = null;
  try {
    kitchen = new Socket(AF_INET, SOCK_STREAM);
    kitchen.connect({ host: "127.0.0.1", port: Number(port) });
    kitchen.setBlocking(false);
    kitchen.send(Buffer.from(`${dish}\n`, "latin1"));
    return { kitchen, answer: "" };
  } catch (error) {
    kitchen?.close();
    return codeOf(error);
  }
}
// #endregion take

// #region follow
/** Asks how an order is. @returns the kitchen's answer, or the name of an error; null: not yet */
function follow(order: Order): string | null {
  try {
    const data = order.kitchen.recv(mostBytes);
    if (data === null) return null; // it is still cooking
    order.answer += data.toString("latin1");
    const end = order.answer.indexOf("\n");
    if (end !== -1) return order.answer.slice(0, end);
    if (data.length === 0) return "ENODATA";
    return order.answer.length > mostBytes ? "EMSGSIZE" : null;
  } catch (error) {
    return codeOf(error);
  }
}
// #endregion follow

/** Ends the order, and answers it: with the kitchen's line, or with the name of an error. */
function answer(client: Client, line: string): void {
  client.order?.kitchen.close();
  client.order = null;
  const bytes = Buffer.from(`${line}\n`, "latin1");
  // A client that lets its answers pile up until there is no more room has to go.
  if (client.socket.send(bytes) !== bytes.length) leave(client);
}

/** The name of a system call's error. Any other error is a mistake of this program. */
function codeOf(error: unknown): string {
  if (!(error instanceof SyscallError)) throw error;
  return error.code;
}

function leave(client: Client): void {
  client.order?.kitchen.close();
  client.socket.close();
  clients.delete(client);
}

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  main(port);
} else {
  console.log("run it like this: npx tsx server.ts 7892");
  process.exit(1);
}

// A waiter with many kitchens, and no call that waits: connect() only begins a handshake, and each turn of the loop asks
// how it is. A handshake that takes longer than two seconds is given up.
import {
  AF_INET,
  POLLOUT,
  poll,
  SO_REUSEADDR,
  SOCK_STREAM,
  SOL_SOCKET,
  Socket,
  SyscallError,
  sleep,
} from "workbook/net";

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
  /** What the kitchen gets when the handshake is over; null: it has got it. */
  dish: Buffer | null;
  /** When a handshake that is not over is given up, in milliseconds of performance.now(). */
  connectBy: number;
  /** What has come from the kitchen. */
  answer: string;
}

/** How long a handshake may take: the kernel sends its second SYN after one second, and gives up after two minutes. */
const connectMs = 2000;
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
/** Begins the handshake with the kitchen of an order. @returns the order, or the name of an error; null: the line is no order */
function take(line: string): Order | string | null {
  const [, port, dish] = /^(\d{1,5}) (.+)$/s.exec(line) ?? [];
  if (dish === undefined || Number(port) > 65535) return null;
  let kitchen: Socket | null = null;
  try {
    kitchen = new Socket(AF_INET, SOCK_STREAM);
    kitchen.setBlocking(false);
    kitchen.connect({ host: "127.0.0.1", port: Number(port) });
    const connectBy = performance.now() + connectMs;
    return { kitchen, dish: Buffer.from(`${dish}\n`, "latin1"), connectBy, answer: "" };
  } catch (error) {
    kitchen?.close();
    return codeOf(error);
  }
}
// #endregion take

// #region bring
/** Asks how the handshake is. If it is over, brings the dish to the kitchen. @returns the name of an error; null: no error */
function bring(order: Order, dish: Buffer): string | null {
  const [writable] = poll([{ fd: order.kitchen, events: POLLOUT }], 0);
  if (!writable) return performance.now() < order.connectBy ? null : "ETIMEDOUT";
  const error = order.kitchen.takeError();
  if (error !== null) return error.code;
  order.kitchen.send(dish);
  order.dish = null;
  return null;
}
// #endregion bring

// #region follow
/** Asks how an order is. @returns the kitchen's answer, or the name of an error; null: not yet */
function follow(order: Order): string | null {
  try {
    if (order.dish !== null) return bring(order, order.dish);
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

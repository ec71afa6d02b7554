// Another right answer, in another style: one poll() for all sockets, which sleeps until one of them is ready or a
// handshake has taken two seconds. It reads SO_ERROR with getOption().
import { getSystemErrorName } from "node:util";
import {
  POLLIN,
  POLLOUT,
  poll,
  SO_ERROR,
  SO_REUSEADDR,
  SOL_SOCKET,
  Socket,
  SyscallError,
} from "workbook/net";

interface Pair {
  client: Socket;
  unread: string;
  kitchen: Socket | null;
  /** What the kitchen has not got yet. */
  dish: string;
  until: number;
  answer: string;
  /** Its last line was no order. */
  over: boolean;
}

const listener = new Socket();
listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
listener.bind({ port: Number(process.argv[2]) });
listener.listen();
listener.setBlocking(false);

const pairs = new Set<Pair>();
const bytes = (text: string) => Buffer.from(text, "latin1");

function reply(pair: Pair, line: string): void {
  pair.kitchen?.close();
  pair.kitchen = null;
  pair.client.send(bytes(`${line}\n`));
  next(pair);
}

/** Begins the next order of this client, if it is whole. */
function next(pair: Pair): void {
  const [line, ...others] = pair.unread.split("\n");
  if (pair.kitchen !== null || others.length === 0) return;
  pair.unread = others.join("\n");
  const [, port, dish] = /^(\d{1,5}) (.+)$/s.exec(line!) ?? [];
  if (dish === undefined || Number(port) > 65535) {
    pair.over = true;
    return;
  }
  Object.assign(pair, {
    kitchen: new Socket(),
    dish: `${dish}\n`,
    until: performance.now() + 2000,
    answer: "",
  });
  pair.kitchen!.setBlocking(false);
  pair.kitchen!.connect({ port: Number(port) });
}

function onKitchen(pair: Pair, kitchen: Socket): void {
  if (pair.dish !== "") {
    const errno = kitchen.getOption(SOL_SOCKET, SO_ERROR);
    const dish = bytes(pair.dish);
    pair.dish = "";
    if (errno !== 0) reply(pair, getSystemErrorName(-errno));
    else kitchen.send(dish);
    return;
  }
  const data = kitchen.recv(8192);
  if (data === null) return;
  pair.answer += data.toString("latin1");
  if (pair.answer.includes("\n")) reply(pair, pair.answer.split("\n")[0]!);
  else if (data.length === 0) reply(pair, "ENODATA");
}

/** @returns whether the client is still there */
function onClient(pair: Pair): boolean {
  const data = pair.client.recv(8192);
  if (data?.length === 0) return false;
  pair.unread += data?.toString("latin1") ?? "";
  next(pair);
  return true;
}

function step(pair: Pair, ready: ReadonlySet<number>): boolean {
  try {
    if (ready.has(pair.client.fd) && !onClient(pair)) return false;
    const { kitchen } = pair;
    if (kitchen === null) return !pair.over;
    try {
      if (ready.has(kitchen.fd)) onKitchen(pair, kitchen);
      else if (pair.dish !== "" && performance.now() >= pair.until) reply(pair, "ETIMEDOUT");
    } catch (error) {
      if (!(error instanceof SyscallError) || pair.kitchen !== kitchen) throw error;
      reply(pair, error.code);
    }
    return !pair.over;
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    return false;
  }
}

for (;;) {
  const interests = [{ fd: listener, events: POLLIN }];
  let sleepMs = -1;
  for (const { client, kitchen, dish, until } of pairs) {
    interests.push({ fd: client, events: POLLIN });
    if (kitchen === null) continue;
    interests.push({ fd: kitchen, events: dish === "" ? POLLIN : POLLOUT });
    const left = Math.max(0, until - performance.now());
    if (dish !== "") sleepMs = sleepMs === -1 ? left : Math.min(sleepMs, left);
  }
  const ready = new Set(poll(interests, sleepMs).map(({ fd }) => fd));
  // Those before new clients: a number in `ready` belongs to the socket that had it then.
  for (const pair of pairs) {
    if (step(pair, ready)) continue;
    pair.kitchen?.close();
    pair.client.close();
    pairs.delete(pair);
  }
  for (let arrival = listener.accept(); arrival; arrival = listener.accept()) {
    arrival.client.setBlocking(false);
    pairs.add({
      client: arrival.client,
      unread: "",
      kitchen: null,
      dish: "",
      until: 0,
      answer: "",
      over: false,
    });
  }
}

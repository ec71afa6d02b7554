// A spare descriptor: when no other is free, it is closed, so that accept can take the next client, and turn it away. What
// has left is closed behind the batch, so that no number comes again within it.
import { closeSync, openSync } from "node:fs";
import {
  EPOLLIN,
  Epoll,
  SFD_NONBLOCK,
  SIGTERM,
  SignalFd,
  SO_REUSEADDR,
  SOL_SOCKET,
  Socket,
  SyscallError,
} from "workbook/net";

class Guest {
  name: string | null = null;
  rest = Buffer.alloc(0);
  gone = false;
  readonly socket: Socket;
  constructor(socket: Socket) {
    this.socket = socket;
  }
}

const epoll = new Epoll();
const guests = new Map<number, Guest>();
const names = new Map<string, Guest>();
let left: Guest[] = [];
let spare = openSync("/dev/null", "r");
let told = false;

const listener = new Socket();
listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
listener.bind({ port: Number(process.argv[2]) });
listener.listen();
listener.setBlocking(false);
epoll.register(listener, EPOLLIN);
const signals = new SignalFd([SIGTERM], SFD_NONBLOCK);
epoll.register(signals, EPOLLIN);

for (let running = true; running; ) {
  for (const { fd } of epoll.poll()) {
    if (fd === listener.fd) welcomeAll();
    else if (fd !== signals.fd) attend(guests.get(fd)!);
    else running = signals.read() === null;
  }
  closeLeft();
}
welcomeAll();
listener.close();
for (const guest of guests.values()) {
  while (!guest.gone && attend(guest)) {}
  bye(guest);
}
closeLeft();

function welcomeAll(): void {
  for (;;) {
    try {
      const next = listener.accept();
      if (next === null) return;
      next.client.setBlocking(false);
      guests.set(next.client.fd, new Guest(next.client));
      epoll.register(next.client, EPOLLIN);
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      if (error.code !== "EMFILE") return;
      if (!told) console.log("EMFILE: new clients are turned away");
      told = true;
      closeSync(spare);
      const next = listener.accept();
      next?.client.close();
      spare = openSync("/dev/null", "r");
      if (next === null) return; // Linux looks for a descriptor first, and then into the queue
    }
  }
}

/** @returns whether there was something to read */
function attend(guest: Guest): boolean {
  if (guest.gone) return false;
  try {
    const data = guest.socket.recv(8192);
    if (data === null) return false;
    if (data.length === 0) return bye(guest);
    guest.rest = Buffer.concat([guest.rest, data]);
    if (guest.rest.length > 65_536) return bye(guest);
    for (let end = guest.rest.indexOf(10); end !== -1; end = guest.rest.indexOf(10)) {
      const line = guest.rest.subarray(0, end + 1);
      guest.rest = guest.rest.subarray(end + 1);
      const [, name] = /^I am (\w+)\n$/.exec(line.toString("latin1")) ?? [];
      if (name) take(guest, name);
      guest.socket.send(name ? `hello ${name}\n` : line);
    }
    return true;
  } catch {
    return bye(guest);
  }
}

function take(guest: Guest, name: string): void {
  const holder = names.get(name);
  if (holder === guest) return;
  if (holder) bye(holder);
  if (guest.name !== null) names.delete(guest.name);
  guest.name = name;
  names.set(name, guest);
}

function bye(guest: Guest): false {
  if (guest.gone) return false;
  guest.gone = true;
  if (guest.name !== null) names.delete(guest.name);
  left.push(guest);
  told = false;
  return false;
}

function closeLeft(): void {
  for (const guest of left) {
    epoll.unregister(guest.socket);
    guests.delete(guest.socket.fd);
    guest.socket.close();
  }
  left = [];
}

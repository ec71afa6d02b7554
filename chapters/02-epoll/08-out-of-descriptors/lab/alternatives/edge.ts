// Edge-triggered. The program remembers that clients wait, and calls accept when one has left, or after a time that grows. A
// client that came in this batch has no event in it. SIGTERM is a listener's end and a flag.
import {
  EPOLLET,
  EPOLLIN,
  EPOLLRDHUP,
  Epoll,
  SFD_NONBLOCK,
  SIGTERM,
  SignalFd,
  SO_REUSEADDR,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  Socket,
  SyscallError,
} from "workbook/net";

interface Peer {
  socket: Socket;
  /** The batch in which it was accepted. */
  since: number;
  partial: string;
}

const epoll = new Epoll();
const peers = new Map<number, Peer>();
/** Each name is that of one peer, and the other way round. */
const owner = new Map<string, Peer>();
const nameOf = new Map<Peer, string>();
let batch = 0;
let delay = 0;
let stopping = false;

const listener = new Socket();
listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
listener.bind({ port: Number(process.argv[2]) });
listener.listen(256);
listener.setBlocking(false);
const signals = new SignalFd([SIGTERM], SFD_NONBLOCK);
epoll.register(signals, EPOLLIN | EPOLLET);
epoll.register(listener, EPOLLIN | EPOLLET);

while (!stopping) {
  batch++;
  const events = epoll.poll(delay > 0 ? delay : -1);
  if (events.length === 0) acceptAll();
  for (const { fd } of events) {
    if (fd === listener.fd) acceptAll();
    else if (fd === signals.fd) stopping = true;
    else {
      const peer = peers.get(fd);
      if (peer && peer.since < batch) drain(peer);
    }
  }
}
acceptAll();
listener.close();
for (const peer of [...peers.values()]) {
  drain(peer);
  drop(peer);
}

function acceptAll(): void {
  try {
    for (let next = listener.accept(SOCK_NONBLOCK); next; next = listener.accept(SOCK_NONBLOCK)) {
      const peer = { socket: next.client, since: batch, partial: "" };
      peers.set(next.client.fd, peer);
      epoll.register(next.client, EPOLLIN | EPOLLRDHUP | EPOLLET);
    }
    delay = 0;
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    if (delay === 0) console.error(error.message);
    delay = Math.min(1000, delay * 2 || 50);
  }
}

function drain(peer: Peer): void {
  try {
    while (peers.get(peer.socket.fd) === peer) {
      const data = peer.socket.recv(4096);
      if (data === null) return;
      if (data.length === 0 || peer.partial.length > 10_000) {
        drop(peer);
        return;
      }
      const [last = "", ...before] = (peer.partial + data.toString("latin1")).split("\n").reverse();
      peer.partial = last;
      for (const line of before.reverse()) peer.socket.send(Buffer.from(`${said(peer, line)}\n`, "latin1"));
    }
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    drop(peer);
  }
}

function said(peer: Peer, line: string): string {
  if (!/^I am \w+$/.test(line)) return line;
  const name = line.slice(5);
  const before = owner.get(name);
  if (before && before !== peer) drop(before);
  giveUpName(peer);
  owner.set(name, peer);
  nameOf.set(peer, name);
  return `hello ${name}`;
}

function giveUpName(peer: Peer): void {
  const name = nameOf.get(peer);
  if (name !== undefined) owner.delete(name);
  nameOf.delete(peer);
}

function drop(peer: Peer): void {
  if (peers.get(peer.socket.fd) !== peer) return;
  peers.delete(peer.socket.fd);
  giveUpName(peer);
  epoll.unregister(peer.socket);
  peer.socket.close();
  if (delay > 0 && !stopping) acceptAll();
}

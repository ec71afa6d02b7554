// A hub that counts. It knows how many tasks can go on, and sleeps when no task can: each await of a task is one of its
// own promises. Node’s event loop gets no turn.
import { EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, Epoll, type Socket } from "workbook/net";
import { listen } from "../solution/clients.ts";

interface Parked {
  socket: Socket;
  events: number;
  settle: (error?: Error) => void;
}

const epoll = new Epoll();
const parked: Parked[] = [];
let passing: (() => void)[] = [];
/** Tasks that have not ended, and do not wait. */
let running = 0;

function spawn(task: () => Promise<void>): void {
  running++;
  const end = () => void running--;
  task().then(end, error => {
    console.error(error);
    end();
  });
}

/** A task waits until `settle` is called. */
function park(place: (settle: (error?: Error) => void) => void): Promise<void> {
  running--;
  return new Promise((resolve, reject) =>
    place(error => {
      running++;
      if (error === undefined) resolve();
      else reject(error);
    }),
  );
}

const waitersOf = (fd: number) => parked.filter(({ socket }) => socket.fd === fd);

async function wait(socket: Socket, events: number): Promise<void> {
  const others = waitersOf(socket.fd);
  if (others.some(other => other.events === events)) throw new Error("this place is taken");
  if (others.length === 0) epoll.register(socket, events);
  else epoll.modify(socket, EPOLLIN | EPOLLOUT);
  await park(settle => parked.push({ socket, events, settle }));
}

function leave(one: Parked, error?: Error): void {
  parked.splice(parked.indexOf(one), 1);
  const [other] = waitersOf(one.socket.fd);
  if (other === undefined) epoll.unregister(one.socket);
  else epoll.modify(one.socket, other.events);
  one.settle(error);
}

const pass = () => park(settle => passing.push(settle));

function close(socket: Socket): void {
  for (const one of waitersOf(socket.fd)) leave(one, new Error("the socket was closed"));
  socket.close();
}

async function run(): Promise<void> {
  while (true) {
    while (running > 0) await null;
    if (parked.length === 0 && passing.length === 0) return;
    const passed = passing;
    passing = [];
    for (const { fd, events } of epoll.poll(passed.length > 0 ? 0 : -1)) {
      for (const one of waitersOf(fd)) {
        if ((events & (one.events | EPOLLERR | EPOLLHUP)) !== 0) leave(one);
      }
    }
    for (const settle of passed) settle();
  }
}

spawn(() => listen({ spawn, wait, pass, close }, Number(process.argv[2])));
await run();

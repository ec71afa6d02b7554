// Another right answer, in another style: poll(2), whose bits have the same names and meanings. The list of each turn is
// made of what each client waits for, so no mask is kept anywhere. Orders and answers are Buffers.
import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLRDHUP,
  poll,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  Socket,
  SyscallError,
} from "workbook/net";

type State = "listens" | "connects" | "cooks" | "cooks, and the guest has ended";

interface Guest {
  socket: Socket;
  state: State;
  input: string;
  kitchen: Socket | null;
  dish: string;
  reply: Buffer;
}

const asked: Record<State, [guest: number, kitchen: number]> = {
  listens: [POLLIN, 0],
  connects: [0, POLLOUT],
  cooks: [POLLRDHUP, POLLIN],
  "cooks, and the guest has ended": [0, POLLIN],
};

const guests = new Set<Guest>();
const door = new Socket(undefined, SOCK_STREAM | SOCK_NONBLOCK);
door.bind({ port: Number(process.argv[2]) });
door.listen();

function attempt<T>(step: () => T, otherwise: (code: string) => T): T {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    return otherwise(error.code);
  }
}

function dismiss(guest: Guest): void {
  guest.kitchen?.close();
  guest.socket.close();
  guests.delete(guest);
}

function listen(guest: Guest): void {
  for (;;) {
    const [line, ...rest] = guest.input.split("\n");
    if (rest.length > 0) {
      guest.input = rest.join("\n");
      const parts = line!.match(/^([0-9]{1,5}) (.+)$/s);
      if (!parts || Number(parts[1]) >= 65536) dismiss(guest);
      else begin(guest, Number(parts[1]), parts[2]!);
      return;
    }
    const bytes = guest.socket.recv(1000);
    if (bytes === null) return;
    if (bytes.length === 0 || guest.input.length > 5000) {
      dismiss(guest);
      return;
    }
    guest.input += bytes.toString("latin1");
  }
}

function begin(guest: Guest, port: number, dish: string): void {
  guest.kitchen = new Socket(undefined, SOCK_STREAM | SOCK_NONBLOCK);
  guest.kitchen.connect({ port });
  Object.assign(guest, { dish, state: "connects", reply: Buffer.alloc(0) });
}

function end(guest: Guest, reply: Buffer): void {
  guest.kitchen?.close();
  guest.kitchen = null;
  guest.state = "listens";
  guest.socket.send(reply);
  listen(guest);
}

function cook(guest: Guest, kitchen: Socket, events: number): Buffer | null {
  if ((events & POLLERR) !== 0) return Buffer.from(`${kitchen.takeError()?.code ?? "EIO"}\n`);
  if (guest.state === "connects") {
    kitchen.send(Buffer.from(`${guest.dish}\n`, "latin1"));
    guest.state = "cooks";
    return null;
  }
  const bytes = kitchen.recv(4000);
  if (bytes?.length === 0) return guest.reply.length > 0 ? guest.reply : Buffer.from("ENODATA\n");
  if (bytes) guest.reply = Buffer.concat([guest.reply, bytes]);
  return null;
}

function turn(guest: Guest, [ofGuest, ofKitchen]: [number, number]): void {
  const { kitchen, state } = guest;
  if ((ofGuest & (POLLERR | POLLHUP)) !== 0) dismiss(guest);
  else if (kitchen && ofKitchen !== 0) {
    const reply = attempt(
      () => cook(guest, kitchen, ofKitchen),
      code => Buffer.from(`${code}\n`),
    );
    if (reply) end(guest, reply);
  } else if (kitchen && state === "cooks" && (ofGuest & POLLRDHUP) !== 0) {
    guest.state = "cooks, and the guest has ended";
    attempt(
      () => kitchen.shutdown("write"),
      () => {}, // it has reset the connection since poll() looked
    );
  } else if (state === "listens" && ofGuest !== 0) listen(guest);
}

for (;;) {
  const list = [{ fd: door.fd, events: POLLIN }];
  for (const { socket, kitchen, state } of guests) {
    list.push({ fd: socket.fd, events: asked[state][0] });
    if (kitchen) list.push({ fd: kitchen.fd, events: asked[state][1] });
  }
  const ready = new Map(poll(list).map(({ fd, events }) => [fd, events]));
  const due = [...guests].map(
    guest => [guest, [ready.get(guest.socket.fd) ?? 0, ready.get(guest.kitchen?.fd ?? -1) ?? 0]] as const,
  );
  for (const [guest, [a, b]] of due) {
    attempt(
      () => turn(guest, [a!, b!]),
      () => dismiss(guest),
    );
  }
  if (!ready.has(door.fd)) continue;
  for (let come = door.accept(SOCK_NONBLOCK); come; come = door.accept(SOCK_NONBLOCK)) {
    guests.add({
      socket: come.client,
      state: "listens",
      input: "",
      kitchen: null,
      dish: "",
      reply: Buffer.alloc(0),
    });
  }
}

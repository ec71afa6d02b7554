// Another right answer, in quite another style: a conversation is a generator that yields the pieces to be sent, each
// read from the disk when the one before is out. It asks with poll(2) who can go on, where the others go round.
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { POLLIN, POLLOUT, poll, Socket, SyscallError } from "workbook/net";

/** What is to be sent next; null: nothing, until more has come. */
type Pieces = Generator<Buffer | null, void, void>;
interface Party {
  socket: Socket;
  heard: string;
  pieces: Pieces;
  now: Buffer | null;
}

function* conversation(party: Party): Pieces {
  for (;;) {
    const end = party.heard.indexOf("\r\n\r\n");
    if (end < 0) {
      if (party.heard.length > 100_000) return;
      yield null;
      continue;
    }
    const path = party.heard.slice(0, end).split(" ")[1];
    party.heard = party.heard.slice(end + 4);
    if (path === "/menu.txt" || path === "/large.bin") yield* file(`html${path}`);
    else yield Buffer.from("HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno\n");
  }
}

function* file(name: string): Generator<Buffer> {
  const fd = openSync(name, "r");
  try {
    const { size } = fstatSync(fd);
    let piece = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
    for (let position = 0; position < size; piece = Buffer.alloc(0)) {
      const room = Buffer.alloc(Math.min(64 * 1024, size - position));
      position += readSync(fd, room, 0, room.length, position);
      yield Buffer.concat([piece, room]);
    }
  } finally {
    closeSync(fd);
  }
}

const parties = new Map<number, Party>();
const listener = new Socket();
listener.bind({ port: Number(process.argv[2]) });
listener.listen();
listener.setBlocking(false);

for (;;) {
  const wishes = [...parties.values()].map(({ socket, now }) => ({
    fd: socket,
    events: now ? POLLOUT : POLLIN,
  }));
  for (const { fd } of poll([{ fd: listener, events: POLLIN }, ...wishes])) {
    const party = parties.get(fd);
    if (!party) greet();
    else if (!goesOn(party)) {
      parties.delete(fd);
      party.pieces.return();
      party.socket.close();
    }
  }
}

function greet(): void {
  const come = listener.accept();
  if (!come) return;
  come.client.setBlocking(false);
  const party = { socket: come.client, heard: "", now: null } as unknown as Party;
  party.pieces = conversation(party);
  parties.set(come.client.fd, party);
}

function goesOn(party: Party): boolean {
  try {
    if (party.now) party.now = party.now.subarray(party.socket.send(party.now) ?? 0);
    else {
      const heard = party.socket.recv(4096);
      if (heard?.length === 0) return false;
      party.heard += heard?.toString("latin1") ?? "";
    }
    if (party.now?.length) return true;
    const { value, done } = party.pieces.next();
    party.now = value ?? null;
    return !done;
  } catch (error) {
    if (error instanceof SyscallError) return false;
    throw error;
  }
}

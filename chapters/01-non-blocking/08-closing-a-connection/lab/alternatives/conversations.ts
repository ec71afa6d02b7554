// Another right answer, in another style: what the server does for one client is a generator that is resumed in each
// turn and yields whether it has found something. Reading, refusing and waiting for the end come one after another in it.
import { SOCK_NONBLOCK, Socket, SyscallError, sleep } from "workbook/net";

type Conversation = Generator<boolean, void, void>;

function* converse(socket: Socket): Conversation {
  let text = "";
  let reply: string | null = null;
  for (let over = false; reply === null && !over; ) {
    const data = socket.recv(8192);
    if (data !== null) text += data.toString("latin1");
    over = data?.length === 0;
    reply = replyTo(text);
    yield data !== null;
  }
  if (reply === null) return;
  socket.send(Buffer.from(`HTTP/1.0 ${reply}`, "latin1"));
  socket.shutdown("write");
  yield* seeOff(socket);
}

/** In small steps, each a turn of its own; it ends with the client, after a second, or with a million bytes. */
function* seeOff(socket: Socket): Conversation {
  const begin = process.hrtime.bigint();
  let bytes = 0;
  while (bytes <= 1_000_000 && process.hrtime.bigint() - begin < 1_000_000_000n) {
    const data = socket.recv(128 * 1024);
    if (data?.length === 0) return;
    bytes += data?.length ?? 0;
    yield data !== null;
  }
}

function replyTo(text: string): string | null {
  const match = /^(.*?)\r\n\r\n(.*)$/s.exec(text);
  if (!match) return text.length > 20_000 ? "431 Head Too Long\r\n\r\n" : null;
  const [, head = "", body = ""] = match;
  const field = head.split("\r\n").find(line => line.toLowerCase().startsWith("content-length:"));
  const length = field ? Number.parseInt(field.slice(15), 10) : 0;
  if (length > 1000) return "413 Too Long\r\nContent-Type: text/plain\r\n\r\nToo long for us.\n";
  return body.length < length ? null : `200 Fine\r\n\r\nyou ordered ${body.slice(0, length)}\n`;
}

const listener = new Socket();
listener.bind({ host: "127.0.0.1", port: Number(process.argv[2]) });
listener.listen();
listener.setBlocking(false);
const running = new Map<Socket, Conversation>();

while (true) {
  let found = false;
  for (let come = listener.accept(SOCK_NONBLOCK); come; come = listener.accept(SOCK_NONBLOCK)) {
    running.set(come.client, converse(come.client));
    found = true;
  }
  for (const [socket, conversation] of running) {
    let over = false;
    try {
      const { value, done } = conversation.next();
      over = done === true;
      found ||= value === true;
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      over = true;
    }
    if (over) {
      running.delete(socket);
      socket.close();
    }
  }
  if (!found) sleep(3);
}

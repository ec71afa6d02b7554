// Another right answer, in another style: no buffer of bytes, but a generator that takes one byte after the other and
// yields each whole head.
import { Socket, SyscallError, sleep } from "workbook/net";

const mostHead = 100_000;

function* heads(): Generator<string | undefined, never, number> {
  while (true) {
    let [head, ends] = ["", 0];
    while (ends < 4) {
      const byte = yield undefined;
      head += String.fromCharCode(byte);
      ends = byte === "\r\n\r\n".charCodeAt(ends) ? ends + 1 : byte === 13 ? 1 : 0;
      if (head.length > mostHead) throw new RangeError("a head without an end");
    }
    // This yield returns a head and takes no byte: the caller calls next() once more.
    yield head.slice(0, -4);
  }
}

interface Client {
  connection: Socket;
  parser: ReturnType<typeof heads>;
}

let clients: Client[] = [];
const listener = new Socket();
listener.bind({ port: Number(process.argv[2]) });
listener.listen();
listener.setBlocking(false);

for (;;) {
  const came = listener.accept();
  if (came) {
    came.client.setBlocking(false);
    const parser = heads();
    parser.next();
    clients.push({ connection: came.client, parser });
  }
  const left = clients.filter(client => !stays(client));
  for (const { connection } of left) connection.close();
  clients = clients.filter(client => !left.includes(client));
  sleep(1);
}

function stays({ connection, parser }: Client): boolean {
  try {
    for (let bytes = connection.recv(100); bytes !== null; bytes = connection.recv(100)) {
      if (bytes.length === 0) return false;
      for (const byte of bytes) {
        const { value: head } = parser.next(byte);
        if (head === undefined) continue;
        reply(connection, head);
        parser.next();
      }
    }
    return true;
  } catch (error) {
    if (error instanceof SyscallError || error instanceof RangeError) return false;
    throw error;
  }
}

function reply(connection: Socket, head: string): void {
  const [method, target] = head.split(" ");
  const body = method === "GET" ? `you asked for ${target}\n` : "what?\n";
  const status = method === "GET" ? "200 OK" : "400 Bad Request";
  connection.send(`HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
}

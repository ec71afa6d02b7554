// Another right answer, in quite another style: no buffer of octets, but a generator that is handed one octet after
// the other and gives a head whenever one is whole.
import { Socket, SyscallError, sleep } from "workbook/net";

const mostHead = 100_000;

function* heads(): Generator<string | undefined, never, number> {
  while (true) {
    let [head, ends] = ["", 0];
    while (ends < 4) {
      const octet = yield undefined;
      head += String.fromCharCode(octet);
      ends = octet === "\r\n\r\n".charCodeAt(ends) ? ends + 1 : octet === 13 ? 1 : 0;
      if (head.length > mostHead) throw new RangeError("a head without an end");
    }
    // Given out in place of a request for the next octet, which is therefore asked for again.
    yield head.slice(0, -4);
  }
}

interface Guest {
  connection: Socket;
  parser: ReturnType<typeof heads>;
}

let guests: Guest[] = [];
const door = new Socket();
door.bind({ port: Number(process.argv[2]) });
door.listen();
door.setBlocking(false);

for (;;) {
  const came = door.accept();
  if (came) {
    came.client.setBlocking(false);
    const parser = heads();
    parser.next();
    guests.push({ connection: came.client, parser });
  }
  const left = guests.filter(guest => !stays(guest));
  for (const { connection } of left) connection.close();
  guests = guests.filter(guest => !left.includes(guest));
  sleep(1);
}

function stays({ connection, parser }: Guest): boolean {
  try {
    for (let octets = connection.recv(100); octets !== null; octets = connection.recv(100)) {
      if (octets.length === 0) return false;
      for (const octet of octets) {
        const { value: head } = parser.next(octet);
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

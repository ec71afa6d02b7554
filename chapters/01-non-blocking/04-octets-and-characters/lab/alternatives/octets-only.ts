// Another right answer, without a string that anybody sent: lines, names and values are looked for among the octets.
import { SOCK_NONBLOCK, Socket, SyscallError, sleep } from "workbook/net";

class Guest {
  readonly connection: Socket;
  #kept: Buffer[] = [];

  constructor(connection: Socket) {
    this.connection = connection;
  }

  /** Serves what has come. @returns whether there may be more */
  serve(): boolean {
    const octets = this.connection.recv(500);
    if (octets === null) return true;
    if (octets.length === 0 || this.#kept.length > 200) return false;
    this.#kept.push(octets);
    let all = Buffer.concat(this.#kept);
    for (let end = all.indexOf("\r\n\r\n"); end !== -1; end = all.indexOf("\r\n\r\n")) {
      this.connection.send(answerTo(all.subarray(0, end + 2)));
      all = all.subarray(end + 4);
    }
    this.#kept = [all];
    return true;
  }
}

/** The lines of a head, without their ends. */
function* linesOf(head: Buffer): Generator<Buffer> {
  for (let from = 0, to = head.indexOf("\r\n"); to !== -1; from = to + 2, to = head.indexOf("\r\n", from)) {
    yield head.subarray(from, to);
  }
}

function answerTo(head: Buffer): Buffer {
  const [first, ...fields] = linesOf(head);
  const asks = (target: string) => first!.includes(`GET ${target} `);
  const dish = asks("/tea") ? "tea 茶🍵" : asks("/cake") ? "cake 糕🍰" : null;
  if (dish === null) return whole("404 not found", Buffer.from("file not found, 请输入正确的url"));
  const field = fields.find(line => line.subarray(0, 5).toString("ascii").toLowerCase() === "name:");
  if (!field) return whole("200 OK", Buffer.from(dish));
  const isSpace = (at: number) => field[at] === 0x20 || field[at] === 0x09;
  let [from, to] = [5, field.length];
  while (from < to && isSpace(from)) from++;
  while (to > from && isSpace(to - 1)) to--;
  return whole("200 OK", Buffer.from(dish), Buffer.from(" for "), field.subarray(from, to));
}

function whole(status: string, ...parts: Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.byteLength, 0);
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${status}\r\nContent-Length: ${length}\r\n\r\n`), ...parts]);
}

const door = new Socket();
door.bind({ port: Number(process.argv[2]) });
door.listen();
door.setBlocking(false);
let here: Guest[] = [];
for (;;) {
  const came = door.accept(SOCK_NONBLOCK);
  if (came) here.push(new Guest(came.client));
  here = here.filter(guest => {
    try {
      if (guest.serve()) return true;
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
    }
    guest.connection.close();
    return false;
  });
  if (!came) sleep(1);
}

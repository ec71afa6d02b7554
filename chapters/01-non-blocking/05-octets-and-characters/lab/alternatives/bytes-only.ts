// Another right answer, without decoded strings: it finds lines, names and values among the bytes.
import { SOCK_NONBLOCK, Socket, SyscallError, sleep } from "workbook/net";

class Client {
  readonly connection: Socket;
  #kept: Buffer[] = [];

  constructor(connection: Socket) {
    this.connection = connection;
  }

  /** Reads one piece, and answers each whole request. @returns whether the connection goes on */
  serve(): boolean {
    const bytes = this.connection.recv(500);
    if (bytes === null) return true;
    if (bytes.length === 0 || this.#kept.length > 200) return false;
    this.#kept.push(bytes);
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

const listener = new Socket();
listener.bind({ port: Number(process.argv[2]) });
listener.listen();
listener.setBlocking(false);
let here: Client[] = [];
for (;;) {
  const came = listener.accept(SOCK_NONBLOCK);
  if (came) here.push(new Client(came.client));
  here = here.filter(client => {
    try {
      if (client.serve()) return true;
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
    }
    client.connection.close();
    return false;
  });
  if (!came) sleep(1);
}

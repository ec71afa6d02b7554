// Another right answer: strings everywhere, and in all of them one character is one octet. Then `length` counts what
// is sent, a piece may be cut anywhere, and no octet is strange. What is Chinese here looks it nowhere.
import { Socket, SyscallError, sleep } from "workbook/net";

const wire = (text: string) => Buffer.from(text, "utf8").toString("latin1");
const dishes: Record<string, string> = { "/tea": wire("tea 茶🍵"), "/cake": wire("cake 糕🍰") };
const unknown = wire("file not found, 请输入正确的url");

const door = new Socket();
door.bind({ port: Number(process.argv[2]) });
door.listen();
door.setBlocking(false);
const guests = new Map<Socket, string>();

for (;;) {
  for (let came = door.accept(); came; came = door.accept()) {
    came.client.setBlocking(false);
    guests.set(came.client, "");
  }
  for (const [guest, said] of guests) {
    try {
      const octets = guest.recv(4096);
      if (octets === null) continue;
      const heads = (said + octets.toString("latin1")).split("\r\n\r\n");
      const rest = heads.pop()!;
      if (octets.length === 0 || rest.length > 50_000) throw new RangeError("enough");
      for (const head of heads) guest.send(Buffer.from(reply(head.split("\r\n")), "latin1"));
      guests.set(guest, rest);
    } catch (error) {
      if (!(error instanceof SyscallError || error instanceof RangeError)) throw error;
      guests.delete(guest);
      guest.close();
    }
  }
  sleep(2);
}

function reply([line = "", ...fields]: string[]): string {
  const dish = dishes[line.split(" ")[1] ?? ""];
  const name = fields.find(field => field.toLowerCase().startsWith("name:"))?.slice(5);
  const cup = name === undefined ? "" : ` for ${name.replace(/^[ \t]+|[ \t]+$/g, "")}`;
  const body = dish === undefined ? unknown : dish + cup;
  return `HTTP/1.1 ${dish ? "200 OK" : "404 no such dish"}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

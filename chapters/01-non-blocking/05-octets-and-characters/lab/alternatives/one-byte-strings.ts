// Another right answer: strings everywhere, with one character for each byte. So `length` counts bytes, a piece may be
// cut anywhere, and every byte is valid. The Chinese texts become such strings once, at the start.
import { Socket, SyscallError, sleep } from "workbook/net";

const wire = (text: string) => Buffer.from(text, "utf8").toString("latin1");
const dishes: Record<string, string> = { "/tea": wire("tea 茶🍵"), "/cake": wire("cake 糕🍰") };
const unknown = wire("file not found, 请输入正确的url");

const listener = new Socket();
listener.bind({ port: Number(process.argv[2]) });
listener.listen();
listener.setBlocking(false);
const clients = new Map<Socket, string>();

for (;;) {
  for (let came = listener.accept(); came; came = listener.accept()) {
    came.client.setBlocking(false);
    clients.set(came.client, "");
  }
  for (const [client, said] of clients) {
    try {
      const bytes = client.recv(4096);
      if (bytes === null) continue;
      const heads = (said + bytes.toString("latin1")).split("\r\n\r\n");
      const rest = heads.pop()!;
      if (bytes.length === 0 || rest.length > 50_000) throw new RangeError("enough");
      for (const head of heads) client.send(Buffer.from(reply(head.split("\r\n")), "latin1"));
      clients.set(client, rest);
    } catch (error) {
      if (!(error instanceof SyscallError || error instanceof RangeError)) throw error;
      clients.delete(client);
      client.close();
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

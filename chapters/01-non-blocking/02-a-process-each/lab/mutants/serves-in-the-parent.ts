// caught by: beside
// The mistake: a deadline and no second worker. Each silent client delays all others, one after another.
import { SO_RCVTIMEO, SO_REUSEADDR, SOL_SOCKET, Socket } from "workbook/net";

const listener = new Socket();
listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
listener.bind({ port: Number(process.argv[2]) });
listener.listen(128);
for (;;) {
  const { client } = listener.accept()!;
  client.setOption(SOL_SOCKET, SO_RCVTIMEO, new BigInt64Array([0n, 500_000n]));
  const data = client.recv(1024);
  const target = /^GET ([!-~]+)/.exec(data?.toString("latin1") ?? "")?.[1];
  const body = `you asked for ${target}\n`;
  if (target)
    client.send(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
  client.close();
}

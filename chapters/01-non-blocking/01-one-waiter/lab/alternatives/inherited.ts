// Another right answer: the deadline is an option of the listener, and each accepted socket inherits it on Linux. So
// accept() has the deadline too: it returns null when no client connects in time, and the loop calls it again.
import { SO_RCVTIMEO, SO_REUSEADDR, SOL_SOCKET, Socket } from "workbook/net";

const listener = new Socket();
listener.setOption(SOL_SOCKET, SO_REUSEADDR, true);
listener.setOption(SOL_SOCKET, SO_RCVTIMEO, new BigInt64Array([0n, 300_000n]));
listener.bind({ port: Number(process.argv[2]) });
listener.listen();

for (;;) {
  const client = listener.accept()?.client;
  if (client === undefined) continue;
  try {
    const [method, target] = (client.recv(4096) ?? "").toString().split(" ");
    if (method === "GET") client.send(`HTTP/1.0 200 OK\r\n\r\nyou asked for ${target}\n`);
  } catch (error) {
    console.log((error as Error).message);
  } finally {
    client.close();
  }
}

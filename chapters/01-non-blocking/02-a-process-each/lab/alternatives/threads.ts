// Another right answer: four threads instead of four processes. They share the table of descriptors, so the number of the
// listener is enough for each of them. (Node 20 starts such a thread in the workbook only: tsx does not reach threads.)
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { SO_RCVTIMEO, SO_REUSEADDR, SOL_SOCKET, Socket } from "workbook/net";

if (isMainThread) {
  const listener = new Socket();
  listener.setOption(SOL_SOCKET, SO_REUSEADDR, true);
  listener.bind({ port: Number(process.argv[2]) });
  listener.listen();
  for (let i = 0; i < 4; i++) new Worker(process.argv[1]!, { workerData: listener.fd });
} else {
  const listener = new Socket({ fd: workerData as number });
  for (;;) serve(listener.accept()!.client);
}

function serve(client: Socket): void {
  try {
    client.setOption(SOL_SOCKET, SO_RCVTIMEO, new BigInt64Array([0n, 700_000n]));
    const [method, target] = (client.recv(4096) ?? "").toString("latin1").split(" ");
    if (method === "GET") client.send(`HTTP/1.0 200 OK\r\n\r\nyou asked for ${target}\n`);
  } catch (error) {
    console.log((error as Error).message);
  } finally {
    client.close();
  }
}

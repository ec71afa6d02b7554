// The course's program 06: a thread for each client. JavaScript, because a thread of Node 20 reads no TypeScript.
import { setImmediate } from "node:timers/promises";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { SO_REUSEADDR, SOL_SOCKET, Socket } from "workbook/net";

async function main(port) {
  const listener = new Socket();
  listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
  listener.bind({ host: "127.0.0.1", port });
  listener.listen(128);
  console.log(`process ${process.pid} listens on 127.0.0.1:${port}`);

  // #region start
  while (true) {
    const { client } = listener.accept();
    // All threads share one table: the number is enough.
    new Worker(new URL(import.meta.url), { workerData: client.fd });
    // Here Node hears which threads have ended.
    await setImmediate();
  }
  // #endregion start
}

// #region thread
/** The thread: the client has the number that main() gave it. */
function thread(fd) {
  const client = new Socket({ fd });
  try {
    const data = client.recv(1024);
    if (data.length > 0) client.send(answer(data.toString("latin1")));
  } finally {
    client.close();
  }
}
// #endregion thread

/** The answer to a request: "GET /tea HTTP/1.1", and its fields. */
function answer(request) {
  const target = /^GET ([!-~]+)/.exec(request)?.[1];
  const status = target === undefined ? "400 Bad Request" : "200 OK";
  const body = target === undefined ? "this is no request\n" : `you asked for ${target}\n`;
  return `HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
}

if (isMainThread) await main(Number(process.argv[2]));
else thread(workerData);

// The course's 3, Web静态服务器-7-gevent版: one coroutine for each client, which reads and answers in a loop.
// A faithful port of the listing: its bugs are the exercise.
import { readFileSync } from "node:fs";
import { MSG_DONTWAIT, SO_REUSEADDR, SOL_SOCKET, Socket } from "workbook/net";
import { accept, recv, run, type Steps, spawn, writable } from "workbook/tasks";

/** The folder that it serves, in the working directory of the process. */
const documentsRoot = "./html";

// #region forever
function* runForever(port: number): Steps<void> {
  const serverSocket = new Socket();
  serverSocket.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
  // The course binds "", which is every network card: a computer in your Wi-Fi could read your files.
  serverSocket.bind({ host: "127.0.0.1", port });
  serverSocket.listen(128);

  while (true) {
    const { client: newSocket } = yield* accept(serverSocket);
    spawn(dealWithRequest(newSocket)); // a coroutine is ready to run it
  }
}
// #endregion forever

// #region before
/** TypeScript must be told that there is such a variable. In the course, as here, it is a variable of runForever. */
declare const newSocket: Socket;

// #endregion before

/** As Python's decode("utf-8"): bytes that are not UTF-8 are an error. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

// #region client
function* dealWithRequest(clientSocket: Socket): Steps<void> {
  let fileName: string | undefined; // a variable of the whole function, as every variable of Python
  while (true) {
    const request = utf8.decode(yield* recv(clientSocket, 1024));

    // when the browser has received all, it closes: then close this socket, too
    if (!request) {
      newSocket.close();
      break;
    }

    const requestLines = request.split(/\r\n|[\n\r\v\f\u0085\u2028\u2029]/); // nearly as Python's splitlines()
    for (const [i, line] of requestLines.entries()) console.log(i, line);

    // GET /a/b/c/d/e/index.html HTTP/1.1
    const found = /^([^/]*)([^ ]+)/.exec(requestLines[0]!);
    if (found) {
      console.log("found:", found[1]);
      console.log("found:", found[2]);
      fileName = found[2];
      if (fileName === "/") fileName = "/index.html";
    }

    let content: Buffer;
    try {
      content = readFileSync(documentsRoot + fileName);
    } catch {
      const body = Buffer.from("没有你需要的文件......");
      yield* sendOnce(clientSocket, Buffer.concat([Buffer.from(headOf("404 not found", body)), body]));
      continue;
    }
    yield* sendOnce(clientSocket, Buffer.concat([Buffer.from(headOf("200 OK", content)), content]));
  }
}
// #endregion client

function headOf(status: string, body: Buffer): string {
  let head = `HTTP/1.1 ${status}\r\n`;
  head += "Content-Type:text/html;charset=utf-8\r\n";
  head += `Content-Length:${body.length}\r\n`;
  head += "\r\n";
  return head;
}

// #region once
/** As gevent's send(): it sends once, and waits for room only when the kernel takes no byte. */
function* sendOnce(socket: Socket, bytes: Buffer): Steps<number> {
  const sent = socket.send(bytes, MSG_DONTWAIT);
  if (sent !== null) return sent;
  yield* writable(socket);
  return socket.send(bytes, MSG_DONTWAIT) ?? 0;
}
// #endregion once

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  // #region start
  console.log(`the http server uses port ${port}`);
  run(runForever(port));
  // #endregion start
} else {
  console.log("run it like this: npx tsx server.ts 7914");
  process.exit(1);
}

// The course's 2.3, web静态服务器-epoll: one process, one epoll, and connections that stay open (长连接).
// A faithful port of the listing: its bugs are the exercise.
import { readFileSync } from "node:fs";
import {
  AF_INET,
  EPOLLET,
  EPOLLIN,
  Epoll,
  SO_REUSEADDR,
  SOCK_STREAM,
  SOL_SOCKET,
  Socket,
} from "workbook/net";

/** The folder that it serves, in the working directory of the process. */
const documentRoot = "./html";

/** The socket of each descriptor: epoll knows descriptors only. */
const sockets = new Map<number, Socket>();

function main(port: number): void {
  // #region socket
  const server = new Socket(AF_INET, SOCK_STREAM);
  server.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
  // The course binds "", which is every network card: a computer in your Wi-Fi could read your files.
  server.bind({ host: "127.0.0.1", port });
  server.listen(128);

  const epoll = new Epoll();
  epoll.register(server, EPOLLIN | EPOLLET);
  // #endregion socket

  // #region loop
  while (true) {
    // it sleeps here until a descriptor is ready
    for (const { fd, events } of epoll.poll()) {
      if (fd === server.fd) {
        // the listener is readable: a client has connected
        const { client } = server.accept()!;
        epoll.register(client, EPOLLIN | EPOLLET);
        sockets.set(client.fd, client);
      } else if (events === EPOLLIN) {
        // a client is readable: a request, or the end
        const socket = sockets.get(fd)!;
        const request = utf8.decode(socket.recv(1024)!);
        if (request) {
          answer(request, socket);
        } else {
          epoll.unregister(fd);
          socket.close();
          sockets.delete(fd);
        }
      }
    }
  }
  // #endregion loop
}

/** As Python's decode("utf-8"): bytes that are not UTF-8 are an error. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

// #region answer
function answer(request: string, socket: Socket): void {
  const lines = request.split(/\r\n|[\n\r\v\f\u0085\u2028\u2029]/); // nearly as Python's splitlines()
  for (const [i, line] of lines.entries()) console.log(i, line);

  // GET /a/b/c/d/e/index.html HTTP/1.1
  let file: string | undefined;
  const found = /^([^/]*)([^ ]+)/.exec(lines[0]!);
  if (found) {
    console.log("found:", found[1]);
    console.log("found:", found[2]);
    file = found[2];
    if (file === "/") file = "/index.html";
  }

  let content: Buffer;
  try {
    content = readFileSync(documentRoot + file);
  } catch {
    const body = "file not found, 请输入正确的url";

    let head = "HTTP/1.1 404 not found\r\n";
    head += "Content-Type: text/html; charset=utf-8\r\n";
    head += `Content-Length: ${body.length}\r\n`;
    head += "\r\n";

    socket.send(head);
    socket.send(body);
    return;
  }

  let head = "HTTP/1.1 200 OK\r\n";
  head += `Content-Length: ${content.length}\r\n`;
  head += "\r\n";
  socket.send(Buffer.concat([Buffer.from(head), content]));
}
// #endregion answer

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  // #region start
  console.log(`the http server uses port ${port}`);
  main(port);
  // #endregion start
} else {
  console.log("run it like this: npx tsx server.ts 7890");
  process.exit(1);
}

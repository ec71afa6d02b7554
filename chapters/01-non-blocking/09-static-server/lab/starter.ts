// The course's 1.2, web静态服务器-单进程非堵塞: one process, no call that waits, and a folder of files.
// A faithful port of the listing: its bugs are the exercise.
import { readFileSync } from "node:fs";
import { AF_INET, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, Socket } from "workbook/net";

/** The folder that it serves, in the working directory of the process. */
const documentRoot = "./html";

/** The connected clients. */
const clients: Socket[] = [];

function main(port: number): void {
  const server = new Socket(AF_INET, SOCK_STREAM);
  server.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
  // The course binds "", which is every network card: a computer in your Wi-Fi could read your files.
  server.bind({ host: "127.0.0.1", port });
  server.listen(128);
  server.setBlocking(false);

  while (true) {
    // sleep(500); // for test

    try {
      const arrival = server.accept();
      if (arrival === null) {
        console.log("-----1----", "no client has connected"); // for test
      } else {
        arrival.client.setBlocking(false);
        clients.push(arrival.client);
      }
    } catch (error) {
      console.log("-----1----", error); // for test
    }

    // #region hear
    for (const client of clients) {
      let request: string;
      try {
        const data = client.recv(1024);
        if (data === null) {
          console.log("------2----", "no bytes yet"); // for test
          continue;
        }
        request = utf8.decode(data);
      } catch (error) {
        console.log("------2----", error); // for test
        continue;
      }
      if (request) {
        answer(request, client);
      } else {
        client.close();
        clients.splice(clients.indexOf(client), 1);
      }
    }
    // #endregion hear

    console.log(clients);
  }
}

/** As Python's decode("utf-8"): bytes that are not UTF-8 are an error. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function answer(request: string, client: Socket): void {
  // #region parse
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
  // #endregion parse

  let content: Buffer;
  try {
    // #region open
    content = readFileSync(documentRoot + file);
    // #endregion open
  } catch {
    const body = "file not found, 请输入正确的url";

    let head = "HTTP/1.1 404 not found\r\n";
    head += "Content-Type: text/html; charset=utf-8\r\n";
    head += `Content-Length: ${body.length}\r\n`;
    head += "\r\n";

    client.send(head);
    client.send(body);
    return;
  }

  let head = "HTTP/1.1 200 OK\r\n";
  head += `Content-Length: ${content.length}\r\n`;
  head += "\r\n";
  client.send(Buffer.concat([Buffer.from(head), content]));
}

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  // #region port
  console.log(`the http server uses port ${port}`);
  // #endregion port
  main(port);
} else {
  console.log("run it like this: npx tsx server.ts 7886");
  process.exit(1);
}

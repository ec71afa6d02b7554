// Another right answer, in quite another style: Node's own sockets. Node connects without waiting as well, and its event
// loop tells the program how each handshake has ended.
import { connect, createServer, type Socket } from "node:net";

createServer(client => {
  let unread = "";
  let kitchen: Socket | null = null;
  const answer = (line: string) => {
    kitchen = null;
    client.write(`${line}\n`, "latin1");
    next();
  };
  const next = () => {
    const end = unread.indexOf("\n");
    if (kitchen !== null || end === -1 || client.destroyed || client.writableEnded) return;
    const [, port, dish] = /^(\d{1,5}) (.+)$/s.exec(unread.slice(0, end)) ?? [];
    unread = unread.slice(end + 1);
    if (dish === undefined || Number(port) > 65535) client.end();
    else kitchen = ask(Number(port), dish, answer);
  };
  client.setEncoding("latin1");
  client.on("data", (words: string) => {
    unread += words;
    next();
  });
  client.on("error", () => client.destroy());
  client.on("end", () => client.destroy());
  client.on("close", () => kitchen?.destroy());
}).listen(Number(process.argv[2]), "127.0.0.1", 128);

function ask(port: number, dish: string, answer: (line: string) => void): Socket {
  const kitchen = connect(port, "127.0.0.1");
  let words = "";
  const finish = (line: string) => {
    kitchen
      .removeAllListeners()
      .on("error", () => {})
      .destroy();
    answer(line);
  };
  const deadline = setTimeout(() => finish("ETIMEDOUT"), 2000);
  kitchen.setEncoding("latin1");
  kitchen.on("connect", () => {
    clearTimeout(deadline);
    kitchen.write(`${dish}\n`, "latin1");
  });
  kitchen.on("data", (more: string) => {
    words += more;
    if (words.includes("\n")) finish(words.slice(0, words.indexOf("\n")));
  });
  kitchen.on("end", () => finish("ENODATA"));
  kitchen.on("error", (error: NodeJS.ErrnoException) => {
    clearTimeout(deadline);
    finish(error.code ?? "EIO");
  });
  kitchen.on("close", () => clearTimeout(deadline));
  return kitchen;
}

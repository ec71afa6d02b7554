// Blocking server. It serves one client after another, and each call waits until it has done its work.
import type { Socket } from "workbook/net";
import { Lines, listen, toNumber } from "./parts.ts";

interface Client {
  socket: Socket;
  lines: Lines;
}

// #region serve
function serve(client: Client): void {
  try {
    const cups = askNumber(client, "Cups?");
    for (let cup = 1; cup <= cups; cup++) {
      const tea = ask(client, `Cup ${cup}?`);
      say(client, `Cup ${cup} is ${tea}.`);
    }
    const tip = askNumber(client, "Tip?");
    say(client, `Thank you for ${tip}.`);
  } finally {
    client.socket.close();
  }
}

function askNumber(client: Client, question: string): number {
  const line = ask(client, question);
  return toNumber(line);
}
// #endregion serve

function ask(client: Client, question: string): string {
  say(client, question);
  while (true) {
    const line = client.lines.next();
    if (line !== null) return line;
    const bytes = client.socket.recv(1024)!;
    if (bytes.length === 0) throw new Error("the client has left");
    client.lines.push(bytes);
  }
}

function say(client: Client, text: string): void {
  let left: Uint8Array = Buffer.from(`${text}\n`, "latin1");
  while (left.length > 0) left = left.subarray(client.socket.send(left)!);
}

const listener = listen(Number(process.argv[2]));
while (true) {
  const { client: socket } = listener.accept()!;
  try {
    serve({ socket, lines: new Lines() });
  } catch (error) {
    console.error(error);
  }
}

// Hold. A process that holds idle connections: each gets one answer and is then silent. For each line on standard input it
// makes one request on each, because a server may close a silent connection, and prints how many are answered.
import { createInterface } from "node:readline";
import { Socket } from "../runtime.ts";

const [port, target, count] = [Number(process.argv[2]), process.argv[3]!, Number(process.argv[4])];
const request = Buffer.from(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
const scratch = Buffer.alloc(256 * 1024);

// A port number is 16 bits wide, so that one address reaches a server some 28,000 times; there are more addresses.
const perAddress = 20_000;
const sockets = Array.from({ length: count }, (_, i) => {
  const socket = new Socket();
  socket.bind({ host: `127.0.0.${2 + Math.floor(i / perAddress)}`, port: 0 });
  socket.connect({ port });
  return socket;
});
console.log(askAll());
for await (const _ of createInterface({ input: process.stdin })) console.log(askAll());

function askAll(): number {
  return sockets.filter(answers).length;
}

function answers(socket: Socket): boolean {
  try {
    socket.send(request);
    return socket.recvInto(scratch)! > 0;
  } catch {
    return false;
  }
}

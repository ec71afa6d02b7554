// Another right answer, in another style: Node's own timer makes the turns, so the sleep is not a call of this program;
// the server reads from each client as soon as it is accepted, and the loop goes through the array from its end.
import { setTimeout as pause } from "node:timers/promises";
import { SO_REUSEADDR, SOL_SOCKET, Socket, SyscallError } from "workbook/net";

const listener = new Socket();
listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
listener.bind({ host: "127.0.0.1", port: Number(process.argv[2]) });
listener.listen();
listener.setBlocking(false);

const here: Socket[] = [];
const buffer = Buffer.alloc(128 * 1024);
let complained = 0;

/** "nothing" yet, "something", or the "end". */
function ask(socket: Socket): "nothing" | "something" | "end" {
  try {
    const got = socket.recvInto(buffer);
    return got === null ? "nothing" : got === 0 ? "end" : "something";
  } catch (error) {
    console.error(String(error));
    return "end";
  }
}

function turn(): boolean {
  let busy = false;
  try {
    for (let next = listener.accept(); next; next = listener.accept()) {
      next.client.setBlocking(false);
      busy = true;
      if (ask(next.client) === "end") next.client.close();
      else here.push(next.client);
    }
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    if (Date.now() - complained > 1000) console.error(error.message);
    complained = Date.now();
  }
  for (let i = here.length - 1; i >= 0; i--) {
    const answer = ask(here[i]!);
    if (answer === "end") here.splice(i, 1)[0]!.close();
    if (answer !== "nothing") busy = true;
  }
  return busy;
}

for (;;) {
  if (!turn()) await pause(2);
}

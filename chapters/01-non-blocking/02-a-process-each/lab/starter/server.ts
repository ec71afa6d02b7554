// The course's program 05 as TypeScript: a process for each client. A silent client holds up only its own process.
// Nothing limits the number of processes, and a silent client keeps its process for ever: that is the exercise.
import { fork } from "node:child_process";
import { setImmediate } from "node:timers/promises";
import { AF_INET, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, Socket, SyscallError } from "workbook/net";

const program = process.argv[1]!;

async function main(port: number): Promise<void> {
  // #region open
  const listener = new Socket(AF_INET, SOCK_STREAM);
  listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
  listener.bind({ host: "127.0.0.1", port });
  listener.listen(128);
  console.log(`listening on 127.0.0.1:${port}`);
  // #endregion open

  // #region start
  while (true) {
    const { client, peer } = listener.accept()!;
    const child = fork(program, ["child"], {
      stdio: ["ignore", "inherit", "inherit", client.fd, "ipc"],
    });
    client.close();
    child.disconnect();
    console.log(`${peer.host}:${peer.port} has process ${child.pid}`);
    // Here Node hears which children have ended.
    await setImmediate();
  }
  // #endregion start
}

// #region worker
/** The child process: the client is its descriptor 3. */
function child(): void {
  const client = new Socket({ fd: 3 });
  serve(client);
  client.close();
}

/** Reads one request and answers it. */
function serve(client: Socket): void {
  try {
    const data = client.recv(1024)!;
    if (data.length > 0) client.send(answer(data.toString("latin1")));
  } catch (error) {
    // A reset, for example. It concerns this connection only.
    if (!(error instanceof SyscallError)) throw error;
  }
}
// #endregion worker

/** The answer to a request: "GET /tea HTTP/1.1", and its fields. */
function answer(request: string): string {
  const target = /^GET ([!-~]+)/.exec(request)?.[1];
  const status = target === undefined ? "400 Bad Request" : "200 OK";
  const body = target === undefined ? "this is no request\n" : `you asked for ${target}\n`;
  return `HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
}

// #region roles
if (process.argv[2] === "child") {
  child();
} else if (process.argv.length === 3 && Number.isInteger(Number(process.argv[2]))) {
  await main(Number(process.argv[2]));
} else {
  console.log("run it like this: npx tsx server.ts 7891");
  process.exit(1);
}
// #endregion roles

// A pool of four processes. Each accepts a client, serves it, and accepts the next: the accept queue is the queue of the
// pool. A silent client has its process until its deadline, and however many clients come, there are four processes.
import { fork } from "node:child_process";
import {
  AF_INET,
  SO_RCVTIMEO,
  SO_REUSEADDR,
  SOCK_STREAM,
  SOL_SOCKET,
  Socket,
  SyscallError,
} from "workbook/net";

// #region sizes
/** So many clients are served side by side. */
const poolSize = 4;
/** The longest sleep of recv() for a silent client, as a struct timeval: half a second. */
const deadline = new BigInt64Array([0n, 500_000n]);
// #endregion sizes

const program = process.argv[1]!;

function main(port: number): void {
  // #region open
  const listener = new Socket(AF_INET, SOCK_STREAM);
  listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
  listener.bind({ host: "127.0.0.1", port });
  listener.listen(128);
  console.log(`listening on 127.0.0.1:${port}`);
  // #endregion open

  // #region start
  const pool = Array.from({ length: poolSize }, () =>
    fork(program, ["child"], { stdio: ["ignore", "inherit", "inherit", listener.fd, "ipc"] }),
  );
  console.log(`processes ${pool.map(({ pid }) => pid).join(", ")} accept`);
  // #endregion start
  // #region stop
  // A child that sleeps in accept() does not notice that this process ends.
  process.on("SIGTERM", () => {
    for (const child of pool) child.kill();
    process.exit();
  });
  // #endregion stop
}

/** The child process: the listener is its descriptor 3. */
function child(): void {
  const listener = new Socket({ fd: 3 });
  while (true) {
    const { client } = listener.accept()!;
    serve(client);
    client.close();
  }
}

/** Reads one request and answers it. A client that sends none before its deadline gets no answer. */
function serve(client: Socket): void {
  try {
    client.setOption(SOL_SOCKET, SO_RCVTIMEO, deadline);
    const data = client.recv(1024);
    if (data !== null && data.length > 0) client.send(answer(data.toString("latin1")));
  } catch (error) {
    // A reset, for example. It concerns this connection only.
    if (!(error instanceof SyscallError)) throw error;
  }
}

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
  main(Number(process.argv[2]));
} else {
  console.log("run it like this: npx tsx server.ts 7891");
  process.exit(1);
}
// #endregion roles

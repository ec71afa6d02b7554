// All that blocking calls can do: one client after another. A client that leaves, resets its connection or sends no
// request ends its own connection only. A silent client makes the others wait once, for the deadline.
import {
  AF_INET,
  SO_RCVTIMEO,
  SO_REUSEADDR,
  SOCK_STREAM,
  SOL_SOCKET,
  Socket,
  SyscallError,
} from "workbook/net";

/** The longest sleep of recv() for a silent client. All clients in the accept queue wait as long. */
const deadlineMs = 500;
/** The same as a struct timeval: whole seconds, then microseconds. */
const deadline = new BigInt64Array([
  BigInt(Math.floor(deadlineMs / 1000)),
  BigInt((deadlineMs % 1000) * 1000),
]);

function main(port: number): void {
  // #region open
  const listener = new Socket(AF_INET, SOCK_STREAM);
  listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
  listener.bind({ host: "127.0.0.1", port });
  listener.listen(128);
  console.log(`listening on 127.0.0.1:${port}`);
  // #endregion open

  // #region loop
  while (true) {
    const { client, peer } = listener.accept()!;
    const how = serve(client);
    client.close();
    console.log(`${peer.host}:${peer.port} ${how}`);
  }
  // #endregion loop
}

// #region serve
/** Reads one request and answers it. @returns what happened, for the log */
function serve(client: Socket): string {
  try {
    // #region limit
    client.setOption(SOL_SOCKET, SO_RCVTIMEO, deadline);
    // #endregion limit
    const data = client.recv(1024);
    // #region nothing
    if (data === null) return "sent nothing before the deadline";
    if (data.length === 0) return "closed without a request";
    // #endregion nothing
    client.send(answer(data.toString("latin1")));
    return "got its answer";
  } catch (error) {
    // A reset, for example. It concerns this connection only.
    if (!(error instanceof SyscallError)) throw error;
    return `is lost: ${error.message}`;
  }
}
// #endregion serve

/** The answer to a request: "GET /tea HTTP/1.1", and its fields. */
function answer(request: string): string {
  const target = /^GET ([!-~]+)/.exec(request)?.[1];
  const status = target === undefined ? "400 Bad Request" : "200 OK";
  const body = target === undefined ? "this is no request\n" : `you asked for ${target}\n`;
  return `HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
}

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  main(port);
} else {
  console.log("run it like this: npx tsx server.ts 7881");
  process.exit(1);
}

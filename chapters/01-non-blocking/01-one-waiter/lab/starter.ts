// The shortest server: it listens, accepts one client, sends one answer, and exits.
// It does not serve a second client, a silent client, or a client that leaves: that is the exercise.
import { AF_INET, SOCK_STREAM, Socket } from "workbook/net";

function main(port: number): void {
  // #region open
  const listener = new Socket(AF_INET, SOCK_STREAM);
  listener.bind({ host: "127.0.0.1", port });
  listener.listen(128);
  console.log(`listening on 127.0.0.1:${port}`);
  // #endregion open

  // #region serve
  const { client, peer } = listener.accept()!;
  console.log(`${peer.host}:${peer.port} connected`);
  // #region request
  const data = client.recv(1024)!;
  client.send(answer(data.toString("latin1")));
  // #endregion request
  client.close();
  console.log(`${peer.host}:${peer.port} got its answer`);
  // #endregion serve
}

// #region answer
/** The answer to a request: "GET /tea HTTP/1.1", and its fields. */
function answer(request: string): string {
  const target = /^GET ([!-~]+)/.exec(request)![1];
  const body = `you asked for ${target}\n`;
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
}
// #endregion answer

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  main(port);
} else {
  console.log("run it like this: npx tsx server.ts 7881");
  process.exit(1);
}

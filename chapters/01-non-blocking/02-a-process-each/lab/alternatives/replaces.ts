// Another right answer: six processes. The parent replaces a child that ends, so that no error makes the pool smaller.
import { fork } from "node:child_process";
import { SO_RCVTIMEO, SO_REUSEADDR, SOL_SOCKET, Socket } from "workbook/net";

const [, program, role] = process.argv as [string, string, string];

function start(fd: number): void {
  fork(program, ["child"], { stdio: ["ignore", "inherit", "inherit", fd, "ipc"] }).on("exit", () =>
    start(fd),
  );
}

if (role === "child") {
  const listener = new Socket({ fd: 3 });
  for (;;) {
    const { client } = listener.accept()!;
    client.setOption(SOL_SOCKET, SO_RCVTIMEO, new BigInt64Array([0n, 600_000n]));
    try {
      const [method, target] = (client.recv(4096) ?? "").toString("latin1").split(" ");
      if (method === "GET") client.send(`HTTP/1.0 200 OK\r\n\r\nyou asked for ${target}\n`);
    } catch (error) {
      console.log((error as Error).message);
    }
    client.close();
  }
} else {
  const listener = new Socket();
  listener.setOption(SOL_SOCKET, SO_REUSEADDR, true);
  listener.bind({ port: Number(role) });
  listener.listen();
  for (let i = 0; i < 6; i++) start(listener.fd);
}

// Polling server. The server of several tests: it polls its clients in turn, as the course's first one does, and rests.
export const polls = `import { AF_INET, SOCK_STREAM, SOL_SOCKET, SO_REUSEADDR, Socket, sleep } from "workbook/net";

const listener = new Socket(AF_INET, SOCK_STREAM);
listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
listener.bind({ host: "127.0.0.1", port: Number(process.argv[2]) });
listener.listen(128);
listener.setBlocking(false);
const clients: Socket[] = [];

while (true) {
  const arrival = listener.accept();
  if (arrival) {
    arrival.client.setBlocking(false);
    clients.push(arrival.client);
  }
  for (const client of clients) client.recv(1024);
  sleep(10);
}
`;

/** Where its calls stand. */
export const lines = { socket: 3, setOption: 4, listen: 6, accept: 11, recv: 16, sleep: 17 } as const;

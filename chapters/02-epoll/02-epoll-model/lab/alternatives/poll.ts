// Another right answer, in another style: poll(2) and an array of clients. One accept() and one recv() for each report:
// poll reports again what is still ready. And it wakes up once a second, as a server with deadlines would.
import { POLLIN, poll, SO_REUSEADDR, SOCK_NONBLOCK, SOL_SOCKET, Socket } from "workbook/net";

const listener = new Socket();
listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
listener.bind({ port: Number(process.argv[2]) });
listener.listen();
listener.setBlocking(false);

let clients: Socket[] = [];
const buffer = Buffer.alloc(100);

/** @returns whether the client stays */
function hear(client: Socket): boolean {
  try {
    const size = client.recvInto(buffer);
    if (size) console.log(buffer.toString("latin1", 0, size));
    return size !== 0;
  } catch {
    return false;
  }
}

while (true) {
  const ready = poll(
    [listener, ...clients].map(fd => ({ fd, events: POLLIN })),
    1000,
  );
  const has = new Set(ready.map(({ fd }) => fd));
  const gone = clients.filter(client => has.has(client.fd) && !hear(client));
  clients = clients.filter(client => !gone.includes(client));
  for (const client of gone) client.close();
  if (has.has(listener.fd)) {
    const arrival = listener.accept(SOCK_NONBLOCK);
    if (arrival) clients.push(arrival.client);
  }
}

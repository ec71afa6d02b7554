// Numbers and open files. Two sockets, one of which has two descriptors, and what epoll reports: npx tsx numbers.ts
import { EPOLLIN, Epoll, Socket, type SyscallError, socketPair } from "workbook/net";

const epoll = new Epoll();
const show = (what: string) => {
  const ready = epoll.poll(0).map(({ fd }) => fd);
  console.log(`${what.padEnd(34)} epoll reports ${ready.join(", ") || "nothing"}`);
};

const [peer, socket] = socketPair();
const { fd } = socket;
epoll.register(socket, EPOLLIN);
// #region copy
const copy = socket.dup();
peer.send("tea");
show(`${fd} is registered, ${copy.fd} its copy:`);

socket.close();
show(`${fd} is closed:`);
// #endregion copy

const stranger = new Socket();
show(`${stranger.fd} is a new, silent socket:`);

try {
  epoll.unregister(stranger);
} catch (error) {
  console.log(`unregister(${stranger.fd}) fails: ${(error as SyscallError).code}`);
}

const second = copy.fd;
copy.close();
show(`${second} is closed, too:`);

// Endings of a connection. For each it prints what epoll reports, and what recv() then returns: npx tsx endings.ts
import {
  EPOLLERR,
  EPOLLET,
  EPOLLHUP,
  EPOLLIN,
  EPOLLRDHUP,
  Epoll,
  SO_LINGER,
  SOL_SOCKET,
  Socket,
  SyscallError,
  sleep,
} from "workbook/net";

const bits = { IN: EPOLLIN, ERR: EPOLLERR, HUP: EPOLLHUP, RDHUP: EPOLLRDHUP };
const listener = new Socket();
listener.bind({ port: 0 });
listener.listen();

// #region endings
/** "own FIN" is one of this end. All other words are what the peer does. */
const endings = [
  "bytes",
  "FIN",
  "bytes, FIN",
  "RST",
  "bytes, RST",
  "own FIN",
  "own FIN, bytes, FIN",
  "refused connect",
];
// #endregion endings

/** @returns this end of a connection that has ended so */
function ended(ending: string): Socket {
  if (ending === "refused connect") return refused();
  const peer = new Socket();
  peer.connect(listener.localAddress());
  const { client: here } = listener.accept()!;
  for (const step of ending.split(", ")) {
    if (step === "bytes") peer.send("tea\n");
    if (step === "FIN") peer.shutdown("write");
    if (step === "own FIN") here.shutdown("write");
    if (step === "RST") {
      peer.setOption(SOL_SOCKET, SO_LINGER, new Int32Array([1, 0]));
      peer.close();
    }
  }
  return here;
}

function refused(): Socket {
  const [silent, here] = [new Socket(), new Socket()];
  silent.bind({ port: 0 }); // it has a port, and does not listen
  here.setBlocking(false);
  here.connect(silent.localAddress());
  return here;
}

/** What epoll reports for a socket that has ended so: the first time, and the second. */
function masks(ending: string, asked: number): string[] {
  const epoll = new Epoll();
  const here = ended(ending);
  sleep(10); // segments take a moment, on one machine, too
  epoll.register(here, asked);
  const seen = [epoll.poll(0), epoll.poll(0)].map(([ready]) => {
    const set = Object.entries(bits).filter(([, bit]) => (ready?.events ?? 0) & bit);
    return set.map(([name]) => name).join("|") || "-";
  });
  epoll.close();
  return seen;
}

/** What two calls of recv() return: a number of bytes, null (would block), or the name of an error. */
function reads(ending: string): string {
  const here = ended(ending);
  here.setBlocking(false);
  sleep(10);
  const results = [0, 1].map(() => {
    try {
      return here.recv(100)?.length ?? null;
    } catch (error) {
      return error instanceof SyscallError ? error.code : error;
    }
  });
  return results.map(String).join(", ");
}

for (const [mode, bit] of [
  ["level-triggered", 0],
  ["edge-triggered", EPOLLET],
] as const) {
  const row = (...cells: string[]) =>
    console.log(cells.map((cell, i) => cell.padEnd([20, 18, 7, 9][i] ?? 0)).join(""));
  row(mode, "IN|RDHUP asked", "again", "0 asked", "recv, recv");
  for (const ending of endings) {
    const [first, again] = masks(ending, EPOLLIN | EPOLLRDHUP | bit);
    const second = again === first && again !== "-" ? "same" : again!;
    row(ending, first!, second, masks(ending, bit)[0]!, reads(ending));
  }
}

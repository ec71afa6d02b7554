// sock_diag. The kernel's state of one connection, and of the listeners. A check looks every few milliseconds:
// sock_diag(7) looks up one socket, while /proc/net/tcp walks through the whole table (5 ms on a large machine). A
// kernel without sock_diag is asked through /proc.

import { readFileSync } from "node:fs";
import { type TcpSocket, TcpTable, tcpStates } from "../kernel.ts";
import { native } from "../runtime.ts";

const AF_NETLINK = 16;
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const NETLINK_SOCK_DIAG = 4;
const IPPROTO_TCP = 6;
const MSG_DONTWAIT = 0x40;

const SOCK_DIAG_BY_FAMILY = 20;
const NLM_F_REQUEST = 1;
const NLM_F_DUMP = 0x300;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const ENOENT = 2;

/** struct nlmsghdr, struct inet_diag_req_v2, and where the struct inet_diag_sockid begins in it. */
const headerBytes = 16;
const requestBytes = headerBytes + 56;
const sockid = headerBytes + 8;
/** Offsets in struct inet_diag_msg; its sockid begins at 4. */
const at = { state: 1, localPort: 4, remotePort: 6, recvQueue: 56, sendQueue: 60, inode: 68 } as const;
const loopback = 0x7f000001;

/** Every listening socket, of IPv4 and IPv6. */
export function listeners(): TcpSocket[] {
  const rows = [AF_INET, AF_INET6].map(family =>
    ask(request(family, NLM_F_DUMP, 1 << tcpStates.indexOf("LISTEN"), 0, 0)),
  );
  if (!rows.includes(null)) return rows.flat() as TcpSocket[];
  return tcpSockets().filter(row => row.state === "LISTEN");
}

/** Every IPv4 socket whose connect is in progress: its SYN is not answered yet. */
export function connecting(): TcpSocket[] {
  const rows = ask(request(AF_INET, NLM_F_DUMP, 1 << tcpStates.indexOf("SYN_SENT"), 0, 0)) ?? tcpSockets();
  return rows.filter(row => row.state === "SYN_SENT");
}

/** How many SYNs the kernel has dropped so far because an accept queue was full. It costs far less to ask than connecting(). */
export function listenDrops(): number {
  const [names = [], values = []] = readFileSync("/proc/net/netstat", "latin1")
    .split("\n")
    .filter(line => line.startsWith("TcpExt:"))
    .map(line => line.split(" "));
  return Number(values[names.indexOf("ListenDrops")] ?? 0);
}

/** The socket of a loopback connection with these two ports; null when the kernel has no such socket. */
export function socketByPorts(
  localPort: number,
  remotePort: number,
  host: "127.0.0.1" | "::1" = "127.0.0.1",
): TcpSocket | null {
  if (remotePort === 0) return null;
  const family = host === "::1" ? AF_INET6 : AF_INET;
  const rows = ask(request(family, 0, 0xffffffff, localPort, remotePort)) ?? tcpSockets();
  // For a connection that does not exist the kernel returns the listener that would accept it.
  return rows.find(row => row.localPort === localPort && row.remotePort === remotePort) ?? null;
}

function request(
  family: number,
  flags: number,
  states: number,
  localPort: number,
  remotePort: number,
): Buffer {
  const bytes = Buffer.alloc(requestBytes);
  bytes.writeUInt32LE(requestBytes, 0);
  bytes.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4);
  bytes.writeUInt16LE(NLM_F_REQUEST | flags, 6);
  bytes.writeUInt8(family, headerBytes);
  bytes.writeUInt8(IPPROTO_TCP, headerBytes + 1);
  bytes.writeUInt32LE(states >>> 0, headerBytes + 4);
  bytes.writeUInt16BE(localPort, sockid);
  bytes.writeUInt16BE(remotePort, sockid + 2);
  if (remotePort > 0) {
    // 16 bytes for each address, of which IPv4 takes the first four; ::1 is fifteen zeros and a one.
    for (const address of [sockid + 4, sockid + 20]) {
      if (family === AF_INET) bytes.writeUInt32BE(loopback, address);
      else bytes.writeUInt8(1, address + 15);
    }
  }
  // INET_DIAG_NOCOOKIE: any socket with these ports.
  bytes.fill(0xff, sockid + 40, sockid + 48);
  return bytes;
}

let netlink: number | null = null;
const answer = Buffer.allocUnsafeSlow(64 * 1024);

/** Sends one request. @returns null when the kernel does not support it */
function ask(question: Buffer): TcpSocket[] | null {
  netlink ??= native.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_SOCK_DIAG);
  // The kernel answers within send(2): the answer can be read when send returns.
  if (netlink === -1 || native.send(netlink, question, question.length, 0) === -1) return null;
  const rows: TcpSocket[] = [];
  const all = question.readUInt16LE(6) !== NLM_F_REQUEST;
  for (;;) {
    const got = Number(native.recv(netlink, answer, answer.length, MSG_DONTWAIT));
    if (got <= 0) return all ? null : rows;
    for (let from = 0; from + headerBytes <= got; ) {
      const length = answer.readUInt32LE(from);
      const type = answer.readUInt16LE(from + 4);
      if (type === NLMSG_DONE) return rows;
      if (type === NLMSG_ERROR)
        return -answer.readInt32LE(from + headerBytes) === ENOENT && !all ? rows : null;
      rows.push(row(from + headerBytes));
      from += (length + 3) & ~3;
    }
    if (!all) return rows;
  }
}

function row(from: number): TcpSocket {
  return {
    localPort: answer.readUInt16BE(from + at.localPort),
    remotePort: answer.readUInt16BE(from + at.remotePort),
    state: tcpStates[answer.readUInt8(from + at.state)] ?? "CLOSE",
    sendQueue: answer.readUInt32LE(from + at.sendQueue),
    recvQueue: answer.readUInt32LE(from + at.recvQueue),
    inode: answer.readUInt32LE(from + at.inode),
  };
}

/** All TCP sockets of this network namespace. See proc_net_tcp(5). */
export function tcpSockets(): TcpSocket[] {
  const table = (file: string, version: 4 | 6) =>
    new TcpTable(Buffer.from(read(`/proc/net/${file}`), "latin1"), version).rows;
  return [...table("tcp", 4), ...table("tcp6", 6)];
}

function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

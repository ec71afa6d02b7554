// What lessons refer to: system calls, man pages, RFCs. A link says what stands behind it, so that it is
// of use offline too.
import { tracedCalls } from "../../server-labs/trace-layout.ts";

/** What a system call does, in the words of its man page (the NAME line). */
const syscallSummaries: Record<string, string> = {
  socket: "create an endpoint for communication",
  bind: "bind a name to a socket",
  listen: "listen for connections on a socket",
  accept: "accept a connection on a socket",
  accept4: "accept a connection on a socket",
  connect: "initiate a connection on a socket",
  recv: "receive a message from a socket",
  send: "send a message on a socket",
  read: "read from a file descriptor",
  write: "write to a file descriptor",
  shutdown: "shut down part of a full-duplex connection",
  close: "close a file descriptor",
  fcntl: "manipulate file descriptor",
  setsockopt: "set options on sockets",
  getsockopt: "get options on sockets",
  getsockname: "get socket name",
  getpeername: "get name of connected peer socket",
  select: "synchronous I/O multiplexing",
  poll: "wait for some event on a file descriptor",
  epoll_create1: "open an epoll file descriptor",
  epoll_ctl: "control interface for an epoll file descriptor",
  epoll_wait: "wait for an I/O event on an epoll file descriptor",
  eventfd: "create a file descriptor for event notification",
  nanosleep: "high-resolution sleep",
  getrlimit: "get resource limits",
  setrlimit: "set resource limits",
  prctl: "operations on a process or thread",
  clone: "create a child process",
  fork: "create a child process",
  openat: "open and possibly create a file",
  sendfile: "transfer data between file descriptors",
};

/** Names that a man page has under another one. */
const pageOf: Record<string, string> = { accept4: "accept", setrlimit: "getrlimit" };

const rfcTitles: Record<string, string> = {
  "768": "User Datagram Protocol",
  "896": "Congestion Control in IP/TCP Internetworks",
  "1122": "Requirements for Internet Hosts: Communication Layers",
  "3629": "UTF-8, a transformation format of ISO 10646",
  "3986": "Uniform Resource Identifier (URI): Generic Syntax",
  "6298": "Computing TCP's Retransmission Timer",
  "6454": "The Web Origin Concept",
  "9110": "HTTP Semantics",
  "9111": "HTTP Caching",
  "9112": "HTTP/1.1",
  "9293": "Transmission Control Protocol (TCP)",
};

export interface Reference {
  text: string;
  href: string;
  title: string;
}

/** Every call that :syscall[…] may name: those that the Syscalls pane can show, and a few that it cannot. */
export const syscallNames = [
  ...new Set([...tracedCalls.filter(name => name !== "?"), ...Object.keys(syscallSummaries)]),
];

export function syscall(name: string): { name: string; href: string; summary: string } | null {
  const summary = syscallSummaries[name];
  return summary === undefined ? null : { name, href: manPage(pageOf[name] ?? name, "2"), summary };
}

/** @param text "epoll(7)"; null when it is not of this form. */
export function man(text: string): Reference | null {
  const match = /^([A-Za-z_][\w.+-]*)\(([1-8])\)$/.exec(text);
  if (!match) return null;
  const summary = match[2] === "2" ? syscallSummaries[match[1]!] : undefined;
  const title = `The Linux man page ${text}${summary ? `: ${summary}` : ""}`;
  return { text, href: manPage(match[1]!, match[2]!), title };
}

/** @param number "9110"; @param section "8.6", if a part is meant; null when either is not of this form. */
export function rfc(number: string, section?: string | null): Reference | null {
  if (!/^[1-9]\d{0,4}$/.test(number) || (section && !/^(\d+|[A-Z])(\.\d+)*$/.test(section))) return null;
  const name = rfcTitles[number];
  const appendix = section && /^[A-Z]/.test(section);
  return {
    text: section ? `RFC ${number} ${appendix ? "appendix " : "§ "}${section}` : `RFC ${number}`,
    href: `https://www.rfc-editor.org/rfc/rfc${number}${section ? `#${appendix ? "appendix" : "section"}-${section}` : ""}`,
    title: `RFC ${number}${name ? `: ${name}` : ""}`,
  };
}

function manPage(name: string, section: string): string {
  return `https://man7.org/linux/man-pages/man${section}/${name}.${section}.html`;
}

// References. System calls, man pages and RFCs that a lesson names. The link's title says what its target is, for readers offline.
import { callRows, tracedCalls } from "../../../server-labs/protocol.ts";

/** Calls that a lesson speaks of and that the trace does not show; in the words of their man pages (the NAME line). */
const otherCalls: Record<string, string> = {
  accept: "accept a connection on a socket",
  select: "synchronous I/O multiplexing",
  clone: "create a child process",
  fork: "create a child process",
  openat: "open and possibly create a file",
  sendfile: "transfer data between file descriptors",
};
const traced = tracedCalls.filter(name => name !== "?");
const syscallSummaries: Record<string, string> = {
  ...otherCalls,
  ...Object.fromEntries(traced.map(name => [name, callRows[name].summary])),
};

/** Names that a man page has under another one. */
const pageOf: Record<string, string> = Object.fromEntries(
  traced.map(name => [name, callRows[name].man.replace(/\(2\)$/, "")]),
);

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
export const syscallNames = [...new Set([...traced, ...Object.keys(otherCalls)])];

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

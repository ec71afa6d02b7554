// Kernel sample. What the kernel knows of a program, read from /proc while a page or a shell asks for it: its queues,
// its descriptors, what its epoll instances watch. A sample is not one instant, and what happens between two samples is
// seen in the calls only.
import type { ClosedStatement, DoingStatement, KernelProblem, ThinStatement } from "./sentences/kernel.ts";

/** Bounds of a sample. */
export const kernelLimits = {
  /** The shortest time between samples, in milliseconds. */
  everyMs: 100,
  /** Sampling may take this part of a processor; where one sample costs much, there are fewer, and the page says so. */
  share: 0.05,
  /** Connections shown one by one, those with something in a queue first; the others are counted. */
  connections: 200,
  /** Waiting clients shown one by one for each listener. */
  waiting: 64,
  /** Registrations shown of each epoll instance: those of what is shown. The others are counted. */
  interest: 256,
  epolls: 32,
  /** Other descriptors shown one by one. */
  others: 64,
} as const;

/** "127.0.0.1:51322" */
export type Endpoint = string;

/** The names of tcp(7), as `ss` and `netstat` know them. */
export type TcpState =
  | "ESTABLISHED"
  | "SYN_SENT"
  | "SYN_RECV"
  | "FIN_WAIT1"
  | "FIN_WAIT2"
  | "TIME_WAIT"
  | "CLOSE"
  | "CLOSE_WAIT"
  | "LAST_ACK"
  | "LISTEN"
  | "CLOSING"
  | "NEW_SYN_RECV";

export interface KernelListener {
  fd: number;
  address: Endpoint;
  /** Connections that are established and not yet accepted. */
  queued: number;
  /** How many may wait: what listen(2) was given, cut to net.core.somaxconn; null when it is not known. */
  backlog: number | null;
  /** Some of the clients that wait. */
  waiting: { peer: Endpoint; state: TcpState; recvQ: number }[];
}

export interface KernelConnection {
  fd: number;
  local: Endpoint;
  peer: Endpoint;
  state: TcpState;
  /** Bytes that have arrived and that the program has not read. Of a CLOSE the kernel shows no queues: 0. */
  recvQ: number;
  /** Bytes that the program has sent and the peer has not acknowledged. */
  sendQ: number;
  /** The peer's own socket, when it is on this machine: what it has not read, and has not got through. */
  other: { state: TcpState; recvQ: number; sendQ: number } | null;
  /** O_NONBLOCK is set; null while it was not seen. */
  nonblocking: boolean | null;
}

/**
 * Is a watched descriptor on the ready list? The kernel does not say; it follows from the rest:
 * "no": it is not ready · "listed": the next epoll_wait reports it · "silent": it is ready and not on the list, so no
 * epoll_wait reports it (edge-triggered, and not read to the end; or a disarmed ONESHOT) · "unknown": both are possible.
 */
export type ReadyState = "no" | "listed" | "silent" | "unknown";

/** The open file of a registration whose descriptor was closed, while another descriptor keeps the file open. */
export interface ClosedDescriptor {
  statement: ClosedStatement;
  /** Both ends, state and received bytes of its connection, or of its listener; null where the kernel does not show them. */
  socket: { local: Endpoint; peer: Endpoint; state: TcpState; recvQ: number } | null;
}

export interface KernelInterest {
  /** The number that the open file had when it was registered. */
  fd: number;
  /** Left out where the number is still this file, as far as the kernel shows. */
  closed?: ClosedDescriptor;
  /** The flags that epoll_ctl(2) was given: ["EPOLLIN", "EPOLLET"]. */
  events: string[];
  trigger: "level" | "edge" | "oneshot" | "disarmed";
  ready: ReadyState;
}

export interface KernelEpoll {
  fd: number;
  interest: KernelInterest[];
  /** Registrations, shown or not. */
  registered: number;
  /** Is anything on the ready list? null: not known while the program runs. */
  ready: boolean | null;
}

/** Any other descriptor of the student's. */
export interface KernelOther {
  fd: number;
  /** "file html/index.html", "eventfd", "pipe", "socket (no TCP connection)" */
  what: string;
}

/** What was counted in a second, between two looks at least, divided by the time that really passed between them. */
export interface KernelRates {
  /** Calls, by what came of them. */
  ready: number;
  waiting: number;
  failed: number;
  unseen: number;
  /** Milliseconds on processors. */
  cpuMs: number;
  /** The milliseconds over which this is a mean; left out where they are about a second. */
  overMs?: number;
}

export interface KernelSample {
  /** Milliseconds between samples as they come now. */
  everyMs: number;
  /** Why there are fewer samples than were asked for; null when there are as many. */
  thin: ThinStatement | null;
  doing: DoingStatement;
  /** What the kernel does not let the lab server see: then the lists are not complete. */
  problem: KernelProblem | null;
  /** Over the last second, or since the first look; null at the first look since a page or a shell wants samples. */
  rates: KernelRates | null;
  cpuMs: number;
  rssBytes: number;
  threads: number;
  descriptors: { open: number; limit: number };
  /** Calls so far, by what came of them; `unseen` were too fast to be read. */
  calls: { ready: number; waiting: number; failed: number; unseen: number };
  listeners: KernelListener[];
  connections: KernelConnection[];
  /** Connections that are not in the list, and what is in their queues together; other descriptors that are not. */
  omitted: { connections: number; recvQ: number; sendQ: number; others: number };
  epolls: KernelEpoll[];
  others: KernelOther[];
  /** Kernel memory of all TCP sockets of this machine, in bytes: /proc/net/sockstat. */
  tcpMemoryBytes: number;
}

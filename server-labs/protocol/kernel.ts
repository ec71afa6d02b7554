// What the kernel itself knows of a program, sampled from /proc while somebody looks: its queues, its descriptors, what
// its epoll instances watch. Two samples are not one instant, and what happens between them is seen in the calls only.

/** Bounds of a sample. */
export const kernelLimits = {
  /** The shortest time between samples, in milliseconds. */
  everyMs: 100,
  /** Sampling may take this part of a processor; where one sample is dear, there are fewer, and the page says so. */
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
  /** Some of those who wait. */
  waiting: { peer: Endpoint; state: TcpState; recvQ: number }[];
}

export interface KernelConnection {
  fd: number;
  local: Endpoint;
  peer: Endpoint;
  state: TcpState;
  /** Octets that have arrived and that the program has not read. Of a CLOSE the kernel tells no queues: 0. */
  recvQ: number;
  /** Octets that the program has sent and the peer has not acknowledged. */
  sendQ: number;
  /** The peer's own socket, when it is on this machine: what it has not read, and has not got through. */
  other: { state: TcpState; recvQ: number; sendQ: number } | null;
  nonblocking: boolean;
}

/**
 * Is a watched descriptor on the ready list? It cannot be asked, only concluded:
 * "no": it is not ready · "listed": the next epoll_wait reports it · "silent": it is ready and not on the list, so nobody
 * will be told (edge-triggered, and not read to the end; or a disarmed ONESHOT) · "unknown": both are possible.
 */
export type Ready = "no" | "listed" | "silent" | "unknown";

export interface KernelInterest {
  fd: number;
  /** As epoll_ctl(2) was given it: "EPOLLIN|EPOLLET". */
  events: string;
  trigger: "level" | "edge" | "oneshot" | "disarmed";
  ready: Ready;
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
  /** "file html/index.html", "eventfd", "pipe", "socket (not connected)" */
  what: string;
}

export interface KernelSample {
  /** Milliseconds between samples as they come now. */
  everyMs: number;
  /** Why they come more seldom than asked, in a sentence; null when they do not. */
  thin: string | null;
  /** "running", "asleep in epoll_wait(4)", "paused before recv(7, 1024)", "stopped by a signal" … */
  doing: string;
  /** What the kernel does not let the lab server see, in a sentence: then the lists are not complete. */
  problem: string | null;
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

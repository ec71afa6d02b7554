// The kernel's own names and numbers, as in <sys/socket.h>, <sys/epoll.h> and their neighbours. Linux gives them
// the same values on x64 and arm64, the two machines that the workbook runs on.

/** Address family: IPv4. See ip(7). */
export const AF_INET = 2;
/** Address family: IPv6. See ipv6(7). */
export const AF_INET6 = 10;

/** A stream of bytes, in order, without borders between messages: TCP. See socket(2). */
export const SOCK_STREAM = 1;
/** Datagrams: messages with borders, that may get lost: UDP. See socket(2). */
export const SOCK_DGRAM = 2;
/** Flag for socket(2) and accept4(2): the new socket is non-blocking from its birth. */
export const SOCK_NONBLOCK = 0o4000;
/** Flag for socket(2) and accept4(2): closed on execve(2). The runtime always sets it. */
export const SOCK_CLOEXEC = 0o2000000;

/** Level for getsockopt(2) and setsockopt(2): options of any socket, listed in socket(7). */
export const SOL_SOCKET = 1;
/** Level for getsockopt(2) and setsockopt(2): options of TCP, listed in tcp(7). */
export const IPPROTO_TCP = 6;
/** Level for getsockopt(2) and setsockopt(2): options of IPv6, listed in ipv6(7). */
export const IPPROTO_IPV6 = 41;

/**
 * bind(2) may take a port whose earlier connections linger in TIME_WAIT, if their socket had it set, too. Set it
 * before bind. See socket(7).
 */
export const SO_REUSEADDR = 2;
/** Reading it gives the error that waits on the socket, and clears it: how a non-blocking connect ends. socket(7). */
export const SO_ERROR = 4;
/** Size of the send buffer in bytes; the kernel doubles what is set, and stops tuning it. See socket(7). */
export const SO_SNDBUF = 7;
/** Size of the receive buffer in bytes; the kernel doubles what is set, and stops tuning it. See socket(7). */
export const SO_RCVBUF = 8;
/** Probe a silent peer now and then (by default after two hours). See socket(7), tcp(7). */
export const SO_KEEPALIVE = 9;
/** What close(2) does with unsent data; `new Int32Array([1, 0])` makes it reset the connection. See socket(7). */
export const SO_LINGER = 13;
/** Several sockets may listen on one port, and the kernel spreads the connections. See socket(7). */
export const SO_REUSEPORT = 15;
/** How long a blocking receive may wait: a struct timeval. See socket(7). */
export const SO_RCVTIMEO = 20;
/** How long a blocking send may wait: a struct timeval. See socket(7). */
export const SO_SNDTIMEO = 21;
/** Send small pieces at once, do not wait for the acknowledgement of the last (Nagle off). See tcp(7). */
export const TCP_NODELAY = 1;
/** Hold back partial segments until it is cleared, or for 0.2 s. See tcp(7). */
export const TCP_CORK = 3;
/** What TCP knows of this connection: struct tcp_info. See tcp(7). */
export const TCP_INFO = 11;
/** Acknowledge at once, for now. See tcp(7). */
export const TCP_QUICKACK = 12;
/** An IPv6 socket takes IPv6 only, not IPv4 as well. See ipv6(7). */
export const IPV6_V6ONLY = 26;

/** The longest backlog that makes sense: the kernel caps it at net.core.somaxconn, 4096 by default. See listen(2). */
export const SOMAXCONN = 4096;

/** Flag of recv(2): look at the bytes, but leave them in the receive buffer. */
export const MSG_PEEK = 0x2;
/** Flag of recv(2) and send(2): for this one call, do as if the socket were non-blocking. */
export const MSG_DONTWAIT = 0x40;
/** Flag of recv(2): wait until the whole size is there (or the end of the stream, or a signal). */
export const MSG_WAITALL = 0x100;
/** Flag of send(2): a broken pipe gives EPIPE only, no SIGPIPE. Node ignores SIGPIPE, so here it changes nothing. */
export const MSG_NOSIGNAL = 0x4000;
/** Flag of send(2): more follows, do not send a partial segment yet. */
export const MSG_MORE = 0x8000;

/** Readable: recv (or accept) will not block. At the end of the stream a socket is readable too. See epoll_ctl(2). */
export const EPOLLIN = 0x001;
/** Urgent data. See epoll_ctl(2). */
export const EPOLLPRI = 0x002;
/** Writable: send will take at least something. Nearly always so: ask for it only while you have something to send. */
export const EPOLLOUT = 0x004;
/** An error waits on the socket (read it with SO_ERROR). Always reported, never asked for. See epoll_ctl(2). */
export const EPOLLERR = 0x008;
/** Both directions are closed. Always reported, never asked for. See epoll_ctl(2). */
export const EPOLLHUP = 0x010;
/** The peer has closed its sending half: recv will reach the end of the stream. See epoll_ctl(2). */
export const EPOLLRDHUP = 0x2000;
/** Of several epolls that watch this descriptor wake only one (or a few). Only with register. See epoll_ctl(2). */
export const EPOLLEXCLUSIVE = 0x10000000;
/** Report once, then be silent until modify. See epoll_ctl(2). */
export const EPOLLONESHOT = 0x40000000;
/** Edge-triggered: told when something new comes, not while something is there. See epoll(7). */
export const EPOLLET = 0x80000000;

/** Readable, for poll(2). */
export const POLLIN = 0x001;
/** Urgent data, for poll(2). */
export const POLLPRI = 0x002;
/** Writable, for poll(2). */
export const POLLOUT = 0x004;
/** An error waits on the descriptor; always reported by poll(2). */
export const POLLERR = 0x008;
/** Both directions are closed; always reported by poll(2). */
export const POLLHUP = 0x010;
/** This descriptor is not open; always reported by poll(2). */
export const POLLNVAL = 0x020;
/** The peer has closed its sending half, for poll(2). */
export const POLLRDHUP = 0x2000;

/** Resource for getrlimit(2): one more than the highest file descriptor that this process may open. */
export const RLIMIT_NOFILE = 7;

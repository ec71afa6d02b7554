// Constants. The kernel's names and numbers, as in <sys/socket.h> and <sys/epoll.h>. Linux has the same values on x64 and
// arm64, the two architectures that the workbook runs on.

/** Address family: sockets within this machine, without ports. See unix(7). */
export const AF_UNIX = 1;
/** Address family: IPv4. See ip(7). */
export const AF_INET = 2;
/** Address family: IPv6. See ipv6(7). */
export const AF_INET6 = 10;

/** Socket type: a stream of bytes in order, without message boundaries: TCP. See socket(2). */
export const SOCK_STREAM = 1;
/** Socket type: datagrams, messages that may get lost: UDP. See socket(2). */
export const SOCK_DGRAM = 2;
/** Flag for socket(2) and accept4(2): the new socket is non-blocking. */
export const SOCK_NONBLOCK = 0o4000;
/** Flag of an open file: a call on it that would have to wait fails with EAGAIN. It has no effect on a file on a disk. See open(2). */
export const O_NONBLOCK = 0o4000;
/** Flag for socket(2) and accept4(2): closed on execve(2). The runtime always sets it. */
export const SOCK_CLOEXEC = 0o2000000;

/** Level for getsockopt(2) and setsockopt(2): options of any socket, listed in socket(7). */
export const SOL_SOCKET = 1;
/** Level for getsockopt(2) and setsockopt(2): options of TCP, listed in tcp(7). */
export const IPPROTO_TCP = 6;
/** Level for getsockopt(2) and setsockopt(2): options of IPv6, listed in ipv6(7). */
export const IPPROTO_IPV6 = 41;

/**
 * Lets bind(2) use a port whose earlier connections are still in TIME_WAIT, if their sockets had this option too. Set it
 * before bind. See socket(7).
 */
export const SO_REUSEADDR = 2;
/** The pending error of the socket; reading clears it. It holds the result of a non-blocking connect. See socket(7). */
export const SO_ERROR = 4;
/** Size of the send buffer in bytes; the kernel doubles what is set, and stops tuning it. See socket(7). */
export const SO_SNDBUF = 7;
/** Size of the receive buffer in bytes; the kernel doubles what is set, and stops tuning it. See socket(7). */
export const SO_RCVBUF = 8;
/** Probes a peer that sends nothing (by default after two hours). See socket(7), tcp(7). */
export const SO_KEEPALIVE = 9;
/**
 * What close(2) does with unsent bytes: a struct linger, which is two ints: on (1) or off (0), and a number of seconds.
 * `new Int32Array([1, 0])` makes close reset the connection; with more seconds close waits so long until the peer has
 * acknowledged them, on a non-blocking socket, too. See socket(7).
 */
export const SO_LINGER = 13;
/** Several sockets may listen on one port; the kernel distributes the connections. See socket(7). */
export const SO_REUSEPORT = 15;
/** The longest wait of a blocking recv or accept: a struct timeval. See socket(7). */
export const SO_RCVTIMEO = 20;
/** The longest wait of a blocking send: a struct timeval. See socket(7). */
export const SO_SNDTIMEO = 21;
/** Sends small segments at once, without a wait for the last acknowledgement: Nagle's algorithm off. See tcp(7). */
export const TCP_NODELAY = 1;
/** Holds back partial segments until the option is cleared, for 0.2 s at most. See tcp(7). */
export const TCP_CORK = 3;
/** The state of this TCP connection: a struct tcp_info. See tcp(7). */
export const TCP_INFO = 11;
/** Acknowledges at once, until the kernel changes it. See tcp(7). */
export const TCP_QUICKACK = 12;
/** An IPv6 socket accepts IPv6 only, and not IPv4. See ipv6(7). */
export const IPV6_V6ONLY = 26;

/** The largest useful backlog: the kernel limits it to net.core.somaxconn, 4096 by default. See listen(2). */
export const SOMAXCONN = 4096;

/** Flag of recv(2): returns the bytes, and leaves them in the receive buffer. */
export const MSG_PEEK = 0x2;
/** Flag of recv(2) and send(2): this one call does not block. */
export const MSG_DONTWAIT = 0x40;
/** Flag of recv(2): waits until `size` bytes are there, or for the end of the stream, or a signal. */
export const MSG_WAITALL = 0x100;
/** Flag of send(2): EPIPE without the signal SIGPIPE. Node ignores SIGPIPE, so the flag changes nothing here. */
export const MSG_NOSIGNAL = 0x4000;
/** Flag of send(2): more bytes follow, so a partial segment is held back. */
export const MSG_MORE = 0x8000;

/**
 * Readable: bytes, a new connection, or the end of the stream. Use a non-blocking socket: recv or accept may still find
 * nothing, select(2), BUGS. See epoll_ctl(2).
 */
export const EPOLLIN = 0x001;
/** Urgent data. See epoll_ctl(2). */
export const EPOLLPRI = 0x002;
/** Writable: send accepts at least one byte. It nearly always does: ask for it only while bytes wait to be sent. See epoll_ctl(2). */
export const EPOLLOUT = 0x004;
/** The socket has an error (read it with SO_ERROR). Reported whatever the mask. See epoll_ctl(2). */
export const EPOLLERR = 0x008;
/** Both directions are closed, or there is no connection yet. Reported whatever the mask. See epoll_ctl(2). */
export const EPOLLHUP = 0x010;
/** The peer has closed its sending half: recv reaches the end of the stream behind what is unread. See epoll_ctl(2). */
export const EPOLLRDHUP = 0x2000;
/** Of several epoll instances that watch this descriptor, wakes one (or a few). Only with register. See epoll_ctl(2). */
export const EPOLLEXCLUSIVE = 0x10000000;
/** Reports once, and again only after modify. See epoll_ctl(2). */
export const EPOLLONESHOT = 0x40000000;
/** Edge-triggered: reports when something new arrives, and not as long as something is there. See epoll(7). */
export const EPOLLET = 0x80000000;

/** Readable: bytes, a new connection, or the end of the stream. Use a non-blocking socket, as for EPOLLIN. See poll(2). */
export const POLLIN = 0x001;
/** Urgent data. See poll(2). */
export const POLLPRI = 0x002;
/** Writable: send accepts at least one byte. See poll(2). */
export const POLLOUT = 0x004;
/** The descriptor has an error. Reported whatever the mask. See poll(2). */
export const POLLERR = 0x008;
/** Both directions are closed, or there is no connection yet. Reported whatever the mask. See poll(2). */
export const POLLHUP = 0x010;
/** This descriptor is not open. Reported whatever the mask. See poll(2). */
export const POLLNVAL = 0x020;
/** The peer has closed its sending half. See poll(2). */
export const POLLRDHUP = 0x2000;

/** Flag for eventfd(2): the new descriptor is non-blocking. */
export const EFD_NONBLOCK = 0o4000;
/** Flag for eventfd(2): each read returns 1 and lowers the counter by 1, as a semaphore does. */
export const EFD_SEMAPHORE = 1;
/** Flag for signalfd(2): the new descriptor is non-blocking. */
export const SFD_NONBLOCK = 0o4000;

/** Signal: the terminal has closed. By default it ends the process. See signal(7). */
export const SIGHUP = 1;
/** Signal: Ctrl-C. By default it ends the process. See signal(7). */
export const SIGINT = 2;
/** Signal for the program's own use. By default it ends the process; Node starts its debugger. See signal(7). */
export const SIGUSR1 = 10;
/** Signal for the program's own use. By default it ends the process. See signal(7). */
export const SIGUSR2 = 12;
/** Signal: please end. It is what `kill` and **Stop** send. By default it ends the process at once. See signal(7). */
export const SIGTERM = 15;

/** Resource for getrlimit(2): one more than the highest file descriptor that this process may open. */
export const RLIMIT_NOFILE = 7;

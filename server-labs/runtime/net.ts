// workbook/net. What a lab imports: sockets, epoll and poll with the methods that the course knows from Python, each a
// thin layer over one system call.
export type { Address } from "./net/address.ts";
export type { HasDescriptor } from "./net/arguments.ts";
export { Epoll, type Ready } from "./net/epoll.ts";
export { SyscallError } from "./net/errors.ts";
export { EventFd } from "./net/event-fd.ts";
export { getLimit, type Limit, setLimit } from "./net/limits.ts";
export { Pipe, socketPair } from "./net/pipe.ts";
export { poll } from "./net/poll.ts";
export { type ArrivedSignal, SignalFd } from "./net/signal-fd.ts";
export { sleep } from "./net/sleep.ts";
export { Socket } from "./net/socket.ts";
export * from "./sys/constants.ts";

// From a shell: `npx tsx server.ts 7890 --step`. Without --step the terminal code is not loaded.
if (process.argv.includes("--step", 2)) (await import("./step/step.ts")).stepThrough();

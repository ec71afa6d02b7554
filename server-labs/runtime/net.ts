// workbook/net: what a lab imports. Sockets, epoll and poll in the shape that the course knows from Python, each a
// thin skin over a system call of the same name.
export type { Address } from "./address.ts";
export type { HasDescriptor } from "./arguments.ts";
export * from "./constants.ts";
export { Epoll, type Ready } from "./epoll.ts";
export { SyscallError } from "./errors.ts";
export { getLimit, type Limit, setLimit } from "./limits.ts";
export { poll } from "./poll.ts";
export { sleep } from "./sleep.ts";
export { Socket } from "./socket.ts";

// From a shell: `npx tsx server.ts 7890 --step`. Nothing of it is loaded otherwise.
if (process.argv.includes("--step", 2)) (await import("./step.ts")).stepThrough();

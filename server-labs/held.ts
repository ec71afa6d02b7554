// Streams of a child process that are not read yet. When a child exits, Node makes every stream of it flow that
// nobody listens to, and what it had said is lost; a stream that is held keeps it until somebody lets it flow.
import type { Readable } from "node:stream";

const nothing = () => {};

/** Keeps what comes until flow(). To be called in the turn in which the child was spawned. */
export function hold(stream: Readable): void {
  stream.on("readable", nothing);
}

/** Lets the stream flow: all of it, from its beginning, to this listener. */
export function flow<Chunk>(stream: Readable, listener: (chunk: Chunk) => void): void {
  stream.off("readable", nothing);
  stream.on("data", listener);
}

// Held streams. Streams of a child process that are not read yet. When a child exits, Node makes every stream of it flow
// that has no listener, and its bytes are lost; a held stream keeps them until flow() is called.
import type { Readable } from "node:stream";

const nothing = () => {};

/** Keeps what comes until flow(). Call it in the turn in which the child was spawned. */
export function hold(stream: Readable): void {
  stream.on("readable", nothing);
}

/** Sends the whole stream, from its first byte, to this listener. */
export function flow<Chunk>(stream: Readable, listener: (chunk: Chunk) => void): void {
  stream.off("readable", nothing);
  stream.on("data", listener);
}

// Transfer. read(2) and write(2) on a descriptor that is not a socket: again after EINTR, and null where they would block.
import { EAGAIN, EINTR } from "../sys/errno.ts";
import * as sys from "../sys/syscalls.ts";
import type { Called } from "./arguments.ts";
import { failed } from "./errors.ts";

/**
 * Fills these bytes, or writes them.
 * @param called the function that a program has called, and how it shows the call in an error
 * @returns how many bytes were moved; null: the call would block
 * @throws SyscallError for any other error than EINTR
 */
export function transfer(
  call: "read" | "write",
  fd: number,
  bytes: Uint8Array,
  { called, shown }: { called: Called; shown: string },
): number | null {
  const move = call === "read" ? sys.read : sys.write;
  let moved: number;
  do moved = move(fd, bytes, bytes.length);
  while (moved === -1 && sys.errno === EINTR);
  if (moved !== -1) return moved;
  if (sys.errno === EAGAIN) return null;
  throw failed(called, call, shown, sys.errno);
}

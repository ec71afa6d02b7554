// On which descriptors a call may sleep. It believes what it is told of each number: whoever makes, changes or closes a
// descriptor says so.

/** 1 for those that are known not to block. */
let nonblocking = new Uint8Array(4096);

/** May a call on this descriptor sleep? True for any that is not known to be non-blocking. */
export function blocks(fd: number): boolean {
  return nonblocking[fd] !== 1;
}

/** This descriptor is new, or has changed. */
export function setBlocking(fd: number, blocking: boolean): void {
  if (fd >= nonblocking.length) {
    if (blocking) return;
    const larger = new Uint8Array(2 ** Math.ceil(Math.log2(fd + 1)));
    larger.set(nonblocking);
    nonblocking = larger;
  }
  nonblocking[fd] = blocking ? 0 : 1;
}

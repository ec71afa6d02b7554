// Blocking descriptors. Knows on which descriptors a call may sleep, from the calls that make, change or close them.

/** 1 for each descriptor that is known not to block. */
let nonblocking = new Uint8Array(4096);

/** Whether a call on this descriptor may sleep: true unless it is known to be non-blocking. */
export function blocks(fd: number): boolean {
  return nonblocking[fd] !== 1;
}

/** Records that this descriptor is new, or has changed. */
export function setBlocking(fd: number, blocking: boolean): void {
  if (fd >= nonblocking.length) {
    if (blocking) return;
    const larger = new Uint8Array(2 ** Math.ceil(Math.log2(fd + 1)));
    larger.set(nonblocking);
    nonblocking = larger;
  }
  nonblocking[fd] = blocking ? 0 : 1;
}

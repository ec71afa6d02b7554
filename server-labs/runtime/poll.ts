// poll(2): the whole list of interests is handed to the kernel at every call, and looked through by it.

import { descriptor, eventMask, type HasDescriptor, misuse, shown, timeout } from "./arguments.ts";
import type { Ready } from "./epoll.ts";
import { EINTR } from "./errno.ts";
import { failed } from "./errors.ts";
import { pollFdBytes } from "./libc.ts";
import * as sys from "./syscalls.ts";

let fds = new Uint8Array(64 * pollFdBytes);
let view = new DataView(fds.buffer);

/**
 * Sleeps until one of these descriptors is ready: poll(2). Unlike epoll nothing is remembered between calls: the
 * kernel copies and looks through the whole list each time, so the cost grows with its length.
 * EINTR (a signal came) is not seen: the wait is taken up again for the time that is left.
 * @param interests what to wait for, such as { fd: client, events: POLLIN }; `fd` may be a Socket or a number
 * @param timeoutMs how long at most, in milliseconds: -1 for ever, 0 not at all; a fraction is rounded up
 * @returns those that are ready, with what they are ready for; none when the time is over. POLLERR, POLLHUP and
 *   POLLNVAL (not open) are reported though nobody asks.
 */
export function poll(interests: readonly { fd: HasDescriptor; events: number }[], timeoutMs = -1): Ready[] {
  if (!Array.isArray(interests)) {
    throw misuse(poll, `takes a list such as [{ fd: client, events: POLLIN }], not ${shown(interests)}.`);
  }
  let left = timeout(poll, timeoutMs);
  const count = interests.length;
  if (count * pollFdBytes > fds.length) {
    fds = new Uint8Array(2 * count * pollFdBytes);
    view = new DataView(fds.buffer);
  }
  for (let i = 0; i < count; i++) {
    const interest = interests[i];
    if (typeof interest !== "object" || interest === null) {
      throw misuse(
        poll,
        `takes a list such as [{ fd: client, events: POLLIN }], not one with ${shown(interest)}.`,
      );
    }
    const { fd, events } = interest;
    view.setInt32(i * pollFdBytes, descriptor(poll, fd), true);
    view.setUint32(i * pollFdBytes + 4, eventMask(poll, events, "POLLIN | POLLOUT") & 0xffff, true);
  }
  const until = left > 0 ? performance.now() + left : 0;
  let ready = sys.poll(fds, count, left);
  while (ready === -1) {
    if (sys.errno !== EINTR) throw failed(poll, "poll", `poll(${count} descriptors)`, sys.errno);
    if (left > 0) left = Math.max(0, Math.ceil(until - performance.now()));
    ready = sys.poll(fds, count, left);
  }
  const answer: Ready[] = [];
  for (let i = 0; answer.length < ready; i++) {
    const events = view.getUint16(i * pollFdBytes + 6, true);
    if (events !== 0) answer.push({ fd: view.getInt32(i * pollFdBytes, true), events });
  }
  return answer;
}

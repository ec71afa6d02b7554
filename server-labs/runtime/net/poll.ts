// poll. poll(2) as a function: each call copies the whole interest list into the kernel, which looks through all of it.

import { EINTR } from "../sys/errno.ts";
import { pollFdBytes } from "../sys/libc.ts";
import * as sys from "../sys/syscalls.ts";
import { checkedTimeout, descriptor, eventMask, type HasDescriptor, misuse, shown } from "./arguments.ts";
import type { Ready } from "./epoll.ts";
import { failed } from "./errors.ts";

let fds = new Uint8Array(64 * pollFdBytes);
let view = new DataView(fds.buffer);

/**
 * Waits until one of these descriptors is ready: poll(2). Unlike epoll, the kernel remembers nothing between calls: it
 * copies the whole list and looks through it each time, so the cost grows with the length of the list.
 *
 * EINTR (a signal interrupted the call) is not reported: poll waits again for the time that is left.
 * @param interests the descriptors and events to wait for: { fd: client, events: POLLIN }; `fd` is a Socket or a number
 * @param timeoutMs the longest wait in milliseconds: -1 for ever, 0 no wait; a fraction is rounded up
 * @returns the descriptors that are ready and their events; an empty list when the time is over. The kernel reports
 *   POLLERR, POLLHUP and POLLNVAL (the descriptor is not open) whatever `events` asks for.
 * @throws SyscallError EINVAL when the list is longer than RLIMIT_NOFILE, EBADF for a closed Socket (poll(2) itself reports
 *   POLLNVAL for a number that is not open); TypeError for a wrong argument
 */
export function poll(interests: readonly { fd: HasDescriptor; events: number }[], timeoutMs = -1): Ready[] {
  if (!Array.isArray(interests)) {
    throw misuse(poll, `takes a list such as [{ fd: client, events: POLLIN }], not ${shown(interests)}.`);
  }
  let left = checkedTimeout(poll, timeoutMs);
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

// Signal forwarding. Brings a signal that reached another thread of the program to the main thread.
//
// The kernel gives a signal of the process to any thread that does not block it, signal(7). Node has threads of its own
// that block nothing (V8's workers, libuv's pool), and no call changes the mask of another thread: measured, SIGTERM ends
// a Node process whose main thread blocks it. No JavaScript can run in a signal handler either. So the handler is a few
// machine instructions, which make one system call: rt_tgsigqueueinfo(2), to the main thread, with the sender of the
// signal. The main thread blocks it, so there it waits until signalfd(2) returns it.
import { endianness } from "node:os";
import { lastErrno, mapCode, native, strerror } from "./libc.ts";

/** struct sigaction of glibc and musl: handler, mask, flags, restorer. */
const sigactionBytes = 152;
const flagsOffset = 136;
const SA_SIGINFO = 4;
const SA_RESTART = 0x10000000;

/** Each forwarded signal: the action that it had before, and how many descriptors read it. */
const forwarded = new Map<number, { former: Buffer; readers: number }>();
let handler: bigint | null = null;

/** The handler's instructions: void handler(int signal, siginfo_t *info), for a process with this id. */
export function forwardingCode(arch: string, pid: number): Uint8Array {
  const code = new DataView(new ArrayBuffer(40));
  if (arch === "x64") {
    const x64 = [
      ...[0x89, 0xfa], // mov edx, edi: the signal
      // The kernel lets one thread pass on to another only what is marked as queued, rt_sigqueueinfo(2).
      ...[0xc7, 0x46, 0x08, 0xff, 0xff, 0xff, 0xff], // mov dword ptr [rsi + 8], SI_QUEUE: info.si_code
      ...[0x49, 0x89, 0xf2], // mov r10, rsi: info
      ...[0xbf, 0, 0, 0, 0], // mov edi, pid: the process
      ...[0x89, 0xfe], // mov esi, edi: its main thread has the same id
      ...[0xb8, 0x29, 0x01, 0, 0], // mov eax, 297: rt_tgsigqueueinfo
      ...[0x0f, 0x05], // syscall
      0xc3, // ret
    ];
    for (const [i, byte] of x64.entries()) code.setUint8(i, byte);
    code.setInt32(13, pid, true);
  } else {
    const arm64 = [
      0x2a0003e2, // mov w2, w0: the signal
      0x12800004, // mov w4, SI_QUEUE
      0xb9000824, // str w4, [x1, 8]: info.si_code
      0xaa0103e3, // mov x3, x1: info
      0x180000a0, // ldr w0, <the pid>, 20 bytes from here
      0x2a0003e1, // mov w1, w0
      0xd2801e08, // mov x8, 240: rt_tgsigqueueinfo
      0xd4000001, // svc 0
      0xd65f03c0, // ret
      pid,
    ];
    for (const [i, word] of arm64.entries()) code.setUint32(4 * i, word, true);
  }
  return new Uint8Array(code.buffer);
}

/** From now on this signal goes to the main thread, whichever thread gets it. @throws Error */
export function forwardToMainThread(signal: number): void {
  const known = forwarded.get(signal);
  if (known) {
    known.readers++;
    return;
  }
  if (endianness() !== "LE") throw new Error("signals are forwarded on little-endian machines only");
  handler ??= mapCode(forwardingCode(process.arch, process.pid));
  const action = Buffer.alloc(sigactionBytes);
  action.writeBigUInt64LE(handler, 0);
  action.writeInt32LE(SA_SIGINFO | SA_RESTART, flagsOffset);
  const former = Buffer.alloc(sigactionBytes);
  if (native.sigaction(signal, action, former) === -1) {
    throw new Error(`signal ${signal} cannot be forwarded: ${strerror(lastErrno())}`);
  }
  forwarded.set(signal, { former, readers: 1 });
}

/**
 * One descriptor reads the signal no more. Behind the last one the signal gets the action back that it had before: do it
 * while the main thread still blocks the signal. @returns whether it was the last
 */
export function stopForwarding(signal: number): boolean {
  const known = forwarded.get(signal);
  if (!known || --known.readers > 0) return false;
  native.sigaction(signal, known.former, null);
  forwarded.delete(signal);
  return true;
}

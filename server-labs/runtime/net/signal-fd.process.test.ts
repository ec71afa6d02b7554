// Signals that are read from a descriptor: whichever thread of Node gets them, none is lost and none ends the process.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { POLLIN, poll, SFD_NONBLOCK, SIGINT, SIGTERM, SIGUSR2, SignalFd, sleep } from "../net.ts";
import { forwardingCode } from "../sys/signal-forwarding.ts";

const net = fileURLToPath(new URL("../net.ts", import.meta.url));

/** Runs a program that has `net` in scope, and gives its ending. */
function run(program: string) {
  const source = `import * as net from ${JSON.stringify(net)};\n${program}`;
  const args = ["--import", "tsx", "--input-type=module", "-e", source];
  return spawnSync(process.execPath, args, { encoding: "utf8", timeout: 20_000 });
}

test("a signal waits until it is read, once, with the process that sent it", () => {
  withSignals(new SignalFd([SIGTERM, SIGUSR2], SFD_NONBLOCK), signals => {
    assert.equal(signals.read(), null);
    process.kill(process.pid, "SIGUSR2");
    assert.deepEqual(poll([{ fd: signals, events: POLLIN }], 5000), [{ fd: signals.fd, events: POLLIN }]);
    process.kill(process.pid, "SIGUSR2");
    // Another thread of Node passes it on, and no event tells when: on a busy machine that thread waits for a processor.
    sleep(500);
    assert.deepEqual(signals.read(), { signal: SIGUSR2, pid: process.pid });
    assert.equal(signals.read(), null, "sent twice, and it waits once");
  });
});

test("of hundreds of signals none is lost, while other threads of Node are at work", () => {
  withSignals(new SignalFd([SIGTERM], SFD_NONBLOCK), signals => {
    let garbage: object[] = [];
    for (let sent = 0; sent < 300; sent++) {
      process.kill(process.pid, "SIGTERM");
      garbage = Array.from({ length: 2000 }, (_, i) => ({ i, garbage: garbage.length }));
      assert.equal(poll([{ fd: signals, events: POLLIN }], 5000).length, 1, `signal ${sent}`);
      assert.deepEqual(signals.read(), { signal: SIGTERM, pid: process.pid });
    }
  });
});

test("a signal from another process ends a wait in read, and its sender is known", async () => {
  const child = spawn(
    process.execPath,
    [
      ...["--import", "tsx", "--input-type=module", "-e"],
      `import { SIGINT, SIGTERM, SignalFd } from ${JSON.stringify(net)};
       import { writeSync } from "node:fs";
       const signals = new SignalFd([SIGTERM, SIGINT]);
       writeSync(1, "ready\\n");
       const { signal, pid } = signals.read();
       writeSync(1, signal + " from " + pid + "\\n");`,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk;
    if (said === "ready\n") child.kill("SIGINT");
  });
  const [code] = await once(child, "close");
  assert.equal(said, `ready\n${SIGINT} from ${process.pid}\n`);
  assert.equal(code, 0);
});

test("a signal that two descriptors read stays blocked until both are closed", () => {
  const ended = run(`
    const make = () => new net.SignalFd([net.SIGTERM, net.SIGTERM], net.SFD_NONBLOCK);
    const [one, other] = [make(), make()];
    one.close();
    process.kill(process.pid, "SIGTERM");
    net.poll([{ fd: other, events: net.POLLIN }], 5000);
    console.log(other.read().signal);
    other.close();
    process.kill(process.pid, "SIGTERM");
    net.sleep(5000);`);
  assert.equal(ended.stdout, `${SIGTERM}\n`);
  assert.equal(ended.signal, "SIGTERM");
});

test("close gives the signal its action back: one that was not read acts at once", () => {
  const ended = run(`
    const signals = new net.SignalFd([net.SIGTERM], net.SFD_NONBLOCK);
    process.kill(process.pid, "SIGTERM");
    net.sleep(20);
    console.log("still here");
    signals.close();
    net.sleep(5000);
    console.log("too late");`);
  assert.equal(ended.stdout, "still here\n");
  assert.equal(ended.signal, "SIGTERM");
});

test("a handler of Node's does not run while a loop runs, and the call is interrupted", () => {
  const ended = run(`
    import { writeSync } from "node:fs";
    process.on("SIGTERM", () => writeSync(1, "handler\\n"));
    process.kill(process.pid, "SIGTERM");
    net.sleep(100);
    writeSync(1, "end of the loop\\n");
    setTimeout(() => {}, 50);`);
  assert.equal(ended.stdout, "end of the loop\nhandler\n");
});

test("wrong arguments get a sentence", () => {
  assert.throws(
    () => new SignalFd([]),
    /new SignalFd takes a list of signals such as \[SIGTERM\], not an array\./,
  );
  assert.throws(() => new SignalFd(15 as never), /not 15\./);
  assert.throws(() => new SignalFd([9]), /no program can block them/);
  assert.throws(() => new SignalFd([99]), /signals such as SIGTERM from 1 to 31, not 99/);
  const closed = new SignalFd([SIGUSR2]);
  closed.close();
  closed.close();
  assert.throws(() => closed.read(), { code: "EBADF" });
});

test("the handler's instructions hold the id of the process", () => {
  const words = new DataView(forwardingCode("arm64", 0x12345).buffer);
  assert.equal(words.getUint32(36, true), 0x12345);
  // ldr (literal): bits 5 to 23 are the distance in words; the pid lies five words behind it.
  assert.equal(16 + 4 * ((words.getUint32(16, true) >>> 5) & 0x7ffff), 36);
  assert.equal(new DataView(forwardingCode("x64", 0x12345).buffer).getInt32(13, true), 0x12345);
});

function withSignals(signals: SignalFd, body: (signals: SignalFd) => void): void {
  try {
    body(signals);
  } finally {
    signals.close();
  }
}

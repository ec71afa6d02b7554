// What must be true of a server that polls, however it is written. The course's listing fails seven of these checks.
// No polling server can cost nothing while idle *and* answer at once: no check here demands both.
import { type CallRecord, Calls, type Client, check, clock, fc, grammar, type Tools } from "workbook/check";

/** What a client says differs from run to run. */
const words = (t: Tools) => t.generate(grammar.visibleAscii(5, 20));

/** 50 clients connect while the server is stopped. After it goes on, four turns accept all of them. */
check("burst", "accepts a burst of 50 clients in a few turns", async t => {
  const { server, clients, fail, expect } = t;
  await server.stop();
  const burst = await clients(50);
  const watch = server.traced ? server.watch() : null;
  server.continue();
  await watch?.until(calls => calls.accepted.length >= 50 || calls.turns.length > 4);
  // Its first turns are judged, not its progress: it may make hundreds of turns before the check looks.
  const taken = watch?.calls.turns.slice(0, 4).reduce((sum, turn) => sum + turn.accepted.length, 0);
  if (watch && taken !== undefined && taken < 50 && watch.calls.turns.length > 4) {
    const { calls } = watch;
    fail(`After 4 turns the server had accepted ${taken} of 50 clients.`, {
      because:
        "Each turn accepts one client, so client 50 waits for 49 turns. Call accept() again until it returns null: then the accept queue is empty.",
      see: `bash -c 'for i in $(seq 50); do exec {fd}<>/dev/tcp/127.0.0.1/{port}; done; sleep 2; ss -tln "sport = :{port}"'   # Recv-Q: clients in the accept queue`,
      at: calls.accepted.last ?? null,
    });
  }
  expect(await server.accepts(burst), "Accepted clients; expected all 50.").equal(50, {
    because:
      "The kernel has connected the clients in the accept queue, but the server cannot read from them until accept() returns their sockets.",
  });
  // A few at a time: an accept queue of ten places is a right one, too.
  const more: Client[] = [];
  let accepted = 0;
  while (accepted === more.length && more.length < 200) {
    more.push(...(await clients(10)));
    accepted = await server.accepts(more);
  }
  expect(
    accepted,
    "50 clients are connected, and 200 more connect, ten at a time. Accepted of these 200:",
  ).equal(200, { because: "Only the number of descriptors may limit the number of clients." });
});

/** Two clients connect, and only the second sends. The server reads what it sends. */
check("silent", "reads from one client while another client is silent", async t => {
  const { server, client, expect } = t;
  await server.accepts([await client()]);
  const sender = await client();
  sender.send(words(t));
  expect(await server.reads(sender), "The second client sent bytes, and the server did not read them.").ok({
    because:
      "The server waits for the silent client. A socket that accept() returns is blocking, even if the listener is not: call setBlocking(false) on each.",
    see: "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; sleep 9' &   # sends nothing\nbash -c 'echo hello >/dev/tcp/127.0.0.1/{port}'",
  });
});

/** Four of five clients close at once. One turn notices all four, and the server closes their sockets. */
check("leaving", "notices all clients that have left within one turn, and closes their sockets", async t => {
  const { server, clients, expect } = t;
  // The server calls recv() for the client that stays in each turn: this separates one turn from the next.
  const came = server.traced ? server.watch() : null;
  const [stays, ...leavers] = (await clients(5)) as [Client, ...Client[]];
  const accepted = await server.accepts([stays, ...leavers]);
  expect(accepted, "Accepted clients; expected all five.").equal(5, {
    because: "The kernel has connected all five clients; accept() must return a socket for each.",
  });
  // The kernel may show a socket before the call that accepted it has been recorded.
  const taken = await came?.until(calls => calls.accepted.with(stays.port).list[0]);
  const fd = taken?.returned ?? -1;
  const before = server.sockets;
  await server.stop();
  for (const leaver of leavers) leaver.close();
  const watch = server.traced ? server.watch() : null;
  server.continue();

  const noticed = (calls: Calls) => calls.reads.where(call => call.returned === 0);
  const howMany = (calls: Calls) => new Set(noticed(calls).list.map(call => call.fd)).size;
  // The server may have been stopped in the middle of a turn: it finishes this one, and then has a whole turn.
  await watch?.until(calls => howMany(calls) === 4 || rounds(calls, fd).length > 2);
  if (watch) {
    const [rest, whole] = rounds(watch.calls, fd);
    const found = howMany(rest!) + (whole ? howMany(whole) : 0);
    t.note(
      `in the turn in which it was stopped, the server noticed ${howMany(rest!)} of the clients that left, and by the end of the next turn ${found}`,
    );
    expect(found, "Four clients left at once. Noticed in one whole turn:").equal(4, {
      because:
        "The loop removes elements from the list that it walks through. The later elements move forward by one place, and the next step skips one.",
      see: "timeout 3 bash -c 'for i in 1 2 3 4; do exec {fd}<>/dev/tcp/127.0.0.1/{port}; done; sleep 9'   # then look at the times in the log",
      at: watch.calls.named("close").last ?? null,
    });
  }
  expect(
    await server.holds(before - 4),
    "Four clients have left, and the server still holds a socket of theirs.",
  ).equal(before - 4, {
    because:
      "recv() returned an empty Buffer: the client has closed its side. Until the server calls close() too, the connection stays in CLOSE-WAIT, and its descriptor is lost.",
    see: "ss -tan 'sport = :{port}'   # CLOSE-WAIT: the client has closed, the server has not",
  });
  if (!watch) server.watch(); // Only its calls show whether it was one turn.
});

/** One client resets its connection. The server closes that socket, and still reads from the other client. */
check("reset", "loses only the connection of a client that resets it", async t => {
  const { server, clients, expect } = t;
  const before = server.sockets;
  const [reset, other] = (await clients(2)) as [Client, Client];
  expect(await server.accepts([reset, other]), "Accepted clients; expected both.").equal(2, {
    because: "The kernel has connected both clients; accept() must return a socket for each.",
  });
  reset.reset();
  expect(
    await server.holds(before + 1),
    "A client reset its connection, and the server still holds its socket.",
  ).equal(before + 1, {
    because:
      "recv() failed with ECONNRESET: this connection is over. Call close() on its socket: the descriptor stays open until then.",
  });
  other.send(words(t));
  expect(
    await server.reads(other),
    "After one client reset its connection, the server did not read from another.",
  ).ok({
    because: "ECONNRESET concerns one connection. Close this socket, and go on with the next client.",
  });
});

/**
 * A client sends 1 MB: the server reads all that has come before it sleeps again. Then the client sends without a pause:
 * the server reads at most 2 MB of that in one turn, and reads from two other clients.
 */
check("long-message", "reads a long message without a sleep in the middle", async t => {
  const { server, client, expect, fail } = t;
  const sender = await client();
  await server.accepts([sender]);
  await server.stop();
  sender.send(Buffer.alloc(1024 * 1024, words(t)));
  const queued = await filled(t, () => server.socketOf(sender)?.recvQueue ?? 0);
  t.note(`${queued} bytes wait in the server's receive buffer`);
  const watch = server.traced ? server.watch() : null;
  server.continue();
  await watch?.until(calls => calls.bytesRead >= queued || calls.rests.length > 3);
  if (watch && watch.calls.bytesRead < queued) {
    const { calls } = watch;
    const read = `${calls.bytesRead} of ${queued} bytes`;
    fail(`The server slept ${calls.rests.length} times while bytes waited, and has read ${read}.`, {
      because:
        "One recv() in a turn and a sleep after it: meanwhile the bytes wait in the kernel. Call recv() until it returns null or the client has had its share, and sleep only after a turn that found nothing.",
      see: `bash -c 'head -c 1000000 /dev/zero >/dev/tcp/127.0.0.1/{port} & sleep 2; ss -tn "sport = :{port}"'   # Recv-Q: bytes not read yet`,
      at: calls.reads.last ?? null,
    });
  }
  expect(await server.reads(sender, { within: 10_000 }), "The server has not read the whole message.").ok({
    because:
      "A server should read 1 MB in less than a second. The bytes that it has not read wait in the kernel, and the client waits too.",
    see: `bash -c 'head -c 1000000 /dev/zero >/dev/tcp/127.0.0.1/{port} & sleep 2; ss -tn "sport = :{port}"'   # Recv-Q: bytes not read yet`,
  });
  await othersBeside(t, sender);
});

/** More than any share of a turn that one client may have, in bytes. */
const wholeTurn = 2 * 1024 * 1024;

/** While this client sends without a pause, two other clients send a few bytes each. */
async function othersBeside(t: Tools, sender: Client): Promise<void> {
  const { server, clients } = t;
  const others = await clients(2);
  await server.accepts(others);
  const before = server.bytesReadFrom(sender);
  sender.send(Buffer.alloc(48 * wholeTurn, words(t)));
  await t.until(() => server.bytesReadFrom(sender) - before > 0, 5000);
  // A server that is stopped behind the sender reads from the others first: the next round finds it elsewhere.
  for (let round = 0; round < 3; round++) await readBetween(t, sender, others);
}

/** Both kernels hold what they can of the sender, and others send a word: how much of the sender is read between them. */
async function readBetween(t: Tools, sender: Client, others: readonly Client[]): Promise<void> {
  const { server, expect } = t;
  await server.stop();
  await filled(t, () => server.socketOf(sender)?.recvQueue ?? 0);
  const watch = server.traced ? server.watch() : null;
  for (const other of others) other.send(words(t));
  const from = server.bytesReadFrom(sender);
  server.continue();
  const othersRead = () => others.every(other => server.hasRead(other));
  await t.until(() => othersRead() || server.bytesReadFrom(sender) - from > 24 * wholeTurn, 10_000);
  const why = {
    because:
      "The bytes arrive as fast as the server reads them, so a loop until null may never end. Limit each client to a share of the turn, such as a few calls of recv(), and go on with the next client.",
    see: "bash -c 'timeout 5 cat /dev/zero >/dev/tcp/127.0.0.1/{port} & sleep 1; exec 3<>/dev/tcp/127.0.0.1/{port}; echo hello >&3; sleep 2; ss -tn \"sport = :{port}\"'   # Recv-Q 6: 6 bytes not read",
  };
  expect(othersRead(), "One client sends without a pause, and the server does not read from the others.").ok(
    why,
  );
  if (!watch) return;
  // The kernel may show bytes as read before the call has been recorded.
  const ports = others.map(({ port }) => port);
  await watch.until(calls =>
    ports.every(port => calls.reads.with(port).where(call => call.returned > 0).length > 0),
  );
  let [most, turn] = [0, 0];
  for (const call of watch.calls) {
    if (call.peer !== null && ports.some(port => call.peer!.endsWith(`:${port}`))) turn = 0;
    else if (call.fd !== null && isRead(call)) turn += call.returned;
    most = Math.max(most, turn);
  }
  expect(most, "One client sends without a pause. Bytes that the server read from it in one turn:").atMost(
    wholeTurn,
    why,
  );
}

/**
 * Two clients connect, and one descriptor is left. The server prints `EMFILE`, sleeps between its
 * attempts, and accepts the second client when another has left.
 */
check("out-of-descriptors", "prints EMFILE when it has no free descriptor, and goes on", async t => {
  const { server, client, clients, expect } = t;
  const first = await client();
  await server.accepts([first]);
  const from = server.output.bytes;
  server.limitDescriptors(1);
  const watch = server.traced ? server.watch() : null;
  await server.stop();
  const [second, third] = (await clients(2)) as [Client, Client];
  server.continue();
  const failures = (calls: Calls) => calls.where(call => call.errno === "EMFILE");
  const sentence = /EMFILE|too many open files/i;

  // An honest server prints it at the first failure: a second failure without a line shows that it will not.
  await t.until(
    () => sentence.test(server.output.since(from)) || (watch && failures(watch.calls).length > 1),
    4000,
  );
  if (watch) t.note(`accept() has failed with EMFILE ${failures(watch.calls).length} times`);
  else t.note(`clients in the accept queue: ${server.acceptQueueLength}`);
  const printed = await server.output.prints(sentence, { from, within: 100 });
  expect(printed, "The server has no free descriptor, and has not printed that.").ok({
    because: "accept() threw EMFILE, and an empty catch hid it. “Nothing yet” is null and is never thrown.",
    see: "prlimit --nofile=24:24 --pid $(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+')\nbash -c 'for i in $(seq 10); do exec {fd}<>/dev/tcp/127.0.0.1/{port}; done; sleep 3'",
    at: (watch && failures(watch.calls).last) ?? null,
  });
  if (watch) {
    const idle = await server.idle(150);
    // Judged by the time between two failures, not by their number: on a busy machine a server without a sleep makes few calls.
    const calls = failures(idle.watch?.calls ?? watch.calls);
    const times = calls.list.map(call => call.at);
    const atOnce = times.filter((at, i) => i > 0 && at - times[i - 1]! < 0.5).length;
    expect(atOnce + calls.missed, "Calls of accept() without a sleep in between.").atMost(10, {
      because:
        "Until a client leaves, accept() fails each time. To try again at once uses a core and changes nothing: sleep after such a turn.",
      at: calls.last ?? null,
    });
  }
  second.send(words(t));
  expect(
    await server.reads(second),
    "A client got the last descriptor, and the server does not read from it.",
  ).ok({
    because:
      "One turn may accept a client before accept() throws. Put each socket into your list at once, not when the accept queue is empty.",
  });
  first.send(words(t));
  expect(
    await server.reads(first),
    "Without a free descriptor, the server stopped reading from its clients.",
  ).ok({
    because:
      "EMFILE concerns accept() only. The connected clients still send: call recv() for them in the same turn.",
  });
  first.close();
  expect(await server.accepts([third]), "A client left, and the waiting client was not accepted.").equal(1, {
    because:
      "A closed descriptor is free again: accept() can use it for the waiting client in the next turn.",
  });
});

/** Long enough for a line that is printed each second, and for a short time limit of a silent client. */
const silenceMs = 2100;

/**
 * One client is connected and sends nothing for two seconds. The server prints nothing, and keeps the connection: it
 * reads what the client sends then.
 */
check("quiet", "prints nothing while nothing happens", async t => {
  const { server, client, expect, until } = t;
  const silent = await client();
  await server.accepts([silent]);
  const watch = server.traced ? server.watch() : null;
  const turns = (more: number) => watch !== null && watch.calls.turns.length > more;
  // By then it has printed its lines about the new client.
  if (watch) await until(() => turns(1), 5000);
  else await server.settles(() => server.output.bytes);
  const from = server.output.bytes;
  await until(() => server.output.bytes > from, silenceMs);
  expect(server.output.since(from), "Nothing happened, and the server printed something.").equal("", {
    because:
      "One line in each turn hides the lines that matter. It also costs time: console.log is a write(), and write() may block. Print when something happens.",
    see: "cd {folder}; timeout 5 npx tsx server.ts {port} | wc -l   # lines in five seconds, without a client",
  });
  silent.send(words(t));
  expect(
    await server.reads(silent),
    "A client sent nothing for two seconds and then some bytes, and the server did not read them.",
  ).ok({
    because:
      "A client may be silent for as long as it likes: TCP keeps the connection, and so does this server. Close it when the client has closed its side.",
    see: "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; sleep 3; echo still here >&3; sleep 1; ss -tn \"sport = :{port}\"'   # Recv-Q 0: all is read",
  });
});

/**
 * One client is connected and sends nothing: the server sleeps after each turn. A new client is accepted
 * within 100 ms.
 */
check("rests", "sleeps while its clients are silent, and accepts a new client within 100 ms", async t => {
  const { server, client, expect } = t;
  await server.accepts([await client()]);
  // Judged by its own time and its calls: on a busy machine a server without a sleep gets little processor time, too.
  const { busy, calls, restless } = await server.idle(200);
  const why = {
    because:
      "The loop asks every client again and again without a sleep. After a turn that found nothing, sleep for a few milliseconds.",
    see: "top -p $(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+')",
  };
  expect(busy, "Processor time used while all clients are silent (1 is a full core).").atMost(0.3, why);
  expect(calls ?? 0, "System calls made while all clients are silent.").atMost(10_000, why);
  expect(restless, "Turns for each sleep while all clients are silent.").atMost(3, why);

  const longSleep =
    "A new client waits as long as the server sleeps. A sleep of a few milliseconds costs little.";
  // A server may sleep longer, the longer its clients are silent.
  const silence = server.traced ? server.watch() : null;
  await server.wait(600);
  const sleeps = [...(silence?.calls ?? []), server.currentCall].filter(call => call?.call === "nanosleep");
  const asked = sleeps.map(call => Math.round(Number(call!.args[0]) * 1000));
  expect(Math.max(0, ...asked), "The longest sleep while all clients are silent (ms).").atMost(100, {
    because: longSleep,
    at: sleeps[asked.indexOf(Math.max(...asked))] ?? null,
  });

  let quickest = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < 4 && quickest > 100; tries++) {
    // The client connects just after the server has fallen asleep: then it waits for the whole sleep.
    const { sleepCount } = server;
    await t.until(() => server.asleep && server.sleepCount > sleepCount, 600);
    const own = server.ownTime();
    await server.accepts([await client()]);
    quickest = Math.min(quickest, Math.round(own.spent.ms));
    t.note(`accepted after ${quickest} ms at best`);
  }
  expect(quickest, "A new client waits for accept() (ms).").atMost(100, {
    because: longSleep,
    see: `time timeout 5 node -e 'require("net").connect({port}, "127.0.0.1").end("hello").resume()'`,
  });
});

const isRead = ({ call, returned }: CallRecord) => (call === "recv" || call === "read") && returned > 0;

/** The end of a turn, then whole turns: each starts when the server calls recv() for this client again. */
function rounds(calls: Calls, fd: number): Calls[] {
  const rounds: CallRecord[][] = [[]];
  let asked = false;
  for (const call of calls) {
    const asks = (call.call === "recv" || call.call === "read") && call.fd === fd;
    if (asks && !asked) rounds.push([]);
    asked = asks;
    rounds.at(-1)!.push(call);
  }
  return rounds.map(list => new Calls(list, calls.missed));
}

/** Waits until this number has not changed for 50 ms, and returns it. */
async function filled(t: Pick<Tools, "until">, size: () => number): Promise<number> {
  let [last, since] = [size(), clock()];
  await t.until(() => {
    const now = size();
    if (now !== last) [last, since] = [now, clock()];
    return last > 0 && clock() - since > 50;
  }, 5000);
  return last;
}

/**
 * Hundreds of generated clients connect, send, leave and reset. The server reads what each has sent, keeps nothing of
 * those that have left (no socket, no memory), and sleeps while no client sends.
 */
check("conversations", "reads, closes and sleeps rightly in generated conversations", async t => {
  await t.conversations({
    says: fc
      .oneof(grammar.anyBytes(1, 40), grammar.longText(40, 6000))
      .map(bytes => ({ bytes, wants: null })),
    clients: 40,
    unfinished: false,
    idle: "rests",
    prints: false,
    because:
      "The server reads all bytes of each client, closes each connection that has ended, and sleeps after a turn that found nothing, in whatever order clients connect, send and leave.",
  });
});

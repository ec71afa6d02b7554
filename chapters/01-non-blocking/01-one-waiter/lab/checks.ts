// What must be true of a server that serves one client after another, by blocking calls or in any other way.
import { type Calls, type Client, check, clock, fc, grammar, type Tools } from "workbook/check";

const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`;
const answer = (target: string) => ({ status: 200, body: `you asked for ${target}\n` });
/** A target of its own for each request: an answer that was learned by heart, or is another client's, is a wrong one. */
const dish = (t: Tools) => `/${t.generate(grammar.word(3, 9))}`;

/** A client that asks, and what its answer says. */
async function asks(t: Tools): Promise<{ asker: Client; says: string }> {
  const target = dish(t);
  return { asker: await t.client({ sends: get(target) }), says: `you asked for ${target}\n` };
}

/** The limits of a silent client's deadline, in milliseconds: time to send a request, and the longest wait of the other clients. */
const deadline = { least: 200, most: 1000 };
/** An event that has not come after so much of the server's own time does not come, in milliseconds. */
const tooLateMs = deadline.most + 500;
/** A timer of the kernel may be late by some ticks, and so may the server that it wakes. */
const inexactMs = 120;

/** Waits for an event as long as the server's own time allows: on a busy machine a right server is late, too. */
async function comes(t: Tools, event: () => boolean): Promise<boolean> {
  const own = t.server.ownTime();
  let next = 0;
  const isTooLate = () => {
    if (clock() < next) return false;
    next = clock() + 10;
    const { asleep, ms, ran } = own.spent;
    return asleep ? ms > tooLateMs : ran > tooLateMs;
  };
  await t.until(() => event() || isTooLate(), 30_000);
  // It may have come while this process waited for a processor.
  return (await t.until(event, 50)) !== null;
}

/** The deadline that the server has set, in seconds, if it is too long; else null. */
function tooLong(calls: Calls | undefined): number | null {
  const SO_RCVTIMEO = 20;
  const set = calls?.named("setsockopt").list.findLast(({ args }) => args[2] === SO_RCVTIMEO);
  const value = set?.args[3];
  if (typeof value !== "object" || value === null || !("microseconds" in value)) return null;
  const seconds = value.seconds + value.microseconds / 1e6;
  return seconds * 1000 > deadline.most ? seconds : null;
}

/**
 * Three clients, one after another, ask for `/tea` and for two random targets. Each receives its own answer, and then
 * the server closes the connection.
 */
check("next", "answers one client, closes, and answers the next", async t => {
  for (const target of ["/tea", dish(t), dish(t)]) {
    await t.exchange({
      about: `a request for ${target}`,
      sends: get(target),
      sendsAtOnce: true,
      wants: [answer(target)],
      after: "close",
      because:
        "After one answer the server must close this connection and call accept() again, for the next client.",
      see: `curl -s --max-time 5 http://127.0.0.1:{port}/tea; curl -i --max-time 5 http://127.0.0.1:{port}/cake   # the first client, and the next`,
    });
  }
});

/**
 * A client receives its answer, and the server closes the connection. The check then ends the server and
 * starts it again on the same port, where the server listens at once.
 */
check("restart", "can be started again at once after it has served a client", async t => {
  const { server, expect } = t;
  const { asker: first, says } = await asks(t);
  expect(await first.receives(says), "The first client got no answer.").ok();
  // The side that closes first keeps the port in TIME-WAIT.
  await first.closed();
  first.close();
  const again = await server.restart();
  expect(again, "After it has served a client, the server cannot be started again on its port.").ok({
    because:
      "The server closed the connection first, so the kernel keeps its end in TIME-WAIT for a minute. Without SO_REUSEADDR, set before bind(), bind() fails with EADDRINUSE (socket(7)).",
    see: "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; printf \"GET /tea HTTP/1.1\\r\\n\\r\\n\" >&3; timeout 5 cat <&3'; ss -tan 'sport = :{port}'   # TIME-WAIT",
  });
});

/**
 * One client closes without a request, one resets its connection, and one sends `hello`. After each of them,
 * the next client sends a request and receives its answer.
 */
check(
  "goes-on",
  "still answers after a client closes at once, resets its connection, or sends no request",
  async t => {
    const { server, client, expect } = t;
    const rude: { what: string; does: (one: Client) => void; see: string }[] = [
      {
        what: "closed without sending anything",
        does: one => one.close(),
        see: "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}'   # connects, and closes at once",
      },
      {
        what: "reset its connection (RST)",
        does: one => one.reset(),
        see: `timeout 5 node -e 'require("net").connect({port}, "127.0.0.1", function () { this.resetAndDestroy() })'   # an RST`,
      },
      {
        what: "sent bytes that are not a request",
        does: one => one.send("hello\r\n\r\n"),
        see: "bash -c 'echo hello >/dev/tcp/127.0.0.1/{port}'",
      },
    ];
    for (const { what, does, see } of rude) {
      const one = await client();
      // Not longer than a deadline, after which the server has closed the connection.
      await server.accepts([one], { within: deadline.least });
      does(one);
      const { asker, says } = await asks(t);
      expect(await asker.receives(says), `After a client that ${what}, the next client got no answer.`).ok({
        because:
          "One client's end must not end the server. After a close recv() returns an empty Buffer; after a reset recv() throws a SyscallError; and the bytes that a client sends can be anything.",
        see,
      });
    }
  },
);

/**
 * A client sends nothing: within 1 s the server answers the next client and closes the silent connection. A
 * client that sends its request within 0.2 s receives its answer.
 */
check("deadline", "waits at least 0.2 s and at most 1 s for a silent client", async t => {
  const { server, client, expect, note } = t;
  const watch = server.traced ? server.watch() : null;
  const silent = await client();
  await server.accepts([silent]);
  const since = clock();
  const own = server.ownTime();
  const { asker: behind, says } = await asks(t);
  const answered = await comes(t, () => behind.received.includes(says));
  const seconds = tooLong(watch?.calls);
  const why = {
    because:
      seconds === null
        ? "The process sleeps in recv() for the silent client and cannot serve another. SO_RCVTIMEO on the client's socket limits this sleep (socket(7)): when the time is over, recv() returns null."
        : `Your deadline is ${seconds} s (SO_RCVTIMEO). recv() sleeps that long for each silent client, and the others wait. At most ${deadline.most / 1000} s are allowed.`,
    see: "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; sleep 9' &   # sends nothing\ntime curl -s --max-time 8 http://127.0.0.1:{port}/tea",
  };
  expect(answered, `One client sends nothing, and the next client had no answer after ${tooLateMs} ms.`).ok(
    why,
  );
  // By the kernel's record of both segments, less the time in which the server waited for a processor.
  const waited = Math.round(behind.delivery().afterSending - own.spent.waited);
  expect(waited, "One client sends nothing. The next client waited for its answer (ms).").atMost(
    deadline.most + inexactMs,
    why,
  );
  note(
    `the next client got its answer ${Math.round(behind.receivedAt - since)} ms after the silent client connected`,
  );
  const gone = await comes(t, () => silent.over);
  expect(gone, "The deadline of the silent client has passed, and its connection is still open.").ok({
    because:
      "Close the connection of a client that has sent nothing until its deadline. Otherwise each silent client keeps a descriptor.",
    see: "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; sleep 9' & sleep 3; ss -tn 'sport = :{port}'   # expected: no connection",
  });

  const kept = watch && keptMs(watch.calls, silent);
  if (kept !== null) {
    // A busy machine makes this time longer, and never shorter: it is too long only where the deadline is.
    if (seconds !== null)
      expect(kept, "A client sent nothing. The server kept its connection (ms).").atMost(
        deadline.most + inexactMs,
        why,
      );
    expect(
      kept,
      "A client sent nothing. The server closed its connection after so many milliseconds:",
    ).atLeast(deadline.least * 0.9, tooShort);
  }
  await slowClient(t);
});

/** Milliseconds from accept() to close() of this client's socket, by the server's calls; null when they do not show it. */
function keptMs(calls: Calls, client: Client): number | null {
  const accepted = calls.accepted.with(client.port).list[0];
  const closed = calls
    .named("close")
    .list.find(call => call.fd === accepted?.returned && call.n > accepted!.n);
  if (!accepted || !closed) return null;
  return Math.round(closed.at - accepted.at - (accepted.took ?? 0) / 1000);
}

const tooShort = {
  because:
    "A deadline that is too short disconnects honest clients: Linux repeats a lost packet after about 0.2 s. A struct timeval is two 64-bit numbers: seconds, then microseconds.",
  see: "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; sleep 0.2; echo GET /cake >&3; timeout 5 cat <&3'",
};

/** A client that sends its request just before the shortest deadline is over. */
async function slowClient(t: Tools): Promise<void> {
  const { server, client, expect, note } = t;
  // A busy machine may delay this client: then it tries again, and earlier. The server's deadline begins after `since`.
  for (let tries = 0; tries < 8; tries++) {
    const since = clock();
    const slow = await client();
    await server.accepts([slow], { within: deadline.least });
    await t.until(() => clock() - since >= deadline.least * (0.9 - tries / 10), deadline.least);
    const target = dish(t);
    slow.send(get(target));
    const sentAfter = Math.round(clock() - since);
    const heard = await slow.receives(`you asked for ${target}\n`);
    note(`a client that sent its request after ${sentAfter} ms got ${heard ? "its" : "no"} answer`);
    if (!heard && sentAfter > deadline.least) continue;
    expect(heard, `A client that sent its request after ${sentAfter} ms got no answer.`).ok(tooShort);
    return;
  }
  t.tooBusy("a client that sends just before the deadline");
}

/**
 * A client receives its answer and leaves, and the server makes at most ten system calls in 0.2 s. Another client sends
 * nothing, and the server sleeps. It answers a client that connects more than a second later.
 */
check("sleeps", "sleeps while no client is connected, and while its client is silent", async t => {
  const { server, client, expect } = t;
  const { asker: first, says } = await asks(t);
  expect(await first.receives(says), "The first client got no answer.").ok();
  first.close();
  const { busy, calls, watch } = await server.idle(200);
  const restless = {
    because:
      "Without a client there is nothing to do. accept() of a blocking listener sleeps until a client connects, and the kernel wakes the process then.",
    see: "top -p $(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+')",
    at: watch?.calls.last ?? null,
  };
  expect(busy, "Processor time used while no client is connected (1 is a full core).").atMost(0.3, restless);
  expect(calls ?? 0, "System calls made while no client is connected.").atMost(10, restless);

  const silent = await client();
  await server.accepts([silent], { within: deadline.least });
  const inSilence = await server.idle(deadline.least * 0.75);
  const asking = {
    because:
      "A loop that asks until the deadline has passed uses a core, and finds nothing sooner. recv() of a blocking socket sleeps until bytes come; SO_RCVTIMEO limits this sleep.",
    see: "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; sleep 9' & sleep 0.1; top -b -n 1 -p $(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+')",
    at: inSilence.watch?.calls.last ?? null,
  };
  expect(inSilence.busy, "Processor time used while its client sends nothing (1 is a full core).").atMost(
    0.4,
    asking,
  );
  // For each sleep: a server may ask the client now and then, and sleep in between.
  const each = Math.round((inSilence.calls ?? 0) / Math.max(1, inSilence.sleeps));
  expect(each, "System calls for each sleep while its client sends nothing.").atMost(40, asking);
  silent.close();
  // Longer than any allowed deadline: an accept() that has one returns null.
  await server.wait(deadline.most * 1.2);
  const target = dish(t);
  await t.exchange({
    about: "a request after more than a second without a client",
    sends: get(target),
    sendsAtOnce: true,
    wants: [answer(target)],
    because:
      "The deadline is for a silent client, not for the next client to connect: set it on the socket that accept() has returned, and not on the listener.",
  });
});

/**
 * Generated clients send one request, other bytes, or nothing, and then close, half-close or reset. The
 * server answers each request, keeps nothing of a client that has left (no socket, no memory), and then sleeps.
 */
check("conversations", "serves each client rightly in generated conversations", async t => {
  const request = grammar
    .visibleAscii(1, 60, grammar.notInTargets)
    .map(name => ({ bytes: get(`/${name}`), wants: answer(`/${name}`), after: "close" as const }));
  const noRequest = grammar
    .anyBytes(1, 30)
    .map(bytes => ({ bytes: `\0${bytes}\r\n\r\n`, wants: null, after: "any" as const }));
  await t.conversations({
    says: fc.oneof({ arbitrary: request, weight: 3 }, { arbitrary: noRequest, weight: 1 }),
    messages: 1,
    cuts: 0,
    unfinished: false,
    // A silent client costs its whole deadline: the check `deadline` is about that.
    only: ({ messages, end }) => messages.length > 0 || end === "leaves" || end === "is cut off",
    ends: ["closes", "leaves", "is cut off", "half-closes"],
    clients: 5,
    times: 60,
    idle: "sleeps",
    oneByOne: true,
    because:
      "Each client gets its answer, one after another, and a client that leaves, resets or sends no request ends its own connection only.",
  });
});

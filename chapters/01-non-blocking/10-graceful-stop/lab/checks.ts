// What must be true of a server that ends when it is asked to, and that no silent client holds. Deadlines are judged from
// both sides: too early from the moment before the server can have begun to count, too late without the time that a busy
// machine has taken.
import { type Client, type ClientOptions, check, clock, fc, grammar, type Tools } from "workbook/check";

const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`;
const asked = (target: string) => ({ status: 200, body: `you asked for ${target}\n` });
/** A client that does not read has little room, so that the server cannot send all of a long answer. */
const lazy: ClientOptions = { reads: false, receiveBuffer: 64 * 1024 };
/** More than both kernels hold of one connection. */
const long = 6 * 1024 * 1024;
/** The promises of the lesson, in milliseconds. */
const [patienceMs, graceMs] = [2000, 1000];

/** A client that has asked for a long answer, does not read, and of whose answer the server has sent a part. */
async function underWay(t: Tools): Promise<Client> {
  const client = await t.client(lazy);
  client.send(get(`/leaves/${long}`));
  const begun = await t.until(() => (t.server.socketOf(client)?.sendQueue ?? 0) > 0, 5000);
  t.expect(begun, "A client asked for a long answer, and the server has sent none of it.").ok({
    because:
      "No call may wait before the loop sleeps: read() of a SignalFd waits for a signal, unless it was made with SFD_NONBLOCK.",
  });
  return client;
}

/** Milliseconds in which the server, or this check, waited for a processor. */
const lostMs = ({ server, lateMs }: Tools) => server.delayedMs + lateMs;
/** So many milliseconds without a processor can make a right server miss a deadline. */
const noticedMs = 150;
/** A busy machine can hold up the server, or this check, past a deadline of seconds: then it begins again, twice at most. */
const again = (body: (t: Tools) => Promise<void>) => async (t: Tools) => {
  for (let tries = 3; ; tries--) {
    const lost = lostMs(t);
    try {
      return await body(t);
    } catch (error) {
      // A server that has been inside one call for so long would have missed its deadlines on any machine.
      const waits = t.server.stuck(patienceMs + graceMs) !== null;
      if (waits || lostMs(t) - lost < noticedMs) throw error;
      if (tries === 1) t.tooBusy("deadlines of one and two seconds", error);
      t.note("the machine was too busy for deadlines: once more");
      await t.server.startAfresh();
    }
  }
};

/** Waits until this is true, for so many milliseconds, without those in which no processor was free. */
async function soon({ server, until }: Tools, ms: number, probe: () => boolean): Promise<boolean> {
  const [from, delayed] = [clock(), server.delayedMs];
  const over = () => clock() - from > ms && clock() - from - Math.max(0, server.delayedMs - delayed) > ms;
  await until(() => probe() || over(), 20_000);
  return probe();
}

/** Waits until the server has heard of SIGTERM, and has slept once after that: what it does with clients then, it has done. */
async function turnsAfterSigterm({ server, until }: Tools): Promise<void> {
  await until(() => !server.listens || !server.alive, graceMs / 2);
  const { sleepCount } = server;
  await until(() => !server.alive || server.sleepCount > sleepCount, graceMs / 4);
}

/** All of the long answer must come. */
async function completes(t: Tools, client: Client, because: string): Promise<void> {
  client.setReading(true);
  const body = () => client.receivedBytes - client.received.indexOf("\r\n\r\n") - 4;
  await t.until(() => client.over || body() >= long, 10_000);
  t.expect(body(), "Bytes that came of an answer that was under way at SIGTERM.").equal(long, {
    because,
    see: halfWay,
  });
}

const halfWay =
  "curl -s --max-time 5 --limit-rate 20M -o /dev/null -w '%{size_download} of 16000000\\n' http://127.0.0.1:{port}/leaves/16000000 & sleep 0.3\nkill $(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+'); wait";

/** An answer is under way when SIGTERM comes. No socket listens on the port any more, and the server still runs. */
check(
  "refuses",
  "stops listening at SIGTERM",
  again(async t => {
    const { server, until, expect } = t;
    const client = await underWay(t);
    const sigterm = clock();
    server.terminate();
    await until(() => !server.listens || !server.alive, 3 * graceMs);
    const why = {
      because:
        "As long as a socket listens, the kernel completes handshakes. These clients wait in the accept queue of a server that will not accept them: close the listener first.",
      see: "ss -tln 'sport = :{port}'",
    };
    expect(server.listens, "SIGTERM has come, and the port still has a listener.").equal(false, why);
    const holds = (server.socketOf(client)?.inode ?? 0) !== 0;
    const past = clock() - sigterm;
    if (!holds && past < graceMs) {
      await server.ends({ within: graceMs });
      expect(server.end || "closed the connection", "What the server did in the middle of an answer.").equal(
        "",
        {
          because:
            "SIGTERM ends a process at once, unless the program has arranged otherwise. Block it and read it from a SignalFd, in each turn.",
          see: halfWay,
        },
      );
    }
    expect(holds, "The listener was closed before the answer under way had ended.").equal(true, why);
  }),
);

/**
 * SIGTERM comes while one client has half of a long answer. It comes in the same moment as the requests of six other
 * clients, of which five are in the accept queue; one sends two requests. Each gets its whole answers, and the end of the
 * stream.
 */
check(
  "under-way",
  "finishes every answer that was asked for before SIGTERM",
  again(async t => {
    const { server, expect } = t;
    const slow = await underWay(t);
    const [known] = (await t.oneByOne(1)) as [Client];
    await server.stopBetweenTurns();
    const others = [known, ...(await t.clients(5))];
    const name = () => `/${t.generate(grammar.word(3, 9))}`;
    const names = others.map((_, i) => (i === 0 ? [name(), name()] : [name()]));
    for (const [i, client] of others.entries()) {
      client.send(names[i]!.map(get).join(""));
      await client.sent();
    }
    server.terminate();
    server.continue();
    await turnsAfterSigterm(t);
    await completes(
      t,
      slow,
      "What send() has not taken is in your memory. Send it before you end: the loop goes on while a client has output.",
    );
    for (const [i, client] of others.entries()) {
      for (const one of names[i]!) {
        expect(
          await client.receives(asked(one).body),
          `${client.name} asked for ${one} before SIGTERM, and has no answer.`,
        ).ok({
          because:
            "The request was in the kernel when the signal came: in the receive buffer, or behind a connection in the accept queue. Accept and read once more after SIGTERM, answer each request, and only then close.",
        });
      }
      expect(await client.closed(), `How the connection of ${client.name} has ended.`).equal("ended", {
        because: "Answer, then close: the client gets the answer, and the end of the stream.",
      });
    }
  }),
);

/** Eight clients are connected and silent, one of them in the middle of a request. The server ends at once, with status 0. So does a server whose only client has left. */
check(
  "status",
  "exits with status 0 at once when no answer is under way",
  again(async t => {
    const { server, until, expect } = t;
    const idle = await t.clients(8);
    idle[0]!.send("GET /half");
    await server.accepts(idle);
    const watch = server.traced ? server.watch() : null;
    const [sigterm, delayed] = [clock(), server.delayedMs];
    let waited = 0;
    server.terminate();
    await until(() => {
      // A server that has ended no longer says how long it has waited for a processor.
      waited = Math.max(waited, server.delayedMs - delayed);
      return idle.every(client => client.over);
    }, 5000);
    const took = Math.round(clock() - sigterm - waited);
    expect(took, "Clients without an answer under way were disconnected after SIGTERM within (ms).").atMost(
      600,
      {
        because:
          "A client without an answer under way has nothing to lose: close its connection, and end when no client is left.",
        see: "npx tsx server.ts {port} & sleep 2; kill $(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+'); wait $!; echo $?",
      },
    );
    const ending = await server.ends();
    // Counted, and not timed: a busy machine ends a process late.
    const sleeps = watch?.calls.rests.length ?? 0;
    expect(ending, "How the server has ended.").equal(
      { status: 0, signal: null },
      {
        because:
          "The process that started the server reads its status: 0 says that it ended as it was asked to. Leave the loop, and let main return.",
      },
    );
    expect(sleeps, "No client had an answer under way. Sleeps of the server before its end:").atMost(50, {
      because:
        "The second is for answers under way. Without a client there is nothing to wait for: leave the loop.",
    });
    const ends = await Promise.all(idle.map(client => client.closed()));
    expect(new Set(ends), "How the connections have ended (ended: FIN, broken: RST).").equal(
      new Set(["ended"]),
    );
    await server.startAfresh();
    // A server that has served a client has arranged all that it needs for SIGTERM.
    const before = server.sockets;
    const visitor = await t.client();
    await t.exchange({
      about: "a client that leaves",
      client: visitor,
      sends: get("/tea"),
      wants: [asked("/tea")],
    });
    visitor.close();
    expect(await server.holds(before), "Its only client has left: sockets that the server holds.").equal(
      before,
    );
    server.terminate();
    expect(await server.ends(), "How a server has ended whose only client had left.").equal(
      { status: 0, signal: null },
      {
        because:
          "read() of a SignalFd takes the signal out: the server has to remember it. It ends at once, also when no client is connected.",
        see: "npx tsx server.ts {port} & sleep 2; kill $(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+'); wait $!; echo $?",
      },
    );
  }),
);

/**
 * Two clients have a long answer under way at SIGTERM. One goes on reading after 500 ms, and gets all of it. The other
 * does not read: the server still ends with status 0, within two seconds.
 */
check(
  "deadline",
  "ends within a second of SIGTERM, even if a client does not read",
  { patient: true },
  again(async t => {
    const { server, expect } = t;
    const late = await underWay(t);
    await underWay(t);
    server.terminate();
    await server.wait(500);
    await completes(t, late, "An answer under way has one second from SIGTERM.");
    await soon(t, 1500, () => !server.alive);
    const ending = server.alive ? null : await server.ends();
    expect(ending, "A client does not read, and the server has not ended within two seconds of SIGTERM.").ok({
      because:
        "One client that does not read can hold the server for ever, and its supervisor then ends it with SIGKILL. Note the time of SIGTERM, and close every connection a second later.",
    });
    expect(ending?.status, "The status of a server that ended at its deadline.").equal(0);
  }),
);

/**
 * A client that sends nothing is disconnected after two seconds, and so is one that sends a byte of its request every 200 ms.
 * A client that asks after one second has two seconds for its next request. A client that takes a part of a long answer has
 * two seconds to take more, and is then disconnected.
 */
check(
  "silent",
  "disconnects a client that sends no whole request for two seconds",
  { patient: true },
  again(async t => {
    const { server, expect } = t;
    const reader = await underWay(t);
    const began = clock();
    const [silent, dripping, served] = (await t.clients(3)) as [Client, Client, Client];
    const three = [silent, dripping, served];
    const request = get(`/${"by-the-drop".repeat(20)}`);
    let [drops, asks, takes] = [0, 0, 0];
    const gone = new Map<Client, number>();
    const lives = () => {
      const past = clock() - began;
      for (const one of three) if (one.over && !gone.has(one)) gone.set(one, clock());
      // A client that does not read does not see the end.
      const held = (server.socketOf(reader)?.inode ?? 0) !== 0;
      if (!held && !gone.has(reader)) gone.set(reader, clock());
      if (!dripping.over && past > 200 * (drops + 1) && drops < request.length - 4)
        dripping.send(request[drops++]!);
      if (asks === 0 && past > patienceMs / 2) {
        asks = takes = clock();
        served.send(get("/tea"));
        reader.setReading(true);
      }
      if (takes > 0 && reader.receivedBytes > 512 * 1024) reader.setReading(false);
      return gone.size === 4;
    };
    await soon(t, 2.5 * patienceMs, lives);
    const why = {
      because:
        "A silent client costs a descriptor and a place in each turn, for ever. Note when each client’s time is over, and compare in each turn.",
      see: "timeout 5 bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; time cat <&3'",
    };
    const held = (client: Client, from: number) =>
      Math.round((gone.get(client) ?? Number.POSITIVE_INFINITY) - from);
    expect(silent.over, "A client has sent nothing for five seconds, and is still connected.").ok(why);
    expect(held(silent, began), "A client that sent nothing was disconnected after (ms).").atLeast(
      patienceMs,
      {
        because: "A client has two seconds for its request.",
      },
    );
    expect(
      dripping.over,
      "A client sends one byte every 200 ms, and is still connected after five seconds.",
    ).ok({
      because:
        "The two seconds are for the whole request. If each byte starts them anew, a client that sends one byte at a time keeps its place for ever.",
    });
    expect(served.over, "A client was silent after its answer, and is still connected.").ok(why);
    if (asks - began < 0.8 * patienceMs) {
      expect(
        served.received.toString(),
        "What a client received that asked one second after it had connected.",
      ).contains(asked("/tea").body);
      expect(held(served, asks), "After its request, a client was disconnected after (ms).").atLeast(
        patienceMs,
        {
          because:
            "After an answer the client has two seconds for its next request: each answer starts the time anew.",
        },
      );
      expect(
        held(reader, takes),
        "A client took a part of its answer, and was disconnected after (ms).",
      ).atLeast(patienceMs, {
        because: "A slow reader is not silent: each time that send() takes bytes, its time starts anew.",
      });
      expect(gone.has(reader), "A client takes no more of its answer, and is still connected.").ok({
        because:
          "A client that does not read costs as much as one that does not ask. It has two seconds to take more, from the last send() that took bytes.",
        see: 'timeout 5 bash -c \'exec 3<>/dev/tcp/127.0.0.1/{port}; printf "GET /leaves/16000000 HTTP/1.1\\r\\n\\r\\n" >&3; sleep 4; ss -tn "sport = :{port}"\'   # right: no connection',
      });
    }
  }),
);

/**
 * Hundreds of generated clients ask, in pieces, for short and long answers, leave and reset. Each gets its answers, and
 * the server keeps nothing of those that have left.
 */
check("conversations", "answers rightly in generated conversations", async t => {
  const says = fc
    .oneof(
      {
        weight: 4,
        arbitrary: grammar.visibleAscii(1, 20, grammar.notInTargets).map(name => asked(`/x${name}`)),
      },
      fc
        .integer({ min: 1, max: 300_000 })
        .map(leaves => ({ status: 200, body: "tea ".repeat(leaves / 4 + 1).slice(0, leaves), leaves })),
    )
    .map(({ status, body, ...rest }) => ({
      bytes: get("leaves" in rest ? `/leaves/${rest.leaves}` : body.slice("you asked for ".length, -1)),
      wants: { status, body },
    }));
  await t.conversations({
    says,
    clients: 12,
    times: 8,
    idle: "rests",
    because:
      "Deadlines change nothing for clients that ask and read: each request is answered, in order, though other clients leave.",
  });
});

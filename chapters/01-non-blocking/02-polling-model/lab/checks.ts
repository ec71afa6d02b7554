// What a server that polls must do, however it is written. Of the course's listing six of these are false; what
// no polling server can do (cost nothing while idle *and* answer at once) is not asked here.
import { type Call, Calls, type Client, check, clock, type Tools } from "workbook/check";

check("burst", "takes a burst of 50 clients in a few turns, not one client a turn", async t => {
  const { server, clients, fail, expect } = t;
  await server.stop();
  const crowd = await clients(50);
  const watch = server.traced ? server.watch() : null;
  server.continue();
  await watch?.until(calls => calls.accepted.length >= 50 || calls.turns.length > 4);
  // Judged by its first turns, and not by how far it has come: before we look, it may have made hundreds.
  const taken = watch?.calls.turns.slice(0, 4).reduce((sum, turn) => sum + turn.accepted.length, 0);
  if (watch && taken !== undefined && taken < 50 && watch.calls.turns.length > 4) {
    const { calls } = watch;
    fail(`After 4 turns the server had accepted ${taken} of 50 clients.`, {
      because:
        "Each turn takes one client from the accept queue, so the 50th waits for 49 turns. accept() may be called again and again until it says null: nobody is left.",
      see: `bash -c 'for i in $(seq 50); do exec {fd}<>/dev/tcp/127.0.0.1/{port}; done; sleep 2; ss -tln "sport = :{port}"'   # Recv-Q: who still waits`,
      at: calls.accepted.last ?? null,
    });
  }
  expect(await server.accepts(crowd), "The server has not accepted everybody who came.").equal(50, {
    because:
      "Whoever is in the accept queue is connected, but the server does not know them until it calls accept().",
  });
});

check(
  "silent",
  "hears a client who speaks while another says nothing",
  async ({ server, client, expect }) => {
    await server.accepts([await client()]);
    const talker = await client();
    talker.send("hello");
    expect(await server.reads(talker), "The second client spoke, and was not heard.").ok({
      because:
        "The server waits for a client who says nothing. accept() gives a socket that blocks, whatever the listener does: each one needs setBlocking(false).",
      see: "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; sleep 9' &   # says nothing\nbash -c 'echo hello >/dev/tcp/127.0.0.1/{port}'",
    });
  },
);

check("leaving", "notices in one turn everybody who has left, and closes their sockets", async t => {
  const { server, clients, expect } = t;
  // The one who stays is asked in every turn: that is how one turn is told from the next.
  const came = server.traced ? server.watch() : null;
  const [stays, ...neighbours] = (await clients(5)) as [Client, ...Client[]];
  const everybody = await server.accepts([stays, ...neighbours]);
  expect(everybody, "The server has not accepted everybody who came.").equal(5);
  // What the kernel shows of it may be newer than the calls that we have seen.
  const taken = await came?.until(calls => calls.accepted.list.find(call => call.port === stays.port));
  const fd = taken?.returned ?? -1;
  const before = server.sockets;
  await server.stop();
  for (const neighbour of neighbours) neighbour.close();
  const watch = server.traced ? server.watch() : null;
  server.continue();

  const noticed = (calls: Calls) => calls.reads.where(call => call.returned === 0);
  const howMany = (calls: Calls) => new Set(noticed(calls).list.map(call => call.args[0])).size;
  // It may have been stopped in the middle of a turn: so it has the end of that one, and then a whole one.
  await watch?.until(calls => howMany(calls) === 4 || rounds(calls, fd).length > 2);
  if (watch) {
    const [rest, whole] = rounds(watch.calls, fd);
    const found = howMany(rest!) + (whole ? howMany(whole) : 0);
    t.note(
      `in the turn in which it was stopped it noticed ${howMany(rest!)} of those who left, and by the end of the next ${found}`,
    );
    expect(found, "Four neighbours left at once, and a whole turn did not notice all of them.").equal(4, {
      because:
        "The loop takes elements out of the list that it walks through: what follows moves up by one place, and the next step goes past it.",
      see: "timeout 3 bash -c 'for i in 1 2 3 4; do exec {fd}<>/dev/tcp/127.0.0.1/{port}; done; sleep 9'   # then look at the times in the log",
      at: watch.calls.named("close").last ?? null,
    });
  }
  expect(
    await server.holds(before - 4),
    "Four have left, and the server still holds a socket of theirs.",
  ).equal(before - 4, {
    because:
      "recv() gave an empty Buffer: the client has closed its side. Until the server calls close() too, the connection stays in CLOSE_WAIT and its descriptor is lost.",
    see: "ss -tan 'sport = :{port}'   # CLOSE-WAIT: the client has gone, the server has not closed",
  });
  if (!watch) server.watch(); // Whether it was one turn is something that only its calls can tell.
});

check(
  "reset",
  "loses only the connection of a client who is cut off",
  async ({ server, clients, expect }) => {
    const before = server.sockets;
    const [cut, other] = (await clients(2)) as [Client, Client];
    expect(await server.accepts([cut, other]), "The server has not accepted the two clients.").equal(2);
    cut.reset();
    expect(
      await server.holds(before + 1),
      "The connection is gone, but the server still holds its socket.",
    ).equal(before + 1, {
      because:
        "recv() failed with ECONNRESET: this connection is over, and its descriptor is yours to close().",
    });
    other.send("still here");
    expect(await server.reads(other), "After one client was cut off, another was not heard any more.").ok({
      because:
        "An error belongs to the connection on which it happened; the loop must go on to the next client.",
    });
  },
);

check("long-message", "takes a long message without a rest in the middle", async t => {
  const { server, client, expect, fail } = t;
  const talker = await client();
  await server.accepts([talker]);
  await server.stop();
  talker.send(Buffer.alloc(1024 * 1024, "all work and no play "));
  const queued = await filled(t, () => server.endOf(talker)?.recvQueue ?? 0);
  t.note(`${queued} bytes wait in the server's receive buffer`);
  const watch = server.traced ? server.watch() : null;
  server.continue();
  await watch?.until(calls => calls.bytesRead >= queued || calls.rests.length > 3);
  if (watch && watch.calls.bytesRead < queued) {
    const { calls } = watch;
    const read = `${calls.bytesRead} of ${queued} bytes`;
    fail(`The server rested ${calls.rests.length} times while a message lay there, and has read ${read}.`, {
      because:
        "One recv() a turn, and then a sleep: the kernel holds what you have not asked for. Ask until recv() says null, or until this client has had its share of the turn, and rest only after a turn that found nothing.",
      see: `bash -c 'head -c 1000000 /dev/zero >/dev/tcp/127.0.0.1/{port} & sleep 2; ss -tn "sport = :{port}"'   # Recv-Q: not read yet`,
      at: calls.reads.last ?? null,
    });
  }
  expect(await server.reads(talker, { within: 10_000 }), "The server has not read the whole message.").ok({
    because:
      "1 MB should be read in less than a second; what it has not read waits in the kernel, and the client waits too.",
    see: `bash -c 'head -c 1000000 /dev/zero >/dev/tcp/127.0.0.1/{port} & sleep 2; ss -tn "sport = :{port}"'   # Recv-Q: not read yet`,
  });
});

check("out-of-descriptors", "says EMFILE when it has no descriptor left, and goes on", async t => {
  const { server, client, clients, expect } = t;
  const first = await client();
  await server.accepts([first]);
  const from = server.output.bytes;
  server.leaveDescriptors(1);
  const watch = server.traced ? server.watch() : null;
  const [, third] = (await clients(2)) as [Client, Client];
  const failures = (calls: Calls) => calls.where(call => call.errno === "EMFILE");
  const sentence = /EMFILE|too many open files/i;

  // Whoever says it says it at the first failure; a second one without a word is silence.
  await t.until(
    () => sentence.test(server.output.since(from)) || (watch && failures(watch.calls).length > 1),
    4000,
  );
  if (watch) t.note(`accept() has failed with EMFILE ${failures(watch.calls).length} times`);
  else t.note(`${server.waiting} waits in the accept queue`);
  const words = await server.output.says(sentence, { from, within: 100 });
  expect(words, "The server is out of descriptors, and does not say so.").ok({
    because:
      'accept() failed with EMFILE, and an empty catch took it for "nobody has come". Only would-block is not an error; it is null, and never thrown.',
    see: "prlimit --nofile=24:24 --pid $(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+')\nbash -c 'for i in $(seq 10); do exec {fd}<>/dev/tcp/127.0.0.1/{port}; done; sleep 3'",
    at: (watch && failures(watch.calls).last) ?? null,
  });
  if (watch) {
    const idle = await server.idle(150);
    // By what lies between two of them, and not by how many: on a busy machine a server that never rests makes few.
    const calls = failures(idle.watch?.calls ?? watch.calls);
    const times = calls.list.map(call => call.at);
    const atOnce = times.filter((at, i) => i > 0 && at - times[i - 1]! < 0.5).length;
    expect(atOnce + calls.missed, "The server tries to accept without a pause (so often).").atMost(10, {
      because:
        "As long as nobody leaves, accept() fails each time: to try again at once takes a whole processor and changes nothing. A turn that could not accept has not done anything: rest after it.",
      at: calls.last ?? null,
    });
  }
  first.send("am I still here?");
  expect(await server.reads(first), "Once it was out of descriptors, the server heard nobody any more.").ok();
  first.close();
  expect(await server.accepts([third]), "Somebody left, and who waited was not accepted.").equal(1, {
    because:
      "A closed descriptor is free again: the client in the accept queue can have it in the next turn.",
  });
});

check("quiet", "prints nothing while nothing happens", async ({ server, client, expect, until }) => {
  await server.accepts([await client()]);
  const watch = server.traced ? server.watch() : null;
  const turns = (more: number) => watch !== null && watch.calls.turns.length > more;
  await until(() => turns(1), 300); // What it has to say of the newcomer is said by then.
  const from = server.output.bytes;
  await until(() => server.output.bytes > from || turns(5), 1500);
  expect(server.output.since(from), "Nobody came, spoke or left, and the server printed something.").equal(
    "",
    {
      because:
        "A line for each turn hides the lines that matter, and costs time: printing is a write() that blocks, the only such call in this server. Say what happens, when it happens.",
      see: "timeout 5 npx tsx server.ts {port} | wc -l   # lines in five seconds, with nobody there",
    },
  );
});

check("rests", "rests while nobody speaks, and yet takes a newcomer within 100 ms", async t => {
  const { server, client, expect } = t;
  await server.accepts([await client()]);
  // By its own time, and by what it did with it: on a busy machine one that never rests gets little of a processor, too.
  const { busy, calls, restless } = await server.idle(200);
  const why = {
    because:
      "It asks everybody, without a pause, whether there is anything. After a turn that found nothing, sleep for a few milliseconds.",
    see: "top -p $(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+')",
  };
  expect(busy, "With nobody speaking, the server keeps a processor busy (1 is all of it).").atMost(0.3, why);
  expect(calls ?? 0, "With nobody speaking, the server makes system calls without a pause.").atMost(
    10_000,
    why,
  );
  expect(
    restless,
    "With nobody speaking, the server goes round and round without a rest (turns, for each time that it sleeps).",
  ).atMost(3, why);

  // The first comes at any moment of the turn; each later one comes just after the server has looked.
  await server.accepts([await client()]);
  let quickest = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < 4 && quickest > 100; tries++) {
    const own = server.ownTime();
    await server.accepts([await client()]);
    quickest = Math.min(quickest, Math.round(own.spent.ms));
    t.note(`accepted after ${quickest} ms at best`);
  }
  expect(quickest, "A newcomer waits long for a server that has nothing else to do (in ms).").atMost(100, {
    because: "How long it rests is how long a newcomer waits. A few milliseconds cost next to nothing.",
    see: `time node -e 'require("net").connect({port}, "127.0.0.1").end("hello").resume()'`,
  });
});

/** The end of a turn, and then turn after turn: each begins when this client, who stays, is asked anew. */
function rounds(calls: Calls, fd: number): Calls[] {
  const rounds: Call[][] = [[]];
  let asked = false;
  for (const call of calls) {
    const asks = (call.name === "recv" || call.name === "read") && call.args[0] === fd;
    if (asks && !asked) rounds.push([]);
    asked = asks;
    rounds.at(-1)!.push(call);
  }
  return rounds.map(list => new Calls(list, calls.missed));
}

/** Waits until this number has stopped growing for a moment, and returns it. */
async function filled(t: Pick<Tools, "until">, size: () => number): Promise<number> {
  let [last, since] = [size(), clock()];
  await t.until(() => {
    const now = size();
    if (now !== last) [last, since] = [now, clock()];
    return last > 0 && clock() - since > 50;
  }, 5000);
  return last;
}

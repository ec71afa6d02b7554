// What must be true of a server for which silent clients cost nothing: neither while all are silent, nor when one of
// them sends. How the server waits is not asked.
import {
  type CallRecord,
  type Client,
  check,
  clock,
  echoes,
  fc,
  grammar,
  leavingClients,
  silentClients,
  type Tools,
} from "workbook/check";

/** The number of clients that are connected and send nothing. */
const silent = 1000;
const messages = 50;
/** A right server asks epoll once and the client once or twice; one that re-arms a registration asks a little more. */
const mostAsked = 8;
/** Where no calls can be seen: so many times the processor time of a message may rise. */
const mostTimes = 2;
/** The least of so many measures counts. */
const mostMeasures = 4;

/** One client sends lines, each after the answer to the one before. */
async function converse(t: Tools, client: Client, lines = messages): Promise<void> {
  for (let i = 0; i < lines; i++) {
    const wanted = client.receivedBytes + 6;
    client.send("hello\n");
    const spoke = clock();
    const heard = () => client.receivedBytes >= wanted;
    // The server may have slept for long before this line: only what it does a second later says that it is stuck.
    await t.until(() => heard() || (clock() - spoke > 1000 && t.server.stuck()), 5000);
    t.expect(heard(), "A connected client sent a line, and got no answer.").ok({
      because: "Each client must be on the list from which the server learns who is ready.",
      see: "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; echo hello >&3; timeout 2 cat <&3'",
    });
  }
}

/** Of how many descriptors this call speaks to the kernel. */
function asked({ call, args, returned }: CallRecord): number {
  if (call === "poll") return Number(args[1]);
  return call === "epoll_wait" ? Math.max(1, returned) : 1;
}

/** The processor time that the server spends on a message, in microseconds: the best of some rounds. */
async function costOfMessage(t: Tools, client: Client): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const own = t.server.ownTime();
    await converse(t, client);
    best = Math.min(best, (own.spent.ran * 1000) / messages);
  }
  return best;
}

const because =
  "For each message the server goes through all clients, in its own loop or in a list that it hands to the kernel. Only the client that is ready needs work: let epoll say which one that is.";
const reported =
  "epoll_wait reports clients that have sent nothing. Ask for EPOLLIN only: a socket nearly always has room for more bytes, so with EPOLLOUT nearly every client is ready all the time.";
const see =
  "bash -c 'for i in $(seq 500); do exec {fd}<>/dev/tcp/127.0.0.1/{port}; done; for i in $(seq 50); do echo hello >&$fd; read -t 5 <&$fd; done'   # look at the calls in Syscalls meanwhile";

/**
 * 1000 clients connect and send nothing. Another one sends 50 lines, one after another. For each line the server asks
 * the kernel about at most eight descriptors, however many there are.
 */
check("idle", "asks about no silent client when one of 1001 clients sends", async t => {
  const [speaker] = (await silentClients.crowd(t, 1)) as [Client];
  if (!t.server.traced) {
    await costOfMessage(t, speaker); // the first ones also pay for compilers and caches
    const alone = await costOfMessage(t, speaker);
    await silentClients.crowd(t, silent);
    // What a run-time system does by itself, such as to collect garbage, raises one measure, and not each of them.
    let times = Number.POSITIVE_INFINITY;
    for (let measure = 0; measure < mostMeasures && times > mostTimes; measure++)
      times = Math.min(times, (await costOfMessage(t, speaker)) / alone);
    t.expect(
      Number(times.toFixed(1)),
      `Processor time of a message among ${silent} silent clients, divided by that without them.`,
    ).atMost(mostTimes, { because, see });
    return;
  }
  await silentClients.crowd(t, silent);
  await converse(t, speaker);
  const calls = await t.server.trace({ during: () => converse(t, speaker) });
  const total = calls.list.reduce((sum, call) => sum + asked(call), 0) + calls.missed;
  const dearest = calls.list.reduce<CallRecord | null>(
    (most, call) => (most === null || asked(call) > asked(most) ? call : most),
    null,
  );
  t.expect(
    Math.round(total / messages),
    `Descriptors that the server asks about for one message, with ${silent} silent clients.`,
  ).atMost(mostAsked, { because: dearest?.call === "epoll_wait" ? reported : because, see, at: dearest });
});

/**
 * 40 clients connect, half of them before and half while the server is stopped. Twice all of them send a line in the
 * same moment, and each receives its own bytes back.
 */
check("everybody", "answers every client, whenever it has connected", async t => {
  const { server, clients, expect } = t;
  const all = await silentClients.crowd(t, 20);
  await server.stop();
  all.push(...(await clients(20)));
  const said = new Map(all.map(one => [one, ""]));
  for (const round of [1, 2]) {
    for (const one of all) {
      const words = `${one.name}, line ${round}\n`;
      said.set(one, said.get(one) + words);
      one.send(words);
    }
    server.continue();
    expect(
      await echoes.countEchoed(t, said),
      `All 40 clients have sent line ${round}: clients that got it back.`,
    ).equal(40, {
      because:
        "One wake-up can mean many new clients and many lines. Register each client when you accept it: the next wait reports what it has sent before, too.",
      see: "bash -c 'for i in 1 2 3; do exec 3<>/dev/tcp/127.0.0.1/{port}; echo hello $i >&3; timeout 1 cat <&3; done'",
    });
    await server.stop();
  }
  server.continue();
  echoes.judgeEchoes(t, said);
});

/**
 * Ten of 30 clients close, and ten more reset their connections. The server closes these 20 sockets. It still answers
 * the other ten clients, and ten new ones.
 */
check("leaving", "closes the sockets of clients that leave, and serves those that come after", async t => {
  const { clients, expect } = t;
  const stay = await leavingClients.judgeLeaving(t, await silentClients.crowd(t, 30), {
    closed:
      "At the end of the stream recv() returns an empty Buffer. Then take the client off the list, and close its socket, in this order: a closed socket has no number.",
    reset:
      "After a reset epoll reports the client, too, and events holds more than EPOLLIN. Call recv(): it throws ECONNRESET.",
  });
  // The new clients get the numbers of those that have left.
  const there = [...stay, ...(await clients(10))];
  const said = new Map(there.map(one => [one, `${one.name} is here\n`]));
  for (const [one, words] of said) one.send(words);
  expect(
    await echoes.countEchoed(t, said),
    "After 20 clients had left: answers for ten clients that stayed and ten new ones.",
  ).equal(20, {
    because:
      "The kernel gives the numbers of closed descriptors to new clients. What the program keeps for a number must be the new client's.",
  });
});

/**
 * Of 20 clients some have sent a line, some have left, and the others are silent. In 0.3 s the server wakes up at most
 * three times.
 */
check("sleeps", "sleeps until a client does something", async t => {
  const { server, expect } = t;
  const all = await silentClients.crowd(t, 20);
  for (const one of all.slice(0, 5)) await converse(t, one, 1);
  for (const one of all.slice(5, 10)) one.close();
  await server.releases(all.slice(5, 10));
  const { busy, sleeps, watch } = await server.idle(300);
  const see = "top -p $(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+')";
  const at = watch?.calls.last ?? null;
  expect(Math.round(busy * 100), "CPU used while no client sends (% of a processor).").atMost(10, {
    because:
      "The wait returns at once, again and again. Its time-out is 0, or the server asks for an event that is nearly always there: a socket nearly always has room for more bytes (EPOLLOUT).",
    see,
    at,
  });
  expect(sleeps, "Wake-ups in 0.3 s in which no client sends.").atMost(3, {
    because: "The server wakes up to look for messages. The arrival of a message wakes it: it need not look.",
    see,
    at,
  });
});

/**
 * Generated clients, up to 40 in one conversation, send bytes, leave or reset. Each receives its own bytes back, in
 * order, and the server sleeps while no client sends.
 */
check("conversations", "keeps every promise in generated conversations", async t => {
  await t.conversations({
    says: fc
      .oneof(grammar.anyBytes(1, 40), grammar.longText(40, 3000))
      .map(bytes => ({ bytes, wants: bytes })),
    clients: 40,
    unfinished: false,
    idle: "sleeps",
    because:
      "Each client gets its own bytes back, in order. The server closes the sockets of clients that have left, and sleeps while no bytes arrive.",
  });
});

// What a server must do for 500 clients, nearly all of them silent: cost next to nothing, and answer at once a client
// that sends. A loop that asks each client can have the one or the other; how the server is written is not asked.
import {
  type CallRecord,
  type CallWatch,
  type Client,
  check,
  clock,
  fc,
  grammar,
  type Tools,
} from "workbook/check";

/** The number of clients that are connected and send nothing. */
const silent = 500;
/** After this time a server is at rest again, also one that rests longer the longer it is quiet. */
const settlesMs = 600;
/** The time for which the cost of silence is measured. */
const silenceMs = 500;
/** A server that is not seen to sleep in so much of its own time never sleeps, or sleeps in a way that the trace does not show. */
const unseenMs = 100;
/** The number of a program's first calls that are traced with their lines, which costs more than a short call itself. */
const dearCalls = 11_000;
/** The longest time in which a message must be read. */
const mostMs = 10;
const word = "hello\n";

/** 500 accepted clients; they connect by the hundred, because the accept queue is not what this lab is about. */
async function crowd(t: Tools): Promise<Client[]> {
  const come: Client[] = [];
  while (come.length < silent) {
    const some = await t.clients(100);
    t.expect(
      await t.server.accepts(some),
      "Number of the connected clients that the server has accepted.",
    ).equal(100, {
      because:
        "A client in the accept queue is connected, but the server has no socket for it until it calls accept(). Is the listener on the list of descriptors that the server waits for?",
      see: "ss -tln 'sport = :{port}'   # Recv-Q: clients that still wait",
    });
    come.push(...some);
  }
  return come;
}

/**
 * 500 clients connect and send nothing. In half a second of silence the server uses at most 2 % of a
 * processor and wakes up at most ten times.
 */
check("rests", "uses under 2 % of a processor and hardly wakes up while 500 clients are silent", async t => {
  const { server, expect } = t;
  await crowd(t);
  const since = server.traced ? server.watch() : null;
  const made = () => (since === null ? 0 : since.calls.length + since.calls.missed);
  await server.wait(settlesMs);
  // A server that polls is judged by the cost of its calls, and not by the cost of tracing their lines.
  for (let i = 0; i < 20 && made() > silent && made() < dearCalls; i++) await server.wait(100);
  const { busy, sleeps, watch } = await server.idle(silenceMs);
  const see =
    "bash -c 'for i in $(seq 500); do exec {fd}<>/dev/tcp/127.0.0.1/{port}; done; sleep 60' &\ntop -p $(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+')";
  expect(Number((busy * 100).toFixed(2)), "CPU used while 500 clients are silent (% of a processor).").atMost(
    2,
    {
      because:
        "Each turn asks every client, and 500 calls return EAGAIN. A longer rest makes that cheaper, and lets every client wait longer.",
      see,
      at: watch?.calls.named("recv", "poll", "epoll_wait").last ?? null,
    },
  );
  // A look that costs nothing would still have to be made a hundred times a second, to find a word within 10 ms.
  expect(sleeps, `Wake-ups while 500 clients are silent (in ${silenceMs} ms).`).atMost(10, {
    because:
      "The server wakes up to look for messages. If the arrival of a message wakes the server, it need not look.",
    see: "grep -H voluntary /proc/$(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+')/status   # twice, a second apart",
    at: watch?.calls.rests.last ?? null,
  });
});

/**
 * 500 clients are connected and silent. One after another, in a random order, clients send `hello`, and none
 * of them may have to wait longer than 10 ms for its answer.
 */
check("answers-soon", "answers any of 500 silent clients within 10 ms", async t => {
  let looked = 0;
  let began = 0;
  const watch = t.server.traced ? t.server.watch() : null;
  for (const [i, speaker] of shuffled(await crowd(t)).entries()) {
    const { ms, woken, slept } = await longestWait(t, watch, speaker, i === 0);
    t.expect(Number(ms.toFixed(1)), "Longest wait for an answer (in ms).").atMost(mostMs, {
      because: slept
        ? "All clients were silent, and the server slept. A message did not end that sleep, so a message that arrives just after its beginning waits for all of it."
        : "All clients were silent, and the server slept. It read this message late, in each of several tries.",
      see: "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; echo hello >&3; sleep 1; time { echo hello >&3; timeout 5 head -n 2 <&3; }'",
      at: slept && isTimed(slept) ? slept : null,
    });
    // The server looks for messages, and often enough in any silence: the check "rests" judges what that costs.
    if (!woken && ++looked === 3) return;
    if (i === 0) began = clock();
    // Where all 500 would take long, on a busy machine, so many have to do.
    if (i >= 150 && clock() - began > 5000) return;
  }
});

/** All clients send, in a random order: a server that waits for some of them only is caught. */
function shuffled<T>(all: readonly T[]): T[] {
  return all
    .map(one => ({ one, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one);
}

interface Wait {
  ms: number;
  /** Nothing but its word ended the sleep of the server, as far as can be seen. */
  woken: boolean;
  /** A sleep that its word did not end. */
  slept: CallRecord | null;
  /** Told by what the server asked of the kernel, and not by a clock: another try would tell the same. */
  exact: boolean;
}

/** How long this client may have to wait; by the clock, the best of some tries: a busy machine makes any server late. */
async function longestWait(
  t: Tools,
  watch: CallWatch | null,
  speaker: Client,
  silent: boolean,
): Promise<Wait> {
  let best: Wait = { ms: Number.POSITIVE_INFINITY, woken: false, slept: null, exact: false };
  for (let tries = 0; tries < 10; tries++) {
    const wait = await speak(t, watch, speaker, silent);
    // How one is woken does not depend on how long one has slept. How often one looks may: that is asked in a silence.
    if ((wait.woken || silent) && wait.ms < best.ms) best = wait;
    if (best.ms <= mostMs || (best.exact && best.slept)) break;
    // A busy machine makes no server so late again and again; and a server whose looks cannot be foreseen may be lucky.
    if (best.ms > 4 * mostMs && best.slept && tries >= 1) break;
    if (!wait.woken && !wait.slept && tries >= 2) break;
    silent = !wait.woken;
  }
  return best;
}

/** One client sends, if wanted after a silence. @returns how long its message may have to wait */
async function speak(t: Tools, watch: CallWatch | null, speaker: Client, silent: boolean): Promise<Wait> {
  const { server, until } = t;
  // The silence ends at a random moment of the time whose cost "rests" measures: so no server can be cheap then, and quick now.
  if (silent) await server.wait(settlesMs + Math.random() * silenceMs);
  const asleep = watch !== null && (await isSeenAsleep(t));
  if (!asleep && silent) {
    // The check cannot see what the server waits for: so the client sends when the server has just looked, if it looks.
    const { sleepCount } = server;
    await until(() => server.asleep && server.sleepCount > sleepCount, 300);
  }
  const { delayedMs } = server;
  const own = server.ownTime();
  const wanted = speaker.receivedBytes + word.length;
  const spoke = clock();
  speaker.send(word);
  const heard = () => speaker.receivedBytes >= wanted;
  await until(() => heard() || (clock() - spoke > 1000 && server.stuck()), 5000);
  if (!heard()) {
    t.fail("One of 500 clients sent a message, and got no answer.", {
      because: "Every connected client belongs on the list of descriptors that the server waits for.",
      see: "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; echo hello >&3; timeout 2 cat <&3'",
    });
  }
  const { ran } = own.spent;
  const late = server.delayedMs - delayedMs;
  const wait = asleep ? bySleeps(watch, spoke, { ran, late }) : byClock(watch, speaker, spoke, late);
  if (silent || wait.ms > mostMs) {
    const of =
      wait.slept &&
      (isTimed(wait.slept)
        ? ` for the end of ${wait.slept.call}`
        : `: the server has slept since ${wait.slept.call}`);
    t.note(`${speaker.name}: a message may have to wait ${wait.ms.toFixed(1)} ms${of ?? ""}`);
  }
  return wait;
}

/** Waits until the server sleeps in a call that can be seen. False: it had its time, and slept otherwise, or not at all. */
async function isSeenAsleep({ server, until }: Tools): Promise<boolean> {
  const own = server.ownTime();
  let unseen = 0;
  const look = () => {
    if (server.asleep && isTimed(server.currentCall)) return "seen";
    const { asleep, ms, ran } = own.spent;
    // More than once: a call may have begun since the trace was read for this look.
    if (asleep) unseen++;
    return (asleep ? ms > unseenMs && unseen > 5 : ran > unseenMs) && "not seen";
  };
  return (await until(look, 15_000)) === "seen";
}

/**
 * The wait of a message, from its sending until it was read: the sleeps that it did not end, and what the server did
 * meanwhile. Each sleep counts as long as the server asked for, because the message may have come at its beginning.
 */
function bySleeps(watch: CallWatch, spoke: number, { ran, late }: { ran: number; late: number }): Wait {
  const { calls } = watch;
  const read = firstRead(watch, spoke);
  const slept = calls.where(
    call => isOverAfter(call, spoke) && call.at < (read?.at ?? spoke) && isTimed(call) && !isWoken(call),
  );
  const ms = slept.list.reduce((sum, call) => sum + timeoutMs(call), ran);
  const first = slept.list.find(call => timeoutMs(call) > 0) ?? null;
  const byClock = (read?.at ?? spoke) - spoke - late;
  // Woken at once, and late again and again: it sleeps before it reads, in a way that cannot be seen.
  if (first === null && byClock > mostMs) return { ms: byClock, woken: true, slept: null, exact: false };
  return { ms, woken: first === null, slept: first, exact: true };
}

/** The same by the clock, for a server whose sleep cannot be seen; less the time in which it waited for a processor. */
function byClock(watch: CallWatch | null, speaker: Client, spoke: number, delayed: number): Wait {
  const last = watch?.calls.where(call => call.at <= spoke).last ?? null;
  const read = watch ? firstRead(watch, spoke) : undefined;
  const woken = last !== null && isOverAfter(last, spoke) && isWoken(last);
  // Where it is not seen to sleep and yet seen to read, it has slept since its last call.
  const slept = last !== null && !woken && (isTimed(last) || read) ? last : null;
  const ms = (read?.at ?? speaker.receivedAt) - (slept?.at ?? spoke) - (slept ? 0 : delayed);
  return { ms: Math.max(0, ms), woken, slept, exact: false };
}

function firstRead(watch: CallWatch, spoke: number): CallRecord | undefined {
  return watch.calls.after(spoke).reads.where(call => call.returned > 0).list[0];
}

function isOverAfter({ at, took }: CallRecord, moment: number): boolean {
  return took === null || at + took / 1000 > moment;
}

/** The call returned because a descriptor was ready, and not because its time was over. */
function isWoken({ call, returned }: CallRecord): boolean {
  return call !== "nanosleep" && returned > 0;
}

/** A sleep whose end can be seen: a ready descriptor, or its time-out. */
function isTimed(call: CallRecord | null): boolean {
  return call !== null && ["nanosleep", "poll", "epoll_wait"].includes(call.call);
}

/** For how long it was to sleep at most, in milliseconds. */
function timeoutMs({ call, args }: CallRecord): number {
  if (call === "nanosleep") return Number(args[0]) * 1000;
  return Math.max(0, Number(call === "poll" ? args[2] : args[3]));
}

/**
 * 50 clients are connected. Twice they all send a line while the server is stopped, and each client then
 * receives its own bytes back.
 */
check("everybody", "answers every client that sends, with its own bytes", async t => {
  const { server, client, clients, expect } = t;
  const first = await client();
  expect(await server.accepts([first]), "The server has not accepted the first client.").equal(1);
  const all = [first, ...(await clients(49))];
  expect(await server.accepts(all), "Number of the connected clients that the server has accepted.").equal(
    50,
    {
      because: "Wait for the listener, too: it is readable when a client waits in the accept queue.",
    },
  );
  const said = new Map(all.map(one => [one, ""]));
  for (const round of [1, 2]) {
    await server.stop();
    for (const one of all) {
      const word = `${one.name}, word ${round}\n`;
      said.set(one, said.get(one) + word);
      one.send(word);
    }
    server.continue();
    expect(
      await answered(t, said),
      "50 clients sent in the same moment: number of clients that got an answer.",
    ).equal(50, {
      because:
        "After one wake-up many clients may be ready: read from all of them, or let the next call report them again. And a client that has connected since the last call must be on the list.",
      see: "bash -c 'for i in 1 2 3; do exec 3<>/dev/tcp/127.0.0.1/{port}; echo hello $i >&3; timeout 1 cat <&3; done'",
    });
  }
  const wrong = all.find(one => one.received.toString() !== said.get(one));
  expect(wrong?.received ?? "", "The answer is not what the client sent.").equal(
    wrong ? said.get(wrong) : "",
  );
});

/** Waits until all these clients have got so much; how many of them have. */
async function answered({ server, until }: Tools, said: ReadonlyMap<Client, string>): Promise<number> {
  const count = () => [...said].filter(([one, words]) => one.received.length >= words.length).length;
  await until(() => count() === said.size || server.stuck()?.call === "accept4", 3000);
  return count();
}

/**
 * Ten of 30 clients close, and ten more reset their connections. The server closes these 20 sockets, and
 * still answers the other ten clients.
 */
check("leaving", "closes the sockets of clients that leave or reset, and of no others", async t => {
  const { server, clients, expect } = t;
  const before = server.sockets;
  const all = await clients(30);
  expect(await server.accepts(all), "Number of the connected clients that the server has accepted.").equal(
    30,
  );
  for (const one of all.slice(0, 10)) one.close();
  expect(
    await server.holds(before + 20),
    "Ten of 30 clients have closed: sockets that the server holds.",
  ).equal(before + 20, {
    because:
      "recv() gave an empty Buffer: the end of the stream. Until the server calls close(), its descriptor is lost; and a socket at its end is ready for ever.",
    see: "ss -tan 'sport = :{port}'   # CLOSE-WAIT: the client has gone, the server has not closed",
  });
  for (const one of all.slice(10, 20)) one.reset();
  expect(
    await server.holds(before + 10),
    "Ten more clients have reset their connections: sockets that the server holds.",
  ).equal(before + 10, {
    because:
      "After a reset the descriptor is ready, too, and events holds more than POLLIN: POLLERR and POLLHUP. Call recv(): it throws ECONNRESET.",
    see: "timeout 5 node -e 'const s = require(\"net\").connect({port}, \"127.0.0.1\", () => s.resetAndDestroy())'; ls /proc/$(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+')/fd | wc -l   # grows",
  });
  const stay = new Map(all.slice(20).map(one => [one, "still here\n"]));
  for (const [one, words] of stay) one.send(words);
  expect(
    await answered(t, stay),
    "After other clients had left: number of the remaining ten clients that got an answer.",
  ).equal(10, {
    because:
      "A failure on one connection ends that connection only. The server goes on for all other clients.",
  });
});

/**
 * Generated clients, up to 40 in one conversation, send bytes, leave or reset. Each receives its own bytes
 * back, in order, and the server sleeps while no client sends.
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

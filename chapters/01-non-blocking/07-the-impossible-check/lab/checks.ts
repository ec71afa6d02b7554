// What a server must do that is there for 500 clients of whom nearly all are silent: cost next to nothing, and answer
// at once whoever speaks. A loop that asks everybody can have the one or the other; how it is written is not asked.
import { type Call, type Client, check, clock, type Tools, type Watch } from "workbook/check";

/** Everybody who is there and says nothing. */
const silent = 500;
/** In this time a newcomer's commotion dies down, also in a server that rests longer the longer it is quiet. */
const settlesMs = 600;
/** For so long the cost of silence is measured. */
const silenceMs = 500;
/** So soon a word is to be read. */
const mostMs = 10;
const word = "hello\n";

/** 500 clients who have been let in; they come by the hundred, for that is not what this is about. */
async function crowd(t: Tools): Promise<Client[]> {
  const come: Client[] = [];
  while (come.length < silent) {
    const some = await t.clients(100);
    t.expect(await t.server.accepts(some), "The server has not accepted everybody who came.").equal(100, {
      because:
        "Whoever is in the accept queue is connected, but the server does not know them until it calls accept(). Is the listener among those whom it waits for?",
      see: "ss -tln 'sport = :{port}'   # Recv-Q: who still waits",
    });
    come.push(...some);
  }
  return come;
}

check(
  "rests",
  "costs under 2 % of a processor and hardly wakes up while 500 clients say nothing",
  async t => {
    const { server, expect } = t;
    await crowd(t);
    await server.quiet(settlesMs);
    const before = server.sleeps;
    const watch = server.traced ? server.watch() : null;
    const cpu = await server.cpu({ during: () => server.quiet(silenceMs) });
    const wakeUps = server.sleeps - before;
    const calls = watch && watch.calls.length + watch.calls.missed;
    t.note(
      `in ${silenceMs} ms of silence: ${(cpu * 100).toFixed(2)} % of a processor, ${wakeUps} wake-ups${calls === null ? "" : `, ${calls} system calls`}`,
    );
    const see =
      "bash -c 'for i in $(seq 500); do exec {fd}<>/dev/tcp/127.0.0.1/{port}; done; sleep 60' &\ntop -p $(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+')";
    expect(Number((cpu * 100).toFixed(2)), "Nobody speaks, and the server works (% of a processor).").atMost(
      2,
      {
        because:
          "Each turn asks everybody, and is told 500 times that there is nothing. A longer rest makes it cheaper, and everybody wait longer.",
        see,
        at: watch?.calls.named("recv", "poll", "epoll_wait").last ?? null,
      },
    );
    // A look that costs nothing would still have to be made a hundred times a second, to find a word within 10 ms.
    expect(wakeUps, `Nobody speaks, and the server wakes up again and again (in ${silenceMs} ms).`).atMost(
      10,
      {
        because:
          "It wakes up to look whether somebody has spoken. Who is woken by the word itself need not look.",
        see: "grep -H voluntary /proc/$(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+')/status   # twice, a second apart",
        at: watch?.calls.rests.last ?? null,
      },
    );
  },
);

check("answers-soon", "answers within 10 ms, whoever of 500 silent clients speaks", async t => {
  let looked = 0;
  let began = 0;
  const watch = t.server.traced ? t.server.watch() : null;
  for (const [i, speaker] of shuffled(await crowd(t)).entries()) {
    const { ms, woken, slept } = await longestWait(t, watch, speaker, i === 0);
    t.expect(Number(ms.toFixed(1)), "Whoever speaks may have to wait for so long (in ms).").atMost(mostMs, {
      because: slept
        ? "All were silent, and the server slept. A word did not end that sleep, so one that comes just after it has begun waits for all of it."
        : "All were silent, and the server slept. This word was read late, however often it was said.",
      see: "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; sleep 1; time { echo hello >&3; read <&3; }'",
      at: isTimed(slept) ? slept : null,
    });
    // It looks for words, and often enough in any silence: what that costs is for "rests" to say.
    if (!woken && ++looked === 3) return;
    if (i === 0) began = clock();
    // Where all 500 would take long, on a busy machine, so many have to do.
    if (i >= 120 && clock() - began > 3000) return;
  }
});

/** Everybody, in an order that nobody foresees: it is not enough to wait for most, and to look after the others. */
function shuffled<T>(all: readonly T[]): T[] {
  return all
    .map(one => ({ one, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one);
}

interface Wait {
  ms: number;
  /** Its word ended the sleep of the server, as far as can be seen. */
  woken: boolean;
  /** The sleep that its word did not end. */
  slept: Call | null;
}

/** How long this client may have to wait, at best of some tries: a busy machine makes anybody late now and then. */
async function longestWait(t: Tools, watch: Watch | null, speaker: Client, silent: boolean): Promise<Wait> {
  let best: Wait = { ms: Number.POSITIVE_INFINITY, woken: false, slept: null };
  for (let tries = 0; tries < 10; tries++) {
    const wait = await speak(t, watch, speaker, silent);
    // How one is woken does not depend on how long one has slept. How often one looks may: that is asked in a silence.
    if ((wait.woken || silent) && wait.ms < best.ms) best = wait;
    if (best.ms <= mostMs) break;
    // So late is nobody again and again because of a busy machine; and a look that one cannot foresee may be lucky.
    if (best.ms > 4 * mostMs && best.slept && tries >= 1) break;
    if (!wait.woken && !wait.slept && tries >= 2) break;
    silent = !wait.woken;
  }
  return best;
}

/**
 * One speaks, if wanted after a silence. How long a word may have to wait then: if the server sleeps in a call that a
 * word ends, until it is read; if it sleeps in another, all of that sleep, for it might have come at the beginning.
 */
async function speak(t: Tools, watch: Watch | null, speaker: Client, silent: boolean): Promise<Wait> {
  const { server, until } = t;
  // It may end at any moment of the one whose cost is measured: nobody is cheap then, and just now quick.
  if (silent) await server.quiet(settlesMs + Math.random() * silenceMs);
  const seen = watch && (await until(() => server.asleep && isTimed(server.inside), 100));
  if (!seen && silent) {
    // One cannot see what it waits for: so one speaks when it has just looked, if it looks at all.
    const { sleeps } = server;
    await until(() => server.asleep && server.sleeps > sleeps, 300);
  }
  const { delayed } = server;
  const wanted = speaker.receivedBytes + word.length;
  const spoke = clock();
  speaker.send(word);
  const heard = () => speaker.receivedBytes >= wanted;
  await until(() => heard() || (clock() - spoke > 1000 && server.stuck()), 5000);
  if (!heard()) {
    t.fail("One of 500 clients spoke, and was not answered.", {
      because: "Everybody who is here belongs into the list of those whom the server waits for.",
      see: "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; echo hello >&3; timeout 2 cat <&3'",
    });
  }
  const last = watch?.calls.where(call => call.at <= spoke).last ?? null;
  const read = watch?.calls.after(spoke).reads.where(call => call.returned > 0).list[0];
  const woken = last !== null && isEndedBySomebody(last, spoke);
  // Where it is not seen to sleep and yet seen to read, it has slept since its last call.
  const slept = last !== null && !woken && (isTimed(last) || read) ? last : null;
  // What it waited for a processor is not its own fault; where one sees all of a sleep, that does not matter.
  const late = slept ? 0 : server.delayed - delayed;
  const ms = Math.max(0, (read?.at ?? speaker.heardAt) - (slept?.at ?? spoke) - late);
  if (silent || ms > mostMs) {
    const why =
      slept && (isTimed(slept) ? ` for the end of ${slept.name}` : `: it has slept since ${slept.name}`);
    t.note(`${speaker.name}: a word may have to wait ${ms.toFixed(1)} ms${why ?? ""}`);
  }
  return { ms, woken, slept };
}

/** The server was in this call at that moment, and came out of it because of somebody who had something. */
function isEndedBySomebody(call: Call, moment: number): boolean {
  if (isTimed(call)) return call.name !== "nanosleep" && call.returned > 0;
  return call.returned > 0 && call.at + (call.took ?? 0) / 1000 > moment;
}

/** A sleep of which one sees what ended it: somebody who is ready, or its time-out. */
function isTimed(call: Call | null): boolean {
  return call !== null && ["nanosleep", "poll", "epoll_wait"].includes(call.name);
}

check("everybody", "answers everybody who speaks, each with their own words", async t => {
  const { server, client, clients, expect } = t;
  const first = await client();
  expect(await server.accepts([first]), "The server has not accepted the first client.").equal(1);
  const all = [first, ...(await clients(49))];
  expect(await server.accepts(all), "The server has not accepted everybody who came.").equal(50, {
    because: "The listener is one of those who may have something: readable means that somebody has come.",
  });
  const said = new Map(all.map(one => [one, ""]));
  for (const round of [1, 2]) {
    await server.stop();
    for (const one of all) {
      const word = `${one.name}, word ${round}\n`;
      said.set(one, said.get(one) + word);
      one.send(word);
    }
    server.continue();
    expect(await answered(t, said), "50 clients spoke in the same moment, and not all were answered.").equal(
      50,
      {
        because:
          "Whoever wakes up may find many who are ready: all of them have to be read, or to be reported again. And whoever has come since the last time has to be among those whom the server waits for.",
        see: "bash -c 'for i in 1 2 3; do exec 3<>/dev/tcp/127.0.0.1/{port}; echo hello $i >&3; timeout 1 cat <&3; done'",
      },
    );
  }
  const wrong = all.find(one => one.received.toString() !== said.get(one));
  expect(wrong?.received ?? "", "What came back is not what was said.").equal(wrong ? said.get(wrong) : "");
});

/** Waits until all these clients have got so much; how many of them have. */
async function answered({ server, until }: Tools, said: ReadonlyMap<Client, string>): Promise<number> {
  const count = () => [...said].filter(([one, words]) => one.received.length >= words.length).length;
  await until(() => count() === said.size || server.stuck()?.name === "accept4", 3000);
  return count();
}

check("leaving", "lets go of whoever leaves or is cut off, and of nobody else", async t => {
  const { server, clients, expect } = t;
  const before = server.sockets;
  const all = await clients(30);
  expect(await server.accepts(all), "The server has not accepted everybody who came.").equal(30);
  for (const one of all.slice(0, 10)) one.close();
  expect(
    await server.holds(before + 20),
    "Ten of 30 clients have closed (sockets that the server holds).",
  ).equal(before + 20, {
    because:
      "recv() gave an empty Buffer: the end of the stream. Until the server calls close(), its descriptor is lost; and a socket at its end is ready for ever.",
    see: "ss -tan 'sport = :{port}'   # CLOSE-WAIT: the client has gone, the server has not closed",
  });
  for (const one of all.slice(10, 20)) one.reset();
  expect(await server.holds(before + 10), "Ten more were cut off (sockets that the server holds).").equal(
    before + 10,
    {
      because:
        "Who was cut off is ready, too, and the mask says more than POLLIN then: POLLERR, POLLHUP. recv() tells what has become of the connection: it throws ECONNRESET.",
      see: "node -e 'const s = require(\"net\").connect({port}, \"127.0.0.1\", () => s.resetAndDestroy())'; ls /proc/$(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+')/fd | wc -l   # grows",
    },
  );
  const stay = new Map(all.slice(20).map(one => [one, "still here\n"]));
  for (const [one, words] of stay) one.send(words);
  expect(await answered(t, stay), "After others had left, not all who stayed were answered.").equal(10, {
    because: "What happens on a connection is the end of that one; the server goes on for all the others.",
  });
});

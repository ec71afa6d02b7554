// What must be true of a server whose tasks are async functions. How its hub settles their promises, and how it asks epoll,
// is not asked.
import {
  type BrokenPromise,
  type CallRecord,
  type Client,
  check,
  fc,
  hubClients,
  silentClients,
  type Why,
} from "workbook/check";

const {
  countsTasks,
  endsWithError,
  heard,
  errorAnswer,
  isRefused,
  meiSings,
  newWord,
  readsOn,
  says,
  sayings,
  served,
  restsNow,
  namedSlowReader,
  song,
  tcp,
  top,
} = hubClients;

/** No server counts so far. */
const forEver = 1e15;

const ends = (client: Client) => heard(client).endsWith("\n");

/** A promise of the lab: the check `goes-on` judges it. */
const breaks: BrokenPromise = {
  promise: "going on",
  saying: "the server sleeps before a handler that an event has woken has gone on to its next wait",
};

/** What a first line needs. */
const plain: Why = {
  because:
    "A handler that waits is parked under its descriptor, and an event settles its promise. A client may have the number of one that has left: what the hub keeps for a number must be gone by then.",
  see: `bash -c 'for i in 1 2 3; do exec 3<>${tcp}; echo "tea $i" >&3; read -t 2 -u 3 && echo $REPLY; exec 3>&-; done'   # right: tea 1, tea 2, tea 3`,
  breaks,
};

const goesOnAfterPass: Why = {
  because:
    "A task that has passed can go on. While there is one, the hub looks at epoll without a wait, with the timeout 0, and resolves the promise of this task.",
  see: `bash -c 'exec 3<>${tcp}; echo "count 1000" >&3; timeout 2 cat <&3'   # right: counted 1000`,
};

/**
 * One client sends `deep 1`, `deep 2` and so on, up to some hundred calls that await each other, and nothing else happens
 * on any connection. Each line is answered. Between its `recv` and the `send` of its answer the server does not sleep.
 */
check(
  "goes-on",
  "runs a handler up to its next wait before it sleeps",
  { judges: breaks.promise },
  async t => {
    const { server, expect } = t;
    const see = `bash -c 'exec 3<>${tcp}; echo "deep 20" >&3; timeout 2 cat <&3'   # right: bottom`;
    const why: Why = {
      because:
        "The event has resolved a promise. What awaits it goes on as a microtask, and so does each call above. The hub must return to Node until the queue of microtasks is empty, and sleep only then.",
      see,
      breaks,
    };
    const [client] = (await t.oneByOne(1)) as [Client];
    const what = "A handler awaits calls that await calls, and no other event comes.";
    const watch = server.traced ? server.watch() : null;
    const depths = [1, 2, 3, t.generate(fc.integer({ min: 4, max: 60 })), 300];
    for (const depth of depths) await says(t, client, `deep ${depth}`, "bottom", what, why);
    await served(t, [client], what, why);
    if (watch === null) return;
    const between = sleepsBeforeAnswers([...watch.calls], client);
    const so = "Calls of epoll_wait with a timeout, between the recv of a line and the send of its answer:";
    expect(between.length, so).equal(0, {
      see,
      breaks,
      at: between[0] ?? null,
      because:
        "The handler could go on, and the server slept in between. No number of turns is enough for each handler: return to Node until the queue of microtasks is empty.",
    });
  },
);

/** The calls in which the server slept between the recv of a line and the send of its answer. */
function sleepsBeforeAnswers(calls: readonly CallRecord[], client: Client): CallRecord[] {
  const found: CallRecord[] = [];
  let owes = false;
  for (const one of calls) {
    const its = one.peer?.endsWith(`:${client.port}`) ?? false;
    if (its && one.call === "recv" && one.returned > 0) owes = true;
    else if (its && one.call === "send") owes = false;
    else if (owes && one.call === "epoll_wait" && Number(one.args[3]) !== 0) found.push(one);
  }
  return found;
}

/**
 * No task can go on, and so the server sleeps: clients are silent, have sent half a line, have left, or have counted to 100.
 * A client does not read a long answer, and has sent another line. At last it reads, and gets its whole answer.
 */
check("sleeps", "sleeps while no task can go on", async t => {
  const { server } = t;
  const all = await silentClients.crowd(t, 20);
  await served(t, all.slice(0, 5), "A connected client:", plain);
  await says(t, all[0]!, "count 100", "counted 100", "A handler passes 100 times:", goesOnAfterPass);
  for (const client of all.slice(5, 10)) client.send("half a line");
  for (const client of all.slice(10, 15)) client.close();
  await server.releases(all.slice(10, 15));
  await restsNow(t, "Clients are connected, and send nothing.", {
    because:
      "When no continuation is left and no task passes, call epoll_wait without a timeout. setImmediate does not sleep: a hub that never sleeps in epoll_wait uses a whole processor.",
    see: top,
  });
  const name = newWord(t);
  const mei = await namedSlowReader(t, name, plain);
  mei.send("tea\n");
  await mei.sent();
  await restsNow(t, "A client does not read its answer, and has sent another line.", {
    because:
      "The task of this client waits for EPOLLOUT, and no task waits for its bytes. A descriptor that is registered for EPOLLIN would be reported again and again: ask for the events that tasks wait for now.",
    see: `bash -c '${meiSings}; echo tea >&3; sleep 3' & sleep 2; ${top}`,
  });
  await readsOn(t, mei, `hello ${name}\n${song}\ntea\n`);
});

/**
 * In one moment 20 clients send a line, and two others send `sum 1 x`, with a word in the place of x: their handlers throw.
 * Another client resets. The server prints the word, closes the sockets of these three, and answers all others.
 */
check("errors", "lets a rejected handler end its own connection and no other", async t => {
  const { server, expect } = t;
  const no = `x${newWord(t)}`; // a word of digits is a number
  const why: Why = {
    because:
      "A handler that throws rejects its promise. If no code handles this rejection, Node ends the process, and with it all clients: catch it where the hub calls the handler.",
    see: `bash -c 'exec 3<>${tcp}; exec 4<>${tcp}; echo "sum 1 x" >&3; sleep 0.3; echo tea >&4; timeout 1 cat <&4'   # right: tea`,
  };
  const [first, second, rude, ...others] = await t.oneByOne(23);
  await says(t, first!, "sum 1 2 39", "42", "A connected client:", plain);
  await server.stop();
  const lines = others.map(one => `${one.name} ${newWord(t)}\n`);
  for (const [i, one] of others.entries()) {
    if (i === 5) await first!.send(`sum 1 ${no}\n`).sent();
    if (i === 15) await second!.send(`sum 1 ${no}\n`).sent();
    if (i === 10) rude!.reset();
    one.send(lines[i]!);
    await one.sent();
  }
  server.continue();
  const right = () => others.filter((one, i) => heard(one) === lines[i]).length;
  await t.comesTrue(() => right() === others.length);
  const moment = "The handlers of three clients have thrown errors.";
  expect(right(), `${moment} Others that got their lines back:`).equal(20, why);
  expect(await server.releases([first!, second!, rude!]), `${moment} Their sockets that are closed:`).equal(
    3,
    { ...why, because: "The error runs the finally block of the handler, which closes the socket." },
  );
  expect(
    await server.output.prints(no, { within: 2000 }),
    `${moment} The server has not printed the error.`,
  ).ok({
    because: "An error that no line shows is an error that remains. Print it where you catch it.",
    see: why.see!,
  });
  await countsTasks(t, others[0]!, 20, moment, why);
  await served(t, [...others, ...(await t.clients(2))], `${moment} A client afterwards:`, why);
});

/**
 * Mei is silent, and her task waits for her line. Two clients say `hear Mei`, and get `error: …`, in words. Mei is served. Then
 * her task waits to send a long answer. So the first `hear Mei` waits, and gets her next line; a second one gets an error. Mei
 * reads on, and gets her answer.
 */
check("waiters", "settles the promise of each task that waits", async t => {
  const { server, expect } = t;
  const name = newWord(t);
  const [mei, bo, cy] = (await t.oneByOne(3)) as [Client, Client, Client];
  await says(t, mei, `I am ${name}`, `hello ${name}`, "A new client:", plain);
  const why: Why = {
    because:
      "A task waits for this descriptor and direction already. If the map keeps the second promise in the place of the first, no code settles the first, and its task never goes on. Reject the second one.",
    see: `bash -c 'exec 3<>${tcp}; echo "I am Mei" >&3; read -u 3; exec 4<>${tcp}; echo "hear Mei" >&4; sleep 0.5; echo tea >&3; timeout 1 cat <&3; timeout 1 cat <&4'   # right: tea, and error: …`,
  };
  const waits = "The task of a client waits for its next line, and another client wants to hear this line.";
  for (const second of [bo, cy]) await isRefused(t, second, name, waits, why);
  await served(t, [mei, bo, cy, mei], `${waits} Afterwards:`, {
    because:
      "The error is for the second task only. The first one still waits, and the second one goes on after its error as before.",
    see: why.see!,
  });
  mei.close();
  await server.releases([mei]);

  const other = `${name}2`;
  const slow = await namedSlowReader(t, other, plain);
  const wanted = `hello ${other}\n${song}\n`;
  const from = bo.receivedBytes;
  bo.send(`hear ${other}\n`);
  await server.reads(bo);
  await isRefused(t, cy, other, "Two clients want to hear the same line.", why);
  const line = newWord(t);
  slow.send(`${line}\n`);
  await t.comesTrue(() => bo.receivedBytes > from);
  expect(
    heard(bo).slice(from),
    "A client does not read its long answer, and another client wants to hear its next line. The answer to this other client:",
  ).equal(`${other}: ${line}\n`, {
    because:
      "Two tasks wait for one descriptor here, one for EPOLLIN and one for EPOLLOUT. Keep both, and ask epoll for both events.",
    see: `bash -c '${meiSings}; exec 4<>${tcp}; echo "hear Mei" >&4; sleep 0.5; echo tea >&3; timeout 1 cat <&4'   # right: Mei: tea`,
  });
  await readsOn(t, slow, wanted);
  await served(t, [slow, bo, cy], "All answers are read. Afterwards:", plain);
});

/**
 * A client takes the name of another, whose task waits: its connection ends, and so does its task. New clients are served, one
 * of which has got the number. Then the same for a client that does not read: the task that waits to hear it gets
 * `error: …`, in words.
 */
check("close", "wakes the tasks that wait for a socket that is closed", async t => {
  const { server, expect } = t;
  const name = newWord(t);
  const [asks, mei, taker] = (await t.oneByOne(3)) as [Client, Client, Client];
  const why: Why = {
    because:
      "Another task closes the socket for which this task waits. No event comes for a closed descriptor, and no code settles this promise any more: close() must reject it.",
    see: `bash -c 'exec 3<>${tcp}; echo "I am Mei" >&3; read -u 3; exec 4<>${tcp}; echo "I am Mei" >&4; read -u 4; sleep 0.3; echo tasks >&4; timeout 1 cat <&4'   # right: 1`,
  };
  await says(t, mei, `I am ${name}`, `hello ${name}`, "A new client:", plain);
  await countsTasks(t, asks, 3, "Three clients are connected.", plain);
  await says(t, taker, `I am ${name}`, `hello ${name}`, "A client takes the name of another.", why);
  expect(
    await server.releases([mei]),
    "A client has taken the name of another. Sockets of that one that are closed:",
  ).equal(1, why);
  await countsTasks(t, asks, 2, "A client has taken the name of another, whose connection is closed.", why);
  const fresh = await t.oneByOne(3);
  await served(
    t,
    [...fresh, taker, ...fresh],
    "A socket was closed while a task waited for it. A client that connected afterwards:",
    {
      because:
        "The kernel may give the number of a closed descriptor to the next client. What the hub keeps for this number must be gone by then.",
      see: `bash -c 'exec 3<>${tcp}; echo "I am Mei" >&3; read -u 3; exec 4<>${tcp}; echo "I am Mei" >&4; read -u 4; exec 5<>${tcp}; echo tea >&5; timeout 1 cat <&5'   # right: tea`,
    },
  );

  const slow = await namedSlowReader(t, `${name}2`, plain);
  const [bo] = (await t.oneByOne(1)) as [Client];
  bo.send(`hear ${name}2\n`);
  await server.reads(bo);
  await server.settles(() => server.sleepCount);
  const both =
    "Two tasks wait for the socket of a client, one to read and one to write, and another task closes it.";
  await says(t, taker, `I am ${name}2`, `hello ${name}2`, both, why);
  await t.comesTrue(() => ends(bo));
  expect(heard(bo), `${both} The answer to the client that waits to hear it:`).contains(errorAnswer, why);
  expect(await server.releases([slow]), `${both} Sockets of that client that are closed:`).equal(1, why);
  await countsTasks(t, asks, 6, both, why);
  await served(t, [bo, taker, ...(await t.oneByOne(2))], `${both} A client afterwards:`, why);
});

/**
 * A client sends `count 1000`, and gets `counted 1000`, while nothing else happens. Then two clients count for ever. Others
 * connect and send lines, and get them back. One sends `stop`: both counters get how far they have counted.
 */
check("pass", "lets others in where a handler passes", async t => {
  const { expect } = t;
  const [first, second, other] = (await t.oneByOne(3)) as [Client, Client, Client];
  await served(t, [other], "A connected client:", plain);
  const passes = "A handler passes 1000 times, and no event comes.";
  await says(t, first, "count 1000", "counted 1000", passes, goesOnAfterPass);
  const from = [first, second].map(one => one.receivedBytes);
  for (const one of [first, second]) {
    one.send(`count ${forEver}\n`);
    await t.server.reads(one);
  }
  const why: Why = {
    because:
      "A promise that is resolved already costs one microtask, and Node runs all microtasks before anything else. pass() must wait for a promise that the hub resolves in its next turn, when it has looked at epoll.",
    see: `bash -c 'exec 3<>${tcp}; exec 4<>${tcp}; echo "count ${forEver}" >&3; sleep 0.3; echo tea >&4; sleep 0.3; echo stop >&4; timeout 1 cat <&4'   # right: tea, stopped`,
  };
  const what = "Two handlers count and pass, without an end.";
  const fresh = await t.clients(3);
  await served(t, [other, ...fresh, other], what, why);
  await says(t, fresh[0]!, "stop", "stopped", what, why);
  await t.comesTrue(() => [first, second].every((one, i) => one.receivedBytes > from[i]! && ends(one)));
  for (const [i, one] of [first, second].entries()) {
    const answer = heard(one).slice(from[i]);
    expect(answer, `A client has said “stop”. The answer to ${one.name}, which counts:`).contains(
      /^counted [1-9]\d*\n$/,
      { because: "Each task that has passed goes on in the next turn, not only one of them." },
    );
  }
  await served(t, [first, second, other], "The counters have stopped. Afterwards:", why);
});

/**
 * Hundreds of generated clients send lines, names, sums, deep calls and counts, cut anywhere, and stay, close, half-close,
 * leave or reset. Each gets its own answers. The server keeps nothing of those that have gone, and sleeps while no client
 * sends.
 */
check("conversations", "answers each line in generated conversations", async t => {
  const { lines, names, sums, nameless, errors } = sayings;
  const deep = fc
    .integer({ min: 1, max: 40 })
    .map(calls => ({ bytes: `deep ${calls}\n`, wants: "bottom\n" }));
  const counts = fc
    .integer({ min: 1, max: 40 })
    .map(most => ({ bytes: `count ${most}\n`, wants: `counted ${most}\n` }));
  await t.conversations({
    says: fc.oneof(
      { arbitrary: lines, weight: 4 },
      { arbitrary: names(50), weight: 2 },
      { arbitrary: fc.oneof(sums, deep, counts), weight: 3 },
      { arbitrary: nameless, weight: 1 },
      { arbitrary: errors, weight: 1 },
    ),
    only: endsWithError,
    idle: "sleeps",
    because:
      "Each line has one answer, in whatever pieces it comes. A rejected handler ends its own connection, and a client that has gone leaves no task, no socket and no registration behind.",
  });
});

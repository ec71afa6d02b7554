// What must be true of a server whose tasks wait in a hub. How the hub keeps them, and how it asks epoll, is not asked.
import {
  type Client,
  check,
  fc,
  hubClients,
  messageCost,
  silentClients,
  type Tools,
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

/** The number of clients that are connected and send nothing. */
const silent = 200;
const messages = 20;
/** A right hub makes six calls for a line, or fewer; one that asks twice makes some more. */
const mostAsked = 10;

/** What a first line needs. */
const plain: Why = {
  because:
    "A task that is spawned runs before the hub sleeps. It is parked under its descriptor, and an event wakes it. A client may have the number of one that has left: what the hub keeps for a number must be gone by then.",
  see: `bash -c 'for i in 1 2 3; do exec 3<>${tcp}; echo "tea $i" >&3; read -t 2 -u 3 && echo $REPLY; exec 3>&-; done'   # right: tea 1, tea 2, tea 3`,
};
/** What two tasks need that wait for one descriptor. */
const eachDirection: Why = {
  because:
    "Two tasks wait for one descriptor here, one for EPOLLIN and one for EPOLLOUT. Keep both, and ask epoll for both events.",
  see: `bash -c '${meiSings}; exec 4<>${tcp}; echo "hear Mei" >&4; sleep 0.5; echo tea >&3; timeout 1 cat <&4'   # right: Mei: tea`,
};

/**
 * No task can go on, and so the server sleeps: 20 clients are silent, have sent half a line, or have left. A client resets
 * while its task waits for the line of another. A client does not read a long answer, and has sent another line. At last
 * this client reads, and gets its whole answer.
 */
check("sleeps", "sleeps while no task can go on", async t => {
  const { server } = t;
  const all = await silentClients.crowd(t, 20);
  await served(t, all.slice(0, 5), "A connected client:", plain);
  for (const client of all.slice(5, 10)) client.send("half a line");
  for (const client of all.slice(10, 15)) client.close();
  await server.releases(all.slice(10, 15));
  await restsNow(t, "Clients are connected, and send nothing.", {
    because:
      "When no task is ready, call epoll_wait without a timeout, for the descriptors that tasks wait for. It returns when one of them is ready.",
    see: top,
  });
  const name = newWord(t);
  const mei = await namedSlowReader(t, name, plain);
  await sleepsAfterReset(t, mei, name);
  mei.send("tea\n");
  await mei.sent();
  await restsNow(t, "A client does not read its answer, and has sent another line.", {
    because:
      "The task of this client waits for EPOLLOUT, and no task waits for its bytes. A descriptor that is registered for EPOLLIN would be reported again and again: ask for the events that tasks wait for now.",
    see: `bash -c '${meiSings}; echo tea >&3; sleep 3' & sleep 2; ${top}`,
  });
  await readsOn(t, mei, `hello ${name}\n${song}\ntea\n`);
});

/** A client waits for the line of a slow reader, and resets its connection: no task waits for its socket. */
async function sleepsAfterReset(t: Tools, mei: Client, name: string): Promise<void> {
  const { server, expect } = t;
  const [bo] = (await t.oneByOne(1)) as [Client];
  // Its task has waited, too: a hub that leaves it registered is seen by the reset.
  await server.settles(() => server.sleepCount);
  bo.send(`hear ${name}\n`);
  await server.reads(bo);
  await server.settles(() => server.sleepCount);
  bo.reset();
  await restsNow(t, "A client has reset its connection, and its task waits for the line of another.", {
    because:
      "No task waits for this descriptor. While it is registered, epoll reports the reset again and again, even for the mask 0: unregister it when its last waiter goes on.",
    see: `bash -c '${meiSings}; sleep 5' & sleep 2; timeout 1 node -e 'const s = require("net").connect({port}, "127.0.0.1"); s.write("hear Mei\\n"); setTimeout(() => s.resetAndDestroy(), 500)'; ${top}`,
  });
  mei.send("cake\n");
  const released = await server.releases([bo]);
  const what = "A client has reset while its task waited for a line of another, and this line has come.";
  expect(released, `${what} Sockets of this client that are closed:`).equal(1, {
    ...eachDirection,
    because: `${eachDirection.because} The line wakes the first: its send fails, and this ends it.`,
  });
}

/**
 * 200 clients connect and send nothing. Another one sends 20 lines, one after another. For each line the server makes ten
 * system calls or fewer, on ten descriptors or fewer.
 */
check("one-task", "resumes no task whose descriptor is not ready", t =>
  messageCost.judge(t, {
    silent,
    converse: client => converse(t, client),
    messages,
    word: "line",
    most: mostAsked,
    because: () =>
      "The server goes through all tasks for each line. Only the task whose descriptor is ready can do something: find it by the descriptor that epoll reports.",
    see: "bash -c 'for i in {1..200}; do exec {fd}<>/dev/tcp/127.0.0.1/{port}; done; for i in {1..20}; do echo hello >&$fd; read -t 5 <&$fd; done'   # look at the calls in Syscalls meanwhile",
  }),
);

/** One client sends lines, each after the answer to the one before. */
async function converse(t: Tools, client: Client): Promise<void> {
  for (let i = 0; i < messages; i++) await served(t, [client], "A connected client:", plain);
}

/**
 * One client connects, and later sends a line. Then 40 clients, of which half are new, send lines in one moment, while the
 * server is stopped; and once more. Each client gets its lines back.
 */
check("all-ready", "runs each task that is ready before it sleeps", async t => {
  const { server, expect } = t;
  const why: Why = {
    because:
      "One wake-up may make many tasks ready, and a task that runs may spawn others. Run them all, also the new ones, and call epoll_wait when no task is ready.",
    see: `bash -c 'for i in 1 2 3; do exec {c}<>${tcp}; echo "hello $i" >&$c; all="$all $c"; done; for c in $all; do read -t 2 -u $c && echo $REPLY; done'   # right: hello 1, hello 2, hello 3`,
  };
  const all = await t.oneByOne(1);
  await served(t, all, "A client that came alone:", why);
  all.push(...(await silentClients.crowd(t, 19)));
  await server.stop();
  all.push(...(await t.clients(20)));
  const said = new Map(all.map(one => [one, heard(one)]));
  for (const round of [1, 2]) {
    for (const one of all) {
      const line = `${one.name}, line ${round}\n`;
      said.set(one, said.get(one) + line);
      one.send(line);
      await one.sent();
    }
    server.continue();
    await t.comesTrue(() => all.every(one => one.receivedBytes >= said.get(one)!.length));
    const right = all.filter(one => heard(one) === said.get(one)).length;
    expect(
      right,
      `40 clients have sent line ${round} in one moment. Clients that have got their own lines back:`,
    ).equal(40, why);
    await server.stop();
  }
  server.continue();
});

/**
 * In one moment 20 clients send a line, and two others send `sum 1 x`, with a word in the place of x: their tasks throw an
 * error. Another client resets. The server prints the word, closes the sockets of these three, and answers all others.
 */
check("errors", "lets an error end one task and no other", async t => {
  const { server, expect } = t;
  const no = `x${newWord(t)}`; // no number: "0xabcdef" would be one
  const why: Why = {
    because:
      "An error of a task leaves task.next() as an exception. Catch it there, around one task: print it, and run the next task.",
    see: `bash -c 'exec 3<>${tcp}; exec 4<>${tcp}; echo "sum 1 x" >&3; sleep 0.3; echo tea >&4; timeout 1 cat <&4'   # right: tea, and the error in Output`,
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
  const moment = "The tasks of three clients have thrown errors.";
  expect(right(), `${moment} Others that got their lines back:`).equal(20, why);
  expect(await server.releases([first!, second!, rude!]), `${moment} Their sockets that are closed:`).equal(
    3,
    {
      ...why,
      because:
        "The error runs the finally block of the task, which closes the socket. The task has ended then: do not resume it again.",
    },
  );
  expect(
    await server.output.prints(no, { within: 2000 }),
    `${moment} The server has not printed the error.`,
  ).ok({
    because: "An error that no line shows is an error that remains. Print it where you catch it.",
    see: why.see!,
  });
  await countsTasks(t, others[0]!, 20, moment, {
    because:
      "Another client has reset, and its task must end, too. EPOLLERR and EPOLLHUP come with the event for which a task waits, or alone: wake the task, and its next call throws the error.",
    see: `timeout 5 node -e 'const s = require("net").connect({port}, "127.0.0.1"); setTimeout(() => s.resetAndDestroy(), 300)'; bash -c 'exec 3<>${tcp}; echo tasks >&3; timeout 1 cat <&3'   # right: 1`,
  });
  await served(t, [...others, ...(await t.clients(2))], `${moment} A client afterwards:`, why);
});

/**
 * Mei is silent, and her task waits for her line. Two clients say `hear Mei`, and get `error: …`, in words. Mei is served. Then
 * her task waits to send a long answer. So the first `hear Mei` waits, and gets her next line; a second one gets an error. Mei
 * reads on, and gets her answer. At last another client does not read its long answer, and a task waits for its next line. It
 * reads on, and gets its answer.
 */
check("waiters", "wakes one task for each descriptor and direction", async t => {
  const { server, expect } = t;
  const name = newWord(t);
  const [mei, bo, cy] = (await t.oneByOne(3)) as [Client, Client, Client];
  await says(t, mei, `I am ${name}`, `hello ${name}`, "A new client:", plain);
  const why: Why = {
    because:
      "A task waits for this descriptor and direction already, and one event wakes one task. The second task gets an error where it waits: task.throw(error).",
    see: `bash -c 'exec 3<>${tcp}; echo "I am Mei" >&3; read -u 3; exec 4<>${tcp}; echo "hear Mei" >&4; sleep 0.5; echo tea >&3; echo more >&4; timeout 1 cat <&3; timeout 1 cat <&4'   # right: tea, error: …, more`,
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
  ).equal(`${other}: ${line}\n`, eachDirection);
  await readsOn(t, slow, wanted);
  await served(t, [slow, bo, cy], "All answers are read. Afterwards:", plain);

  // Now the socket is writable first. The task of the slow reader then finds that another one waits for its next line.
  const third = await namedSlowReader(t, `${name}3`, plain);
  cy.send(`hear ${name}3\n`);
  await server.reads(cy);
  await server.settles(() => server.sleepCount);
  await readsOn(t, third, `hello ${name}3\n${song}\n`);
});

/**
 * A client takes the name of another, whose task waits: the connection of the other ends, and so does its task. New clients are
 * served, and one of them has the number of the closed socket. Then the same for a client that does not read: the task that
 * waits to hear it gets `error: …`, in words.
 */
check("close", "wakes the tasks that wait for a socket that is closed", async t => {
  const { server, expect } = t;
  const name = newWord(t);
  const [asks, mei, taker] = (await t.oneByOne(3)) as [Client, Client, Client];
  const why: Why = {
    because:
      "Another task closes the socket for which this task waits. No event comes for a closed descriptor: so close() must take the waiters out of the map, and resume them with an error.",
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
  await t.comesTrue(() => heard(bo).endsWith("\n"));
  expect(heard(bo), `${both} The answer to the client that waits to hear it:`).contains(errorAnswer, {
    because: why.because,
    see: `bash -c '${meiSings}; exec 4<>${tcp}; echo "hear Mei" >&4; sleep 0.5; exec 5<>${tcp}; echo "I am Mei" >&5; timeout 1 cat <&4'   # right: error: …`,
  });
  expect(await server.releases([slow]), `${both} Sockets of that client that are closed:`).equal(1, why);
  await countsTasks(t, asks, 6, both, why);
  await served(t, [bo, taker, ...(await t.oneByOne(2))], `${both} A client afterwards:`, why);
});

/**
 * Hundreds of generated clients send lines, names and sums, cut anywhere, and stay, close, half-close, leave or reset. Each
 * gets its own answers. The server keeps nothing of those that have gone, and sleeps while no client sends.
 */
check("conversations", "answers each line in generated conversations", async t => {
  const { lines, names, sums, nameless, errors } = sayings;
  await t.conversations({
    says: fc.oneof(
      { arbitrary: lines, weight: 5 },
      { arbitrary: names(200), weight: 2 },
      { arbitrary: sums, weight: 2 },
      { arbitrary: nameless, weight: 1 },
      { arbitrary: errors, weight: 1 },
    ),
    only: endsWithError,
    idle: "sleeps",
    because:
      "Each line has one answer, in whatever pieces it comes. An error ends one task, and a client that has gone leaves no task, no socket and no registration behind.",
  });
});

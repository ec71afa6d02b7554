// What must be true of a server that runs out of descriptors, whose clients end each other, and that is asked to end. Whether
// a client waits for a descriptor or is turned away, and how a late event is known as such, is not asked.
import { type Client, check, fc, grammar, type Tools, type Why } from "workbook/check";

const tcp = "/dev/tcp/127.0.0.1/{port}";
const serverPid = "P=$(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+')";
const sixty = `bash -c 'for i in {1..60}; do exec {c}<>${tcp}; done; sleep 5'`;

const word = (t: Tools) => t.generate(grammar.word(6, 12));
const heard = (client: Client) => client.received.toString("latin1");

/** Each of these clients sends this line, and gets this answer and nothing else. */
async function say(
  t: Tools,
  clients: readonly Client[],
  line: string,
  answer: string,
  what: string,
  why: Why,
) {
  const wanted = clients.map(client => heard(client) + answer);
  for (const client of clients) client.send(line);
  const right = () => clients.filter((client, i) => heard(client) === wanted[i]).length;
  await t.comesTrue(() => right() === clients.length || clients.every(({ over }) => over));
  t.expect(right(), what).equal(clients.length, why);
}

/** Each of these clients sends a line, and gets it back. */
async function served(t: Tools, clients: readonly Client[], what: string, why: Why): Promise<void> {
  const line = `${word(t)}\n`;
  await say(t, clients, line, line, what, why);
}

async function named(t: Tools, client: Client, name: string, why: Why): Promise<void> {
  await say(
    t,
    [client],
    `I am ${name}\n`,
    `hello ${name}\n`,
    `${client.name} said “I am ${name}”. Answers:`,
    why,
  );
}

/** Waits until no descriptor is free: all these clients are in the accept queue, or the server has turned them away. */
async function isOut(t: Tools, outside: readonly Client[]): Promise<void> {
  const { server } = t;
  const turnedAway = () => outside.filter(({ over }) => over).length;
  await t.comesTrue(() => server.acceptQueueLength + turnedAway() >= outside.length);
  // It may not have seen all of them yet, and a server with a spare descriptor is about to turn them away.
  const turned = await server.settles(turnedAway, { over: 50 });
  t.note(`accept queue: ${server.acceptQueueLength}; turned away by the server: ${turned}`);
}

interface House {
  /** The clients that have the last descriptors. */
  inside: Client[];
  /** The clients that have connected since, and the line that each of them has sent. */
  outside: Map<Client, string>;
  /** How much the server had printed before. */
  from: number;
}

/** Three clients have the last descriptors, and three more connect. Each of these sends a line. */
async function fullHouse(t: Tools): Promise<House> {
  const { server } = t;
  const [first] = (await t.oneByOne(1)) as [Client];
  await served(t, [first], "A client that came alone. Answers to its line:", {});
  const from = server.output.bytes;
  server.limitDescriptors(2);
  const inside = [first, ...(await t.oneByOne(2))];
  const outside = new Map((await t.clients(3)).map(client => [client, `${word(t)}\n`]));
  for (const [client, line] of outside) client.send(line);
  await isOut(t, [...outside.keys()]);
  return { inside, outside, from };
}

/** So many clients are served now: of those that wait, or, where the server has turned them away, of new ones. */
async function getPlaces(
  t: Tools,
  waiting: Map<Client, string>,
  places: number,
  what: string,
  why: Why,
): Promise<void> {
  for (const client of waiting.keys()) if (client.over) waiting.delete(client);
  while (waiting.size < places) {
    const line = `${word(t)}\n`;
    waiting.set((await t.client()).send(line), line);
  }
  const right = () => [...waiting].filter(([client, line]) => heard(client) === line).length;
  await t.comesTrue(() => right() >= places);
  const tooMany =
    "More clients have a place than have left. So a descriptor is used that was the spare: after accept has returned null, open the spare again.";
  t.expect(right(), what).equal(places, right() > places ? { because: tooMany } : why);
}

/**
 * Three clients have the last descriptors, and three more connect. The server prints `EMFILE`, but not in each turn. It
 * sleeps in `epoll_wait`, and the first three clients still get their lines back.
 */
check("full", "prints EMFILE and sleeps while no descriptor is free", async t => {
  const { server, expect } = t;
  const { inside, from } = await fullHouse(t);
  const printed = () => /EMFILE|too many open files/i.test(server.output.since(from));
  // It has seen that no descriptor is free: what it prints of that is on its way.
  await t.until(printed, 3000);
  expect(printed(), "No descriptor is free, and the server has not printed EMFILE.").ok({
    because:
      "accept throws EMFILE while the process has no free descriptor, and an empty catch hides it. The operator must know why no client is accepted.",
    see: sixty,
  });
  const { lines } = server.output;
  const { busy, calls, watch } = await server.idle(200);
  const why: Why = {
    because:
      "The accept queue is not empty, so the level-triggered listener stays ready, and accept fails again and again. Do not watch the listener until a descriptor is free: modify(listener, 0). Or empty the queue with a spare descriptor.",
    see: `${sixty} & sleep 1; top -bn1 -p $(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+') | tail -1; wait   # the ninth column: % of a processor`,
    at: watch?.calls.named("accept4", "epoll_wait", "poll").last ?? null,
  };
  const what = "Clients wait, and no descriptor is free.";
  expect(Math.round(busy * 100), `${what} Processor time that the server uses (%):`).atMost(20, why);
  if (calls !== null) expect(calls, `${what} System calls in 200 ms:`).atMost(40, why);
  const naps =
    (watch?.calls.named("nanosleep").length ?? 0) + Number(server.currentCall?.call === "nanosleep");
  expect(naps, `${what} Sleeps of the server that no client can end:`).equal(0, {
    because:
      "While the server sleeps in sleep(), its connected clients wait, too. Only epoll_wait may wait, with a timeout if you like.",
    at: watch?.calls.named("nanosleep").last ?? null,
  });
  expect(server.output.lines - lines, `${what} Lines that the server prints in 200 ms:`).atMost(5, {
    because: "One line says it. A line for each attempt hides all others.",
  });
  await served(t, inside, "No descriptor is free. Connected clients whose line was answered:", {
    because: "The clients that are connected need no new descriptor: serve them as before.",
  });
});

/**
 * The same. Two of the connected clients leave in one moment, and later the third: so many clients that waited get their lines
 * back. Where the server has turned them away, new clients do. Two further clients change nothing for them.
 */
check("free-again", "accepts clients again when others have left", async t => {
  const { server } = t;
  const { inside, outside } = await fullHouse(t);
  const [first, second, third] = inside as [Client, Client, Client];
  const why: Why = {
    because:
      "A closed descriptor is free again, and no event says so: the clients in the accept queue came before. When a client leaves, watch the listener again; with EPOLLET, call accept.",
    see: `bash -c 'for i in {1..60}; do exec {c}<>${tcp}; done; sleep 1; ss -tln "sport = :{port}"'; sleep 2; ss -tln 'sport = :{port}'   # the second Recv-Q is the accept queue when all have left; right: 0`,
  };
  await server.stop();
  first.close();
  second.close();
  server.continue();
  await server.releases([first, second]);
  await getPlaces(t, outside, 2, "Two clients have left. Clients that have got a place, and an answer:", why);
  third.close();
  await server.releases([third]);
  await getPlaces(
    t,
    outside,
    3,
    "A third client has left. Clients that have got a place, and an answer:",
    why,
  );
  const extra = await t.clients(2);
  await isOut(t, extra);
  const lucky = [...outside.keys()].filter(client => client.receivedBytes > 0);
  await served(
    t,
    lucky,
    "No descriptor is free once more, and two more clients connect. Clients that had got a place and are served:",
    { because: "What was done for the first shortage must be undone: open the spare descriptor again." },
  );
});

/**
 * No client is connected, no descriptor is free, and a client connects. Then the limit is raised. Within 15 s the server
 * accepts this client, or, where it has turned it away, the next one.
 */
check("looks-again", "accepts clients again although no client has left", async t => {
  const { server } = t;
  const [first] = (await t.oneByOne(1)) as [Client];
  await served(t, [first], "A client that came alone. Answers to its line:", {});
  first.close();
  await server.releases([first]);
  server.limitDescriptors(0, { forNow: true });
  const line = `${word(t)}\n`;
  const client = (await t.client()).send(line);
  await isOut(t, [client]);
  server.limitDescriptors(8, { forNow: true });
  await getPlaces(
    t,
    new Map([[client, line]]),
    1,
    "Descriptors are free, and no client has left. Clients that are answered:",
    {
      because:
        "Not only your clients use descriptors: files, other processes (ENFILE) and a raised limit make one free, too, and no event says so. While the listener is not watched, give epoll_wait a timeout, and try again.",
      see: `${serverPid}; prlimit --nofile=20: --pid $P; timeout 2 bash -c 'exec 3<>${tcp}; cat <&3'; prlimit --nofile=40: --pid $P; timeout 5 bash -c 'exec 3<>${tcp}; echo tea >&3; cat <&3'   # right: tea`,
    },
  );
});

/**
 * A client with a name and half a line leaves. The next client gets its number, and not its half line. Then another client
 * takes the name: the client with the number stays. A client loses its connection when another takes the name that it has
 * now, and in no other case.
 */
check("same-number", "takes no client for one that had its number", async t => {
  const { server, expect } = t;
  const [name, other] = [word(t), `${word(t)}2`];
  const why: Why = {
    because:
      "The kernel gives the number of a closed descriptor to the next client. What you keep by number must go when its client goes; better, keep the client itself.",
    see: `bash -c 'exec 3<>${tcp}; echo "I am Mei" >&3; read -t 1 <&3; exec 3>&-; sleep 0.3; exec 4<>${tcp}; sleep 0.3; exec 5<>${tcp}; echo "I am Mei" >&5; timeout 1 cat <&4; echo $?'   # 124: client 4 is still connected; 0: the server has ended it`,
  };
  const [mei] = (await t.oneByOne(1)) as [Client];
  await named(t, mei, name, why);
  mei.send(word(t));
  await server.reads(mei);
  mei.close();
  expect(await server.releases([mei]), "A client has left. Sockets that the server has closed:").equal(
    1,
    why,
  );
  const [bo, second] = (await t.oneByOne(2)) as [Client, Client];
  await served(
    t,
    [bo],
    "A client has left with half a line, and the next one sends a line. Right answers:",
    why,
  );
  await named(t, second, name, why);
  await served(
    t,
    [bo],
    "A client took the name of one that had left. Others that are served as before:",
    why,
  );
  const [third, fourth, fifth] = (await t.oneByOne(3)) as [Client, Client, Client];
  for (const [one, next] of [
    [second, third],
    [third, fourth],
  ] as const) {
    await named(t, next, name, why);
    await t.comesTrue(() => one.over);
    expect(
      one.over,
      "A client took the name that another client has. The connection of that client has ended:",
    ).equal(true, {
      because:
        "A name has one client: when another takes it, close the connection of the client that has it now. It must not take the name with it when it leaves.",
    });
  }
  await named(t, fourth, other, why);
  await named(t, fifth, name, why);
  await named(t, fifth, name, why);
  await served(
    t,
    [bo, fourth, fifth],
    "A client took a name that its client had given up, and took it once more. Clients that are still served:",
    { because: "A client has the name that it took last. With a new name it gives up its old one." },
  );
});

/** What the client that loses its name does in the same moment, in the words of a failure. */
const late = {
  line: "ended its line",
  end: "sent FIN",
  reset: "reset its connection",
} as const;

/**
 * In one moment a client takes the name of another, and that other one ends its line, or sends FIN or RST. So the server ends it while
 * its event is still in the list. Then the same, and a new client connects in between. The new client stays, and is served.
 */
check("one-batch", "gives no client an event of one that has left in the same batch", async t => {
  for (const isFresh of [false, true]) {
    for (const how of ["line", "end", "reset"] as const) await takesOver(t, how, isFresh);
  }
});

async function takesOver(t: Tools, how: keyof typeof late, isFresh: boolean): Promise<void> {
  const { server, expect } = t;
  const name = word(t);
  // A name of its own each time, "$$": no old client has it. Client 3 leaves its answer unread, so its end is a reset.
  const then = isFresh
    ? `exec 5<>${tcp}; exec 3>&-; sleep 0.3; kill -CONT $P`
    : `exec 3>&-; sleep 0.3; kill -CONT $P; sleep 0.3; exec 5<>${tcp}`;
  const see = `bash -c '${serverPid.replaceAll("'", '"')}; exec 3<>${tcp}; echo "I am Mei$$" >&3; exec 4<>${tcp}; sleep 0.3; kill -STOP $P; echo "I am Mei$$" >&4; ${then}; echo tea >&5; timeout 1 cat <&5'   # right: tea`;
  const why: Why = {
    because: isFresh
      ? "One epoll_wait has reported all these events. The first has closed a descriptor, accept has got its number again, and the last event was of the client before. Let accept come after all other events, or close after them, or note in which batch a client has come."
      : "One epoll_wait has reported the events of both. The first has ended the other client, whose event is still in the list: look whether the client is still there.",
    see,
  };
  const [old, taker] = (await t.oneByOne(2)) as [Client, Client];
  await named(t, old, name, why);
  old.send(word(t));
  await server.reads(old);
  const queued = (client: Client) => (server.socketOf(client)?.recvQueue ?? 0) > 0;
  const wanted = `hello ${name}\n`;
  await server.stop();
  taker.send(`I am ${name}\n`);
  await t.until(() => queued(taker), 5000);
  const fresh = isFresh ? [await t.client()] : [];
  await t.until(() => server.acceptQueueLength === fresh.length, 5000);
  if (how === "line") old.send("\n");
  else old[how]();
  const came = () => (how === "line" ? queued(old) : server.socketOf(old)?.state !== "ESTABLISHED");
  await t.until(came, 5000);
  server.continue();
  const moment = `In one moment a client took the name of another, ${isFresh ? "a new client connected, and the other one" : "and that one"} ${late[how]}.`;
  await t.comesTrue(() => taker.over || heard(taker) === wanted);
  expect(heard(taker), `${moment} The answer:`).equal(wanted, why);
  await served(t, [taker, ...fresh], `${moment} Clients that are still served:`, why);
  expect(
    await server.releases([old]),
    `${moment} Sockets of the other one that the server has closed:`,
  ).equal(1, why);
  for (const client of [taker, ...fresh]) client.close();
  await server.releases([taker, ...fresh]);
}

/**
 * All clients are silent, the server sleeps, and SIGTERM comes: it closes all connections, and exits with 0. A second server
 * gets SIGTERM in one moment with lines of clients, of which two are in the accept queue. Each gets its lines back, and FIN.
 */
check("stop", "ends at SIGTERM, with every line answered that came before", async t => {
  const { server, expect } = t;
  const silent = await t.clients(3);
  silent[0]!.send("half a line");
  await server.accepts(silent);
  await server.reads(silent[0]!);
  await server.settles(() => server.sleepCount);
  server.terminate();
  await endsWell(t, silent, "All clients are silent.");
  await server.startAfresh();
  const known = await t.oneByOne(2);
  await server.stop();
  const clients = [...known, ...(await t.clients(2))];
  const lines = clients.map((_, i) => `${word(t).repeat(i === 0 ? 200 : 1)}\n`.repeat(i === 0 ? 30 : 2));
  for (const [i, client] of clients.entries()) {
    client.send(lines[i]!);
    await client.sent();
  }
  server.terminate();
  server.continue();
  await endsWell(t, clients, "Clients have sent lines before SIGTERM.");
  const right = clients.filter((client, i) => heard(client) === lines[i]).length;
  expect(
    right,
    "Four clients have sent lines before SIGTERM, two of them in the accept queue. Answered:",
  ).equal(4, {
    because:
      "These lines were in the kernel when SIGTERM came, in the receive buffers of connected clients and of those in the accept queue. Accept once more, read each client until null, answer, and only then close.",
  });
});

/** The server exits with 0, and each of these connections has ended with FIN. */
async function endsWell(t: Tools, clients: readonly Client[], what: string): Promise<void> {
  const { server, expect } = t;
  await t.comesTrue(() => !server.alive);
  const why: Why = {
    because:
      "A signal wakes a loop that sleeps in epoll_wait only if it is an event: register the SignalFd. Then close the listener and each client, and let main return.",
    see: "kill $(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+')   # Output then says how the program has ended",
  };
  expect(server.alive, `${what} SIGTERM has come, and the server still runs.`).equal(false, why);
  expect(await server.ends(), `${what} How the server has ended:`).equal({ status: 0, signal: null }, why);
  const ends = await Promise.all(clients.map(client => client.closed()));
  expect(ends.filter(end => end === "ended").length, `${what} Connections that ended with FIN:`).equal(
    clients.length,
    {
      because:
        "A close with unread bytes sends RST, and so does the end of a listener to those in its accept queue. Accept and read first.",
    },
  );
}

/**
 * Hundreds of generated clients send lines and names, cut anywhere, and stay, close, half-close, leave or reset. Each gets its
 * answers, and the server keeps nothing of those that have gone, not even their names.
 */
check("conversations", "answers each line in generated conversations", async t => {
  const lines = fc.oneof(grammar.visibleAscii(0, 40), grammar.longText(1, 2000), grammar.utf8(1, 20));
  const messages = lines
    .map(line => line.replaceAll("\n", ""))
    .map(line => ({ bytes: `${line}\n`, wants: `${line}\n` }));
  // No two clients have the same, and a server that keeps them is seen by its memory.
  const names = grammar
    .word(16, 20)
    .map(name => name.repeat(100))
    .map(name => ({ bytes: `I am ${name}\n`, wants: `hello ${name}\n` }));
  await t.conversations({
    says: fc.oneof(messages, names),
    prints: false,
    idle: "sleeps",
    because:
      "Each line has one answer, in whatever pieces it comes. A client that has gone leaves no socket, no name and no half line behind, and the server sleeps while no client sends.",
  });
});

// What must be true of a server whose requests end in time, and leave nothing behind. How its tasks wait is not asked.
// Deadlines are judged from both sides: too early from the moment before the server can have begun to count, too late
// without the time that a busy machine has taken.
import { type BackEnd, type Client, check, clock, fc, grammar, type Tools, type Why } from "workbook/check";

/** The promises of the lesson, in milliseconds. */
const [requestMs, partMs] = [2000, 1000];
/** A right server may be late by so much, in milliseconds. */
const lateMs = 600;
/** What needs no waiting is done within so many milliseconds. */
const soonMs = 500;
const tcp = "/dev/tcp/127.0.0.1/{port}";

const word = (t: Tools) => t.generate(grammar.word(4, 10));
const heard = (client: Client) => client.received.toString("latin1");
/** The one line of a request that ended by an error. */
const inWords = /^error: [^\n]+\n$/;

/** A kitchen that answers each dish at once. */
const cooks = (t: Tools): BackEnd =>
  t.backEnd({ onLine: (dish, connection) => connection.send(`${dish} is ready\n`) });

// ------------------------------------------------------------------------------------------- time

/** Milliseconds in which the server, or this check, waited for a processor. */
const lostMs = (t: Tools) => t.server.delayedMs + t.lateMs;
/** So many milliseconds without a processor can make a right server, or this check, miss a moment. */
const noticedMs = 500;

/** A busy machine can hold up the server, or this check, past a deadline: then the check begins again, three times at most. */
const again = (body: (t: Tools) => Promise<void>) => async (t: Tools) => {
  for (let tries = 4; ; tries--) {
    const lost = lostMs(t);
    try {
      return await body(t);
    } catch (error) {
      if (lostMs(t) - lost < noticedMs) throw error;
      if (tries === 1) t.tooBusy("time limits of one and two seconds", error);
      t.note("the machine was too busy for time limits: once more");
      await t.server.startAfresh();
    }
  }
};

/** Waits until this is true, for so many milliseconds, without those in which no processor was free. */
async function within(t: Tools, ms: number, probe: () => boolean): Promise<boolean> {
  const [from, lost] = [clock(), lostMs(t)];
  const over = () => clock() - from > ms && clock() - from - (lostMs(t) - lost) > ms;
  await t.until(() => probe() || over(), 20_000);
  return probe();
}

/** Waits so many milliseconds. The time may be longer on a busy machine; a check that needs it exactly begins again. */
const pause = (t: Tools, ms: number) => t.server.wait(ms);

// ---------------------------------------------------------------------------------------- requests

/** Sends this, and waits for an answer that ends with a line feed. @returns what has come since */
async function says(t: Tools, client: Client, bytes: string, ms = soonMs): Promise<string> {
  const from = client.receivedBytes;
  client.send(bytes);
  await within(t, ms, () => heard(client).slice(from).endsWith("\n") || client.over);
  return heard(client).slice(from);
}

/** This client sends a line, and gets it back. */
async function served(t: Tools, client: Client, what: string, why: Why): Promise<void> {
  const line = word(t);
  t.expect(
    await says(t, client, `${line}\n`),
    `${what} ${client.name} has sent “${line}”. The answer:`,
  ).equal(`${line}\n`, why);
}

/** A client orders this dish of these kitchens, and each has got it. */
async function orders(t: Tools, kitchens: readonly BackEnd[], dish: string): Promise<Client> {
  const client = await t.client();
  await ordersAs(t, client, kitchens, dish);
  return client;
}

async function ordersAs(t: Tools, client: Client, kitchens: readonly BackEnd[], dish: string): Promise<void> {
  client.send(`${kitchens.map(({ port }) => `${port} ${dish}`).join(" + ")}\n`);
  const got = () => kitchens.filter(({ lines }) => lines.includes(dish)).length;
  await within(t, partMs / 2, () => got() === kitchens.length || client.over);
  const what = `The parts of an order are ${kitchens.length}. Those whose kitchen has got the dish:`;
  t.expect(got(), what).equal(kitchens.length, got() === 0 ? whyLost : whySideBySide);
}

const whyLost: Why = {
  because:
    "An error has ended the task of this request (Output may show it), or nothing wakes the task: look at the timer or the descriptor for which it waits. What an earlier request has left can be the cause: undo each registration and each timer in a finally block.",
};
const whySideBySide: Why = {
  because:
    "The parts of an order are asked for side by side: each kitchen gets its dish before another answers.",
  see: `bash -c 'exec 3<>${tcp}; time { echo "{port} wait 900 + {port} wait 900" >&3; read -t 5 -u 3; echo $REPLY; }'   # right: after 0.9 s`,
};

/** What a kitchen sends on its newest connection. */
const answers = (kitchen: BackEnd, bytes: string) => [...kitchen.connections].at(-1)?.send(bytes);

/** How this client's request has ended, and when. */
class Ending {
  readonly client: Client;
  /** Before the server can have begun to count. */
  readonly since: number;
  at = Number.POSITIVE_INFINITY;

  constructor(client: Client, since = clock()) {
    this.client = client;
    this.since = since;
  }

  look(): boolean {
    if (this.client.over && this.at === Number.POSITIVE_INFINITY) this.at = clock();
    return this.client.over;
  }

  get ms(): number {
    return Math.round(this.at - this.since);
  }
}

/** Fails the check if this request was not ended by its limit: not before, and not much later. */
function endedInTime(t: Tools, ending: Ending, ms: number, what: string, why: Why): void {
  t.expect(ending.client.over, `${what} Seconds later the client is still connected.`).ok(why);
  const early = `${what} From its first byte to its end (ms):`;
  t.expect(ending.ms, early).atLeast(ms - 5, {
    ...why,
    because: `The limit is ${ms} ms. ${why.because}`,
  });
  t.expect(ending.ms, early).atMost(ms + lateMs, why);
}

// ------------------------------------------------------------------------------------------ checks

const whyInTime: Why = {
  because: `A request has ${requestMs} ms from its first byte, a part of it ${partMs} ms, and each request has a timer of its own. Between two requests no timer runs.`,
  see: `bash -c 'exec 3<>${tcp}; echo "{port} tea + {port} wait 700" >&3; read -u 3; sleep 2.5; echo cake >&3; timeout 2 cat <&3'   # right: cake`,
};

/**
 * Two kitchens have got their dishes before the second one answers, and later the first: the answers are in the order of the
 * parts. A kitchen that takes 0.5 s, and a line that takes 1.3 s, are not cut. On one connection three such requests come one after another, and one
 * after a silence of 2.3 s. A line behind an order is answered after it.
 */
check(
  "in-time",
  "answers what is in time, and cuts no step of it",
  { patient: true },
  again(async t => {
    await Promise.all([slowSteps(t), longConnection(t), waits(t)]);
  }),
);

async function slowSteps(t: Tools): Promise<void> {
  const [one, two] = [t.backEnd(), t.backEnd()];
  const [dish, line] = [word(t), word(t)];
  const client = await orders(t, [one, two], dish);
  client.send(`${line}\n`);
  answers(two, `cold ${dish}\n`);
  await pause(t, 250);
  answers(one, "hot ");
  await pause(t, 250);
  answers(one, `${dish}\n`);
  const wanted = `hot ${dish} + cold ${dish}\n${line}\n`;
  await within(t, soonMs, () => client.receivedBytes >= wanted.length || client.over);
  const what =
    "Two kitchens have answered within half a second, and the client has sent a line behind its order.";
  t.expect(heard(client), `${what} It has received:`).equal(wanted, whyInTime);
  t.expect(await one.releases(), "Connections to a kitchen that has answered:").equal(0, {
    because: "The finally block of ask() closes the socket: it runs when its generator ends.",
  });
}

async function longConnection(t: Tools): Promise<void> {
  const client = await t.client();
  const kitchen = cooks(t);
  for (const [i, gap] of [0, 200, 2300].entries()) {
    const dish = word(t);
    await pause(t, gap);
    const request = `${kitchen.port} ${dish} + ${kitchen.port} cake\n`;
    client.send(request.slice(0, 7));
    await pause(t, 1300);
    t.expect(
      await says(t, client, request.slice(7)),
      `The line of request ${i + 1} of a connection has come within 1.3 s. The answer:`,
    ).equal(`${dish} is ready + cake is ready\n`, whyInTime);
  }
}

async function waits(t: Tools): Promise<void> {
  const [one, two] = (await t.clients(2)) as [Client, Client];
  const since = clock();
  const [answer, short] = await Promise.all([
    says(t, one, "wait 1300\n", 1300 + soonMs),
    says(t, two, "wait 1\n"),
  ]);
  t.expect(Math.round(clock() - since), "“wait 1300” has an answer after (ms):").atLeast(1295, {
    because: "A task that sleeps is woken by its timer, and not before.",
  });
  t.expect([answer, short], "The answers to “wait 1300” and “wait 1”:").equal(
    ["waited 1300\n", "waited 1\n"],
    whyInTime,
  );
}

const drips = (first: string, what: string) =>
  `bash -c 'exec 3<>${tcp}; printf "${first}" >&3; (for i in {1..9}; do sleep 0.5; ${what}; done) 2>&- & time timeout 5 cat <&3'`;

/**
 * A client sends a byte every 50 ms, and another waits for a line that takes 5 s. A third client sends the rest of its order
 * after 1.8 s, and its kitchen is silent. Each request ends after 2 s. One kitchen is silent, and one sends a byte every 50 ms:
 * their orders end after 1 s. The clients get `error: …`, and the end of the connection. Then the server holds no socket of
 * these requests.
 */
check(
  "limits",
  "ends a part after one second, and a request after two",
  { patient: true },
  again(async t => {
    const before = t.server.sockets;
    const [silent, slow, late] = [t.backEnd(), t.backEnd(), t.backEnd()];
    const [drip, sleeper, used] = (await t.clients(3)) as [Client, Client, Client];
    const whole = [drip, sleeper, used].map(client => new Ending(client));
    drip.send("x");
    sleeper.send("wait 5000\n");
    used.send(`${late.port} te`);
    const inParts: Ending[] = [];
    for (const kitchen of [silent, slow]) {
      const since = clock();
      inParts.push(new Ending(await orders(t, [kitchen], word(t)), since));
    }
    const all = [...whole, ...inParts];
    let [last, sentRest] = [clock(), false];
    await within(t, requestMs + 2 * lateMs, () => {
      for (const one of all) one.look();
      if (clock() - last >= 50) {
        last = clock();
        if (!drip.over) drip.send("x");
        answers(slow, "x");
      }
      if (!sentRest && clock() - whole[2]!.since > 1800) {
        sentRest = true;
        used.send("a\n");
      }
      return all.every(one => one.client.over);
    });
    wholeInTime(t, whole);
    const whyPart: Why = {
      because: `A part has ${partMs} ms, and one timer for all its waits: connect, send, and each recv. Its error must end the order at once, too: it ends the task of the part, and the nursery throws it in the task of the request.`,
      see: `bash -c 'exec 3<>${tcp}; time { echo "{port} wait 1500" >&3; timeout 5 cat <&3; }'   # right: after 1 s`,
    };
    endedInTime(t, inParts[0]!, partMs, "A kitchen is silent.", whyPart);
    endedInTime(t, inParts[1]!, partMs, "A kitchen sends a byte every 50 ms.", whyPart);
    for (const { client } of all.slice(1)) {
      t.expect(heard(client), "The time of a request is over. Its client has received:").contains(inWords, {
        because: "The error arrives in serve(), which sends it, and closes the connection.",
      });
    }
    await leavesNothing(t, before, "Five requests have ended because their time was over.");
  }),
);

/** Judges three requests with a deadline: one in small pieces, one that sleeps, one with a silent kitchen. */
function wholeInTime(t: Tools, [drip, sleeper, used]: readonly Ending[]): void {
  endedInTime(t, drip!, requestMs, "A client sends a byte every 50 ms.", {
    because:
      "Each wait is short, and the request lives for ever. Give it one deadline: a timer that starts with its first byte, and that no later byte moves.",
    see: drips("x", "printf x >&3"),
  });
  const because =
    "A request has one deadline, from its first byte. Then an error must be thrown where its task waits, and must get out of it: through sleep, and through the nursery when the parts have ended.";
  endedInTime(t, sleeper!, requestMs, "A client has sent “wait 5000”.", {
    because,
    see: `bash -c 'exec 3<>${tcp}; time { echo "wait 5000" >&3; timeout 5 cat <&3; }'   # right: after 2 s`,
  });
  endedInTime(t, used!, requestMs, "A line has come within 1.8 s, and its kitchen is silent.", {
    because,
    see: `bash -c 'exec 3<>${tcp}; printf "{port} wait" >&3; sleep 1.8; time { echo " 5000" >&3; timeout 5 cat <&3; }'   # right: after 0.2 s`,
  });
}

/** The server holds so many sockets as before. */
async function leavesNothing(t: Tools, before: number, what: string): Promise<void> {
  await within(t, soonMs, () => t.server.sockets === before);
  t.expect(t.server.sockets - before, `${what} Sockets that the server still holds for them:`).equal(0, {
    because:
      "An error that ends a request must reach each place where a task of it waits: there the finally blocks begin to run, from the innermost outwards. A generator that is dropped runs no finally block.",
    see: `bash -c 'for i in 1 2 3; do exec 3<>${tcp}; echo "{port} wait 1500 + {port} tea" >&3; timeout 3 cat <&3; done; exec 3>&-; sleep 1; ss -tnp "sport = :{port}"'   # right: no connection`,
  });
}

/**
 * Requests are answered, and five orders end by an error. Then no request is under way, and the server makes no call
 * for 2.3 s. Later it waits for two timers at once, and wakes up for nothing else. The clients are served afterwards.
 */
check("sleeps", "sleeps until the next timer, and without a timer for ever", { patient: true }, async t => {
  const clients = await t.clients(6);
  const kitchen = cooks(t);
  const refuses = t.backEnd({ state: "refuses" });
  for (let i = 0; i < 5; i++) {
    const dish = word(t);
    for (const client of clients.slice(1)) {
      const request = [`${dish}\n`, "wait 1\n", `${kitchen.port} ${dish} + ${kitchen.port} tea\n`][i % 3]!;
      const answer = await says(t, client, request);
      t.expect(answer.length, `Bytes of the answer to “${request.trimEnd()}”:`).atLeast(1, whyLost);
      await pause(t, 5);
    }
  }
  const silent = t.backEnd();
  const five = await t.clients(5);
  for (const client of five) {
    await says(t, client, `${silent.port} tea + ${refuses.port} tea\n`);
    await pause(t, 30);
  }
  // Where parts are not cancelled yet, their order ends with its deadline: that is for another check.
  await within(t, requestMs + lateMs, () => five.every(one => one.over));
  const why: Why = {
    because:
      "A timer lives as long as what it limits: remove it in a finally block, also when an error ends the steps. Without timers the timeout of epoll_wait is -1.",
    see: `bash -c 'exec 3<>${tcp}; for i in {1..9}; do echo tea >&3; read -u 3; sleep 0.1; done; sleep 5'   # look at the calls in Syscalls`,
  };
  await wakesUp(t, requestMs + 300, "No request is under way.", 2, why);
  const [sleeper, half] = [clients[1]!, clients[2]!];
  const since = clock();
  const from = sleeper.receivedBytes;
  sleeper.send("wait 1300\n");
  half.send("ca");
  await within(t, soonMs, () => t.server.hasRead(sleeper) && t.server.hasRead(half));
  const whyFirst: Why = {
    because:
      "The timeout of epoll_wait is the time to the first timer that is due, and that is not always the newest one. A hub that looks at the clock again and again is polling.",
    see: `bash -c 'exec 3<>${tcp}; echo "wait 1900" >&3; timeout 3 cat <&3'   # look at the calls in Syscalls meanwhile`,
  };
  await wakesUp(t, 900, "Two requests wait, each with a timer.", 3, whyFirst);
  await within(t, 1300 + lateMs - (clock() - since), () => sleeper.receivedBytes > from);
  t.expect(
    heard(sleeper).slice(from),
    "A client has sent “wait 1300”, and then another the half of a line. The answer after 1.9 s:",
  ).equal("waited 1300\n", whyFirst);
  for (const client of clients.slice(3)) await served(t, client, "A client was silent for seconds.", why);
});

/** While no client sends, the server wakes up so many times at most. */
async function wakesUp(t: Tools, ms: number, when: string, most: number, why: Why): Promise<void> {
  const { busy, sleeps, watch } = await t.server.idle(ms);
  const at = watch?.calls.last ?? null;
  t.expect(sleeps, `${when} Wake-ups of the server in ${ms} ms:`).atMost(most, { ...why, at });
  t.expect(Math.round(busy * 100), `${when} Processor time that it uses (%):`).atMost(20, { ...why, at });
}

/**
 * The server is stopped (SIGSTOP) while the rest of a line, or the last part of an order, comes in time, until the timer is
 * due, too. Then both are in one turn. The client gets its answer once. It gets the answers to later requests, also to one
 * that it sends after a pause.
 */
check(
  "same-turn",
  "resumes a task once when its timer and its bytes come in one turn",
  { patient: true },
  again(async t => {
    const { server } = t;
    const why: Why = {
      because:
        "The bytes came in time, and the hub is late. So run the tasks that are ready first: what ends takes its timer along. Then look at the timers. A task that goes on for one reason no longer waits for the other.",
      see: `bash -c 'p=$(ss -Htlnp "sport = :{port}" | grep -oP "pid=\\K\\d+"); exec 3<>${tcp}; printf te >&3; sleep 0.3; kill -STOP $p; echo a >&3; sleep 2.2; kill -CONT $p; timeout 2 cat <&3'   # right: tea`,
    };
    const [half] = (await t.oneByOne(1)) as [Client];
    const line = word(t);
    half.send(line.slice(0, 2));
    await server.reads(half);
    await stoppedWhile(t, requestMs, () => half.send(`${line.slice(2)}\n`));
    const kitchen = t.backEnd();
    await answersOnce(t, half, `${line}\n`, "The rest of a line came while the server was stopped.", why);

    const dish = word(t);
    const order = await orders(t, [kitchen, kitchen], dish);
    await stoppedWhile(t, partMs, () => {
      for (const connection of kitchen.connections) connection.send(`${dish}!\n`);
    });
    const what = "The answers of two kitchens came while the server was stopped.";
    await answersOnce(t, order, `${dish}! + ${dish}!\n`, what, why);
    for (let i = 0; i < 3; i++) {
      await pause(t, 50);
      for (const client of [half, order]) await laterServed(t, client, why);
    }
  }),
);

/** Does this in time while the server is stopped, and lets it go on when a limit of so many milliseconds is over. */
async function stoppedWhile({ server, until }: Tools, ms: number, action: () => void): Promise<void> {
  await server.stopBetweenTurns();
  const from = clock();
  action();
  await until(() => clock() - from > ms + 100, ms + 10_000);
  server.continue();
}

async function answersOnce(t: Tools, client: Client, wanted: string, what: string, why: Why): Promise<void> {
  await within(t, soonMs, () => client.receivedBytes >= wanted.length || client.over);
  // A loop of another language may look at its timers first: then the request has ended, and that is all.
  if (!t.server.traced && inWords.test(heard(client))) return;
  t.expect(heard(client), `${what} It has received:`).equal(wanted, why);
}

async function laterServed(t: Tools, client: Client, why: Why): Promise<void> {
  if (client.over && !t.server.traced) return;
  await served(t, client, "A timer and bytes came in one turn. Later:", why);
}

const leaves = `bash -c 'exec 3<>${tcp}; echo "{port} wait 900 + {port} wait 900" >&3; sleep 0.2; exec 3>&-; sleep 0.3; ss -tn "dport = :{port}"'   # right: no connection from the server to itself`;

/**
 * Clients order, and their kitchens are silent, or have not accepted. The clients close, reset, or end their sending side;
 * one has sent a line behind its order. Within half a second the server closes all sockets of these orders. The same with 100
 * clients in one moment. Other orders under way are answered.
 */
check(
  "leaves",
  "cancels the request of a client that has left",
  again(async t => {
    const { server, expect } = t;
    const why: Why = {
      because:
        "The client’s socket is not read while its kitchens cook. Watch it for EPOLLRDHUP meanwhile, and throw an error where the task of the request waits. That must end the tasks that it has begun, too.",
      see: leaves,
    };
    const [silent, other] = [t.backEnd(), t.backEnd()];
    await says(t, await t.client(), "tea\n");
    const full = t.backEnd({ state: "full" });
    for (const how of ["close", "reset", "end", "sends more", "waits", "connects"] as const) {
      const before = server.sockets;
      const stays = await orders(t, [other], word(t));
      const [client] = (await t.oneByOne(1)) as [Client];
      if (how === "waits") client.send("wait 1900\n");
      else if (how === "connects") client.send(`${silent.port} ${how} + ${full.port} ${how}\n`);
      else await ordersAs(t, client, [silent, silent], `${how} ${word(t)}`);
      if (how === "sends more") client.send(`${silent.port} soup\ncake\n`);
      if (how === "connects") await full.receivesSyn();
      await within(t, soonMs, () => server.hasRead(client) || how === "sends more");
      if (how === "reset" || how === "end") client[how]();
      else client.close();
      await within(t, soonMs, () => server.sockets === before + 2);
      expect(
        server.sockets - before - 2,
        `The client of a request under way has left (${how}). Half a second later, sockets that the server holds for it:`,
      ).equal(0, why);
      answers(other, `${how}\n`);
      await within(t, soonMs, () => stays.receivedBytes > 0 || stays.over);
      expect(heard(stays), "A client has left. The answer to the order of another one:").equal(`${how}\n`, {
        because: "An error ends one request, and no other.",
      });
      stays.close();
      await server.holds(before);
    }
    await crowdLeaves(t, silent, why);
  }),
);

async function crowdLeaves(t: Tools, silent: BackEnd, why: Why): Promise<void> {
  const { server, expect } = t;
  const before = server.sockets;
  const clients = await t.clients(100);
  const line = `${silent.port} soup + ${silent.port} cake\n`;
  const lines = silent.lines.length;
  for (const client of clients) client.send(line);
  await within(t, partMs / 2, () => silent.lines.length === lines + 200);
  await server.stop();
  for (const [i, client] of clients.entries()) client[i % 2 === 0 ? "close" : "reset"]();
  server.continue();
  await within(t, soonMs, () => server.sockets === before);
  expect(
    server.sockets - before,
    "100 clients with orders have left in one moment. Sockets that the server holds for them:",
  ).equal(0, why);
  await served(t, await t.client(), "100 clients have left.", why);
}

const whySibling: Why = {
  because:
    "The parts of an order belong together: when one has failed, the order has failed. Cancel the others, wait until they have ended, and throw the first error.",
  see: `bash -c 'exec 3<>${tcp}; time { echo "{port} wait 900 + 1 cake" >&3; timeout 5 cat <&3; }'   # right: an error, at once`,
};

/**
 * Three parts are ordered. One kitchen is silent, one has answered, and the third refuses, resets, or ends its stream. At once the
 * client gets `error: …` and the end of the connection, and the sockets of all three parts are closed before that. Another order of
 * the silent kitchen is answered. The same with 20 orders: the server holds no socket of them.
 */
check(
  "siblings",
  "cancels the other parts when one fails, and no other order",
  again(async t => {
    const kitchens = { silent: t.backEnd(), quick: cooks(t), fails: t.backEnd() };
    const refuses = t.backEnd({ state: "refuses" });
    const [known] = (await t.oneByOne(1)) as [Client];
    await served(t, known, "A new client.", whySibling);
    const before = t.server.sockets;
    for (const how of ["refuses", "resets", "ends"] as const) {
      const dish = `${how}-${word(t)}`;
      const other = await orders(t, [kitchens.silent, kitchens.quick], dish);
      const [waits] = [...kitchens.silent.connections];
      await partFails(t, how, kitchens, refuses);
      await within(t, soonMs, () => kitchens.silent.connections.size === 1);
      const open =
        "A part of an order has failed, and another order waits. Connections to the silent kitchen:";
      t.expect(kitchens.silent.connections.size, open).equal(1, whySibling);
      waits!.send(`${dish}!\n`);
      await within(t, soonMs, () => other.receivedBytes > 0 || other.over);
      const what = "An order has failed. The answer to another order, which waited for the same kitchen:";
      t.expect(heard(other), what).equal(`${dish}! + ${dish} is ready\n`, {
        because: "An error ends one request: the tasks of its nursery, and no other.",
      });
      other.close();
      await leavesNothing(t, before, "A part of an order has failed, and another order is answered.");
    }
    await manyFail(t, before, kitchens.silent, refuses);
    await served(t, known, "Orders of others have failed.", whySibling);
  }),
);

/** A client orders three parts, of which the last one fails in this way. */
async function partFails(
  t: Tools,
  how: "refuses" | "resets" | "ends",
  { silent, quick, fails }: { silent: BackEnd; quick: BackEnd; fails: BackEnd },
  refuses: BackEnd,
): Promise<void> {
  const client = await t.client();
  const watch = t.server.traced ? t.server.watch() : null;
  if (how === "refuses") client.send(`${silent.port} tea + ${quick.port} tea + ${refuses.port} tea\n`);
  else await ordersAs(t, client, [silent, quick, fails], `${how} ${word(t)}`);
  for (const one of [...fails.connections]) {
    if (how === "resets") one.reset();
    else one.end();
  }
  await within(t, soonMs, () => client.over);
  const what = `A part of an order has failed: its kitchen ${how}.`;
  t.expect(heard(client), `${what} Its client has received:`).contains(inWords, whySibling);
  if (watch === null) return;
  const calls = watch.calls.list;
  const error = calls.findIndex(({ call, peer }) => call === "send" && isPort(peer, client.port));
  const closed = calls.slice(0, error).filter(({ call }) => call === "close").length;
  t.expect(closed, `${what} Sockets of its three parts that were closed before the error was sent:`).atLeast(
    3,
    {
      ...whySibling,
      because:
        "A nursery returns when all its tasks have ended, and not before. So no task of a request runs, or holds a socket, when the request is over.",
    },
  );
}

const isPort = (peer: string | null, port: number) => peer?.endsWith(`:${port}`) ?? false;

async function manyFail(t: Tools, before: number, silent: BackEnd, refuses: BackEnd): Promise<void> {
  const parts = [silent, silent, refuses].map(({ port }) => `${port} tea`).join(" + ");
  const clients = await t.clients(20);
  for (const client of clients) client.send(`${parts}\n`);
  await within(t, partMs, () => clients.every(one => one.over));
  const right = clients.filter(client => inWords.test(heard(client))).length;
  t.expect(right, "Parts of 20 orders have failed. Clients that have got an error:").equal(20, whySibling);
  await leavesNothing(t, before, "Parts of 20 orders have failed.");
}

/**
 * Hundreds of generated clients send lines, `wait` with a few milliseconds, and orders of kitchens that answer or refuse, cut
 * anywhere, and close, half-close, leave or reset. Each gets its own answers. The server keeps nothing of those that have gone,
 * and sleeps while no client sends.
 */
check("conversations", "answers each request in generated conversations", async t => {
  const [one, two] = [cooks(t).port, cooks(t).port];
  const refuses = t.backEnd({ state: "refuses" }).port;
  const lines = fc
    .oneof(grammar.visibleAscii(0, 40, "\n"), grammar.longText(1, 2000), grammar.utf8(1, 20))
    // "x": no line is a command.
    .map(line => `x${line.replaceAll("\n", "")}`)
    .map(line => ({ bytes: `${line}\n`, wants: `${line}\n` }));
  const times = fc.nat({ max: 3 }).map(ms => ({ bytes: `wait ${ms}\n`, wants: `waited ${ms}\n` }));
  const made = fc.tuple(grammar.word(4, 12), grammar.word(4, 12)).map(([tea, cake]) => ({
    bytes: `${one} ${tea} + ${two} ${cake} + ${one} ${cake}\n`,
    wants: `${tea} is ready + ${cake} is ready + ${cake} is ready\n`,
  }));
  const failed = grammar
    .word(4, 8)
    .map(dish => ({ bytes: `${one} ${dish} + ${refuses} ${dish}\n`, wants: null, after: "any" as const }));
  await t.conversations({
    says: fc.oneof(
      { arbitrary: lines, weight: 5 },
      { arbitrary: times, weight: 2 },
      { arbitrary: made, weight: 3 },
      { arbitrary: failed, weight: 1 },
    ),
    // A close() with unread bytes would be a reset: the line with an error is the last of its client.
    only: ({ messages }) => messages.slice(0, -1).every(({ wants }) => wants !== null),
    // A client that stays, or that sends in many rounds, may meet a deadline on a busy machine.
    ends: ["closes", "half-closes", "leaves", "is cut off"],
    unfinished: false,
    cuts: 2,
    times: 8,
    clients: 16,
    idle: "sleeps",
    because:
      "Each line has one answer, in whatever pieces it comes. A request that has ended, by its answer, an error, or its client, leaves no task, no timer and no socket behind.",
  });
});

// What must be true of a server that prints labels: a conversation of several steps with each of many clients at a time.
// Whether it is a state machine, generators or threads is not asked.
import { type Client, type ClientOptions, check, fc, grammar, type Tools, type Why } from "workbook/check";

const tcp = "/dev/tcp/127.0.0.1/{port}";
const [mostTeas, mostSheets] = [9, 100_000];
const sorry = (most: number) => `sorry, a number from 1 to ${most}\n`;

const word = (t: Tools) => t.generate(grammar.word(6, 12));
const words = (t: Tools, count: number) => Array.from({ length: count }, () => word(t));
const heard = (client: Client) => client.received.toString("latin1");

/** A line that a client sends, and what the server answers. */
interface Step {
  line: string;
  answer: string;
}

/** The steps of a whole order. */
function stepsOf(name: string, teas: readonly string[], sheets: number): Step[] {
  const sheet = teas.map(tea => `${name}: ${tea}\n`).join("");
  return [
    { line: name, answer: `hello ${name}, how many teas?\n` },
    { line: `${teas.length}`, answer: "tea 1?\n" },
    ...teas.map((tea, i) => ({
      line: tea,
      answer: i + 1 < teas.length ? `tea ${i + 2}?\n` : "how many sheets?\n",
    })),
    { line: `${sheets}`, answer: `${sheet.repeat(sheets)}done, ${name}\n` },
  ];
}

const linesOf = (steps: readonly Step[]) => steps.map(({ line }) => `${line}\n`).join("");
const answersTo = (steps: readonly Step[]) => steps.map(({ answer }) => answer).join("");

/** A server has not answered when it has had so many milliseconds of its own, asleep or running, without what is awaited. */
const patienceMs = 4000;
const lookEveryMs = 50;

/** Waits until this is true; in vain if the server has had enough time, or sleeps in a call that only a client can end. */
async function soon({ server, until }: Tools, probe: () => boolean): Promise<boolean> {
  const own = server.ownTime();
  let [next, before] = [0, -1];
  await until(() => {
    if (probe()) return true;
    if (performance.now() < next) return false;
    next = performance.now() + lookEveryMs;
    const { asleep, ms, ran } = own.spent;
    // Two looks must find it in the same call: before the first it may have done what the probe asks for.
    const stuckIn = server.stuck()?.n ?? -1;
    const isStuck = stuckIn >= 0 && stuckIn === before;
    before = stuckIn;
    return isStuck || (asleep ? ms : ran) > patienceMs;
  }, 60_000);
  return probe();
}

interface Cause extends Why {
  /** The cause if the server has closed the connection, in place of `because`. */
  whenClosed?: string;
}

const stillTalks: Cause = {
  whenClosed:
    "The server has closed this connection, but the client has neither said `bye` nor left. After an order comes the next one, and the end of another client ends neither this conversation nor the program.",
};

/** The client sends these bytes, in one piece, and gets this answer and nothing else. */
async function say(
  t: Tools,
  client: Client,
  bytes: string,
  answer: string,
  what: string,
  why: Cause,
): Promise<void> {
  const before = client.receivedBytes;
  const got = () => client.received.toString("latin1", before);
  client.send(bytes);
  await soon(t, () => client.over || client.receivedBytes - before >= answer.length);
  const { whenClosed, ...rest } = why;
  t.expect(got(), what).equal(answer, client.over && whenClosed ? { ...rest, because: whenClosed } : rest);
}

async function takes(t: Tools, client: Client, steps: readonly Step[], what: string, why: Cause) {
  for (const { line, answer } of steps) await say(t, client, `${line}\n`, answer, what, why);
}

/** A server that polls rests between two rounds. The last check judges that, and no other goes on without it. */
const resting = {
  promise: "rest",
  saying: "the server does not rest while no client sends",
};
/** Milliseconds of the server's own time: V8 compiles at first, so a second and a third look are longer. */
const restMs = [40, 120, 300] as const;

async function rests({ server, expect }: Tools): Promise<void> {
  let busy = 1;
  for (const ms of restMs) {
    const now = await server.idle(ms);
    const slept = now.watch?.calls.rests.length ?? now.sleeps;
    if (now.restless <= 3 && (slept > 0 || now.busy <= 0.4)) return;
    busy = now.busy;
  }
  expect(Math.round(busy * 100), "No client is connected. Processor time that the server uses (%):").atMost(
    40,
    {
      because:
        "The loop resumes each task again and again, though no byte has come. End each round with sleep(1).",
      see: "top -bn1 -p $(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+') | tail -1   # the ninth column: % of a processor",
      breaks: resting,
    },
  );
}

const conversation = `bash -c 'exec 3<>${tcp}; printf "Mei\\n2\\ngreen\\nblack\\n2\\nbye\\n" >&3; timeout 2 cat <&3'`;

/**
 * Five clients order, each with words of its own, and send their lines in turn: first each its name, then each its number
 * of teas, and so on. Each gets the answer to its own line. Each orders twice, and the second time in the other order.
 */
check("own", "holds a conversation of its own with each client", async t => {
  await rests(t);
  const clients = await t.clients(5);
  for (const order of [clients, [...clients].reverse()]) {
    const talks = order.map((client, i) => ({ client, steps: stepsOf(word(t), words(t, i + 1), i + 1) }));
    const most = Math.max(...talks.map(({ steps }) => steps.length));
    for (let turn = 0; turn < most; turn++) {
      for (const { client, steps } of talks) {
        await takes(
          t,
          client,
          steps.slice(turn, turn + 1),
          `Five clients order at a time. ${client.name}, line ${turn + 1} of its order:`,
          {
            ...stillTalks,
            because:
              "Each client needs a task of its own, with variables of its own, and no task may hold up the others: where it would wait, it yields. A helper that waits is called with yield*; without it, its body does not run.",
            see: `bash -c 'exec 3<>${tcp} 4<>${tcp}; echo Mei >&3; echo Bo >&4; read -t 2 -u 3 A; read -t 2 -u 4 B; echo 1 >&3; echo 2 >&4; timeout 1 cat <&3 & timeout 1 cat <&4; wait'   # right: tea 1? twice`,
          },
        );
      }
    }
  }
});

/**
 * Two clients send their orders in turn, a byte at a time. Another client sends two whole orders in one piece, and a third
 * one sends pieces that end in the middle of a line. Each gets all its answers.
 */
check("pieces", "reads each line whole, in whatever pieces it comes", async t => {
  const { server } = t;
  await rests(t);
  const why: Why = {
    because:
      "TCP keeps no lines. Keep what has come of a line until its line feed comes, for each client by itself. And keep what lies behind the line feed for the next recvLine: no new bytes may come.",
    see: conversation,
  };
  const slow = await t.clients(2);
  const orders = slow.map(() => stepsOf(word(t), words(t, 2), 2));
  const bytes = orders.map(linesOf);
  for (let at = 0; at < Math.max(...bytes.map(({ length }) => length)); at++) {
    for (const [i, client] of slow.entries()) {
      const byte = bytes[i]![at];
      if (byte === undefined) continue;
      client.send(byte);
      t.expect(
        await server.reads(client),
        "Two clients sent a byte each in turn. The server has read it:",
      ).ok(why);
    }
  }
  for (const [i, client] of slow.entries()) {
    const wanted = answersTo(orders[i]!);
    await soon(t, () => client.over || client.receivedBytes >= wanted.length);
    t.expect(
      heard(client),
      "Two clients sent their orders a byte at a time, in turn. One of them got:",
    ).equal(wanted, why);
  }
  const two = [...stepsOf(word(t), words(t, 3), 1), ...stepsOf(word(t), words(t, 1), 2)];
  const quick = await t.client();
  await say(t, quick, linesOf(two), answersTo(two), "A client sent two orders in one piece.", why);
  const cut = await t.client();
  const order = stepsOf(
    word(t),
    words(t, 3).map(tea => ` ${tea}  `),
    1,
  );
  const pieces = order.map(({ line }) => line);
  cut.send(pieces[0]!.slice(0, 3));
  for (const [i, line] of pieces.entries()) {
    t.expect(await server.reads(cut), "A client sent half a line. The server has read it:").ok(why);
    const next = pieces[i + 1]?.slice(0, 3) ?? "";
    cut.send(`${line.slice(3)}\n${next}`);
  }
  const wanted = answersTo(order);
  await soon(t, () => cut.over || cut.receivedBytes >= wanted.length);
  t.expect(
    heard(cut),
    "A client sent pieces that end in the middle of a line. Some lines begin and end with a space.",
  ).equal(wanted, why);
});

/** More than both kernels hold of one connection. */
const long = { teas: 9, tea: 800, sheets: 1700 } as const;
/** A client that will read has this much room; with less the kernels would send tiny pieces. */
const late: ClientOptions = { reads: false, receiveBuffer: 64 * 1024 };

/** A send queue of so many bytes holds more than the answers before the sheets. */
const hasSheets = (bytes = 0) => bytes > 1024;

/** An order whose sheets are some twelve megabytes. */
function longOrder(t: Tools): Step[] {
  const longTea = () => t.generate(grammar.word(long.tea, long.tea));
  return stepsOf(word(t), Array.from({ length: long.teas }, longTea), long.sheets);
}

/**
 * Three clients order 12 MB of sheets, and do not read. A fourth client orders meanwhile, and gets its sheets. Then the
 * three read: each gets every byte, in order, and can order again.
 */
check("slow", "sends every byte, and no other client waits for a slow reader", async t => {
  const { server, expect } = t;
  await rests(t);
  const three = await t.clients(3, late);
  const orders = three.map(() => longOrder(t));
  for (const [i, client] of three.entries()) client.send(linesOf(orders[i]!));
  // The queue is empty again for a moment, as long as the client's kernel has room: so what was seen once is kept.
  const sentTo = new Set<Client>();
  const begun = () => {
    for (const client of three) if (hasSheets(server.socketOf(client)?.sendQueue)) sentTo.add(client);
    return sentTo.size === three.length;
  };
  await soon(t, begun);
  const see = `bash -c 'exec 3<>${tcp}; printf "$(seq -s, 99)\\n1\\ngreen\\n40000\\n" >&3; sleep 1; timeout 3 cat <&3' | grep -c ': green$'   # right: 40000`;
  const waits: Why = {
    because:
      "The task of a slow reader holds up the loop: in a send() that blocks, or in a loop that asks again without a yield. Where send() returns null, yield.",
    see,
  };
  const sendsNone: Why = {
    because:
      "Each order came in one piece, and the server sends sheets to none of the three. Does recvLine keep what lies behind a line feed? And is sendAll called with yield*? Without it, its body does not run.",
    see,
  };
  expect(begun(), "Three clients do not read. The server has begun to send to all of them:").ok(
    sentTo.size > 0 ? waits : sendsNone,
  );
  await server.fills(three);
  t.note("three clients have ordered 12 MB of sheets, and do not read");
  const fourth = await t.client();
  const small = stepsOf(word(t), words(t, 2), 2);
  await takes(t, fourth, small, "Three clients do not read. A fourth client orders:", waits);
  for (const client of three) client.setReading(true);
  for (const [i, client] of three.entries()) await getsAll(t, client, answersTo(orders[i]!), see);
  const [name] = stepsOf(word(t), words(t, 1), 1) as [Step];
  await takes(t, three[0]!, [name], "A client that read late has all its sheets, and orders again.", {
    because: "When the sheets are sent, the conversation goes on with the next name.",
  });
});

async function getsAll(t: Tools, client: Client, wanted: string, see: string): Promise<void> {
  let before = -1;
  // As long as bytes come, the server goes on.
  while (client.receivedBytes < wanted.length && client.receivedBytes > before) {
    before = client.receivedBytes;
    await soon(t, () => client.over || client.receivedBytes >= wanted.length);
  }
  const why: Why = {
    because:
      "send() takes a part, or nothing (null). Send on from there, until nothing is left, and only then the next sheet.",
    see,
  };
  const what = `${client.name} ordered 12 MB of sheets, and reads late.`;
  t.expect(client.receivedBytes, `${what} Bytes that it has received:`).equal(wanted.length, why);
  t.expect(client.received.equals(Buffer.from(wanted, "latin1")), `${what} All bytes are right:`).ok(why);
}

/** How a client leaves, in the words of a failure. */
const leaving = { close: "closed its connection", reset: "reset its connection" } as const;
type How = keyof typeof leaving;

/** The places of a conversation where a client leaves; `orders` are done by then. */
const places = [
  { at: "after its name", lines: 1, orders: 0 },
  { at: "after its number of teas", lines: 2, orders: 0 },
  { at: "in the middle of its teas", lines: 3, orders: 0 },
  { at: "before its number of sheets", lines: 4, orders: 0 },
  { at: "after its order", lines: 5, orders: 1 },
] as const;

/**
 * Clients close or reset their connections, each at another place of the conversation, also in the middle of a line, and
 * while sheets are being sent. Another one says `bye`, and gets `bye` and the end of the stream. Each socket is closed, the
 * server prints one line for each, such as `left: Mei, orders: 0`, and the others are served.
 */
check("ends", "ends a conversation at any place, in one way", async t => {
  const { server, expect } = t;
  await rests(t);
  const from = server.output.bytes;
  const gone: [name: string, orders: number][] = [];
  const stays = await t.client();
  const [first, ...others] = stepsOf(word(t), words(t, 2), 1) as [Step, ...Step[]];
  const open = "A client is in the middle of its order, and others leave.";
  await takes(t, stays, [first], open, stillTalks);
  for (const how of ["close", "reset"] as const) {
    for (const { at, lines, orders } of places) {
      const name = word(t);
      const client = await t.client();
      await takes(t, client, stepsOf(name, words(t, 2), 1).slice(0, lines), "A client orders.", stillTalks);
      if (lines % 2 === 0) {
        client.send(word(t));
        await server.reads(client);
      }
      await leaves(t, client, how, `${at}${lines % 2 === 0 ? ", and half a line" : ""}`);
      gone.push([name, orders]);
    }
    gone.push([await leavesSheets(t, how), 0]);
    const silent = await t.client();
    await leaves(t, silent, how, "before its name");
    gone.push(["no name", 0]);
  }
  gone.push([await saysBye(t), 2]);
  await judgeLines(t, from, gone);
  await takes(t, stays, others, open, {
    because: "The end of one conversation is the end of no other.",
    see: conversation,
  });
  expect(server.output.since(from).includes(first.line), "The server says of a client that it left:").equal(
    false,
    { because: "This client has not left." },
  );
});

const leavingWhy: Why = {
  because:
    "A conversation has many ends: `bye`, the end of the stream, an error in recv or send. Close the socket and print the line in one place through which each of them leads: finally.",
  see: `timeout 5 node -e 'const s = require("net").connect({port}, "127.0.0.1", () => s.write("Mei\\n", () => setTimeout(() => s.resetAndDestroy(), 500)))'   # right: a line in Output`,
};

async function leaves(t: Tools, client: Client, how: How, at: string): Promise<void> {
  client[how]();
  t.note(`${client.name} ${leaving[how]} ${at}`);
  const released = await t.server.releases([client]);
  t.expect(released, `A client ${leaving[how]} ${at}. Sockets that the server has closed:`).equal(
    1,
    leavingWhy,
  );
}

/** A client leaves while the server waits until it may send more sheets. */
async function leavesSheets(t: Tools, how: How): Promise<string> {
  const { server } = t;
  const client = await t.client({ reads: false, receiveBuffer: 4096 });
  const steps = longOrder(t);
  client.send(linesOf(steps));
  await soon(t, () => (server.socketOf(client)?.sendQueue ?? 0) > 0);
  await server.fills([client]);
  await leaves(t, client, how, "while sheets were being sent");
  return steps[0]!.line;
}

async function saysBye(t: Tools): Promise<string> {
  const client = await t.client();
  const name = word(t);
  for (const each of [word(t), name]) {
    await takes(t, client, stepsOf(each, ["bye"], 1), "A client orders a tea of the name bye.", {
      because:
        "Only in the place of a name does `bye` end the conversation. After an order comes the next one.",
    });
  }
  const why: Why = {
    because: "`bye` in the place of a name ends the conversation: answer, and close.",
    see: conversation,
  };
  await say(t, client, "bye\n", "bye\n", "A client has ordered twice, and says bye.", why);
  await soon(t, () => client.over);
  t.expect(client.state, "A client has said bye. The state of its connection:").equal("ended", why);
  client.close();
  await t.server.releases([client]);
  return name;
}

/** The server has printed these lines since, each as often as clients have left so. */
async function judgeLines(t: Tools, from: number, gone: readonly [string, number][]): Promise<void> {
  const wanted = gone.map(([name, orders]) => `left: ${name}, orders: ${orders}`).sort();
  const printed = () =>
    t.server.output
      .since(from)
      .split("\n")
      .map(line => line.trimEnd())
      .filter(line => line.startsWith("left: "))
      .sort();
  await t.until(() => printed().length >= wanted.length, 3000);
  const now = printed();
  const missing = wanted.find(line => count(now, line) < count(wanted, line));
  const extra = now.find(line => count(now, line) > count(wanted, line));
  const otherWords: Why = {
    because:
      "One line for each client that has left: the name that came last, also if its order is not done, and how many of its orders were done.",
  };
  if (missing !== undefined) {
    t.note(`lines that begin with "left: ": ${now.length} for ${wanted.length} clients`);
    if (extra !== undefined) t.note(`one that must not be there: “${extra}”`);
    t.expect(count(now, missing), `Times that the server has printed “${missing}”:`).equal(
      count(wanted, missing),
      now.length < wanted.length ? leavingWhy : otherWords,
    );
  }
  if (extra === undefined) return;
  t.expect(count(now, extra), `Times that the server has printed “${extra}”:`).equal(
    count(wanted, extra),
    otherWords,
  );
}

function count(lines: readonly string[], line: string): number {
  return lines.filter(other => other === line).length;
}

/**
 * Clients send `0`, a number that is too large, a word, or an empty line in the place of a number. Each gets `sorry, a number
 * from 1 to 9` or `… 100000`, and its next line is the name of a new order. Another client is served meanwhile.
 */
check("sorry", "gives up an order with a bad number, and nothing else", async t => {
  await rests(t);
  const other = await t.client();
  const [name, ...rest] = stepsOf(word(t), words(t, 2), 2) as [Step, ...Step[]];
  const what = "A client is in the middle of its order, and another one sends bad numbers.";
  await takes(t, other, [name], what, {});
  const client = await t.client();
  const why: Why = {
    because:
      "A bad number ends the order, not the connection, and not the server: throw an error where the number is read, and catch it around the order. It passes through each yield*.",
    see: `bash -c 'exec 3<>${tcp}; printf "Mei\\nmany\\nMei\\n1\\ngreen\\n0\\nBo\\n" >&3; timeout 1 cat <&3'`,
  };
  for (const [most, before] of [
    [mostTeas, 1],
    [mostSheets, 4],
  ] as const) {
    for (const bad of ["0", `${most + 1}`, "-1", "1.5", word(t).replace(/^\d+/, "x"), ""]) {
      const begun = stepsOf(word(t), words(t, 2), 1).slice(0, before);
      await takes(t, client, begun, "A client orders, after a bad number in its last order.", why);
      await say(t, client, `${bad}\n`, sorry(most), `In the place of a number a client sent “${bad}”.`, why);
    }
  }
  const good = stepsOf(word(t), words(t, mostTeas), 1);
  await takes(t, client, good, `After bad numbers a client orders ${mostTeas} teas.`, why);
  const [begun] = stepsOf(word(t), words(t, 1), 1) as [Step];
  const all = [begun, { line: "0", answer: sorry(mostTeas) }, ...stepsOf(word(t), words(t, 1), 1)];
  const onePiece = "A bad number and the next order came in one piece.";
  await say(t, client, linesOf(all), answersTo(all), onePiece, {
    because: "What lies behind the bad number is the next order. It stays unread until it is asked for.",
  });
  await takes(t, other, rest, what, why);
});

/**
 * Hundreds of generated clients send orders, good ones and ones with a bad number, cut anywhere, and stay, close, half-close,
 * leave or reset. Each gets its answers. The server keeps nothing of those that have gone, and sleeps between two rounds.
 */
check(
  "conversations",
  "keeps every promise in generated conversations",
  { judges: resting.promise },
  async t => {
    await rests(t);
    const name = grammar.visibleAscii(1, 40).filter(text => text !== "bye");
    const tea = grammar.visibleAscii(0, 40);
    const teas = fc.array(tea, { minLength: 1, maxLength: mostTeas });
    const orders = fc.tuple(name, teas, fc.integer({ min: 1, max: 12 })).map(order => stepsOf(...order));
    // No two clients have the same, and a server that keeps them is seen by its memory.
    const longNames = grammar.word(16, 20).map(part => part.repeat(180));
    const longOrders = fc.tuple(longNames, tea).map(([who, one]) => stepsOf(who, [one], 1));
    const bad = fc.tuple(fc.oneof(name, longNames), grammar.word(1, 8)).map(([who, number]) => {
      const [hello] = stepsOf(who, ["tea"], 1) as [Step];
      return [hello, { line: `x${number}`, answer: sorry(mostTeas) }];
    });
    await t.conversations({
      says: fc
        .oneof(orders, longOrders, bad)
        .map(steps => ({ bytes: linesOf(steps), wants: answersTo(steps) })),
      clients: 60, // enough to see the memory of a task that a client leaves behind
      unfinished: false, // half an order is answered, too, as far as it has come
      idle: "rests",
      because:
        "Each client has its own order and its own unread bytes. A client that has gone leaves no socket and no task behind, and each round of the loop ends with a sleep.",
    });
  },
);

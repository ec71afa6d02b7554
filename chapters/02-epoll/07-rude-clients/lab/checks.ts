// What must be true of a server whose clients make mistakes, or mean harm: it answers nothing that is not a request, it waits
// for no client longer than it says, and its last answer arrives. How it parses and counts time is not asked.
import {
  type Client,
  type ClientMessage,
  check,
  clock,
  fc,
  grammar,
  lastAnswer,
  staticSite,
  type Tools,
  type Why,
} from "workbook/check";

const { get, host, refused } = staticSite;
const { holdsSocketOf, receivesInTime, untilAnswered } = lastAnswer;

const asked = (target: string) => ({ status: 200, body: `you asked for ${target}\n` });
const sent = (bytes: number, target: string) => ({
  status: 200,
  body: `you sent ${bytes} bytes to ${target}\n`,
});
const post = (target: string, fields: string, body = "") =>
  `POST ${target} HTTP/1.1\r\n${host}${fields}\r\n${body}`;
const chunk = (data: string) => `${data.length.toString(16)}\r\n${data}\r\n`;
const chunked = "Transfer-Encoding: chunked\r\n";
const closes = "Connection: close\r\n";

/** How long the server waits for a client, in milliseconds. */
const patience = { idle: 3000, request: 2000, fin: 1000 };
/** A right server may be late by so much of its own time, in milliseconds. */
const lateMs = 3000;

// ---------------------------------------------------------------------------------------- refusals

const whyLine =
  "A first line is a method, a target and a version, with one space between them. Answer 400 to everything else, and close: you cannot know where the next request begins (RFC 9112, 2.2 and 3).";
const whyField =
  "A field is a name, a colon right behind it, and a value without control characters. Two programs that read one line differently see different requests: answer 400, and close (RFC 9112, 2.2, 5.1 and 5.2; RFC 9110, 5.5).";
const whyHost =
  "A server must answer 400 to a request of HTTP/1.1 without Host, with two, or with an invalid one (RFC 9112, 3.2).";

/**
 * Clients send malformed first lines and fields, each with a second request behind it, and a wrong number of `Host` fields.
 * They get 400, and no answer to the second request. Another version gets 505, and an unknown method 501.
 */
check("malformed", "answers what is not a request with the status that says why", async t => {
  const version = t.generate(fc.integer({ min: 2, max: 9 }));
  const method = `BREW${t.generate(grammar.word(3, 9)).replaceAll(/\d/g, "Z").toUpperCase()}`;
  const behind = get(`/${t.generate(grammar.word(3, 9))}`);
  const wrongFields = [
    "no colon",
    "X-Tea : green",
    ": green",
    "X-Tea: green\r\n black",
    "X-Tea: green\rX-Cup: 2",
    "X-Tea: green\nX-Cup: 2",
    "X-Tea: \0",
  ];
  await t.exchanges(whyLine, [
    ...staticSite.malformed,
    refused("two spaces behind the method", `GET  /tea HTTP/1.1\r\n${host}\r\n${behind}`),
    ...wrongFields.map(line => ({
      ...refused(`the field ${JSON.stringify(line)}`, get("/tea", `${line}\r\n`) + behind),
      because: whyField,
    })),
    ...staticSite.hostFields(asked("/menu.txt")).map(one => ({ because: whyHost, ...one })),
    {
      ...refused(`HTTP/${version}.0`, `GET /tea HTTP/${version}.0\r\n${host}\r\n`, [505]),
      because: "A server that does not speak this version answers 505 (RFC 9110, 15.6.6).",
    },
    {
      about: "a method that the server does not know",
      sends: `${method} /tea HTTP/1.1\r\n${host}\r\n`,
      wants: [501],
      because: "A server that does not know a method answers 501 (RFC 9110, 9.1).",
    },
  ]);
});

const whyBody =
  "The end of this body is not clear, so you cannot know which bytes are the next request. Answer 400, and close (RFC 9112, 6.3 and 7.1).";

/**
 * Clients send bodies with two lengths, with a length and chunks, and with lengths and chunks that are malformed. Each has a
 * second request behind it. They get 400, and no answer to the second request. Right bodies are answered, in pieces, too.
 */
check("lengths", "refuses a body whose end is not clear, and all that follows it", async t => {
  const [target, hidden] = [1, 2].map(() => `/${t.generate(grammar.word(3, 9))}`) as [string, string];
  const wrong = t.generate(staticSite.wrongLengths);
  const behind = get(hidden);
  const [five, nine] = [`5\r\nblack\r\n0\r\n\r\n`, "Content-Length: 9\r\n"];
  await t.exchanges(whyBody, [
    ...staticSite.unclearLengths(wrong),
    refused("chunks and a length", post(target, `${chunked}${nine}`, `${five}${behind}`)),
    refused("chunks and two lengths", post(target, `${nine}${chunked}${nine}`, `${five}${behind}`)),
    ...["+5", "-5", "0x5", "5x", "5.0", "1e1"].map(length =>
      refused(`the length "${length}"`, post(target, `Content-Length: ${length}\r\n`, `black${behind}`)),
    ),
    ...["gzip", "chunked, gzip", "notchunked", "chunked\r\nTransfer-Encoding: gzip"].map(coding => ({
      ...refused(
        `"Transfer-Encoding: ${coding.replace("\r\n", ", and ")}"`,
        post(target, `Transfer-Encoding: ${coding}\r\n`, `${five}${behind}`),
        [400, 501],
      ),
      because:
        "Only a Transfer-Encoding that ends with chunked announces chunks. Without it you cannot know where the body ends: answer 400, and close (RFC 9112, 6.3, rule 4).",
    })),
    refused("a space before the colon of a length", post(target, "Content-Length : 5\r\n", `black${behind}`)),
    ...["0x5", "+5", "-5", "5 5", ""].map(size =>
      refused(
        `a chunk with the size "${size}"`,
        post(target, chunked, `${size}\r\nblack\r\n0\r\n\r\n${behind}`),
      ),
    ),
    refused(
      "a chunk with two other bytes in place of its CR LF",
      post(target, chunked, `5\r\nblack::0\r\n\r\n${behind}`),
    ),
    refused(
      "a chunk that is longer than its size",
      post(target, chunked, `5\r\nblacktea\r\n0\r\n\r\n${behind}`),
    ),
    {
      about: "a right length, in two pieces, and a request behind the body",
      sends: [post(target, "Content-Length: 9\r\n", "green"), ` tea${behind}`],
      wants: [sent(9, target), asked(hidden)],
      after: "open",
      because: "The body ends after so many bytes as Content-Length says, and the next request begins there.",
    },
    {
      about: "right chunks, in two pieces, and a request behind them",
      sends: [post(target, chunked, "5\r\nblack\r\n4"), `;x=y\r\n tea\r\n0\r\n\r\n${behind}`],
      wants: [sent(9, target), asked(hidden)],
      after: "open",
      because:
        "The body ends with the empty chunk, and the next request begins behind its empty line. Behind the size of a chunk may be ;name=value: ignore it (RFC 9112, 7.1.1).",
    },
  ]);
});

// --------------------------------------------------------------------------------------- the end

const whyLinger =
  'close() sends RST when received bytes are unread, and so does the kernel when bytes come for a closed socket. RST can destroy the answer. Call shutdown("write"), read and discard until the client\'s end or a deadline, and then close (RFC 9112, 9.6).';

/**
 * A client sends a head that does not end, and another sends bytes behind a request with `Connection: close`. Both read when
 * they have sent all. Each gets its answer, and no reset. Clients that do not end delay no other client: a second after the
 * answer the server closes their sockets, also when one of them sends a byte now and then.
 */
check("arrives", "delivers its last answer to a client that is still sending", async t => {
  const { server } = t;
  const lines = (bytes: number) => "X: green tea\r\n".repeat(Math.ceil(bytes / 14));
  const name = `/${t.generate(grammar.word(3, 9))}`;
  const stillSending = (first: string, more: string) => async () => {
    const client = await t.client({ reads: false });
    await server.accepts([client]);
    await server.stop();
    client.send(first);
    await client.sent();
    const since = clock();
    server.continue();
    await untilAnswered(t, client);
    client.send(more);
    await client.sent();
    return [client, clock() - since] as [Client, number];
  };
  const lingerMs = patience.fin;
  await receivesInTime(t, {
    lingerMs,
    wanted: { status: 431 },
    what: "a head of 400,000 bytes",
    why: {
      because: whyLinger,
      see: `timeout 9 bash -c 'trap "" PIPE; exec 3<>/dev/tcp/127.0.0.1/{port}; printf "GET / HTTP/1.1\\r\\nX: %0100000d" 0 >&3; sleep 0.5; printf "%0100000d" 0 >&3 && cat <&3'`,
    },
    sends: stillSending(`GET /tea HTTP/1.1\r\n${host}${lines(200_000)}`, lines(200_000)),
  });
  await receivesInTime(t, {
    lingerMs,
    wanted: asked(name),
    what: "bytes behind a request with Connection: close",
    why: {
      because: `${whyLinger} That holds for each last answer, not only for a refusal. And the bytes behind the request belong to none: no limit counts them.`,
    },
    sends: stillSending(get(name, closes) + "a".repeat(200_000), "a".repeat(200_000)),
  });
  await answersMeanwhile(t);
  // The client that sends now and then has to do so: a busy machine may stop it for too long, and then it tries again.
  for (let tries = 0; (await lingers(t)) > lingerMs / 2; tries++)
    if (tries === 4) t.tooBusy("a client that sends a byte now and then");
});

/** Fails the check if another client has to wait until the server has done with one that has its last answer. */
async function answersMeanwhile(t: Tools): Promise<void> {
  const name = `/${t.generate(grammar.word(3, 9))}`;
  // On a busy machine the server may have done with a client before another has its answer: then it is no proof.
  for (let tries = 0; tries < 8; tries++) {
    const [last, other] = (await t.clients(2)) as [Client, Client];
    await t.server.accepts([last, other]);
    last.send(get("/tea", closes));
    await last.receives("you asked for /tea\n");
    other.send(get(name));
    const about = "another client, while the server waits for the end of one";
    await t.exchange({ about, client: other, sends: [], wants: [asked(name)] });
    if (holdsSocketOf(t, last)) return;
  }
  t.fail(
    "A client has its last answer, and does not end. When another client has its answer, the server has closed the first socket.",
    {
      because:
        "The server waits for one client in a loop, so all others wait, too; or it does not linger at all. A client that has its last answer is one more to watch in epoll, with a deadline.",
    },
  );
}

/**
 * Fails the check if the server keeps a client that has its last answer and does not end: silent, or with a byte now and then.
 * @returns the longest pause between two such bytes, in milliseconds
 */
async function lingers(t: Tools): Promise<number> {
  const [silent, drips] = (await t.clients(2, { reads: false })) as [Client, Client];
  for (const client of [silent, drips]) client.send(get("/tea", closes));
  for (const client of [silent, drips]) await untilAnswered(t, client);
  const drip = new Drip(t, drips);
  const own = t.server.ownTime();
  const gone = () => !holdsSocketOf(t, silent) && !holdsSocketOf(t, drips);
  await t.until(() => {
    drip.step();
    return gone() || isOver(own.spent, patience.fin);
  }, 60_000);
  for (const [client, does, sends] of [
    [silent, "says nothing more, and does not close", ""],
    [
      drips,
      "sends a byte every 50 ms, and does not close",
      "(for i in {1..60}; do sleep 0.05; printf x || exit; done >&3 2>&-) & ",
    ],
  ] as const) {
    const what = `A client has its last answer, ${does}. Seconds later the server still holds its socket.`;
    t.expect(!holdsSocketOf(t, client), what).ok({
      because: `A client that does not end would keep a descriptor for ever. Close ${patience.fin} ms after the last answer, also when bytes still come.`,
      see: `bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; printf "GET /tea HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n" >&3; ${sends}sleep 3; ss -tnp "sport = :{port}"'   # right: no process holds the connection`,
    });
  }
  return drip.longestPause;
}

/** The server has had this time of its own, and more than enough. */
const isOver = ({ ms, asleep, ran }: { ms: number; asleep: boolean; ran: number }, patienceMs: number) =>
  (asleep ? ms : ran) > patienceMs + lateMs;

/** A client that sends a byte every 50 ms. */
class Drip {
  longestPause = 0;
  readonly #t: Tools;
  readonly #client: Client;
  #last = clock();

  constructor(t: Tools, client: Client) {
    this.#t = t;
    this.#client = client;
  }

  /** Sends the next byte if it is time. */
  step(): void {
    if (this.#client.over || clock() - this.#last < 50) return;
    this.longestPause = Math.max(this.longestPause, clock() - this.#last);
    this.#last = clock();
    if (holdsSocketOf(this.#t, this.#client)) this.#client.send("x");
  }
}

// ------------------------------------------------------------------------------------------ limits

const whyLimit =
  "Limit everything that a client can make grow, or one client takes all memory: 414 for the first line, 431 for the head, 413 for the body; then close.";
const whyNotYet =
  "This is not too long. A limit counts the bytes of one first line, one head or one body, and not what waits behind it.";

/**
 * A first line of 8,000 bytes, a head of 15,000 bytes and a body of 100,000 bytes are answered; so are twelve requests of
 * 7,000 bytes that come at once. A first line that does not end gets 414, a head that does not end 431. A length of 100,001
 * gets 413 before the body comes, and chunks of more than 110,000 bytes get it, too.
 */
check("limits", "limits a first line, a head and a body, each with its status", async t => {
  const name = `/${t.generate(grammar.word(3, 9))}`;
  const padded = (bytes: number) => name.padEnd(bytes, "p");
  const cookie = (bytes: number) => `Cookie: ${"c".repeat(bytes)}\r\n`;
  const long = padded(8000 - "GET  HTTP/1.1".length);
  const open = { after: "open", because: whyNotYet } as const;
  const tens = (count: number) => chunk("green tea ".repeat(100)).repeat(count);
  await t.exchanges(whyLimit, [
    { ...open, about: "a first line of 8,000 bytes", sends: get(long), wants: [asked(long)] },
    { ...open, about: "a head of 15,000 bytes", sends: get(name, cookie(14_900)), wants: [asked(name)] },
    {
      ...open,
      about: "twelve requests of 7,000 bytes, and the head of a body",
      sends: get(name, cookie(6900)).repeat(12) + post(name, "Content-Length: 4\r\n", "tea "),
      wants: [...Array.from({ length: 12 }, () => asked(name)), sent(4, name)],
    },
    {
      ...open,
      about: "a body of 100,000 bytes, and a request behind it",
      sends: post(name, "Content-Length: 100000\r\n", "a".repeat(100_000)) + get(name),
      wants: [sent(100_000, name), asked(name)],
    },
    {
      ...open,
      about: "90,000 bytes in 90 chunks, and a request behind them",
      sends: post(name, chunked, `${tens(90)}0\r\n\r\n`) + get(name),
      wants: [sent(90_000, name), asked(name)],
    },
    refused("a first line that does not end", `GET ${padded(40_000)}`, [414]),
    refused("a first line of 40,000 bytes", get(padded(40_000)), [414]),
    refused("a head that does not end", `GET ${name} HTTP/1.1\r\n${host}${cookie(90).repeat(400)}`, [431]),
    refused("a head of 40,000 bytes", get(name, cookie(90).repeat(400)), [431]),
    {
      ...refused("a length of 100,001, and no body yet", post(name, "Content-Length: 100001\r\n"), [413]),
      because:
        "The head announces too long a body, so refuse it now (413, RFC 9110, 15.5.14). To wait for the body costs memory and time.",
    },
    refused("a length of thirty digits", post(name, `Content-Length: ${"9".repeat(30)}\r\n`), [413, 400]),
    refused("chunks without an end, 150,000 bytes so far", post(name, chunked, tens(150)), [413]),
    refused("a chunk of 4 GB", post(name, chunked, `ffffffff\r\n${"a".repeat(1000)}`), [413]),
    refused(
      "the first line of a chunk, 150,000 bytes so far",
      post(name, chunked, `5;${"x".repeat(150_000)}`),
      [413, 400, 431],
    ),
    refused(
      "a trailer that does not end",
      post(name, chunked, `0\r\n${cookie(90).repeat(1500)}`),
      [413, 400, 431],
    ),
  ]);
});

// --------------------------------------------------------------------------------------- deadlines

const whyDrip = `A client that sends a byte now and then holds a descriptor for hours, at almost no cost for itself. Set one deadline of ${patience.request} ms when the first byte of a request comes, for head and body together, and do not move it with later bytes. Then answer 408, and close (RFC 9110, 15.5.9).`;
const dripsIn = (bytes: string) =>
  `bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; printf "${bytes}" >&3; (while sleep 0.25; do printf x; done >&3) & time timeout 9 cat <&3; kill %1'`;

/**
 * A client sends its head byte by byte, and another its body: two seconds after the first byte each gets 408, and the server
 * closes. Honest clients get their answers. One sends the rest of its head after 1.3 seconds, and one while the server is stopped.
 * One always sends half of its next request in advance. And one is silent for 2.3 seconds before its first request.
 */
check("drip", "gives a request two seconds, from its first byte to its last", { patient: true }, async t => {
  // Alone: a server that is stopped finds the late words of a silent client together with its deadline.
  await answersWhatCameInTime(t);
  const talks = Promise.all(honest(t.generate(grammar.word(3, 9))).map(talk => holdTalk(t, talk)));
  talks.catch(() => {}); // a failure is thrown below
  // The clients that drip have to do so: a busy machine may stop them for too long, and then others try.
  for (let tries = 0; (await dripping(t)) > patience.request / 2; tries++)
    if (tries === 4) t.tooBusy("a client that sends a byte now and then");
  await talks;
});

/** The server is stopped while the rest of a head comes, until the deadline is over: it must answer all the same. */
async function answersWhatCameInTime(t: Tools): Promise<void> {
  const { server } = t;
  const name = `/${t.generate(grammar.word(3, 9))}`;
  // The stop interrupts epoll_wait. In Python the call then returns without another look when its time is over (PEP 475).
  for (let tries = 0; server.traced && tries < 5; tries++) {
    const client = await t.client();
    const since = clock();
    client.send(get(name).slice(0, 20));
    await server.reads(client);
    await server.stop();
    client.send(get(name).slice(20));
    await client.sent();
    const inTime = clock() - since < patience.request - 500;
    await t.until(() => clock() - since > patience.request + 200, patience.request + 10_000);
    server.continue();
    if (!inTime) continue;
    await t.exchange({
      about: "the rest of a head that came while the server was stopped",
      client,
      sends: [],
      wants: [asked(name)],
      because:
        "The rest came in time, and the server was late: it refused the client before it read what was there. Look at the events of a turn first, and then at the deadlines.",
    });
    return;
  }
  if (server.traced) t.tooBusy("the rest of a head, before the deadline");
}

/** Fails the check if a request that comes byte by byte is not refused. @returns the longest pause between two bytes */
async function dripping(t: Tools): Promise<number> {
  const [head, body] = (await t.clients(2)) as [Client, Client];
  head.send(`GET /tea HTTP/1.1\r\n${host}X: `);
  body.send(post("/tea", "Content-Length: 5000\r\n"));
  const both = [new Drip(t, head), new Drip(t, body)] as const;
  const own = t.server.ownTime();
  await t.until(() => {
    for (const drip of both) drip.step();
    return (head.over && body.over) || isOver(own.spent, patience.request);
  }, 60_000);
  const [first, second] = [
    "GET / HTTP/1.1\\r\\nX: ",
    "POST / HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 5000\\r\\n\\r\\n",
  ];
  await refusedInTime(t, head, "a head that comes byte by byte", { because: whyDrip, see: dripsIn(first) });
  await refusedInTime(t, body, "a body that comes byte by byte", { because: whyDrip, see: dripsIn(second) });
  return Math.max(...both.map(({ longestPause }) => longestPause));
}

/** This client has got 408 and the end of the stream. */
async function refusedInTime(t: Tools, client: Client, what: string, why: Why): Promise<void> {
  t.expect(client.over, `The server still waits for ${what}, seconds after its deadline.`).ok(why);
  await t.exchange({ about: what, client, sends: [], wants: [408], after: "close", ...why });
}

/** What an honest client sends, each piece some time after the one before, and the target that is answered then. */
interface Talk {
  about: string;
  because: string;
  steps: readonly { afterMs: number; sends: string; wants?: string }[];
}

function honest(word: string): Talk[] {
  const target = (i: number) => `/${word}/${i}`;
  const half = (i: number) => get(target(i)).slice(0, 20);
  const rest = (i: number) => get(target(i)).slice(20);
  return [
    {
      about: "a request after a silence of 2.3 s, and the next one 1.4 s later",
      because: `A silent client has ${patience.idle} ms, and the time begins anew after each answer. It is longer than the time for a request.`,
      steps: [2300, 1400].map((afterMs, i) => ({ afterMs, sends: get(target(i)), wants: target(i) })),
    },
    {
      about: "a head whose rest comes after 1.3 s",
      because: `A client on a bad line needs time. A request has ${patience.request} ms from its first byte on.`,
      steps: [
        { afterMs: 0, sends: half(0) },
        { afterMs: 1300, sends: rest(0), wants: target(0) },
      ],
    },
    {
      about: "four requests, each with half of the next one",
      because:
        "Each request has a deadline of its own: when one is answered, the next has the whole time, also if a part of it has come already.",
      steps: [0, 1, 2, 3].map(i => ({
        afterMs: i === 0 ? 0 : 800,
        sends: (i === 0 ? get(target(0)) : rest(i)) + half(i + 1),
        wants: target(i),
      })),
    },
  ];
}

/** Fails the check if this client does not get its answers. If a busy machine has made it late, another one tries. */
async function holdTalk(t: Tools, { about, because, steps }: Talk): Promise<void> {
  for (let tries = 0; tries < 5; tries++) {
    const client = await t.client();
    let [last, late] = [clock(), false];
    for (const { afterMs, sends, wants } of steps) {
      await t.until(() => clock() - last >= afterMs, afterMs + 10_000);
      late = clock() - last > afterMs + 400;
      if (late) break;
      last = clock();
      client.send(sends);
      if (wants !== undefined) await t.exchange({ about, client, sends: [], wants: [asked(wants)], because });
    }
    client.close();
    if (!late) return;
  }
  t.tooBusy(about);
}

/**
 * A client connects and says nothing, another says nothing after its answer, and a third stops in the middle of its head. No
 * client sends meanwhile. The server sleeps. After two seconds the third client gets 408; after three seconds the server closes
 * the connections of the others.
 */
check("silent", "sleeps until the next deadline, and not past it", { patient: true }, async t => {
  // A busy machine may have both deadlines pass in one turn of the server: then it is no proof.
  let [gap, lost] = [0, 0];
  for (let tries = 0; tries < 3 && gap < 300; tries++) {
    lost = t.server.delayedMs + t.lateMs;
    gap = await silentClients(t);
  }
  try {
    t.expect(
      Math.round(gap),
      "The deadline of the silent client is a second after that of the request. From the 408 to the end of the silent client (ms):",
    ).atLeast(300, {
      because: `A request has ${patience.request} ms from its first byte on, and a silent client has ${patience.idle} ms: these are two deadlines. epoll_wait sleeps until the deadline of the client whose time ends first, and that is not always the newest client.`,
    });
  } catch (error) {
    if (t.server.delayedMs + t.lateMs - lost > 500)
      t.tooBusy("two deadlines with a second between them", error);
    throw error;
  }
});

const whySleeps =
  "No event comes for a client that says nothing, so epoll_wait without a time-out sleeps past each deadline. Give it the time until the first deadline, and after its return look at all deadlines.";

/** @returns how many milliseconds after the refusal of the first client the server ended the second one */
async function silentClients(t: Tools): Promise<number> {
  const { server } = t;
  const stopped = await t.client();
  stopped.send(get("/tea").slice(0, 20));
  await server.reads(stopped);
  const began = clock();
  const [silent, answered] = (await t.clients(2)) as [Client, Client];
  const connected = clock();
  const about = "a client before its silence";
  await t.exchange({ about, client: answered, sends: get("/tea"), wants: [asked("/tea")] });
  const own = server.ownTime();
  await sleepsNow(t);
  await t.until(() => stopped.over || isOver(own.spent, patience.request), 60_000);
  await refusedInTime(t, stopped, "the rest of a head, while no client sends", {
    because: whySleeps,
    see: "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; printf \"GET / HTTP/1.1\\r\\nX: \" >&3; time timeout 9 cat <&3'",
  });
  const refused = began + stopped.delivery().afterSending;
  await t.until(() => (silent.over && answered.over) || isOver(own.spent, patience.idle), 60_000);
  for (const [client, what] of [
    [silent, "A client has connected and said nothing"],
    [answered, "A client has said nothing after its answer"],
  ] as const) {
    t.expect(client.over, `${what}, and seconds after its deadline it is still connected.`).ok({
      because: `${whySleeps} A silent client has ${patience.idle} ms.`,
      see: "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; time timeout 9 cat <&3'",
    });
    const said = client.unparsed.toString("latin1");
    t.expect(said === "" || said.startsWith("HTTP/1.1 408 "), `${what}, and got an answer.`).ok({
      because: "It has not asked: close the connection, without an answer or with 408.",
    });
  }
  return connected + silent.connectedFor() - refused;
}

async function sleepsNow({ server, expect }: Tools): Promise<void> {
  const { busy, calls } = await server.idle(200);
  const why: Why = {
    because:
      "No descriptor is ready before the next deadline, so sleep in epoll_wait until then: its time-out is the time that is left. A server that looks at the clock again and again is polling.",
    see: "top -p $(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+')",
  };
  const percent = Number((busy * 100).toFixed(0));
  expect(percent, "Three clients are silent. Processor time that the server uses (%):").atMost(20, why);
  if (calls !== null) expect(calls, "Three clients are silent. System calls in 200 ms:").atMost(20, why);
}

// ------------------------------------------------------------------------------------ conversations

/** Clients leave in the middle of a request. The next client gets their descriptor, and must not get their bytes. */
async function leavesNothing(t: Tools): Promise<void> {
  for (const how of ["close", "reset"] as const) {
    const half = (await t.client()).send(get("/tea").slice(0, 20));
    await t.server.reads(half);
    half[how]();
    await t.server.releases([half]);
    const name = `/${t.generate(grammar.word(3, 9))}`;
    await t.exchange({
      about: "the next client, after one that left in the middle of a request",
      sends: get(name),
      wants: [asked(name)],
      after: "open",
      because:
        "The kernel gives the number of a closed descriptor to the next client. Forget what you keep by that number when its client leaves.",
    });
  }
}

/**
 * Two clients leave in the middle of a request, and the next one gets its own answer. Then generated clients send right
 * requests, malformed and contradictory ones, and half a request; some leave, reset or end their sending side. Each request
 * gets its own answer, in order. Nothing behind a refusal is answered.
 */
check("conversations", "keeps every promise in generated conversations", async t => {
  await leavesNothing(t);
  const target = grammar.word(1, 12).map(name => `/x${name}`);
  const tea = grammar.longText(0, 3000);
  const right: fc.Arbitrary<ClientMessage> = fc.oneof(
    fc.tuple(target, grammar.fields(3)).map(([to, fields]) => ({ bytes: get(to, fields), wants: asked(to) })),
    fc.tuple(target, tea).map(([to, body]) => ({
      bytes: post(to, `Content-Length: ${body.length}\r\n`, body),
      wants: sent(body.length, to),
    })),
    fc.tuple(target, grammar.word(1, 300), grammar.word(1, 300)).map(([to, one, two]) => ({
      bytes: post(to, chunked, `${chunk(one)}${chunk(two)}0\r\n\r\n`),
      wants: sent(one.length + two.length, to),
    })),
  );
  const last: fc.Arbitrary<ClientMessage> = target.map(to => ({
    bytes: get(to, closes),
    wants: asked(to),
    after: "close",
  }));
  const refusal = (bytes: string, status = 400): ClientMessage => ({
    bytes,
    wants: { status },
    after: "close",
  });
  const wrong: fc.Arbitrary<ClientMessage> = target.chain(to =>
    fc.constantFrom(
      refusal(`GET ${to}\r\n\r\n`),
      refusal(get(to, "X-Tea : green\r\n")),
      refusal(get(to, "X-Tea: green\r\n black\r\n")),
      refusal(get(to, "Host: b\r\n")),
      refusal(post("/", `Content-Length: 4\r\n${chunked}`, `0\r\n\r\n${get(to)}`)),
      refusal(post("/", "Content-Length: 3\r\nContent-Length: 5\r\n", `abc${get(to)}`)),
      refusal(post(to, chunked, `0x1\r\na\r\n0\r\n\r\n`)),
      refusal(post(to, "Content-Length: 100001\r\n", "a".repeat(2000)), 413),
      refusal(get(to, "", "HTTP/3.0"), 505),
      refusal(get(to.padEnd(31_000, "p")), 414),
    ),
  );
  const half: fc.Arbitrary<ClientMessage> = fc
    .tuple(target, fc.integer({ min: 1, max: 25 }))
    .map(([to, left]) => ({ bytes: get(to).slice(0, -left), wants: null, after: "any" }));
  await t.conversations({
    says: fc.oneof(
      { arbitrary: right, weight: 6 },
      { arbitrary: wrong, weight: 3 },
      { arbitrary: last, weight: 1 },
      { arbitrary: half, weight: 1 },
    ),
    // A client that stays, or that sends in many rounds, may meet a deadline on a busy machine.
    ends: ["closes", "half-closes", "leaves", "is cut off"],
    unfinished: false,
    cuts: 2,
    idle: "sleeps",
    because:
      "Every request gets its own answer, in order, and nothing behind a refusal is answered. A client that has gone leaves no socket behind, and the server sleeps while no client speaks.",
  });
});

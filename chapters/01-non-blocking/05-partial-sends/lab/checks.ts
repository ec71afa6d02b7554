// What must be true of a server that sends more than the kernel has room for. Where it keeps what is not sent, and
// in which form, is not asked.
import { type Client, type ClientOptions, check, clock, type Files, type Tools } from "workbook/check";

/** Octets in which no two places look alike, so that a piece that is lost, doubled or moved is seen. */
function octets(length: number): Buffer {
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i + 1, 2654435761);
  return Buffer.from(words.buffer, 0, length);
}

const MB = 1024 * 1024;
const menu = "green tea 3\n";
/** More than both kernels' buffers of one connection hold, if the client takes nothing. */
const large = octets(12 * MB);
const files: Files = { "html/menu.txt": menu, "html/large.bin": large };

const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`;
const theMenu = { status: 200, body: menu };
const theLarge = { status: 200, body: large };

/** Who does not read has little room, so that the server soon has no more than that. */
const lazy: ClientOptions = { reads: false, receiveBuffer: 4096 };
/** Who will read has some more, or the kernels would send in tiny pieces. */
const late: ClientOptions = { reads: false, receiveBuffer: 64 * 1024 };

/** These ask for the large file, and perhaps for more behind it; the server has begun to send it to each of them. */
async function ask({ server, until, expect }: Tools, clients: readonly Client[], more = ""): Promise<void> {
  for (const client of clients) client.send(get("/large.bin") + more);
  const begun = () => clients.every(client => (server.endOf(client)?.sendQueue ?? 0) > 0);
  expect(await until(begun, 5000), "A client has asked for the large file, and nothing of it is sent.").ok();
}

const slowly =
  "curl -s --limit-rate 4M --max-time 4 -o /dev/null -w '%{size_download} of 8388608\\n' http://127.0.0.1:{port}/large.bin";

check("whole", "sends a large file whole, octet by octet", { files }, async t => {
  const because =
    "send() takes as many octets as the kernel has room for, and returns how many those were; null means none. The rest is still yours: keep where you are, and go on from there in the next turn.";
  const client = await t.client(late);
  await ask(t, [client]);
  client.read(true);
  await t.exchange({
    about: "12 MB, for one who reads late",
    client,
    sends: [],
    wants: [theLarge],
    after: "open",
    because,
    see: slowly,
  });
  await t.exchange({
    about: "12 MB, for one who reads at once",
    sends: get("/large.bin"),
    wants: [theLarge],
    because,
  });
});

const twoInOnePiece = `bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; env printf "GET %s HTTP/1.1\\r\\n\\r\\n" /large.bin /menu.txt >&3; timeout 3 cat <&3' | grep -abo "HTTP/1.1 200"   # where answers begin: at 0, and at 8388678`;

check("order", "begins an answer where the one before it ends", { files }, async t => {
  const client = await t.client(late);
  await ask(t, [client]);
  client.send(get("/menu.txt") + get("/nothing") + get("/menu.txt"));
  // Whoever listens to it meanwhile has the requests now; whoever does not, finds them later. Both are right.
  await t.until(() => t.server.hasRead(client), 100);
  client.read(true);
  await t.exchange({
    about: "three more requests, sent while a large file is on its way",
    client,
    sends: [],
    wants: [theLarge, theMenu, 404, theMenu],
    after: "open",
    because:
      "All answers of a connection are one stream, in the order of the requests. While something of an answer is left, nothing else may be sent on this connection: begin the next one when nothing is left, or put it behind.",
    see: twoInOnePiece,
  });
  const inOnePiece = await t.client(late);
  await ask(t, [inOnePiece], get("/menu.txt"));
  inOnePiece.read(true);
  await t.exchange({
    about: "a large file and a small one, asked for in one piece",
    client: inOnePiece,
    sends: [],
    wants: [theLarge, theMenu],
    after: "open",
    because:
      "One recv() may give two requests, and no other recv() announces the second. When an answer is out, look into what you have read before you ask for more.",
    see: twoInOnePiece,
  });
});

check("nobody-waits", "is held up by nobody who does not read", { files }, async t => {
  const three = await t.clients(3, lazy);
  for (const client of three) client.send(get("/large.bin"));
  await t.server.fills(three);
  t.note("three have asked for 12 MB, and do not read: nothing more of it moves");
  await t.exchange({
    about: "a small file for a fourth, while three do not read",
    sends: get("/menu.txt"),
    wants: [theMenu],
    because:
      "Whoever waits until one client has taken everything lets all others wait for that client, inside a blocking send() or in a loop around one that does not block. Try once, and go on to the next client.",
    see: "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; printf \"GET /large.bin HTTP/1.1\\r\\n\\r\\n\" >&3; sleep 0.5; curl -sS --max-time 2 http://127.0.0.1:{port}/menu.txt'",
  });
});

/** How many MB of memory the server has taken more than before, once that does not change any more. */
async function growth({ server, note }: Tools, before: number, atMost: number): Promise<number> {
  // Whoever takes far too much is not waited for: memory is everybody's.
  const grown = await server.settles(() => (server.memory - before) / MB, { slack: 1, enough: atMost });
  note(`the server has taken ${Math.round(grown)} MB of memory more`);
  return Math.round(grown);
}

check("memory", "keeps no copy of the file for each who does not read", { files }, async t => {
  const { server } = t;
  await t.exchange({ about: "somebody, before", sends: get("/menu.txt"), wants: [theMenu] });
  const before = server.memory;
  const readers = await t.clients(2, late);
  const crowd = [...readers, ...(await t.clients(18, lazy))];
  await ask(t, crowd);
  t.note("twenty have asked for 12 MB, and do not read yet");
  const grown = await growth(t, before, 160);
  t.expect(grown, "Twenty clients wait for the rest of a file of 12 MB, and cost memory (in MB).").atMost(
    100,
    {
      because:
        "Twenty times twelve is 240. The file is there once for everybody; of a client keep where it is in the file, which is a number, and cut out the next piece when you offer it. Buffer.concat() and Buffer.from() copy, subarray() does not.",
      see: "for i in $(seq 20); do curl -s --limit-rate 1 --max-time 9 -o /dev/null http://127.0.0.1:{port}/large.bin & done; sleep 2\ngrep RssAnon /proc/$(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+' | head -1)/status",
    },
  );
  for (const client of readers) client.read(true);
  for (const [i, client] of readers.entries()) {
    await t.exchange({
      about: `number ${i + 1} of two who read now`,
      client,
      sends: [],
      wants: [theLarge],
      because:
        "Each client is at another place of the file: where it is belongs to the client, not to the file. (If nobody gets all of the file, begin with another check, that of one client.)",
    });
  }
});

check("leaves", "loses nobody but the one who goes away in the middle", { files }, async t => {
  const { server } = t;
  const before = server.sockets;
  const [cut, gone] = (await t.clients(2, lazy)) as [Client, Client];
  await ask(t, [cut, gone]);
  cut.reset();
  gone.close();
  const early = await t.client();
  // Or one might count the sockets before it has been let in, and find none too many.
  await server.accepts([early]);
  // Question and end are found in one look. What is sent to somebody who has closed is answered with RST.
  await server.stop();
  early.send(get("/large.bin"));
  early.close();
  server.continue();
  const because =
    "Nobody is there any more: the next send() throws, with ECONNRESET or EPIPE. That ends this connection, wherever in the program it happens: close its socket, and go on with the others.";
  const see =
    "curl -s --max-time 1 --limit-rate 1 -o /dev/null http://127.0.0.1:{port}/large.bin; curl -sS http://127.0.0.1:{port}/menu.txt";
  await server.holds(before, { within: 2000 });
  t.expect(
    server.sockets - before,
    "Three went away while a file was on its way to them, and the server still holds sockets of theirs (so many).",
  ).equal(0, {
    because,
    see: "curl -s --max-time 1 --limit-rate 1 -o /dev/null http://127.0.0.1:{port}/large.bin; ls -l /proc/$(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+' | head -1)/fd | grep -c socket   # one more each time?",
  });
  await t.exchange({
    about: "somebody else, afterwards",
    sends: get("/menu.txt"),
    wants: [theMenu],
    because,
    see,
  });
});

/** As far as its own head says: a length that is wrong is another check's affair. */
function isWhole(answer: Buffer): boolean {
  const text = answer.toString("latin1");
  const end = text.indexOf("\r\n\r\n");
  const length = /^content-length: *(\d+)/im.exec(text.slice(0, end));
  return end >= 0 && length !== null && text.length >= end + 4 + Number(length[1]);
}

check("at-once", "lets no part of a small answer wait for an acknowledgement", { files }, async t => {
  const client = await t.client({ acknowledgesLate: true });
  const pauses: number[] = [];
  for (let i = 0; i < 12; i++) {
    const before = client.receivedBytes;
    client.send(get(i % 2 === 0 ? "/nothing" : "/menu.txt"));
    const began = await t.until(() => client.receivedBytes > before && clock(), 5000);
    t.expect(began, "One who asks for what is not there, or for the menu, gets no answer.").ok();
    const whole = await t.until(() => isWhole(client.received.subarray(before)), 1000);
    t.expect(whole, "An answer has begun, and its end does not come.").ok();
    pauses.push(Math.max(0, client.heardAt - began!));
  }
  t.note(`from the first octets of an answer to the last: ${pauses.map(Math.round).join(", ")} ms`);
  const slow = pauses.filter(ms => ms >= 25).length;
  t.expect(slow, "Of 12 small answers, so many came in two parts, the second long after the first.").atMost(
    2,
    {
      because:
        "A small second send() waits until the first is acknowledged (Nagle), and the client acknowledges late, after 40 ms, because it has nothing to say itself. Put head and body into one buffer, and send that.",
      see: "curl -s -o /dev/null -w '%{time_starttransfer} %{time_total}\\n' 'http://127.0.0.1:{port}/nothing[1-9]'   # seconds to the first octet, and to the last",
    },
  );
});

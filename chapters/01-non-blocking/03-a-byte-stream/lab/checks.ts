// What must be true of a server that finds requests in a stream. Where the stream is cut is never the client's
// choice alone, so every check makes cuts that a network could make.
import { check } from "workbook/check";

const get = (target: string, fields = "") => `GET ${target} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
const told = (target: string) => ({ status: 200, body: `you asked for ${target}\n` });
const tea = get("/tea");

check("pieces", "understands a request, in whatever pieces it arrives", async t => {
  const cut = (at: number) => [tea.slice(0, at), tea.slice(at)];
  await t.exchanges(
    "What one recv() gives is a piece of the stream, cut anywhere. Keep it, and go on where it ended, until the empty line is there that ends a head.",
    [
      { about: "a whole request", sends: tea, wants: [told("/tea")], after: "open" },
      { about: "half a request", sends: tea.slice(0, 7), wants: [], after: "open" },
      ...[7, 2, tea.length - 20].map(at => ({
        about: `a request cut behind its octet ${at}`,
        sends: cut(at),
        wants: [told("/tea")],
        after: "open" as const,
      })),
      ...[3, 2, 1].map(before => ({
        about: `a request cut within its empty line, ${before} before the end`,
        sends: cut(tea.length - before),
        wants: [told("/tea")],
      })),
      { about: "a request, octet by octet", sends: [...tea], wants: [told("/tea")], after: "open" },
    ],
  );
});

check("together", "answers all requests that arrive together, in their order", async t => {
  const names = Array.from({ length: 20 }, (_, i) => `/${i + 1}`);
  await t.exchanges(
    "A client may send its next request before it has the answer to the last (RFC 9112, 9.3.2), and one recv() then gives both. What lies behind an empty line is the beginning of the next request: perhaps all of it.",
    [
      {
        about: "two requests in one piece",
        sends: tea + get("/cake"),
        wants: [told("/tea"), told("/cake")],
        after: "open",
      },
      {
        about: "one request and a half, then the other half",
        sends: [tea + get("/cake").slice(0, 9), get("/cake").slice(9)],
        wants: [told("/tea"), told("/cake")],
        after: "open",
      },
      {
        about: "twenty requests in one piece",
        sends: names.map(name => get(name)).join(""),
        wants: names.map(told),
        after: "open",
      },
    ],
  );
});

check("long", "understands a request that is longer than one recv() gives", async t => {
  await t.exchanges(
    "The number that recv() takes is the most that you want at once, and says nothing of a request. A browser that carries cookies sends more than 1024 octets.",
    [1024, 1025, 2048, 7000].map(size => {
      const cookie = "c".repeat(size - get("/tea", "Cookie: \r\n").length);
      return {
        about: `a request of ${size} octets, then another`,
        sends: get("/tea", `Cookie: ${cookie}\r\n`) + get("/cake"),
        wants: [told("/tea"), told("/cake")],
        after: "open" as const,
        see: `curl -sv -o /dev/null -H "Cookie: $(printf '%0${size}d' 0)" http://127.0.0.1:{port}/tea`,
      };
    }),
  );
});

check("apart", "keeps apart what different clients have sent", async t => {
  const because =
    "Each connection is a stream of its own, and what has come on it and is not yet a whole request belongs to it alone: one buffer for each client.";
  const [first, second] = await t.clients(2);
  const cake = get("/cake");
  await t.exchange({
    because,
    about: "half a request",
    client: first!,
    sends: tea.slice(0, 7),
    wants: [],
    after: "open",
  });
  await t.exchange({
    because,
    about: "a whole request, while another client is in the middle of one",
    client: second!,
    sends: [cake.slice(0, 11), cake.slice(11)],
    wants: [told("/cake")],
    after: "open",
  });
  await t.exchange({
    because,
    about: "the other half, when somebody else has been answered in between",
    client: first!,
    sends: tea.slice(7),
    wants: [told("/tea")],
    after: "open",
  });
});

check("endless", "does not keep more than 1 MB of a request that never ends", async t => {
  const { server, client, expect } = t;
  const before = server.sockets;
  const talker = await client();
  talker.send(`GET /tea HTTP/1.1\r\n${"Cookie: more\r\n".repeat(90_000)}`);
  // Whoever has a bound closes at it. Whoever has read it all has none.
  await t.until(() => talker.over || server.hasRead(talker), 5000);
  expect(
    talker.over,
    "A client has sent a head of 1.3 MB, which has no end, and the server still listens to it.",
  ).ok({
    because:
      "What is kept for a client needs a bound: a hundred clients like this one take all the memory that there is. A head longer than you are willing to keep gets an error, or simply the end of its connection.",
    see: `bash -c '(printf "GET / HTTP/1.1\\r\\n"; yes "Cookie: more" | head -n 90000) >/dev/tcp/127.0.0.1/{port}'   # to be cut off is right`,
  });
  expect(
    await server.holds(before),
    "The server still holds the socket of a client that it does not listen to.",
  ).equal(before, { because: "close() ends the connection and gives its descriptor back." });
  await t.exchange({
    about: "another client's request, afterwards",
    sends: tea,
    wants: [told("/tea")],
    because: "Whoever is too long is turned away alone; everybody else is served as before.",
  });
});

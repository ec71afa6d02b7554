// What must be true of a server that knows octets from characters. Names are octets that somebody sent; the server
// is never told how to read them.
import { check, type Exchange, type Tools } from "workbook/check";

const notFound = Buffer.from("file not found, 请输入正确的url");
const tea = Buffer.from("tea 茶🍵");
const cake = Buffer.from("cake 糕🍰");

/** A request, one character an octet, as an exchange sends it. */
const get = (target: string, name?: Buffer) =>
  `GET ${target} HTTP/1.1\r\nHost: a\r\n${name ? `Name: ${name.toString("latin1")}\r\n` : ""}\r\n`;
const served = (name: Buffer) => ({ status: 200, body: Buffer.concat([tea, Buffer.from(" for "), name]) });

/** One exchange after another, each on a connection of its own; all for the same reason. */
async function each(t: Tools, because: string, exchanges: readonly Exchange[]): Promise<void> {
  for (const one of exchanges) await t.exchange({ because, ...one });
}

/** Who cannot serve Ann fails for her sake, and not for that of the strange names behind her. */
const ann: Exchange = {
  about: "tea for Ann",
  sends: get("/tea", Buffer.from("Ann")),
  wants: [served(Buffer.from("Ann"))],
  because:
    "There is nothing strange about this name. If only a part of the answer came, its Content-Length is too small: another check is about that.",
  see: 'curl -si -H "Name: Ann" http://127.0.0.1:{port}/tea',
};

check("next", "says how long each answer is, so that the next begins where it ends", async t => {
  const because =
    "Content-Length counts octets (RFC 9110, 8.6). A string's length counts something else, in JavaScript and in Python, and what is sent beyond the promised number is taken for the beginning of the next answer.";
  await each(t, because, [
    {
      about: "something that is not on the menu, then tea",
      sends: get("/coffee") + get("/tea"),
      wants: [404, 200],
      after: "open",
      see: "curl -sv http://127.0.0.1:{port}/coffee http://127.0.0.1:{port}/tea",
    },
    {
      about: "tea, then cake, then something that is not on the menu, then tea",
      sends: get("/tea") + get("/cake") + get("/coffee") + get("/tea"),
      wants: [
        { status: 200, body: tea },
        { status: 200, body: cake },
        { status: 404, body: notFound },
        { status: 200, body: tea },
      ],
      after: "open",
      see: "curl -sv http://127.0.0.1:{port}/tea http://127.0.0.1:{port}/cake",
    },
    ...["Ann", "José", "小明", "🦊"].map(name => ({
      about: `tea for ${name}, then cake`,
      sends: get("/tea", Buffer.from(name)) + get("/cake"),
      wants: [200, { status: 200, body: cake }],
      after: "open" as const,
      see: `curl -sv -H "Name: ${name}" http://127.0.0.1:{port}/tea http://127.0.0.1:{port}/cake`,
    })),
  ]);
});

check("whole", "writes a name as it was sent, wherever the stream was cut", async t => {
  const name = Buffer.from("José小明🦊");
  const sends = get("/tea", name);
  const begin = sends.indexOf("Name: ") + "Name: ".length;
  const cuts = [...name.keys()].slice(1);
  await each(
    t,
    "A character can be cut in two by a recv(), and half a character is not one: whoever reads characters in each piece makes U+FFFD, or an error, of both halves. Keep octets until the request is whole.",
    [
      ann,
      {
        about: "tea for José小明🦊, in one piece",
        sends,
        wants: [served(name)],
        because:
          "Nothing was cut here. The octets of the name belong on the cup, and Content-Length counts all of them: no fewer, and no others.",
        see: `curl -s -H "Name: José小明🦊" http://127.0.0.1:{port}/tea`,
      },
      ...cuts.map(at => ({
        about: `tea for José小明🦊, which is ${name.length} octets, cut behind the ${ordinal(at)}`,
        sends: [sends.slice(0, begin + at), sends.slice(begin + at)],
        wants: [served(name)],
      })),
      {
        about: "the same request, its name octet by octet",
        sends: [
          sends.slice(0, begin),
          ...sends.slice(begin, begin + name.length),
          sends.slice(begin + name.length),
        ],
        wants: [served(name)],
      },
      {
        about: "tea for a name of 400 characters, which is 1200 octets, in one piece",
        sends: get("/tea", Buffer.from("你".repeat(400))),
        wants: [served(Buffer.from("你".repeat(400)))],
        see: `curl -s -H "Name: $(printf '你%.0s' $(seq 400))" http://127.0.0.1:{port}/tea   # no client cuts this one: your recv() does`,
      },
    ],
  );
});

check("lines", "sees no end of a line, and no white space, within a name", async t => {
  const because =
    "In HTTP a line ends with \\r\\n (RFC 9112, 2.2), and only space and tab are white space around a value (RFC 9110, 5.6.3). A string knows more of both, and finds them within a name.";
  await each(t, because, [
    ann,
    ...[
      ["U+2028, a line separator, in its middle", "小\u2028明"],
      ["U+0085, a next line, in its middle", "小\u0085明"],
      ["an à at its end, whose second octet is A0", "voilà"],
      ["U+3000, an ideographic space, at its end", "小明\u3000"],
    ].map(([which, name]) => ({
      about: `tea for a name with ${which}`,
      sends: get("/tea", Buffer.from(name!)),
      wants: [served(Buffer.from(name!))],
    })),
  ]);
});

check("opaque", "writes octets that are no text as they came, and goes on", async t => {
  const names: [string, Buffer][] = [
    ["the octet FF", Buffer.from([0xff])],
    ["two thirds of 茶", Buffer.from([0xe8, 0x8c])],
    ["José in Latin-1", Buffer.from("José", "latin1")],
    ["茶 in GBK", Buffer.from([0xb2, 0xe8])],
    ["a byte order mark and 茶", Buffer.from("\ufeff茶")],
    ["all octets from 80 to FF", Buffer.from(Array.from({ length: 128 }, (_, i) => 128 + i))],
  ];
  const strange = names.map(([about, name]) => ({
    about: `tea for a name that is ${about}`,
    sends: get("/tea", name),
    wants: [served(name)],
  }));
  await each(
    t,
    "A name may hold any octet from 80 to FF (RFC 9110, 5.5), and nobody promises that they are UTF-8. Whoever reads them as UTF-8 gets U+FFFD, which is three other octets, or an error that nobody expects. They need not be read to be handed on.",
    [ann, ...strange],
  );
  // Whether this is a name that is not on the menu or no request at all is for the server to say.
  const because = "What one client sends must not end the server, nor the patience of everybody else.";
  await t.exchange({
    because,
    about: "GET /\\xff",
    sends: get("/\xff"),
    wants: [{ status: [400, 404] }],
    see: `bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; env printf "GET /\\xff HTTP/1.1\\r\\n\\r\\n" >&3; timeout 1 cat <&3'`,
  });
  await t.exchange({
    because,
    about: "another client, afterwards",
    sends: get("/tea"),
    wants: [{ status: 200, body: tea }],
  });
});

function ordinal(n: number): string {
  return `${n}${["th", "st", "nd", "rd"][n > 10 && n < 14 ? 0 : n % 10] ?? "th"}`;
}

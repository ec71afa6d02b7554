// What must be true of a server that does not confuse bytes and characters. A name is bytes that a client sent;
// no field says which encoding they have.
import { check, type Exchange, fc, grammar, type Tools } from "workbook/check";

const notFound = Buffer.from("file not found, 请输入正确的url");
const tea = Buffer.from("tea 茶🍵");
const cake = Buffer.from("cake 糕🍰");

/** A request, one character for each byte, as an exchange sends it. */
const get = (target: string, name?: Buffer) =>
  `GET ${target} HTTP/1.1\r\nHost: a\r\n${name ? `Name: ${name.toString("latin1")}\r\n` : ""}\r\n`;
const served = (name: Buffer) => ({ status: 200, body: Buffer.concat([tea, Buffer.from(" for "), name]) });

/** Parts of a name that no server has learned by heart: ASCII, Chinese (three bytes each) and animals (four bytes). */
const ascii = grammar.word(2, 4);
const hanzi = fc.integer({ min: 0x4e00, max: 0x9fa5 }).map(code => String.fromCodePoint(code));
const animal = fc.integer({ min: 0x1f400, max: 0x1f43e }).map(code => String.fromCodePoint(code));

/** One exchange after another, each on a connection of its own, with the same reason. */
async function each(t: Tools, because: string, exchanges: readonly Exchange[]): Promise<void> {
  for (const one of exchanges) await t.exchange({ because, ...one });
}

/** An ASCII name comes first: a server that fails already here does not fail because of the names after it. */
const ann: Exchange = {
  about: "tea for Ann",
  sends: get("/tea", Buffer.from("Ann")),
  wants: [served(Buffer.from("Ann"))],
  because:
    "This name is plain ASCII. If the answer is cut short, its Content-Length is too small: the check `next` is about that.",
  see: 'curl -si --max-time 5 -H "Name: Ann" http://127.0.0.1:{port}/tea',
};

/**
 * Clients send several requests in one piece, for `/tea`, `/cake` and `/coffee`, some with a name. Each
 * `Content-Length` counts the bytes of its body, so each answer begins where the last one ends.
 */
check("next", "sends a right Content-Length, so that the next answer begins where it ends", async t => {
  const because =
    "Content-Length counts bytes (RFC 9110, 8.6). A string's length counts characters (Python) or UTF-16 units (JavaScript). The client takes the bytes after the promised number for the start of the next answer.";
  await each(t, because, [
    {
      about: "a target that is not on the menu, then tea",
      sends: get("/coffee") + get("/tea"),
      wants: [404, 200],
      after: "open",
      see: "curl -sv --max-time 5 http://127.0.0.1:{port}/coffee http://127.0.0.1:{port}/tea",
    },
    {
      about: "tea, then cake, then a target that is not on the menu, then tea",
      sends: get("/tea") + get("/cake") + get("/coffee") + get("/tea"),
      wants: [
        { status: 200, body: tea },
        { status: 200, body: cake },
        { status: 404, body: notFound },
        { status: 200, body: tea },
      ],
      after: "open",
      see: "curl -sv --max-time 5 http://127.0.0.1:{port}/tea http://127.0.0.1:{port}/cake",
    },
    ...[ascii, ascii.map(start => `${start}é`), hanzi, animal].map(t.generate).map(name => ({
      about: `tea for ${name}, then cake`,
      sends: get("/tea", Buffer.from(name)) + get("/cake"),
      wants: [200, { status: 200, body: cake }],
      after: "open" as const,
      see: `curl -sv --max-time 5 -H "Name: ${name}" http://127.0.0.1:{port}/tea http://127.0.0.1:{port}/cake`,
    })),
  ]);
});

/**
 * Clients send a name such as José小明🦊 whole, cut once between any two of its bytes, and byte by byte, and then a
 * name of 6000 bytes. Each answer contains the bytes of the name as they were sent.
 */
check("whole", "writes a name as it was sent, wherever the stream was cut", async t => {
  const text = t.generate(fc.tuple(ascii, hanzi, hanzi, animal).map(([a, b, c, d]) => `${a}é${b}${c}${d}`));
  const name = Buffer.from(text);
  const long = t.generate(hanzi);
  const sends = get("/tea", name);
  const begin = sends.indexOf("Name: ") + "Name: ".length;
  const cuts = [...name.keys()].slice(1);
  await each(
    t,
    "A recv() can cut a character in two. If the server decodes each piece, both halves become U+FFFD. Keep bytes until the request is complete.",
    [
      ann,
      {
        about: `tea for ${text}, in one piece`,
        sends,
        wants: [served(name)],
        because:
          "Nothing was cut here. The answer contains the bytes of the name as they arrived, and Content-Length counts all of them.",
        see: `curl -s --max-time 5 -H "Name: ${text}" http://127.0.0.1:{port}/tea`,
      },
      ...cuts.map(at => ({
        about: `tea for ${text}, which is ${name.length} bytes, cut after byte ${at}`,
        sends: [sends.slice(0, begin + at), sends.slice(begin + at)],
        wants: [served(name)],
      })),
      {
        about: "the same request, its name byte by byte",
        sends: [
          sends.slice(0, begin),
          ...sends.slice(begin, begin + name.length),
          sends.slice(begin + name.length),
        ],
        wants: [served(name)],
      },
      {
        about: "tea for a name of 2000 characters, which is 6000 bytes, in one piece",
        sends: get("/tea", Buffer.from(long.repeat(2000))),
        wants: [served(Buffer.from(long.repeat(2000)))],
        see: `curl -s --max-time 5 -H "Name: $(printf '${long}%.0s' $(seq 2000))" http://127.0.0.1:{port}/tea   # one piece: only your recv() can cut it`,
      },
    ],
  );
});

/**
 * Four names contain U+2028, U+0085, an à whose second byte is A0, or the wide space U+3000. Each answer
 * contains all bytes of its name.
 */
check("lines", "finds no line end and no white space inside a name", async t => {
  const because =
    "In HTTP \\r\\n ends a line (RFC 9112, 2.2), and only space and tab are white space (RFC 9110, 5.6.3). String functions know more of both, and find them inside a name.";
  const some = () => t.generate(fc.oneof(hanzi, ascii));
  await each(t, because, [
    ann,
    ...[
      ["U+2028, a line separator, in its middle", `${some()}\u2028${some()}`],
      ["U+0085, a next line, in its middle", `${some()}\u0085${some()}`],
      ["an à at its end, whose second byte is A0", `${some()}à`],
      ["U+3000, an ideographic space, at its end", `${some()}\u3000`],
    ].map(([which, name]) => ({
      about: `tea for a name with ${which}`,
      sends: get("/tea", Buffer.from(name!)),
      wants: [served(Buffer.from(name!))],
    })),
  ]);
});

/**
 * Clients send eight names that begin with unusual bytes, such as FF, A0 or José in Latin-1, and each answer contains
 * the same bytes. The server answers the target `/\xff` with 400 or 404, and serves the next client.
 */
check("opaque", "returns bytes that are not text unchanged, and goes on", async t => {
  const names: [string, Buffer][] = [
    ["the byte FF", Buffer.from([0xff])],
    ["two thirds of 茶", Buffer.from([0xe8, 0x8c])],
    ["José in Latin-1", Buffer.from("José", "latin1")],
    ["茶 in GBK", Buffer.from([0xb2, 0xe8])],
    // Latin-1's space that does not break: white space to a string function, and a byte of the name to HTTP.
    ["the byte A0", Buffer.from([0xa0])],
    // Behind a space these bytes hold 0d 0a 0d 0a in hexadecimal, half a byte beside them.
    ["РР in Cyrillic", Buffer.from("РР")],
    ["a byte order mark and 茶", Buffer.from("\ufeff茶")],
    ["all bytes from 80 to FF", Buffer.from(Array.from({ length: 128 }, (_, i) => 128 + i))],
  ];
  const strange = names.map(([about, start]) => {
    const name = Buffer.concat([start, Buffer.from(t.generate(ascii))]);
    return {
      about: `tea for a name that begins with ${about}`,
      sends: get("/tea", name),
      wants: [served(name)],
    };
  });
  await each(
    t,
    "A name may contain any byte from 80 to FF (RFC 9110, 5.5), and the bytes need not be UTF-8. If you decode them as UTF-8, each wrong byte becomes U+FFFD, three other bytes, or an error. Pass the bytes on without decoding them.",
    [ann, ...strange],
  );
  // The server may answer 404 (not on the menu) or 400 (not a request).
  const because = "One client's bytes must not end the server.";
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

/**
 * Generated clients ask for tea, cake or other targets, with names of all kinds of bytes and of up to 6,000 bytes,
 * and with fields such as `Nickname`. The server returns each name unchanged, only the field `Name` is a name, and
 * the server keeps nothing of a client that has left.
 */
check("conversations", "answers every request in generated conversations", async t => {
  const inside = fc.oneof(
    grammar.utf8(1, 12),
    grammar.visibleAscii(1, 16),
    grammar.fieldValue(16, true).filter(name => name !== ""),
    fc
      .constantFrom("e\u0301", "\ufb01", "\u212b", "Name: x", "a  b", "$&")
      .map(name => Buffer.from(name).toString("latin1")),
  );
  // Its last character may be cut: a name is bytes.
  const long = fc
    .tuple(grammar.utf8(1, 12), fc.integer({ min: 100, max: 6000 }))
    .map(([unit, length]) => unit.repeat(Math.ceil(length / unit.length)).slice(0, length));
  const names = fc.oneof({ arbitrary: inside, weight: 7 }, { arbitrary: long, weight: 1 });
  // A request need not have such a field: the lesson's own commands send none.
  const host = fc.constantFrom("Host: a\r\n", "");
  const alike = fc.constantFrom(
    "",
    "",
    "Nickname: Bob\r\n",
    "X-Name: Bob\r\n",
    "Surname: Name: Bob\r\n",
    "Names: Bob\r\n",
  );
  const space = fc.constantFrom(" ", " ", "", "\t", "  ");
  const dishes = fc.constantFrom(["/tea", tea] as const, ["/cake", cake] as const);
  const named = fc
    .tuple(dishes, names, host, alike, space, grammar.fields(2, { opaque: true }), alike)
    .map(([[target, dish], name, first, before, white, fields, behind]) => ({
      bytes: `GET ${target} HTTP/1.1\r\n${first}${before}${fields}Name:${white}${name}\r\n${behind}\r\n`,
      wants: { status: 200, body: Buffer.concat([dish, Buffer.from(" for "), Buffer.from(name, "latin1")]) },
    }));
  const nameless = fc.tuple(dishes, host, alike).map(([[target, dish], first, fields]) => ({
    bytes: `GET ${target} HTTP/1.1\r\n${first}${fields}\r\n`,
    wants: { status: 200, body: dish },
  }));
  const other = grammar.word(1, 12).map(name => ({
    bytes: get(`/x${name}`),
    wants: { status: 404, body: notFound },
  }));
  await t.conversations({
    says: fc.oneof(
      { arbitrary: named, weight: 3 },
      { arbitrary: nameless, weight: 1 },
      { arbitrary: other, weight: 1 },
    ),
    messages: 5,
    idle: "rests",
    because:
      "The server returns the bytes of a name unchanged, Content-Length counts the bytes of each answer, and only the field Name is a name.",
  });
});

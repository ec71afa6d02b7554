// The output parser: whatever a program or a client writes, xterm stays in its ground state, shows what comes next, and
// has work in proportion to the bytes.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { mostMarks, visible } from "../../../server-labs/protocol.ts";
import type { OutputEvent } from "../../labs.ts";
import { OutputParser } from "./output-parser.ts";
import { newestPlace } from "./places.ts";
import { plainPieces, TerminalFilter } from "./terminal-filter.ts";

const { Terminal } = createRequire(import.meta.url)("@xterm/xterm") as typeof import("@xterm/xterm");

const parsed = (text: string, tint?: string) => {
  const parser = new OutputParser();
  return parser.words(text, tint) + parser.end();
};

/** A real xterm after these words: its rows, and whether each cell of the row with the cursor has no style. */
async function shownBy(words: string) {
  const terminal = new Terminal({ cols: 80, rows: 24, convertEol: true, scrollback: 100 });
  await new Promise<void>(resolve => terminal.write(words, resolve));
  const { active } = terminal.buffer;
  const rows = Array.from({ length: active.length }, (_, row) =>
    active.getLine(row)!.translateToString(true),
  );
  const current = active.baseY + active.cursorY;
  const cells = Array.from({ length: active.cursorX }, (_, x) => active.getLine(current)!.getCell(x)!);
  const unstyled = cells.every(cell => cell.isAttributeDefault());
  return { rows: rows.slice(0, current + 1), unstyled };
}

test("colours and styles pass, and end with their line", () => {
  assert.equal(parsed("\x1b[32mGET\x1b[0m /\n"), "\x1b[0;32mGET\x1b[0m /\n");
  assert.equal(parsed("\x1b[1;38;5;208;4mred\nplain\n"), "\x1b[0;1;4;38;5;208mred\x1b[0m\nplain\n");
  assert.equal(parsed("\x1b[38;2;1;2;3mx\x1b[39my"), "\x1b[0;38;2;1;2;3mx\x1b[0my");
});

test("a sequence that is cut between two pieces is one sequence", () => {
  const parser = new OutputParser();
  assert.equal(["a\x1b", "[3", "1", "mb"].map(piece => parser.words(piece)).join(""), "a\x1b[0;31mb");
  assert.equal(parser.end(), "\x1b[0m");
});

test("a line can be written over, and no other line", () => {
  assert.equal(parsed("10 %\r20 %\x1b[K\n"), "10 %\r20 %\x1b[K\n");
  for (const move of [
    "\x1b[A",
    "\x1b[2;3r",
    "\x1b[H",
    "\x1b[2J",
    "\x1bM",
    "\x1bD",
    "\x1b7",
    "\b",
    "\v",
    "\f",
  ])
    assert.ok(
      !["\x1b", "\b", "\v", "\f"].some(one => parsed(`a${move}b`).includes(one)),
      JSON.stringify(move),
    );
});

test("a tint is the foreground where the program has none of its own", () => {
  assert.equal(parsed("a\nb", "38;5;217"), "\x1b[0;38;5;217ma\x1b[0m\n\x1b[0;38;5;217mb\x1b[0m");
  assert.equal(parsed("\x1b[31mred", "38;5;217"), "\x1b[0;31mred\x1b[0m");
});

const strangers: [name: string, bytes: string, shown: string][] = [
  ["DCS without an end", "\x1bP", "␛P"],
  ["APC without an end", "\x1b_", "␛_"],
  ["PM without an end", "\x1b^", "␛^"],
  ["SOS without an end", "\x1bX", "␛X"],
  ["OSC without an end", "\x1b]0;", "␛]0;"],
  ["OSC of one byte", "\u009d", "\\u009d"],
  ["DCS of one byte", "\u0090", "\\u0090"],
  ["CSI of one byte", "\u009b8m", "\\u009b8m"],
  ["line drawing", "\x1b(0", "␛(0"],
  ["shift out", "\x0e", "␎"],
  ["shift in", "\x0f", "␏"],
  ["conceal", "\x1b[8m", "␛[8m"],
  ["conceal beside a colour", "\x1b[31;8m", "␛[31;8m"],
  ["a scroll region", "\x1b[2;3r", "␛[2;3r"],
  ["a cursor move", "\x1b[5A", "␛[5A"],
  ["a second screen", "\x1b[?1049h", "␛[?1049h"],
  ["no wrapping", "\x1b[?7l", "␛[?7l"],
  ["insert mode", "\x1b[4h", "␛[4h"],
  ["reset", "\x1bc", "␛c"],
  ["two billion lines", "\x1b[2000000000L", "␛[2000000000L"],
  ["two billion times the character before", "\x1b[2000000000b", "␛[2000000000b"],
  ["a sequence without an end", "\x1b[3", "␛[3"],
  ["a sequence of 65 characters", `\x1b[${"1;".repeat(31)}m`, `␛[${"1;".repeat(31)}m`],
  ["an override of the direction", "\u202e", "\\u202e"],
  ["a tag", "\u{e0041}", "\\u{e0041}"],
  ["half of a pair", "\ud800", "\\ud800"],
  ["a mark on nothing", "\u0301", "◌\u0301"],
  ["a colour", "\x1b[31;7;1;9m", ""],
  ["black on black", "\x1b[30;40m", ""],
];

for (const [name, bytes, shown] of strangers)
  test(`${name} from a client is shown, and changes nothing that follows`, async () => {
    const parser = new OutputParser();
    const logged = parser.words(`${bytes}\n`) + parser.words("the next line") + parser.end();
    const { rows, unstyled } = await shownBy(logged);
    assert.deepEqual(rows, [shown, "the next line"]);
    assert.ok(unstyled, `the next line has a style: ${JSON.stringify(logged)}`);
    const { rows: ours } = await shownBy(`${parsed(`/${bytes}`)}, ours`);
    assert.deepEqual(ours, [`/${shown.replace("◌", "")}, ours`]);
  });

test("of 20,000 marks on one letter a few are shown", async () => {
  const words = parsed(`a${"\u0301".repeat(20_000)}b\n`);
  assert.equal(words, `a${"\u0301".repeat(mostMarks)}…b\n`);
});

test("every character that xterm draws into the cell before it is counted, or shown as its number", () => {
  const terminal = new Terminal() as unknown as {
    _core: { unicodeService: { wcwidth(code: number): number } };
  };
  const { unicodeService } = terminal._core;
  for (let code = 0x20; code <= 0x10ffff; code++) {
    if (unicodeService.wcwidth(code) !== 0) continue;
    const words = parsed(`a${String.fromCodePoint(code).repeat(mostMarks + 2)}`);
    assert.ok(
      words.endsWith("…") || /\\u\{?[\da-f]+\}?$|␡$/.test(words),
      `U+${code.toString(16)} is not counted`,
    );
  }
});

// Mulberry32: a short generator of random numbers that a seed repeats.
function numbers(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Words of all the kinds that a terminal may obey, in any order. */
function hostile(random: (below: number) => number, length: number): string {
  const code = (from: number, to: number) => String.fromCodePoint(from + random(to - from));
  const kinds = [
    () => "\x1b",
    () => `\x1b[${random(3_000_000_000)}${code(0x40, 0x7f)}`,
    () => `\x1b[${"<=>?"[random(5)] ?? ""}${random(120)};${random(9)}${code(0x20, 0x7f)}`,
    () => `\x1b[${[38, 48, 0, 1, 31, 97][random(6)]};${[2, 5][random(2)]};${random(300)};${random(9)}m`,
    () => `\x1b${code(0x20, 0x7f)}`,
    () => code(0, 0x20),
    () => code(0x7f, 0xa0),
    () => code(0x300, 0x370).repeat(1 + random(50)),
    () => code(0x200b, 0x2070),
    () => code(0xd7b0, 0xe000),
    () => code(0x1f300, 0x1fa00),
    () => code(0x20, 0x7f).repeat(1 + random(200)),
    () => "\n",
  ];
  let text = "";
  while (text.length < length) text += kinds[random(kinds.length)]!();
  return text;
}

/** All that xterm is ever given: words, ends of lines, styles and erasing in a line. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
const allowed = /^(?:[^\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|\x1b\[0(?:;\d{1,3}){0,16}m|\x1b\[[012]?K)*$/;
const tooManyMarks = /\p{M}{4}/u;

test("of 300 hostile texts xterm gets words, styles and ends of lines, and not much more than was written", async () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = numbers(seed);
    const text = hostile(random, 2000);
    const parser = new OutputParser();
    let written = "";
    for (let at = 0; at < text.length; ) {
      const piece = text.slice(at, at + 1 + random(300));
      written += parser.words(piece, random(20) === 0 ? "38;5;217" : "");
      at += piece.length;
    }
    const lineOpen = written + parser.end();
    assert.match(lineOpen, allowed, `seed ${seed}`);
    assert.doesNotMatch(lineOpen, tooManyMarks, `seed ${seed}`);
    assert.ok(lineOpen.length <= 8 * text.length + 200, `seed ${seed}: ${lineOpen.length} of ${text.length}`);
    const { rows, unstyled } = await shownBy(`${lineOpen}\r\nours`);
    assert.equal(rows.at(-1), "ours", `seed ${seed}`);
    assert.ok(unstyled, `seed ${seed}`);
  }
});

test("the densest texts cost xterm at most ten characters for each of theirs", () => {
  const length = 1 << 16;
  const dense = {
    "C1 controls": "\u009b",
    "colour after colour": "\x1b[1m\x1b[31m",
    "a colour for each letter": "\x1b[1ma\x1b[ma",
    "sequences without an end": "\x1b[1;",
    escapes: "\x1b",
    marks: "\u0301",
    tags: "\u{e0041}",
    "one line": "x",
    "empty lines": "\n",
    "carriage returns": "\r",
    erasing: "\x1b[K",
    "lines of one letter on stderr": "a\n",
  };
  for (const [name, unit] of Object.entries(dense)) {
    const text = unit.repeat(length / unit.length);
    const words = parsed(text, name.endsWith("stderr") ? "38;5;217" : "");
    assert.ok(
      words.length <= 10 * text.length,
      `${name}: ${(words.length / text.length).toFixed(1)} characters for one`,
    );
  }
});

const common = { run: "r1", seq: 0, at: 0 };
const length = 1 << 17;
/** What a program, or a client whose words it logs, may print to cost the page the most. */
const costly: Record<string, string> = {
  "one line": "x",
  "empty lines": "\n",
  tabs: "\t",
  returns: "\r",
  "a line written over": "a\r",
  marks: "\u0301",
  "marks on letters": "a\u0301\u0301\u0301\u0301",
  "Korean vowels": "\u1160",
  "wide letters": "好",
  "joined pictures": "👩‍💻",
  "direction controls": "\u202e",
  "halves of pairs": "\ud800",
  escapes: "\x1b",
  "sequences that have begun": "\x1b[",
  "sequences without an end": "\x1b[1;",
  "styles without a word": "\x1b[1m\x1b[31m",
  "a style for each letter": "\x1b[1ma\x1b[ma",
  "a colour for each letter": "\x1b[38;2;1;2;3ma",
  erasing: "\x1b[K",
  places: "server.ts:1",
  "places in lines": "server.ts:1:1\n",
  "places in a path": "/server.ts:1",
  "places of many files": "a.ts:1b.ts:1c.ts:1d.ts:1",
};
const manyFiles = ["server.ts", ..."abcdefghijklmnopqrstuvwxyz"].map(name =>
  name.includes(".") ? name : `${name}.ts`,
);

/** Processor time, in microseconds, of all that the page does with a text: parse, show, look for places, copy, quote. */
async function costOf(text: string): Promise<number> {
  const event: OutputEvent = {
    ...common,
    type: "output",
    stream: "stdout",
    offset: 0,
    bytes: text.length,
    text,
  };
  const before = process.cpuUsage();
  await shownBy(new TerminalFilter().of(event));
  newestPlace(text, "a/b", manyFiles);
  for (const piece of plainPieces([event])) assert.ok(piece.length <= 20 * text.length);
  visible(text.slice(0, 10_000), "\n");
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

// A ratio to plain text on the same machine, in the same run: a quadratic step costs some ten thousand times as much. The
// processor time is the whole process's, so that of another test may fall into a measurement, but not into all of them.
test("no text costs the page much more than as many plain letters", { timeout: 120_000 }, async () => {
  const plain = "GET /index.html 200 in 3 ms\n".repeat(length / 28);
  await costOf(plain);
  const most = 20 * Math.max(await costOf(plain), await costOf(plain));
  const bounded = async (what: string, text: string) => {
    const costs: number[] = [];
    while (costs.length < 5) {
      costs.push(await costOf(text));
      if (costs.at(-1)! < most) return;
    }
    assert.fail(`${what}: ${costs} µs, each time more than ${most} µs`);
  };
  for (const [what, unit] of Object.entries(costly)) await bounded(what, unit.repeat(length / unit.length));
  for (let seed = 1; seed <= 10; seed++) await bounded(`seed ${seed}`, hostile(numbers(seed), length));
});

test("of a run that is shown again, as after a reload, and of the next run, nothing is lost or changed", async () => {
  const terminal = new Terminal({ cols: 80, rows: 24, convertEol: true, scrollback: 100 });
  const show = (words: string) => new Promise<void>(resolve => terminal.write(words, resolve));
  const rows = () =>
    Array.from({ length: terminal.buffer.active.length }, (_, row) =>
      terminal.buffer.active.getLine(row)!.translateToString(true),
    );
  for (let seed = 1; seed <= 50; seed++) {
    const random = numbers(seed);
    const events = Array.from({ length: 4 }, (_, seq): OutputEvent => {
      const text = hostile(random, 500);
      return { ...common, seq, type: "output", stream: "stdout", offset: 0, bytes: text.length, text };
    });
    const written = () => {
      const filter = new TerminalFilter();
      return events.map(event => filter.of(event)).join("");
    };
    await show(`\x1bc${written()}`);
    const first = rows();
    await show(`\x1bc${written()}`);
    assert.deepEqual(rows(), first, `seed ${seed}`);
    await show("\x1bcthe next run\n");
    assert.deepEqual(
      rows().filter(row => row !== ""),
      ["the next run"],
      `seed ${seed}`,
    );
    assert.ok(terminal.buffer.active.getLine(0)!.getCell(0)!.isAttributeDefault(), `seed ${seed}`);
  }
});

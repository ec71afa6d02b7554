// What the terminal is given for each event: the program's words, our own dim and on lines of their own.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { OutputEvent } from "../../labs.ts";
import { plainPieces, TerminalFilter } from "./terminal-filter.ts";

const common = { run: "r1", seq: 0, at: 0 };
const output = (text: string, stream: "stdout" | "stderr" = "stdout"): OutputEvent => ({
  ...common,
  type: "output",
  stream,
  offset: 0,
  bytes: text.length,
  text,
});
const exited: OutputEvent = {
  ...common,
  type: "exited",
  code: 1,
  signal: null,
  statement: { code: "exited-with", status: 1 },
  stopped: false,
};

const plainText = (events: OutputEvent[]) => [...plainPieces(events)].join("");
const ours = (words: string) => `\x1b[0;90m${words}\x1b[0m\r\n`;

test("our sentence begins a line of its own after an unfinished one", () => {
  const filter = new TerminalFilter();
  filter.of(output("no newline"));
  assert.equal(filter.of(exited), `\r\n${ours("exited with 1")}`);
  assert.equal(filter.of(exited), ours("exited with 1"));
  filter.of(output("50 %\r"));
  assert.equal(filter.of(exited), `\r\n${ours("exited with 1")}`);
});

test("a line that ends in a colour's reset is finished", () => {
  const filter = new TerminalFilter();
  filter.of(output("\x1b[31mred\n\x1b[0m"));
  assert.equal(filter.of(exited), ours("exited with 1"));
});

test("our sentence ends a style, and shows a sequence, that the program has not ended", () => {
  const filter = new TerminalFilter();
  filter.of(output("\x1b[31mred\x1b["));
  assert.equal(filter.of(exited), `␛[\x1b[0m\r\n${ours("exited with 1")}`);
});

test("a stranger's name in a sentence of ours cannot end it", () => {
  const starting: OutputEvent = {
    ...common,
    type: "starting",
    command: "npx tsx \x1b[8m\u202e.ts",
    port: 1,
    began: 0,
    sandbox: "none",
    etag: "",
  } as unknown as OutputEvent;
  assert.equal(new TerminalFilter().of(starting), ours("$ npx tsx ␛[8m\\u202e.ts"));
});

test("stderr is tinted, but not where it has a colour of its own", () => {
  const filter = new TerminalFilter();
  const tint = "\x1b[0;38;5;217m";
  assert.equal(filter.of(output("warning\n", "stderr")), `${tint}warning\x1b[0m\n`);
  assert.equal(
    filter.of(output("\x1b[31mred\x1b[m, tinted\n", "stderr")),
    `\x1b[0;31mred${tint}, tinted\x1b[0m\n`,
  );
  assert.equal(filter.of(output("plain\n")), "plain\n");
});

test("a long output is parsed in pieces, and no character is cut in two", () => {
  const text = `x${"\u{1f600}".repeat(20_000)}\n`;
  const pieces = [...new TerminalFilter().pieces(output(text))];
  assert.ok(pieces.length > 4, `${pieces.length} pieces`);
  assert.equal(pieces.join(""), text);
});

test("copied text has every line, what was written over, and what is no longer kept", () => {
  const lines = Array.from({ length: 10_000 }, (_, i) => `line ${i}\n`).join("");
  const gap: OutputEvent = { ...common, type: "gap", events: 3, bytes: 812, calls: 0 };
  const words = [gap, output(lines), output("10 %\r100 %\r\n\x1b[31mred\x1bP"), exited];
  assert.equal(
    plainText(words),
    `… 812 bytes before this are no longer kept …\n${lines}10 %\n100 %\nred␛P\nexited with 1\n`,
  );
});

test("a return and its line end may come in two pieces, and a million returns alone are one line end", () => {
  assert.equal(plainText([output("a\r"), output("\nb\r\r"), output("c\r")]), "a\nb\nc\n");
  assert.equal(plainText([output(`a${"\r".repeat(1 << 20)}b\n`)]), "a\nb\n");
});

test("what was left out is counted exactly", () => {
  const omitted: OutputEvent = {
    ...common,
    type: "output-omitted",
    stream: "stdout",
    offset: 0,
    bytes: 12_841_233,
    lines: 180_412,
  };
  assert.match(
    new TerminalFilter().of(omitted),
    /… 12\.8 MB \(180,412 lines\) not shown: .* faster than 2 MB\/s …/,
  );
  const gap: OutputEvent = { ...common, type: "gap", events: 3, bytes: 812, calls: 0 };
  assert.match(new TerminalFilter().of(gap), /812 bytes/);
  assert.equal(new TerminalFilter().of({ ...gap, bytes: 0 }), "");
});

// What the terminal is given for each event: the program's words untouched, our own dim and on lines of their own.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { OutputEvent } from "../../labs.ts";
import { Inscription } from "./inscription.ts";

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
  sentence: "exited with 1",
  stopped: false,
};

test("the program's own words and colours are passed on as they are", () => {
  const words = "\x1b[32mGET\x1b[0m /\n";
  assert.equal(new Inscription().of(output(words)), words);
});

test("our sentence begins a line of its own after an unfinished one", () => {
  const inscription = new Inscription();
  inscription.of(output("no newline"));
  assert.equal(inscription.of(exited), "\r\n\x1b[0;90mexited with 1\x1b[0m\r\n");
  assert.equal(inscription.of(exited), "\x1b[0;90mexited with 1\x1b[0m\r\n");
});

test("a line that ends in a colour's reset is finished", () => {
  const inscription = new Inscription();
  inscription.of(output("\x1b[31mred\n\x1b[0m"));
  assert.ok(!inscription.of(exited).startsWith("\r\n"));
});

test("stderr is tinted, but not where the program has a colour of its own on", () => {
  const inscription = new Inscription();
  assert.equal(inscription.of(output("warning\n", "stderr")), "\x1b[38;5;217mwarning\n\x1b[39m");
  inscription.of(output("\x1b[31m"));
  assert.equal(inscription.of(output("still red\n", "stderr")), "still red\n");
  inscription.of(output("\x1b[m"));
  assert.match(inscription.of(output("tinted\n", "stderr")), /217/);
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
    new Inscription().of(omitted),
    /… 12\.8 MB \(180,412 lines\) not shown: .* faster than 2 MB\/s …/,
  );
  const gap: OutputEvent = { ...common, type: "gap", events: 3, bytes: 812, calls: 0 };
  assert.match(new Inscription().of(gap), /812 bytes/);
  assert.equal(new Inscription().of({ ...gap, bytes: 0 }), "");
});

// Readable bytes: what a call or a client carried, as Syscalls and checks show it, has nothing that a page obeys.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readableBytes } from "./readable-bytes.ts";
import { mostMarks } from "./visible.ts";

const bytes = (text: string) => Buffer.from(text);

test("words of all scripts stay; line ends and quotes are written as in C, and the rest by its number", () => {
  assert.equal(readableBytes(bytes('GET / "naïve" 你好\r\n')), 'GET / \\"naïve\\" 你好\\r\\n');
  assert.equal(readableBytes(bytes("\x1b[8m\u202e\u0000")), "\\x1b[8m\\xe2\\x80\\xae\\x00");
  assert.equal(readableBytes(Buffer.from([0x66, 0xff, 0xc3])), "f\\xff\\xc3");
});

test("of 2,000 seeded texts of any bytes no character is one that a terminal or a page obeys", () => {
  let state = 1;
  const random = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  const parts = [
    () => Buffer.from([random(256)]),
    () => bytes(String.fromCodePoint(0x300 + random(0x70)).repeat(random(12))),
    () => bytes(String.fromCodePoint(0x2000 + random(0x70))),
    () => bytes(String.fromCodePoint(0xe0000 + random(0x80))),
    () => bytes(String.fromCodePoint(random(0xd800))),
    () => bytes("\x1b["),
  ];
  for (let round = 0; round < 2000; round++) {
    const text = readableBytes(
      Buffer.concat(Array.from({ length: 40 }, () => parts[random(parts.length)]!())),
    );
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
    assert.doesNotMatch(text, /[\0-\x1f\x7f-\x9f\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
    assert.doesNotMatch(text, new RegExp(`\\p{M}{${mostMarks + 1}}`, "u"));
  }
});

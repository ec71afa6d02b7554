// A file is a room that one reads in one go: it opens with what it believes, and is no longer than one head can hold.
// Not meant: tests and their fixtures, whose length is their cases, and the programs of the lessons.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const most = 200;

/** Longer for a reason, and how long at most. Whoever adds to this list argues. */
const exceptions: Record<string, { lines: number; because: string }> = {
  "server-labs/runtime/socket.ts": {
    lines: 370,
    because:
      "one class, the student's API, in the order of a conversation: a part in another file would have to be looked for where Python's socket has everything, and a third of it is the doc comments that the editor shows",
  },
  "server-labs/runtime/syscalls.ts": {
    lines: 270,
    because: "a list: one function a call, all alike, of which a reader looks up one; it has no second noun",
  },
  "server-labs/runtime/trace.ts": {
    lines: 290,
    because:
      "it is passed twice at each call of a flood, where what it writes costs less than a call across objects would: the record, its budget and its boundaries stay in one",
  },
};

const files = ["app", "server-labs", "e2e"].flatMap(room =>
  readdirSync(join(root, room), { recursive: true, encoding: "utf8" })
    .map(file => `${room}/${file}`)
    .filter(file => /\.(ts|tsx|mjs)$/.test(file) && !/\/fixtures\/|\.(test|spec|d)\.ts$/.test(file)),
);
const text = (file: string) => readFileSync(join(root, file), "utf8");
const linesOf = (file: string) => text(file).split("\n").length - 1;

test("no file is longer than one head can hold", () => {
  assert.ok(files.length > 250, `only ${files.length} files were found`);
  const tooLong = files.flatMap(file => {
    const lines = linesOf(file);
    const limit = exceptions[file]?.lines ?? most;
    return lines > limit ? [`${file} has ${lines} lines, ${limit} are the most.`] : [];
  });
  assert.deepEqual(
    tooLong,
    [],
    `${tooLong.join("\n")}\nLook for the second noun in it, and give that a file of its own; or argue for an exception in server-labs/rooms.test.ts.`,
  );
});

test("an exception is one for as long as it is needed", () => {
  for (const file of Object.keys(exceptions)) {
    assert.ok(files.includes(file), `There is no ${file} any more: take it off the list of exceptions.`);
    const lines = linesOf(file);
    assert.ok(lines > most, `${file} has ${lines} lines only: take it off the list of exceptions.`);
  }
});

test("a file opens with what it believes", () => {
  const silent = files.filter(file => !/^(#!.*\n)?\/[/*]/.test(text(file)));
  assert.deepEqual(
    silent,
    [],
    `${silent.join(", ")}: begin with a comment of one to four lines that says what this file believes.`,
  );
});

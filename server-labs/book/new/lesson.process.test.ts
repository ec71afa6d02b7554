// A new lesson is whole from the beginning: the book has no mistake with it, and its lab passes its own account.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { test } from "node:test";
import { BookCompiler } from "../../../app/build/lessons/book-compiler.ts";
import { packageRoot as root } from "../../lib/package-root.ts";
import { readBook } from "../book.ts";

async function run(script: string, ...args: string[]) {
  const child = spawn(process.execPath, [join(root, "dist/server-labs", script), ...args]);
  let [out, err] = ["", ""];
  child.stdout.on("data", chunk => (out += chunk));
  child.stderr.on("data", chunk => (err += chunk));
  const code = await new Promise<number | null>(resolve => child.on("close", resolve));
  return { code, out, err };
}

/** A copy of the book in which to try. */
async function inACopy(work: (chapters: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "workbook-new-"));
  try {
    cpSync(join(root, "chapters"), join(folder, "chapters"), { recursive: true });
    await work(join(folder, "chapters"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("a new lesson has no mistake, comes after the last, and passes its own account", async () => {
  await inACopy(async chapters => {
    const before = readBook(chapters);
    const { code, out, err } = await run(
      "book/new/main.js",
      "lesson",
      "epoll/tea-and-cake",
      "--chapters",
      chapters,
    );
    assert.equal(code, 0, err);
    const book = readBook(chapters);
    const lesson = book.lessons.find(one => one.id === "epoll/tea-and-cake")!;
    const last = before.chapters.find(one => one.id === "epoll")!.lessons.at(-1)!;
    assert.equal(lesson.number, last.number + 1);
    assert.equal(lesson.title, "Tea and cake");
    assert.ok(!before.labs.some(lab => lab.port === lesson.lab!.port), "the port is its own");
    assert.match(out, new RegExp(`port ${lesson.lab!.port}`));
    assert.deepEqual((await new BookCompiler(chapters).compile()).problems, []);
    const account = await run("check/main.js", lesson.id, "--account", "--chapters", chapters);
    assert.equal(account.code, 0, account.out + account.err);
    assert.match(account.out, /1 lab: all is as the book says/);
  });
});

test("a lesson without a lab, at a number of one's own", async () => {
  await inACopy(async chapters => {
    const args = ["lesson", "epoll/history", "--at", "90", "--no-lab", "--chapters", chapters];
    assert.equal((await run("book/new/main.js", ...args)).code, 0);
    const lesson = readBook(chapters).lessons.find(one => one.id === "epoll/history")!;
    assert.equal(lesson.lab, null);
    assert.equal(relative(chapters, lesson.folder), "02-epoll/90-history");
    assert.ok(!existsSync(join(lesson.folder, "lab")));
    assert.match(readFileSync(lesson.file, "utf8"), /:::figure[\s\S]+:::quiz/);
    assert.deepEqual((await new BookCompiler(chapters).compile()).problems, []);
  });
});

test("a lesson that cannot be made is refused with a sentence, and no file is written", async () => {
  await inACopy(async chapters => {
    const all = () => readdirSync(chapters, { recursive: true }).length;
    const before = all();
    const cases: [string[], RegExp][] = [
      [
        ["lesson", "epoll/static-server"],
        /There is already a lesson epoll\/static-server: .*02-epoll\/09-static-server/,
      ],
      [["lesson", "epol/tea"], /There is no chapter "epol"\. Did you mean "epoll"\?/],
      [["lesson", "tea"], /"tea" is not a name for a lesson\. A name is <chapter>\/<name>/],
      [["lesson", "epoll/Tea Time"], /not a name for a lesson/],
      [["lesson", "epoll/../tea"], /not a name for a lesson/],
      [["lesson", "epoll/tea", "--at", "9"], /Number 9 is epoll\/static-server/],
      [["lesson", "epoll/tea", "--at", "soon"], /number is a whole number from 1 to 99, not NaN/],
      [["chapter", "tea"], /npm run new -- lesson/],
      [[], /npm run new -- lesson/],
    ];
    for (const [args, sentence] of cases) {
      const { code, err } = await run("book/new/main.js", ...args, "--chapters", chapters);
      assert.equal(code, 2, args.join(" "));
      assert.match(err, sentence);
    }
    assert.equal(all(), before);
  });
});

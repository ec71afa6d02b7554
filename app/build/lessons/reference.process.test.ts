// What chapters/REFERENCE.md shows to instructors is tried: its examples, put together, are a lesson without a mistake.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { BookCompiler } from "./book-compiler.ts";
import { directives } from "./directives.ts";

const chapters = fileURLToPath(new URL("../../../chapters", import.meta.url));
const reference = readFileSync(join(chapters, "REFERENCE.md"), "utf8");
const lesson = "01-non-blocking/03-polling-model/lesson.md";

test("the examples of the reference are a lesson without a mistake", async () => {
  const folder = join(mkdtempSync(join(tmpdir(), "workbook-reference-")), "chapters");
  try {
    cpSync(chapters, folder, { recursive: true });
    const fields = /```yaml\n([\s\S]*?)```/.exec(reference)![1]!;
    const blocks = [...reference.matchAll(/^(`{3,4})markdown\n([\s\S]*?)^\1$/gm)].map(match => match[2]);
    const inLine = [...reference.matchAll(/^\| `(:[^`]+)` \|/gm)].map(match => match[1]);
    assert.ok(blocks.length >= 7 && inLine.length >= 5, "the reference has its examples");
    const text = `${fields}\n## The loop\n\n${inLine.join(" ")}\n\n${blocks.join("\n")}`;
    // This lab has no program that measures, its lesson no points, and it has checks of the same names as an earlier lab.
    const fitted = text.replace('program="cost.ts"', 'program="server.ts"').replace(/^ *passes: .*\n/m, "");
    writeFileSync(join(folder, lesson), fitted);
    const points = join(folder, dirname(lesson), "figures/cost.jsonl");
    writeFileSync(points, `${/\{"ready".*?\}/.exec(reference)![0]}\n`);
    const rivals = join(folder, dirname(lesson), "lab/rivals");
    mkdirSync(rivals);
    writeFileSync(
      join(rivals, "rivals.yaml"),
      /### Rivals[\s\S]*?```yaml\n([\s\S]*?)```/.exec(reference)![1]!,
    );
    writeFileSync(join(rivals, "nginx.sh"), "");
    const { problems } = await new BookCompiler(folder).compile();
    assert.deepEqual(problems, []);
  } finally {
    rmSync(join(folder, ".."), { recursive: true });
  }
});

test("the reference shows every directive", () => {
  for (const name of Object.keys(directives))
    assert.match(
      reference,
      new RegExp(`^(:{2,4}|\\| \`:)${name}\\b`, "m"),
      `${name} is not in chapters/REFERENCE.md`,
    );
});

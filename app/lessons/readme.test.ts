// What chapters/README.md shows to instructors is tried: its examples, put together, are a lesson without a mistake.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Press } from "./press.ts";
import { words } from "./words.ts";

const chapters = fileURLToPath(new URL("../../chapters", import.meta.url));
const readme = readFileSync(join(chapters, "README.md"), "utf8");
const lesson = "01-non-blocking/02-polling-model/lesson.md";

test("the examples of the README are a lesson without a mistake", async () => {
  const folder = join(mkdtempSync(join(tmpdir(), "workbook-readme-")), "chapters");
  try {
    cpSync(chapters, folder, { recursive: true });
    const fields = /```yaml\n([\s\S]*?)```/.exec(readme)![1]!;
    const blocks = [...readme.matchAll(/^(`{3,4})markdown\n([\s\S]*?)^\1$/gm)].map(match => match[2]);
    const inLine = [...readme.matchAll(/^\| `(:[^`]+)` \|/gm)].map(match => match[1]);
    assert.ok(blocks.length >= 7 && inLine.length >= 5, "the README has its examples");
    writeFileSync(
      join(folder, lesson),
      `${fields}\n## The loop\n\n${inLine.join(" ")}\n\n${blocks.join("\n")}`,
    );
    const { problems } = await new Press(folder).print();
    assert.deepEqual(problems, []);
  } finally {
    rmSync(join(folder, ".."), { recursive: true });
  }
});

test("the README shows every word that prose may use", () => {
  for (const name of Object.keys(words))
    assert.match(
      readme,
      new RegExp(`^(:{3,4}|\\| \`:)${name}\\b`, "m"),
      `${name} is not in chapters/README.md`,
    );
});

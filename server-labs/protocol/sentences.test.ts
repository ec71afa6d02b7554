// A statement is data until it is shown; then it is one sentence, with its parameters.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { codes, type Statement, sentence } from "./sentences.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const tables = filesIn("server-labs/protocol/sentences");

/** The TypeScript below a folder of the workbook, in all its folders. */
function filesIn(folder: string): { file: string; text: string }[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter(name => /\.tsx?$/.test(name))
    .map(name => ({ file: join(folder, name), text: readFileSync(join(root, folder, name), "utf8") }));
}

test("a statement becomes a sentence with its parameters", () => {
  assert.equal(sentence({ code: "exited-with", status: 3 }), "exited with 3");
  assert.equal(sentence({ code: "starting" }), "starting");
});

test("a stranger's name in a sentence commands no terminal", () => {
  const holder = { pid: 7, command: "nc\x1b[2J\u202e" };
  const statement = {
    code: "port-still-held",
    ending: { code: "exited-with", status: 1 },
    port: 7890,
    holder,
  } as const;
  assert.match(sentence(statement), /is held by nc␛\[2J\\u202e \(pid 7\)$/);
});

test("a statement in another one becomes a part of its sentence", () => {
  const ending = { code: "ended-by-signal", signal: "SIGUSR1" } as const;
  const holder = { pid: 7, command: "nc" };
  assert.equal(
    sentence({ code: "port-still-held", ending, port: 7890, holder }),
    "ended by SIGUSR1; port 7890 is held by nc (pid 7)",
  );
});

test("a code that this table lacks is shown as it is, also in another statement", () => {
  const newer = { code: "from-a-newer-lab-server" };
  assert.equal(sentence(newer as unknown as Statement), "from-a-newer-lab-server");
  const around = { code: "checker-ended-early", checks: null, ending: newer } as unknown as Statement;
  assert.match(sentence(around), /: from-a-newer-lab-server$/);
});

test("no two tables have one code: the later one would hide the earlier one's sentence", async () => {
  const owners = new Map<string, string>();
  for (const { file } of tables) {
    const { en = {} } = (await import(join(root, file))) as { en?: object };
    for (const code of Object.keys(en)) {
      assert.equal(owners.get(code), undefined, `${code} is in ${owners.get(code)} and in ${file}`);
      owners.set(code, relative("server-labs/protocol", file));
    }
  }
  assert.deepEqual([...owners.keys()].sort(), [...codes].sort());
});

test("each code is used outside of its table", () => {
  const sources = [...filesIn("server-labs"), ...filesIn("app")]
    .filter(({ file }) => !/\.test\.ts$|\/fixtures\/|protocol\/sentences\//.test(file))
    .map(({ text }) => text)
    .join("\n");
  // `code: "x"`, or a row of a table of codes; "starting" may be a state that is its own code.
  const unused = [...codes].filter(code => !sources.includes(`"${code}"`));
  assert.deepEqual(unused, []);
});

test("the sentences have no word of the list of words to avoid", () => {
  const avoided =
    /\b(nobody|somebody|everybody|whoever|octets?|stands|wish(es|ed)?|is told|are told|is none)\b/i;
  const found = tables.flatMap(({ file, text }) =>
    text.split("\n").flatMap((line, i) => (avoided.test(line) ? [`${file}:${i + 1}: ${line.trim()}`] : [])),
  );
  assert.deepEqual(found, []);
});

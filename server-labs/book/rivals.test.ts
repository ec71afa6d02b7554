// Rivals of a lab: what a declaration says, and each mistake in it with its place.
import assert from "node:assert/strict";
import { test } from "node:test";
import { here, writeBook } from "../fixtures/book.ts";
import { surveyBook } from "./book.ts";

const lesson = "01-sockets/02-listen";
const file = `${lesson}/lab/rivals/rivals.yaml`;
const good = "node-http:\n  name: Node’s http\n  command: node http.mjs {port}\n";

function read(yaml: string | null, more: Record<string, string> = {}) {
  using book = writeBook({ [file]: yaml, [`${lesson}/lab/rivals/http.mjs`]: "", ...more });
  const { book: found, problems } = surveyBook(book.folder);
  return {
    rivals: found.lab("sockets/listen")!.rivals.map(({ folder: _, ...rival }) => rival),
    told: problems.map(p => `${p.file}:${p.line}:${p.column}: ${p.sentence}`),
  };
}

test("rivals come in the order of their declaration, with what each needs", () => {
  const nginx =
    "nginx:\n  name: nginx\n  command: nginx {port}\n  needs: nginx\n  get: apt-get install nginx\n";
  assert.deepEqual(read(`# Others.\n${good}${nginx}`), {
    rivals: [
      { id: "node-http", name: "Node’s http", command: "node http.mjs {port}" },
      {
        id: "nginx",
        name: "nginx",
        command: "nginx {port}",
        needs: "nginx",
        get: "apt-get install nginx",
      },
    ],
    told: [],
  });
});

const mistakes: [string, string | null, string][] = [
  ["no declaration", null, "1:1: rivals/ has a rivals.yaml, and this file is missing."],
  ["no YAML", "a: 'b\n", "2:1: This is not YAML: Missing closing 'quote."],
  [
    "a list",
    "- name: a\n",
    `1:1: rivals.yaml has a key for each rival: "nginx:", and below it name and command.`,
  ],
  [
    "the student's name",
    good.replace("node-http", "own"),
    `1:1: "own" is not a name for a rival: use small letters, digits and hyphens; "own" is the student's.`,
  ],
  ["only a word", "a: b\n", `1:1: "a" has fields of its own: name, command, needs, get.`],
  ["no command", "a:\n  name: A\n", `1:1: The rival "a" has no "command".`],
  ["an unknown field", `${good}  need: x\n`, `4:3: "need" is not a field of a rival. Did you mean "needs"?`],
  [
    "a name that is a number",
    good.replace("Node’s http", "7"),
    `2:3: "name" must be text: put it in quotes if it looks like something else.`,
  ],
  [
    "no port",
    good.replace(" {port}", ""),
    `3:3: The command must contain {port}: "node http.mjs {port}". The server listens there.`,
  ],
  [
    "an unknown setting",
    good.replace("{port}", "{port} {folder}"),
    "3:3: A command knows {port}, and not {folder}.",
  ],
  [
    "a need that is not to be had",
    `${good}  needs: nginx\n`,
    `3:3: "needs" and "get" belong together: the program that must be installed, and the command that installs it.`,
  ],
  [
    "a file that is not there",
    good.replace("http.mjs", "htp.mjs"),
    `3:3: There is no htp.mjs in rivals/. Did you mean "http.mjs"?`,
  ],
];

for (const [name, yaml, sentence] of mistakes)
  test(`a mistake: ${name}`, () => {
    assert.deepEqual(read(yaml), { rivals: [], told: [`${here}/lab/rivals/rivals.yaml:${sentence}`] });
  });

test("a line of dashes in checks.ts is the heading of the checks below it", () => {
  using book = writeBook({
    [`${lesson}/lab/checks.ts`]: `check("a", "is a", f);
// ------------------------------------------------ many clients
check("b", "is b", f); // -- not this
check("c", "is c", f);
// ---- time
check("d", "is d", f);
`,
  });
  const { checks } = surveyBook(book.folder).book.lab("sockets/listen")!;
  assert.deepEqual(
    checks.map(({ id, group }) => [id, group]),
    [
      ["a", undefined],
      ["b", "many clients"],
      ["c", "many clients"],
      ["d", "time"],
    ],
  );
});

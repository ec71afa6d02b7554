import assert from "node:assert/strict";
import { test } from "node:test";
import { limits, sentence } from "../protocol.ts";
import { strip } from "./strip.ts";

async function refusal(text: string) {
  const stripped = await strip("server.ts", text);
  assert.ok("reason" in stripped, `it was not refused: ${text.slice(0, 60)}`);
  const { reason, statement } = stripped;
  const [line, column] = "line" in statement ? [statement.line, statement.column] : [undefined, undefined];
  return { reason, line, column, sentence: sentence(statement) };
}

test("types are blanked in place: every line and column stays", async () => {
  const text = `import { type Address, Socket } from "workbook/net";
interface Client { fd: number }
const clients = new Map<number, Client>();
function find<T extends Client>(this: void, of: T, ...rest: readonly string[]): Client | undefined {
  return clients.get(of.fd!) as Client satisfies Client;
}
abstract class Hub { declare size: number; readonly #tasks: string[] = []; abstract run(): void }
export type { Address };
`;
  const stripped = await strip("server.ts", text);
  assert.ok("javascript" in stripped);
  const { javascript } = stripped;
  assert.equal(javascript.length, text.length);
  for (const word of ["Socket", "clients.get", "of.fd", "#tasks", "Hub"])
    assert.equal(javascript.indexOf(word), text.indexOf(word));
  for (const type of ["interface", "Address", "extends", "satisfies", "declare", "abstract", "readonly"])
    assert.ok(!javascript.includes(type), `${type} is gone`);
});

test("a syntax error is a sentence with its place", async () => {
  const { reason, line, column, ...refused } = await refusal("const a = 1;\nif (a {\n}\n");
  assert.deepEqual([reason, line, column], ["syntax", 2, 7]);
  assert.equal(refused.sentence, "server.ts:2:7: ')' expected. Nothing was run.");
});

test("TypeScript that would have to be translated is refused, with another way to say it", async () => {
  const cases: [string, number, number, RegExp][] = [
    ["\n  enum Colour { Red }", 2, 3, /An enum .* as const instead/],
    ["const enum A { B }", 1, 1, /An enum/],
    ["namespace N { export const a = 1 }", 1, 1, /A namespace/],
    ["class A {\n  constructor(private fd: number) {}\n}", 2, 15, /A parameter property .* field/],
    ['import net = require("node:net");', 1, 1, /import = .* import x from/],
    ["export = 1;", 1, 1, /export default/],
    ["const a = <number>b;", 1, 11, /value as Type/],
    ["class A { @log run() {} }", 1, 11, /decorators/],
  ];
  for (const [text, line, column, words] of cases) {
    const refused = await refusal(text);
    assert.deepEqual([refused.reason, refused.line, refused.column], ["unsupported", line, column], text);
    assert.match(refused.sentence, words);
  }
  assert.ok("javascript" in (await strip("server.ts", "declare enum A { B }\ndeclare namespace N {}")));
});

test("of several such places the first is shown", async () => {
  const { line } = await refusal("let a;\nclass A { @log run() {} }\nenum B {}\n");
  assert.equal(line, 2);
});

test("text that is too long or too deep is refused, and the next text is stripped", async () => {
  const long = await refusal("x".repeat(limits.fileBytes + 1));
  assert.deepEqual([long.reason, long.line], ["too-long", undefined]);
  for (const text of [
    "(".repeat(10_000),
    "[".repeat(10_000) + "]".repeat(10_000),
    `let a = ${"1+".repeat(100_000)}1`,
  ]) {
    const deep = await refusal(text);
    assert.equal(deep.reason, "syntax");
    assert.match(deep.sentence, /nested too deeply|expected/);
  }
  assert.ok(
    "javascript" in (await strip("server.ts", "let a: number = 1;")),
    "the next text is stripped as usual",
  );
});

test("plain JavaScript, NUL, a lone surrogate, CRLF and a byte order mark are taken as they are", async () => {
  for (const text of [
    "const a = 1;\r\nlet b;\r\n",
    "\uFEFFconst a = 1;",
    'const a = "\uD800";',
    'const a = "\0";',
    "",
  ]) {
    const stripped = await strip("server.ts", text);
    assert.deepEqual(stripped, { imports: [], javascript: text });
  }
});

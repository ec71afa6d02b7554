// Own modules: a run is its folder. What `npx tsx server.ts` finds beside the program, a run finds too.
import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { atBestLevel, first, textOf, whole } from "../fixtures/run-helpers.ts";
import { projectRoot, type TemporaryLab } from "../fixtures/temporary-lab.ts";
import { etagOf } from "../lib/source-text.ts";
import { sentence } from "../protocol.ts";

await atBestLevel("a program with modules of its own", make => {
  let at: TemporaryLab;
  before(async () => {
    at = await make({ spare: true });
    put("greet.ts", "export const greeting: string = 'hello';\n");
    // As the workspace has it, for what is not the lab's own program.
    put("../../package.json", '{ "type": "module" }');
    mkdirSync(join(at.folder, "node_modules"));
    symlinkSync(projectRoot, join(at.folder, "node_modules/workbook"));
  });
  after(() => at.close());

  /** Writes a file into the lab's folder. @returns its path */
  const put = (file: string, text: string) => {
    const path = join(at.folder, at.lab, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  };
  const start = (text: string) => at.runs.startProgram(at.lab, { text, port: 0 });
  const output = async (text: string) => {
    const events = await whole(await start(text));
    return textOf(events) + textOf(events, "stderr");
  };

  for (const specifier of ["./greet", "./greet.ts", "./greet.js"])
    test(`imports greet.ts as ${specifier}, at its start and later`, async () => {
      const program = `import { greeting } from "${specifier}";
        console.log(greeting, (await import("${specifier}")).greeting);`;
      assert.equal(await output(program), "hello hello\n");
    });

  test("another file of the folder runs in the place of server.ts, with its own arguments", async () => {
    put("cost.ts", 'import { greeting } from "./greet"; console.log(greeting, process.argv.slice(2));');
    const run = await at.runs.startProgram(at.lab, { file: "cost.ts", args: ["--json"], port: 0 });
    const events = await whole(run);
    assert.equal(textOf(events), "hello [ '--json' ]\n");
    assert.equal((await first(run, "starting")).command, "cost.ts --json");
  });

  test("imports JavaScript, JSON, a folder's index.ts, modules of modules and circles of them", async () => {
    put("plain.js", 'import { deep } from "./lib/index.ts"; export const plain = [deep];');
    put(
      "lib/index.ts",
      'import menu from "../menu.json" with { type: "json" };\nexport const deep: string = menu.soup;',
    );
    put("menu.json", '{ "soup": "tomato" }');
    put(
      "even.ts",
      'import { odd } from "./odd.ts"; export const even = (n: number): boolean => n === 0 || odd(n - 1);',
    );
    put(
      "odd.ts",
      'import { even } from "./even.ts"; export const odd = (n: number): boolean => n > 0 && even(n - 1);',
    );
    const program = `import { plain } from "./plain.js"; import { deep } from "./lib"; import { even } from "./even";
      console.log(plain, deep, even(10));`;
    assert.equal(await output(program), "[ 'tomato' ] tomato true\n");
  });

  test("says of each system call which file made it, and in which line", async () => {
    put(
      "lib/listen.ts",
      `import { Socket } from "workbook/net";
export function open() {
  return new Socket();
}`,
    );
    const run = await start('import { open } from "./lib/listen.ts";\nopen().close();\n');
    const calls = (await whole(run)).flatMap(event => (event.type === "syscalls" ? event.calls : []));
    assert.deepEqual(
      calls.map(({ call, file, line }) => [call, file, line]),
      [
        ["socket", "lib/listen.ts", 3],
        ["close", undefined, 2],
      ],
    );
  });

  test("finds itself and what lies beside it by import.meta", async () => {
    const menu = put("menu.json", '{ "soup": "tomato" }');
    const program = `import { readFileSync } from "node:fs";
      console.log(import.meta.url, import.meta.dirname, import.meta.filename);
      console.log(readFileSync(new URL("./menu.json", import.meta.url), "utf8"), import.meta.resolve("./menu.json"));`;
    const folder = join(at.folder, at.lab);
    const file = join(folder, "server.ts");
    assert.equal(
      await output(program),
      `file://${file} ${folder} ${file}\n{ "soup": "tomato" } file://${menu}\n`,
    );
  });

  test("starts a worker and a child process beside it, which find workbook/net as the program does", async () => {
    put(
      "part.js",
      'import { AF_INET } from "workbook/net"; console.log("part", AF_INET, import.meta.url.slice(-7));',
    );
    const program = `import { Worker } from "node:worker_threads"; import { fork } from "node:child_process";
      const part = new URL("./part.js", import.meta.url);
      new Worker(part).on("exit", () => fork(part));`;
    assert.equal(await output(program), "part 2 part.js\npart 2 part.js\n");
  });

  test("forks a TypeScript file beside it, with arguments and messages, and forks itself", async () => {
    put(
      "part.ts",
      `import { AF_INET } from "workbook/net"; import { greeting } from "./greet.ts";
      const port: number = Number(process.argv[2]);
      process.on("message", text => { process.send!(\`\${greeting} \${text} \${AF_INET} \${port}\`); });`,
    );
    put("greet.ts", "export const greeting: string = 'hello';\n");
    const program = `import { fork } from "node:child_process";
      import { greeting } from "./greet.ts";
      if (process.send) console.log("child", process.argv.length, greeting, Object.keys(process.env).filter(name => name.startsWith("WORKBOOK_T")));
      else {
        const child = fork("./part.ts", ["7890"], { env: { ...process.env }, execArgv: ["-C", "a", "-C", "b"] });
        child.on("message", text => { console.log(text as string); child.disconnect(); });
        child.send("world");
        child.on("exit", () => fork(process.argv[1]!).on("exit", code => console.log(code)));
      }`;
    assert.equal(await output(program), "hello world 2 7890\nchild 2 hello []\n0\n");
  });

  test("keeps the text that it started with, and reads a file that only its own name leads to when it is imported", async () => {
    put("greet.ts", "export const greeting: string = 'hello';\n");
    const run = await start(`import { existsSync } from "node:fs";
      console.log("waits");
      const timer = setInterval(async () => {
        if (!existsSync(new URL("./go", import.meta.url))) return;
        clearInterval(timer);
        const name = "new";
        console.log((await import("./greet.ts")).greeting, (await import(\`./\${name}.ts\`)).text);
      }, 5);`);
    await first(run, "output");
    put("greet.ts", "export const greeting: string = 'another';\n");
    put("new.ts", "export const text: string = 'made later';\n");
    put("go", "");
    assert.equal(textOf(await whole(run)), "waits\nhello made later\n");
    const { etag, modules } = await first(run, "starting");
    assert.equal(modules!["greet.ts"], etagOf(Buffer.from("export const greeting: string = 'hello';\n")));
    assert.ok(etag);
  });

  for (const [what, program, files, said] of [
    [
      "a module that is not there",
      'console.log(1);\nimport "./gret.ts";',
      {},
      'server.ts:2:8: there is no file "./gret.ts" beside server.ts. Make it, or import another one. Nothing was run.',
    ],
    [
      "a mistake in a module",
      'import "./lib/wrong.ts";',
      { "lib/wrong.ts": "const a = 1;\nconst = 2;\n" },
      "lib/wrong.ts:2:7: Variable declaration expected. Nothing was run.",
    ],
    [
      "a file outside of the folder",
      'import "../other.ts";',
      {},
      `server.ts:1:8: "../other.ts" leads out of the lab's folder, which is all that a run sees. Put that file into the folder. Nothing was run.`,
    ],
  ] as const)
    test(`${what} is refused with its file and line`, async () => {
      for (const [file, text] of Object.entries(files)) put(file, text);
      assert.equal(sentence((await first(await start(program), "refused")).statement), said);
    });

  test("a link in the folder is not followed", async () => {
    const secret = join(at.folder, "secret.ts");
    writeFileSync(secret, "export const key = 1;");
    symlinkSync(secret, join(at.folder, at.lab, "stolen.ts"));
    mkdirSync(join(at.folder, "private"));
    writeFileSync(join(at.folder, "private/key.ts"), "export const key = 1;");
    symlinkSync(join(at.folder, "private"), join(at.folder, at.lab, "mine"));
    for (const specifier of ["./stolen.ts", "./mine/key.ts"]) {
      const { statement } = await first(
        await start(`import { key } from "${specifier}"; console.log(key);`),
        "refused",
      );
      assert.match(sentence(statement), /is a symbolic link, or lies behind one/);
    }
  });

  test("a name that a module does not export is reported with the line that imports it", async () => {
    const file = join(at.folder, at.lab, "server.ts");
    put("greet.ts", "export const greeting: string = 'hello';\n");
    assert.equal(
      await output('console.log(1);\nimport {\n  greetings,\n} from "./greet.ts";\nconsole.log(greetings);'),
      `file://${file}:3\n  greetings,\n\nSyntaxError: The requested module './greet.ts' does not provide an export named 'greetings'\n`,
    );
  });

  test("an error that only Node finds in a module is reported with that module's line", async () => {
    const path = put("twice.ts", "let a = 1;\nlet a = 2;\n");
    assert.match(
      await output('import "./twice.ts";'),
      new RegExp(
        `^file://${path}:2\nlet a = 2;\n    \\^\n\nSyntaxError: Identifier 'a' has already been declared\n`,
      ),
    );
  });

  test("an error that a module throws is reported with that module's line", async () => {
    const path = put("throws.ts", "export function open(): never {\n  throw new Error('closed');\n}\n");
    const stderr = await output('import { open } from "./throws.ts";\nopen();');
    assert.ok(
      stderr.startsWith(`file://${path}:2\n  throw new Error('closed');\n        ^\n\nError: closed\n`),
      stderr,
    );
  });
});

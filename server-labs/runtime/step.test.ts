// --step in a shell, on a terminal that script(1) makes: what a person types, and what they see.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

const folder = mkdtempSync(join(tmpdir(), "workbook-step-test-"));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, "server.mts");
const net = new URL("net.ts", import.meta.url).href;
writeFileSync(
  file,
  `import { Socket } from ${JSON.stringify(net)};

interface Nothing {}
const socket: Socket = new Socket();
socket.setBlocking(false);
try {
  socket.accept();
} catch {}
socket.close();
console.log("done " + process.argv.slice(2) + ".");
`,
);
// Loaded from where it is, whatever folder the program is in.
const tsx = pathToFileURL(fileURLToPath(import.meta.resolve("tsx"))).href;
const command = `${process.execPath} --import ${tsx} ${file} 7890 --step`;

/** A person at a terminal. */
class Person {
  readonly shell: ChildProcess;
  readonly #closed: Promise<number | null>;
  #seen = "";

  constructor(typed: string) {
    this.shell = spawn("script", ["-qec", typed, "/dev/null"], { stdio: ["pipe", "pipe", "inherit"] });
    this.#closed = once(this.shell, "close").then(([code]) => code as number | null);
    this.shell.stdout!.on("data", (chunk: Buffer) => {
      this.#seen += chunk.toString("utf8").replaceAll("\r", "");
    });
  }

  type(line: string): void {
    this.shell.stdin!.write(`${line}\n`);
  }

  /** What is seen up to and with this, and no longer afterwards. */
  async sees(what: string): Promise<string> {
    for (;;) {
      const at = this.#seen.indexOf(what);
      if (at !== -1) {
        const seen = this.#seen.slice(0, at + what.length);
        this.#seen = this.#seen.slice(at + what.length);
        return seen;
      }
      assert.equal(this.shell.exitCode, null, `"${what}" is not in ${JSON.stringify(this.#seen)}`);
      await Promise.race([once(this.shell.stdout!, "data"), this.#closed]);
    }
  }

  ends(): Promise<number | null> {
    return this.#closed;
  }
}

test("step, next, breakpoints, what is ready, and on: each call with its source line", async () => {
  const person = new Person(command);
  const hello = await person.sees("step> ");
  assert.match(hello, /Stepping through the calls of server\.mts/);
  assert.match(
    hello,
    /before socket\(AF_INET, SOCK_STREAM\|SOCK_CLOEXEC\)\n +server\.mts:4 {2}const socket: Socket = new Socket\(\);\n/,
  );
  person.type("w");
  assert.match(await person.sees("step> "), /has no socket and no epoll open/);
  person.type("");
  assert.match(await person.sees("step> "), /after {2}socket\(.*\) = \d+\n/);
  person.type("w");
  assert.match(await person.sees("step> "), /fd \d+ {2}socket: writable, closed both ways/);
  person.type("n");
  assert.match(await person.sees("step> "), /before fcntl\(\d+, F_GETFL\)\n +server\.mts:5 /);
  person.type("b EAGIAN");
  assert.match(await person.sees("step> "), /There is no EAGIAN\. Did you mean "EAGAIN"\?/);
  person.type("b EINVAL");
  assert.match(await person.sees("step> "), /Breakpoints: 1 any call that fails with EINVAL/);
  person.type("c");
  const hit = await person.sees("step> ");
  assert.match(hit, /breakpoint on any call that fails with EINVAL\nafter {2}accept4\(.*\) = -1 EINVAL/);
  assert.match(hit, /server\.mts:7 {2}socket\.accept\(\);/);
  person.type("d 1");
  assert.match(await person.sees("step> "), /No breakpoints/);
  person.type("fly");
  assert.match(await person.sees("step> "), /"fly" is nothing that can be done here/);
  person.type("c");
  await person.sees("done 7890.");
  assert.equal(await person.ends(), 0);
});

test("it asks on the terminal also when its input is a pipe, and q quits", async () => {
  const person = new Person(`echo no | ${command}; echo status $?`);
  await person.sees("step> ");
  person.type("q");
  const rest = await person.sees("status 0");
  assert.ok(!rest.includes("done"));
  await person.ends();
});

test("without a terminal it says so, and runs", async () => {
  const [program, ...args] = command.split(" ") as [string, ...string[]];
  // In a session of its own, it has no terminal.
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], detached: true });
  const said: Record<string, string> = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const)
    child[stream].on("data", chunk => {
      said[stream] += chunk;
    });
  const [code] = await once(child, "close");
  assert.match(
    said.stderr!,
    /--step asks on the terminal, and this process has none \(.*\): it runs at full speed/,
  );
  assert.deepEqual([code, said.stdout], [0, "done 7890.\n"]);
});

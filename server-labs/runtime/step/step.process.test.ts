// --step on a terminal: what a reader types, and what the terminal shows.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Terminal } from "../../fixtures/terminal.ts";

const folder = mkdtempSync(join(tmpdir(), "workbook-step-test-"));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, "server.mts");
const net = new URL("../net.ts", import.meta.url).href;
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
// An absolute URL: the program runs in another folder.
const tsx = pathToFileURL(fileURLToPath(import.meta.resolve("tsx"))).href;
const command = `${process.execPath} --import ${tsx} ${file} 7890 --step`;

test("step, next, breakpoints, ready descriptors, continue: each call with its source line", async () => {
  const terminal = new Terminal(command);
  const hello = await terminal.shows("step> ");
  assert.match(hello, /Stepping through the calls of server\.mts/);
  assert.match(
    hello,
    /before socket\(AF_INET, SOCK_STREAM\|SOCK_CLOEXEC\)\n +server\.mts:4 {2}const socket: Socket = new Socket\(\);\n/,
  );
  terminal.type("w");
  assert.match(await terminal.shows("step> "), /has no socket and no epoll open/);
  terminal.type("");
  assert.match(await terminal.shows("step> "), /after {2}socket\(.*\) = \d+\n/);
  terminal.type("w");
  assert.match(await terminal.shows("step> "), /fd \d+ {2}socket: writable, closed both ways/);
  terminal.type("n");
  assert.match(await terminal.shows("step> "), /before fcntl\(\d+, F_GETFL\)\n +server\.mts:5 /);
  terminal.type("b EAGIAN");
  assert.match(await terminal.shows("step> "), /There is no EAGIAN\. Did you mean "EAGAIN"\?/);
  terminal.type("b EINVAL");
  assert.match(await terminal.shows("step> "), /Breakpoints: 1 any call that fails with EINVAL/);
  terminal.type("c");
  const hit = await terminal.shows("step> ");
  assert.match(hit, /breakpoint on any call that fails with EINVAL\nafter {2}accept4\(.*\) = -1 EINVAL/);
  assert.match(hit, /server\.mts:7 {2}socket\.accept\(\);/);
  terminal.type("d 1");
  assert.match(await terminal.shows("step> "), /No breakpoints/);
  terminal.type("fly");
  assert.match(await terminal.shows("step> "), /"fly" is nothing that can be done here/);
  terminal.type("c");
  await terminal.shows("done 7890.");
  assert.equal(await terminal.ended(), 0);
});

test("the program reads commands from the terminal when its standard input is a pipe too, and q quits", async () => {
  const terminal = new Terminal(`echo no | ${command}; echo status $?`);
  await terminal.shows("step> ");
  terminal.type("q");
  const rest = await terminal.shows("status 0");
  assert.ok(!rest.includes("done"));
  await terminal.ended();
});

test("without a terminal it prints a sentence, and runs", async () => {
  const [program, ...args] = command.split(" ") as [string, ...string[]];
  // A new session has no terminal.
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], detached: true });
  const printed: Record<string, string> = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const)
    child[stream].on("data", chunk => {
      printed[stream] += chunk;
    });
  const [code] = await once(child, "close");
  assert.match(
    printed.stderr!,
    /--step reads commands from the terminal, and this process has no terminal \(.*\): the program runs at full speed/,
  );
  assert.deepEqual([code, printed.stdout], [0, "done 7890.\n"]);
});

// Exchanges with a server that echoes: whatever the client sends as an answer comes back, right or wrong.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Exchange } from "./exchange.ts";
import { commandFor } from "./exchange-words.ts";
import { tryOut } from "./fixtures/try-out.ts";
import { Site } from "./site.ts";

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const become = (wish: Omit<Exchange, "about">) =>
  tryOut("echoes.ts", async ({ exchange }) => {
    await exchange({ about: "an echo", ...wish });
  });

test("right answers pass, however they were cut", async () => {
  const body = "ok";
  const wants = [{ status: 200, body }, 200];
  const outcome = await become({ sends: [ok.slice(0, 9), ok.slice(9) + ok], wants, after: "open" });
  assert.equal(outcome.state, "passed", JSON.stringify(outcome.failure, null, 2));
});

const failures: [string, Omit<Exchange, "about">, RegExp][] = [
  ["another status", { sends: ok, wants: [404] }, /^An echo: the answer has the status 200\.$/],
  ["another body", { sends: ok, wants: [{ status: 200, body: "oh" }] }, /differs from octet 1 on/],
  ["a missing field", { sends: ok, wants: [{ status: 200, head: { date: /GMT/ } }] }, /has no Date/],
  ["nothing", { sends: "", wants: [200] }, /the answer did not come/],
  ["half an answer", { sends: ok.slice(0, -1), wants: [200] }, /1 of the 2 octets of the body/],
  [
    "octets too many",
    { sends: `${ok}!`, wants: [200], after: "open" },
    /1 octet came too many behind the last answer, at octet 40 of what came: "!"/,
  ],
  [
    "octets in place of the next answer",
    { sends: `${ok}!${ok}`, wants: [200, 200] },
    /answer 2 of 2 is wrong at octet 40 of what came: a status line should stand there, and it is "!HTTP/,
  ],
  ["a connection that stays", { sends: ok, wants: [200], after: "close" }, /did not close the connection/],
];
for (const [name, wish, sentence] of failures) {
  test(`what is said of ${name}`, async () => {
    const outcome = await become({ ...wish, because: "It is so." });
    assert.equal(outcome.state, "failed");
    assert.match(outcome.failure!.summary, sentence);
    assert.equal(outcome.failure!.because, "It is so.");
  });
}

test("of half an answer is told how much had come in the end", async () => {
  const outcome = await tryOut("echoes.ts", async ({ client, exchange, server }) => {
    const one = await client();
    one.send(`${ok.replace("Length: 2", "Length: 9")}ab`);
    const judged = exchange({ about: "an echo", client: one, sends: [], wants: [200] });
    await server.quiet(50);
    one.send("cd");
    await judged;
  });
  assert.match(outcome.failure!.summary, /6 of the 9 octets of the body/);
});

test("the same for a shell: what bash or printf would read as something else is written as a number", () => {
  const text = `GET /"$x'%\\\`!ÿ`;
  const command = commandFor([text, "\r\n"])!.replace("exec 3<>/dev/tcp/127.0.0.1/{port}; ", "exec 3>&1; ");
  const { stdout } = spawnSync("sh", ["-c", command.replace("timeout 2 cat <&3", ":")]);
  assert.equal(stdout.toString("latin1"), `${text}\r\n`);
  assert.equal(commandFor([]), undefined);
});

test("a check brings files, and nothing is left of them", async () => {
  let folder = "";
  const outcome = await tryOut(
    "echoes.ts",
    async ({ site, server }) => {
      folder = site.folder;
      assert.ok(existsSync(`/proc/${server.pids[0]}/cwd/html/a.txt`));
      assert.ok(existsSync(`/proc/${server.pids[0]}/cwd/html/b.txt`));
    },
    { check: { files: { "html/a.txt": "a", "html/b.txt": { link: "a.txt" }, "html/f": { fifo: true } } } },
  );
  assert.equal(outcome.state, "passed", JSON.stringify(outcome.failure, null, 2));
  assert.ok(folder !== "" && !existsSync(folder));
});

test("a command finds in the folder what lies beside it", () => {
  const site = new Site({ "html/a.txt": "mine" });
  const subject = site.around({ kind: "command", line: "cat exchange.ts", cwd: import.meta.dirname });
  assert.equal(subject.cwd, site.folder);
  assert.ok(existsSync(join(site.folder, "exchange.ts")));
  site.remove();
  assert.ok(existsSync(join(import.meta.dirname, "exchange.ts")), "links are removed, not what they lead to");
});

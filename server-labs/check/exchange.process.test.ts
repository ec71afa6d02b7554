// Exchanges with an echo server: the client sends an answer, and the answer comes back, right or wrong.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { commandFor, type Exchange } from "./exchange.ts";
import { checkFixture } from "./fixtures/check-fixture.ts";
import { SiteFolder } from "./site-folder.ts";

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const exchangeWithEcho = (rest: Omit<Exchange, "about">) =>
  checkFixture("echoes/solution.ts", async ({ exchange }) => {
    await exchange({ about: "an echo", ...rest });
  });

test("right answers pass, in any pieces", async () => {
  const body = "ok";
  const wants = [{ status: 200, body }, 200];
  const outcome = await exchangeWithEcho({ sends: [ok.slice(0, 9), ok.slice(9) + ok], wants, after: "open" });
  assert.equal(outcome.state, "passed", JSON.stringify(outcome.failure, null, 2));
});

const failures: [string, Omit<Exchange, "about">, RegExp][] = [
  ["another status", { sends: ok, wants: [404] }, /^An echo: the answer has the status 200\.$/],
  ["another body", { sends: ok, wants: [{ status: 200, body: "oh" }] }, /differs from byte 1 on/],
  ["a missing field", { sends: ok, wants: [{ status: 200, head: { date: /GMT/ } }] }, /has no Date/],
  ["nothing", { sends: "", wants: [200] }, /the answer did not come/],
  ["half an answer", { sends: ok.slice(0, -1), wants: [200] }, /1 of the 2 bytes of the body/],
  [
    "a byte too many",
    { sends: `${ok}!`, wants: [200], after: "open" },
    /1 byte too many came behind the last answer, at byte 40 of what came: "!"/,
  ],
  [
    "a byte in place of the next answer",
    { sends: `${ok}!${ok}`, wants: [200, 200] },
    /answer 2 of 2 is wrong at byte 40 of what came: a status line should be there, and it is "!HTTP/,
  ],
  ["a connection that stays", { sends: ok, wants: [200], after: "close" }, /did not close the connection/],
];
for (const [name, rest, sentence] of failures) {
  test(`the failure of ${name}`, async () => {
    const outcome = await exchangeWithEcho({ ...rest, because: "It is so." });
    assert.equal(outcome.state, "failed");
    assert.match(outcome.failure!.summary, sentence);
    assert.equal(outcome.failure!.because, "It is so.");
  });
}

test("the failure of half an answer counts the bytes that had come in the end", async () => {
  const outcome = await checkFixture("echoes/solution.ts", async ({ client, exchange, server }) => {
    const one = await client();
    one.send(`${ok.replace("Length: 2", "Length: 9")}ab`);
    const exchanged = exchange({ about: "an echo", client: one, sends: [], wants: [200] });
    await server.wait(50);
    one.send("cd");
    await exchanged;
  });
  assert.match(outcome.failure!.summary, /6 of the 9 bytes of the body/);
});

test("the shell command sends the same bytes: it escapes what has a meaning for bash or printf", () => {
  const text = `GET /"$x'%\\\`!ÿ`;
  const command = commandFor([text, "\r\n"])!.replace("exec 3<>/dev/tcp/127.0.0.1/{port}; ", "exec 3>&1; ");
  const { stdout } = spawnSync("sh", ["-c", command.replace("timeout 2 cat <&3", ":")]);
  assert.equal(stdout.toString("latin1"), `${text}\r\n`);
  assert.equal(commandFor([]), undefined);
});

test("a check brings files, and they are removed afterwards", async () => {
  let folder = "";
  const outcome = await checkFixture(
    "echoes/solution.ts",
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

test("a command finds the files of its own directory in the site folder", () => {
  const site = new SiteFolder({ "html/a.txt": "mine" });
  const subject = site.around({ kind: "command", line: "cat exchange.ts", cwd: import.meta.dirname });
  assert.equal(subject.cwd, site.folder);
  assert.ok(existsSync(join(site.folder, "exchange.ts")));
  site.remove();
  assert.ok(
    existsSync(join(import.meta.dirname, "exchange.ts")),
    "remove() removes the links, and not their targets",
  );
});

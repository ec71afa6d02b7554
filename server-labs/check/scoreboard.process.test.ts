// The scoreboard as a command: a rival that runs, one that is not installed, and one that does not start, in a book
// of its own.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { writeBook } from "../fixtures/book.ts";
import { packageRoot } from "../lib/package-root.ts";
import type { Event } from "../protocol.ts";

const lab = "01-sockets/02-listen/lab";
const main = join(packageRoot, "dist/server-labs/check/main.js");

/** Greets each client, by workbook/net as a student's program does. */
const solution = `import { AF_INET, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, Socket } from "workbook/net";
const listener = new Socket(AF_INET, SOCK_STREAM);
listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
listener.bind({ host: "127.0.0.1", port: Number(process.argv[2]) });
listener.listen(128);
while (true) listener.accept()!.client.send("hello\\n");
`;
const checks = `import { check } from "workbook/check";
// ---- words
check("greets", "greets a client", async ({ client, expect }) => {
  expect(await (await client()).receives("hello\\n"), "The client was not greeted.").ok();
});
// ---- rules
check("ours", "says no more", async ({ clients, server, expect }) => {
  const [one] = await clients(1);
  await one!.receives("hello\\n");
  expect(one!.received.toString(), "The server said more.").equal("hello\\n", { labRule: "Other servers may say more." });
});
check("sees", "calls send", async ({ client, server, expect }) => {
  const watch = server.watch();
  await (await client()).receives("hello\\n");
  expect(watch.calls.named("send").length > 0, "No send.").ok();
});
`;
/** It has its folder for itself: it writes there. */
const talker = `import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
writeFileSync("written", "");
createServer(socket => socket.on("error", () => {}).write("hello\\nand more\\n")).listen(process.argv[2], "127.0.0.1");
`;
const rivals = `talker:
  name: talker
  command: node talker.mjs {port}
absent:
  name: absent
  command: no-such-server {port}
  needs: no-such-server
  get: apt-get install no-such-server
broken:
  name: broken
  command: echo "no server on {port}"; exit 3
`;

const book = writeBook({
  [`${lab}/starter.ts`]: "process.exit(1);\n",
  [`${lab}/solution.ts`]: solution,
  [`${lab}/checks.ts`]: checks,
  [`${lab}/rivals/talker.mjs`]: talker,
  [`${lab}/rivals/rivals.yaml`]: rivals,
});
const temporary = mkdtempSync(join(tmpdir(), "workbook-scoreboard-"));
after(() => {
  book[Symbol.dispose]();
  rmSync(temporary, { recursive: true });
});

async function run(...args: string[]) {
  const argv = [main, "sockets/listen", "--chapters", book.folder, "--scoreboard", ...args];
  const env = { ...process.env, WORKBOOK_HOME: "/nonexistent", TMPDIR: temporary };
  const child = spawn(process.execPath, argv, { env });
  let [out, err] = ["", ""];
  child.stdout.on("data", chunk => (out += chunk));
  child.stderr.on("data", chunk => (err += chunk));
  const code = await new Promise<number | null>(resolve => child.on("close", resolve));
  return { code, out, err };
}

test("one table has all servers: what passed, what failed, what is not judged, what is not installed", async () => {
  const { code, out, err } = await run("--solution");
  assert.equal(code, 0, out + err);
  const row = (id: string) => out.split("\n").find(line => line.startsWith(`  ${id} `))!;
  const [passed, unjudged, unseen, absent] = ["✓ passed", "– not judged", "\\? not seen", "· not installed"];
  assert.match(row("greets"), new RegExp(`${passed} +${passed} +${absent} +${unjudged}$`));
  assert.match(row("ours"), new RegExp(`${passed} +${unjudged} +${absent} +${unjudged}$`));
  assert.match(row("sees"), new RegExp(`${passed} +${unseen} +${absent} +${unjudged}$`));
  assert.match(out, /^words\n {2}greets .*\nrules\n {2}ours /m);
  assert.match(out, /absent: not installed: apt-get install no-such-server\./);
  assert.match(out, /ours, not judged: Other servers may say more\. Measured: The server said more \(/);
  assert.match(
    out,
    /broken: 0 of 3 checks passed, 3 not judged\.\n {2}greets, not judged: The server did not/,
  );
  assert.deepEqual(readdirSync(join(book.folder, lab, "rivals")).sort(), ["rivals.yaml", "talker.mjs"]);
  assert.deepEqual(readdirSync(temporary), [], "each server's folder is removed");
});

test("as JSON each report of a rival names it, and the first line names all servers", async () => {
  const { code, out, err } = await run("--starter", "--only", "greets", "--json");
  assert.equal(code, 1, out + err);
  const [first, ...events] = out
    .trim()
    .split("\n")
    .map(line => JSON.parse(line) as Event);
  assert.ok(first?.type === "scoreboard");
  assert.deepEqual(
    first.servers.map(({ id, missing }) => [id, missing?.get]),
    [
      ["own", undefined],
      ["talker", undefined],
      ["absent", "apt-get install no-such-server"],
      ["broken", undefined],
    ],
  );
  const last = Object.fromEntries(
    events.flatMap(event => (event.type === "check" ? [[event.server ?? "own", event.state]] : [])),
  );
  assert.deepEqual(last, { own: "failed", talker: "passed", broken: "unjudged" });
});

test("a lab without rivals has no scoreboard", async () => {
  const argv = [main, "non-blocking/polling-model", "--scoreboard", "--solution"];
  const child = spawn(process.execPath, argv, { stdio: ["ignore", "ignore", "pipe"] });
  let err = "";
  child.stderr.on("data", chunk => (err += chunk));
  assert.equal(await new Promise(resolve => child.on("close", resolve)), 2);
  assert.match(err, /non-blocking\/polling-model has no rivals: there is no scoreboard\./);
});

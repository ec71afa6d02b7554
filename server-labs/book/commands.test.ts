// Commands: which may wait for a student's server without end, and that no check offers one.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { firstCommand } from "../protocol.ts";
import { commandWithoutLimit } from "./commands.ts";

const projectRoot = fileURLToPath(new URL("../..", import.meta.url));
const port = "127.0.0.1:7890";
const tcp = "/dev/tcp/127.0.0.1/7890";

test("a curl that may wait for ever is found", () => {
  assert.equal(commandWithoutLimit(`curl -i http://${port}/`), `curl -i http://${port}/`);
  assert.equal(
    commandWithoutLimit("echo; curl -s \\\n  http://127.0.0.1:7/ | wc -c"),
    "curl -s     http://127.0.0.1:7/",
  );
  assert.equal(
    commandWithoutLimit("curl --max-time 2 http://127.0.0.1:1/; curl http://127.0.0.1:1/x"),
    "curl http://127.0.0.1:1/x",
  );
});

test("any other command that may wait for a server for ever is found", () => {
  for (const [text, found] of [
    [`node -e 'require("net").connect(1)'`, /^node -e/],
    [`time node -e 'fetch("http://${port}")'`, /^node -e/],
    [`bash -c 'exec 3<>${tcp}; echo hello >&3; cat <&3'`, /^cat <&3/],
    [`bash -c 'exec 3<>${tcp}; echo hello >&3; time { head -n 2 <&3; }'`, /^head -n 2 <&3/],
    [`bash -c 'exec 3<>${tcp}; while read -r line <&3; do echo $line; done'`, /^read -r line <&3/],
    [`timeout 1 true; bash -c 'cat <${tcp}'`, /^cat </],
    ["nc 127.0.0.1 7890", /^nc/],
  ] as const)
    assert.match(commandWithoutLimit(text) ?? "none", found, text);
});

test("a command with a limit, or one that waits for no server of this machine, is not found", () => {
  for (const text of [
    `curl -i --max-time 2 http://${port}/`,
    `curl -s \\\n  --max-time 2 http://${port}/`,
    `curl -m 2 http://${port}/`,
    `timeout -s KILL 1 curl -s http://${port}/`,
    "curl",
    "curl -d x https://example.org/",
    `time timeout 5 node -e 'require("net").connect(1)'`,
    `bash -c 'exec 3<>${tcp}; timeout 2 cat <&3'`,
    `timeout 5 bash -c 'exec 3<>${tcp}; head -n 2 <&3'`,
    `bash -c 'exec 3<>${tcp}; read -t 2 <&3'`,
    `bash -c 'exec 3<>${tcp}; sleep 9'`,
    `ls /proc/1/fd | wc -l`,
    "node -p 1",
    "head -3 server.ts",
  ])
    assert.equal(commandWithoutLimit(text), null, text);
});

test("the first command that a lab offers has a limit, whatever the lab speaks", () => {
  for (const http of [true, false]) assert.equal(commandWithoutLimit(firstCommand(7890, http)), null);
  assert.match(firstCommand(7890, true), /^curl --max-time \d+ -i /);
  assert.doesNotMatch(firstCommand(7890, false), /curl/);
});

test("no command that a check offers may wait for ever", () => {
  const files = ["chapters", "server-labs/check"].flatMap(folder =>
    readdirSync(join(projectRoot, folder), { recursive: true, encoding: "utf8" })
      .map(file => join(projectRoot, folder, file))
      .filter(file => /\/lab\/checks\.ts$|\/check\/[\w-]+(?<!\.test)\.ts$/.test(file)),
  );
  assert.ok(files.length > 10, `${files.length} files`);
  for (const file of files)
    for (const line of readFileSync(file, "utf8").split("\n"))
      if (line.includes("{port}")) assert.equal(commandWithoutLimit(line), null, `${file}: ${line.trim()}`);
});

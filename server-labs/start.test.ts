// Which Nodes are sent away, and with which words: by the start script itself, told that it is run by another Node.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { aLab } from "./fixtures/a-lab.ts";

/** What the start script says to somebody with this Node. Not on Linux: so it ends there, and installs nothing. */
function startWith(node: string): { status: number | null; stderr: string } {
  const pretend = `
    Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${node}" } });
    Object.defineProperty(process, "version", { value: "v${node}" });
    Object.defineProperty(process, "platform", { value: "darwin" });`;
  const argv = ["--import", `data:text/javascript,${encodeURIComponent(pretend)}`, "server-labs/start.mjs"];
  return spawnSync(process.execPath, argv, { cwd: aLab.packageRoot, encoding: "utf8" });
}

for (const node of ["18.20.8", "20.18.3", "21.7.3", "22.11.0"])
  test(`Node ${node} is told which one is needed`, () => {
    const { status, stderr } = startWith(node);
    assert.equal(status, 1);
    assert.equal(
      stderr,
      `The workbook needs Node 20.19, 22.12 or newer; this is v${node}. Install a newer one from https://nodejs.org/ and try again.\n`,
    );
  });

for (const node of ["20.19.0", "22.12.0", "23.0.0", "24.0.0", "26.9.0"])
  test(`Node ${node} will do`, () => {
    const { status, stderr } = startWith(node);
    assert.equal(status, 1);
    assert.match(stderr, /^The workbook runs on Linux, because it teaches epoll\./);
  });

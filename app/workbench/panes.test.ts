// Every pane of the registry has its folder, and every folder its row.
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { paneNames } from "./panes.ts";

const folder = fileURLToPath(new URL("panes", import.meta.url));

test("each row of the registry has one folder with a pane.ts, and each folder a row", () => {
  const folders = readdirSync(folder, { withFileTypes: true }).filter(entry => entry.isDirectory());
  assert.deepEqual(folders.map(({ name }) => name).sort(), paneNames.map(name => name.toLowerCase()).sort());
  for (const { name } of folders)
    assert.ok(
      existsSync(`${folder}/${name}/pane.ts`),
      `panes/${name}/ has no pane.ts that exports \`pane\`.`,
    );
});

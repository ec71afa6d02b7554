import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { moduleGraph } from "./module-graph.ts";

test("the graph has each file that is imported, in whatever form, once and before it is read", () => {
  const folder = mkdtempSync(join(tmpdir(), "workbook-graph-test-"));
  const write = (file: string, text: string) => writeFileSync(join(folder, file), text);
  mkdirSync(join(folder, "below"));
  write(
    "entry.js",
    'import { readSync } from "node:fs";\nimport "./effect.js";\nimport a, { b } from "./a.js";',
  );
  write("effect.js", 'if (a) (await import("./below/late.js")).start();');
  write(
    "a.js",
    'export * from "./entry.js";\nimport {\n  c,\n} from "./below/c.js";\nimport koffi from "koffi";',
  );
  write("below/c.js", 'export { d } from "../gone.js";');
  write("below/late.js", "");
  const order: string[] = [];
  const files = moduleGraph(join(folder, "entry.js"), file => order.push(file));
  rmSync(folder, { recursive: true });
  assert.deepEqual(
    files.map(file => relative(folder, file)),
    ["entry.js", "effect.js", "a.js", "below/late.js", "below/c.js", "gone.js"],
  );
  assert.deepEqual(order, files);
});

test("the graph of the built runtime reaches beyond its folder", () => {
  const built = fileURLToPath(new URL("../../dist/server-labs", import.meta.url));
  const files = moduleGraph(join(built, "runtime/program.js")).map(file => relative(built, file));
  for (const file of ["runtime/net.js", "modules/resolve.js", "trace/layout.js"])
    assert.ok(files.includes(file), `${file} is not among ${files.join(", ")}`);
});

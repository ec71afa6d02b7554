import assert from "node:assert/strict";
import { test } from "node:test";
import { LabWorker } from "./lab-worker.ts";

const server = "file:///non-blocking/polling-model/server.ts";
const greet = "file:///non-blocking/polling-model/greet.ts";

/** The worker over these files, with the page's options that say how modules are found. */
function workerOver(files: Record<string, string>) {
  const models = Object.entries(files).map(([address, text]) => ({
    uri: new URL(address),
    version: 1,
    getValue: () => text,
  }));
  for (const { uri } of models) Object.assign(uri, { path: uri.pathname });
  const compilerOptions = {
    target: 9,
    module: 99,
    moduleResolution: 100,
    moduleDetection: 3,
    noLib: true,
    types: [],
    allowImportingTsExtensions: true,
    noEmit: true,
    allowNonTsExtensions: true,
  };
  const context = { getMirrorModels: () => models };
  return new LabWorker(context as never, { compilerOptions, extraLibs: {} } as never);
}

test("a name of the file beside is offered, and its quick fix imports it", async () => {
  const text = "const n = greeting;\n";
  const worker = workerOver({ [server]: text, [greet]: "export const greeting: string = 'x';\n" });
  const start = text.indexOf("greeting");
  const cannotFindName = 2304;
  const fixes = await worker.getCodeFixesAtPosition(server, start, start + 8, [cannotFindName], {});
  const changes = fixes.flatMap(fix => fix.changes.flatMap(change => change.textChanges));
  assert.match(changes[0]?.newText ?? "", /^import { greeting } from "\.\/greet\.ts";/);
  const names = await worker.importableNames(server, start + 4);
  assert.deepEqual(
    names.map(({ name, source }) => [name, source]),
    [["greeting", "./greet.ts"]],
  );
});

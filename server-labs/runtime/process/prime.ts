// Priming. Does what Node does lazily (the first module, the first console.log) while the process waits as a spare: each
// costs a millisecond or two, and leaves no trace that a program could see.
import { setImmediate } from "node:timers/promises";
import { ModuleLoader } from "./module-loader.ts";

const nothing = "/nothing.mjs";

/** Resolves when the next module is fast. */
export async function prime(): Promise<void> {
  // Node warns once that vm modules may change in a later version: not a fact about the student's program.
  const warn = process.listeners("warning");
  process.removeAllListeners("warning");
  const texts = new Map([[nothing, 'import { Socket } from "workbook/net";\nimport.meta.url;']]);
  await new ModuleLoader(texts).run(nothing);
  const discard = { value: () => true, configurable: true };
  for (const stream of [process.stdout, process.stderr]) Object.defineProperty(stream, "write", discard);
  console.log("%s %d", "a", 1, { b: [Buffer.alloc(1)] });
  console.error("a");
  for (const stream of [process.stdout, process.stderr] as { write?: unknown }[]) delete stream.write;
  await setImmediate();
  for (const listener of warn) process.on("warning", listener);
}

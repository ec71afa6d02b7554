// What Node does lazily, done while nobody waits for it: a first import of a file, a first console.log. Each costs a
// millisecond or two, and leaves nothing behind that a program could see.

/** Resolves when a program that is imported next finds all of it done. */
export async function prime(): Promise<void> {
  await import("./nothing.ts");
  const swallow = { value: () => true, configurable: true };
  for (const stream of [process.stdout, process.stderr]) Object.defineProperty(stream, "write", swallow);
  console.log("%s %d", "a", 1, { b: [Buffer.alloc(1)] });
  console.error("a");
  for (const stream of [process.stdout, process.stderr] as { write?: unknown }[]) delete stream.write;
}

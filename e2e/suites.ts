// Suites. Several test files in one process: a suite for each file, so that the hooks of a file are for its own tests.
import { join } from "node:path";
import { suite } from "node:test";
import { pathToFileURL } from "node:url";

export function suitesOf(files: readonly string[]): void {
  for (const file of files)
    suite(file, async () => {
      await import(pathToFileURL(join(process.cwd(), file)).href);
    });
}

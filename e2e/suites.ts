// Suites. Several test files in one process: a suite for each file, so that the hooks of a file are for its own tests.
import { join } from "node:path";
import { suite } from "node:test";
import { pathToFileURL } from "node:url";

/** A test that waits for ever is named in its file's report, long before its group is ended. */
const timeout = 5 * 60_000;

/** Loads the files one after another: what one awaits at its top must not be awaited in the suite of another. */
export async function suitesOf(files: readonly string[]): Promise<void> {
  for (const file of files) {
    const { href } = pathToFileURL(join(process.cwd(), file));
    await new Promise<void>((resolve, reject) => {
      suite(file, { timeout }, () => import(href).then(() => resolve(), reject));
    });
  }
}

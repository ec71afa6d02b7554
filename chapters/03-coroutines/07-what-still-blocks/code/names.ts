// Names. Node looks up names and opens files in a pool of four threads: four files that wait hold up a name.
import { execFileSync, spawn } from "node:child_process";
import { lookup } from "node:dns";
import { close, mkdtempSync, open, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "names-"));
const fifo = join(folder, "fifo");
execFileSync("mkfifo", [fifo]);
const begin = performance.now();
const tell = (what: string) => console.log(`${what} after ${Math.round(performance.now() - begin)} ms`);

// #region names
spawn("sh", ["-c", `sleep 0.5; exec 3> ${fifo}; sleep 0.2`]);
let opened = 0;
for (let i = 0; i < 4; i++)
  open(fifo, "r", (_error, fd) => {
    close(fd);
    if (++opened === 4) rmSync(folder, { recursive: true });
  });
lookup("localhost", () => tell("a name"));
setTimeout(() => tell("a timer"), 20);
// #endregion names

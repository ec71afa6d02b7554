// Files. A hub can wait for a pipe and not for a regular file; and opening a FIFO may wait before there is a descriptor.
import { execFileSync, spawn as startProcess } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readable, run, type Steps } from "workbook/tasks";
import { besideHeartbeat } from "./heartbeat.ts";

const folder = mkdtempSync(join(tmpdir(), "fifo-"));
const fifo = join(folder, "fifo");
execFileSync("mkfifo", [fifo]);

// #region regular
function* regularFile(): Steps<void> {
  const fd = openSync("/etc/passwd", "r");
  try {
    yield* readable(fd);
  } catch (error) {
    console.error((error as Error).message);
  } finally {
    closeSync(fd);
  }
}
// #endregion regular

/** Another process writes into the FIFO after half a second. */
function writeLater(): void {
  startProcess("sh", ["-c", `sleep 0.5; echo tea > ${fifo}`]);
}

// #region fifo
function blocking(): void {
  writeLater();
  const fd = openSync(fifo, "r"); // waits for a writer
  print(fd);
}

function* nonBlocking(): Steps<void> {
  writeLater();
  const fd = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  yield* readable(fd);
  print(fd);
}
// #endregion fifo

function print(fd: number): void {
  const bytes = Buffer.alloc(100);
  console.error(`read ${JSON.stringify(bytes.toString("utf8", 0, readSync(fd, bytes)))}`);
  closeSync(fd);
}

try {
  run(regularFile());
  run(besideHeartbeat("open of a FIFO", blocking));
  run(besideHeartbeat("open with O_NONBLOCK", nonBlocking));
} finally {
  rmSync(folder, { recursive: true });
}

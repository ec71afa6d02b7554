// Large file. Makes html/large.bin, which is too large for one send() and does not belong in git: 8 MB of lines of 64 bytes,
// each of which begins with its own offset, so that the bytes show where a server cuts or repeats them.
// It runs at install, before the build: plain JavaScript.
import { existsSync, renameSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const file = fileURLToPath(new URL("../html/large.bin", import.meta.url));
const size = 8 * 1024 * 1024;
const line = 64;

if (!existsSync(file) || statSync(file).size !== size) {
  const bytes = Buffer.alloc(size, ".");
  for (let offset = 0; offset < size; offset += line) {
    bytes.write(`${String(offset).padStart(8, "0")} `, offset, "latin1");
    bytes.write("\n", offset + line - 1, "latin1");
  }
  // Renamed when it is whole: two installs may run at once, and one may be interrupted.
  const part = `${file}.${process.pid}`;
  writeFileSync(part, bytes);
  renameSync(part, file);
}

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { programFile } from "../../fixtures/built-runtime.ts";
import * as errno from "./errno.ts";
import { lastErrno, native, strerror } from "./libc.ts";

test("lastErrno is the errno of the call before", () => {
  assert.equal(native.close(-1), -1);
  assert.equal(lastErrno(), errno.EBADF);
  assert.equal(strerror(errno.EBADF), "Bad file descriptor");
  assert.equal(errno.errnoName(errno.EAGAIN), "EAGAIN");
  assert.equal(errno.errnoName(12345), "errno 12345");
});

test("without koffi the error says what koffi is, why it is missing, and what to do", () => {
  const folder = mkdtempSync(join(tmpdir(), "workbook-without-koffi-"));
  cpSync(dirname(dirname(programFile)), folder, { recursive: true });
  const { stderr, status } = spawnSync(
    process.execPath,
    ["--input-type=module", "-e", `import "${folder}/runtime/net.js"`],
    {
      encoding: "utf8",
    },
  );
  rmSync(folder, { recursive: true });
  assert.match(stderr, /workbook\/net cannot load koffi, the package that calls the C library/);
  assert.match(stderr, /run `npm ci` in the workbook's folder/);
  assert.match(stderr, /It said: Cannot find module 'koffi'/);
  assert.equal(status, 1);
});

for (const [platform, arch] of [
  ["darwin", "arm64"],
  ["linux", "riscv64"],
] as const) {
  test(`on ${platform} ${arch} the error says where the runtime works`, () => {
    const script = `
      Object.defineProperty(process, "platform", { value: "${platform}" });
      Object.defineProperty(process, "arch", { value: "${arch}" });
      await import("${programFile.replace("program.js", "net.js")}");`;
    const { stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      encoding: "utf8",
    });
    assert.match(
      stderr,
      new RegExp(`this is ${platform} on ${arch}\\. Run it on such a Linux: WSL2, a container`),
    );
  });
}

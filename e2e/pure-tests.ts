// Pure tests. Every *.test.ts that starts no process and opens no port, in one Node process: one start, one compiler.
// A pure test that spawns or listens fails here, with the name that its file should have.
import childProcess from "node:child_process";
import { syncBuiltinESMExports } from "node:module";
import net from "node:net";
import { join } from "node:path";
import { suite } from "node:test";
import { pathToFileURL } from "node:url";
import { pureTests } from "./unit-tests.ts";

const forbidden = (what: string) => () => {
  throw new Error(
    `A pure test calls ${what}. Name its file *.process.test.ts, which gives it its own process.`,
  );
};
for (const name of ["spawn", "spawnSync", "exec", "execSync", "execFile", "execFileSync", "fork"] as const)
  Object.assign(childProcess, { [name]: forbidden(`child_process.${name}()`) });
net.Server.prototype.listen = forbidden("listen()") as never;
syncBuiltinESMExports();

// A suite for each file, so that the hooks of a file are for its own tests.
for (const file of pureTests())
  suite(file, async () => {
    await import(pathToFileURL(join(process.cwd(), file)).href);
  });

// Pure tests. Every *.test.ts that starts no process and opens no port, in one Node process: one start, one compiler.
// A pure test that spawns or listens fails here, with the name that its file should have.
import childProcess from "node:child_process";
import { syncBuiltinESMExports } from "node:module";
import net from "node:net";
import { suitesOf } from "./suites.ts";
import { pureTests } from "./unit-tests.ts";

const forbidden = (what: string) => () => {
  throw new Error(`A pure test calls ${what}. Name its file *.process.test.ts: those run later, and may.`);
};
for (const name of ["spawn", "spawnSync", "exec", "execSync", "execFile", "execFileSync", "fork"] as const)
  Object.assign(childProcess, { [name]: forbidden(`child_process.${name}()`) });
net.Server.prototype.listen = forbidden("listen()") as never;
syncBuiltinESMExports();

await suitesOf(pureTests());

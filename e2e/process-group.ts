// Process group. The test files that the arguments name, in this one process: `node --import tsx e2e/process-group.ts FILE...`
import { suitesOf } from "./suites.ts";

await suitesOf(process.argv.slice(2));

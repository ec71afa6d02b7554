// Unit tests. Which files are the pure tier, and which the tier of processes: *.process.test.ts.
import { readdirSync } from "node:fs";
import { join } from "node:path";

const all = (): string[] =>
  ["server-labs", "app"].flatMap(room =>
    readdirSync(room, { recursive: true, encoding: "utf8" })
      .filter(file => file.endsWith(".test.ts"))
      .sort()
      .map(file => join(room, file)),
  );
const ofProcesses = (file: string) => file.endsWith(".process.test.ts");

/** Tests that start no process, open no port and wait for no clock. */
export const pureTests = (): string[] => all().filter(file => !ofProcesses(file));

/** Tests that start real processes, each file in a process of its own. */
export const processTests = (): string[] => all().filter(ofProcesses);

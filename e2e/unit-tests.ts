// Unit tests. Which files are the pure tier, and which the tier of processes (*.process.test.ts) in which groups.
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";

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

export interface Group {
  name: string;
  files: string[];
}

/** Rooms that share a group, the groups that take longest first; each other room, and each file of none, is one alone. */
const together = [
  ["server-labs/runs"],
  ["server-labs/check"],
  ["server-labs/runtime", "server-labs/trace", "server-labs/protocol"],
  ["server-labs/process", "server-labs/pace", "server-labs/kernel", "server-labs/visits"],
  ["app", "server-labs/book"],
  [
    "server-labs/http",
    "server-labs/service",
    "server-labs/workspace",
    "server-labs/lib",
    "server-labs/modules",
  ],
];

/** Tests that start real processes, in groups that take about as long as each other. */
export function processGroups(): Group[] {
  const groups = together.map(([name = "", ...more]) => ({
    name,
    rooms: [name, ...more],
    files: [] as string[],
  }));
  for (const file of all().filter(ofProcesses)) {
    const room = file.startsWith("app/") ? "app" : dirname(file).split("/", 2).join("/");
    const name = room === "server-labs" ? file : room;
    const group = groups.find(({ rooms }) => rooms.includes(name));
    if (group) group.files.push(file);
    else groups.push({ name, rooms: [name], files: [file] });
  }
  return groups.filter(({ files }) => files.length > 0);
}

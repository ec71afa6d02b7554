// Rules that no linter knows: how a file opens, which room imports which, and one meaning for each exported name.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

const files = ["app", "server-labs", "e2e"].flatMap(room =>
  readdirSync(join(root, room), { recursive: true, encoding: "utf8" })
    .map(file => `${room}/${file}`)
    .filter(file => /\.(ts|tsx|mjs)$/.test(file) && !/\/fixtures\/|\.(test|spec|d)\.ts$/.test(file)),
);
const text = (file: string) => readFileSync(join(root, file), "utf8");

/** The opening of a file: its first comment, without a shebang or references to types above it. */
function openingOf(source: string): string {
  const lines = source.split("\n");
  const from = lines.findIndex(line => !/^(#!|\/\/\/ <reference )/.test(line));
  const end = lines.findIndex((line, i) => i >= from && !line.startsWith("// "));
  return lines.slice(from, end).join("\n");
}

/** Words that hide the subject of a sentence, or that a reader cannot look up. */
const avoided =
  /\b(nobody|somebody|everybody|anybody|whoever|octets?|stands|wish(es|ed)?|is told|are told|is none|swallow(s|ed)?)\b/i;

test("a file opens with a noun, a full stop, and what it provides", () => {
  assert.ok(files.length > 200, `only ${files.length} files were found`);
  // The noun may be a command in backquotes, and may have a path: `npm test`, workbook/net.
  const wrong = files.filter(
    file => !/^\/\/ (`[^`\n]+`|[A-Z"\w][^.:\n]{0,60})\. \S/.test(openingOf(text(file))),
  );
  assert.deepEqual(wrong, [], "Begin each with one line: // Noun. What the file provides.");
});

test("no opening has a word that hides its subject", () => {
  const wrong = files.flatMap(file => {
    const word = avoided.exec(openingOf(text(file)))?.[0];
    return word === undefined ? [] : [`${file}: "${word}"`];
  });
  assert.deepEqual(wrong, [], "Write a concrete noun, then the verb, then the object.");
});

test("no comment of server-labs has a word that hides its subject", () => {
  const wrong = files
    .filter(file => file.startsWith("server-labs/"))
    .flatMap(file =>
      text(file)
        .split("\n")
        .flatMap((line, i) => {
          const comment = /(?:^|\s)(?:\/\/|\/?\*\*?) .*$/.exec(line)?.[0] ?? "";
          return avoided.test(comment) ? [`${file}:${i + 1}: ${comment.trim()}`] : [];
        }),
    );
  assert.deepEqual(wrong, [], "Write a concrete noun, then the verb, then the object.");
});

/** Each room, from the lowest to the highest, and the rooms that it may import: only rooms above its own line. */
const mayImport: Record<string, string[]> = {
  protocol: [],
  lib: ["protocol"],
  events: ["protocol", "lib"],
  modules: ["protocol", "lib"],
  trace: ["protocol", "lib", "events"],
  book: ["protocol", "lib"],
  workspace: ["protocol", "lib", "book"],
  service: ["protocol", "lib"],
  process: ["protocol", "lib", "trace"],
  kernel: ["protocol", "lib", "events", "trace", "process"],
  pace: ["protocol", "lib", "events", "trace"],
  visits: ["protocol", "lib", "events", "process", "kernel"],
  runs: [
    ...["protocol", "lib", "events", "modules", "trace", "book", "workspace", "process", "kernel", "pace"],
    "visits",
  ],
  labs: ["protocol", "lib", "events", "book", "workspace", "kernel", "pace", "visits", "runs"],
  http: ["protocol", "lib", "events", "workspace", "service", "pace", "runs", "labs"],
  main: ["protocol", "lib", "modules", "book", "workspace", "service", "process", "runs", "labs", "http"],
  dev: ["http"],
  start: [],
  "end-with-parent": [],
  "make-large-file": [],
  // What students' programs and checkers import; native code, which never enters the lab server.
  runtime: ["protocol", "lib", "modules", "trace"],
  clients: ["protocol", "lib", "kernel", "runtime"],
  check: [
    ...["protocol", "lib", "modules", "trace", "book", "workspace", "process", "kernel", "runs", "runtime"],
    "clients",
  ],
  bench: ["protocol", "lib", "trace", "kernel", "runtime", "clients", "check"],
  // The page knows of the server only the contract; its build, in Node, reads the book.
  app: ["protocol"],
  "app/build": ["app", "protocol", "trace", "book"],
};
/** What a program loads before its first line: each file more is a slower cold start. */
const runtimeMayLoad =
  /^server-labs\/(protocol\/|trace\/|lib\/json-lines\.ts$|modules\/(resolve|explained-strip)\.ts$)/;

function roomOf(file: string): string {
  if (file.startsWith("app/")) return file.startsWith("app/build/") ? "app/build" : "app";
  return /^server-labs\/([\w-]+)/.exec(file)![1]!;
}

test("a room imports only rooms below it", () => {
  const rooms = Object.keys(mayImport);
  for (const [room, below] of Object.entries(mayImport))
    for (const other of below) assert.ok(rooms.indexOf(other) < rooms.indexOf(room), `${room} → ${other}`);
  const wrong: string[] = [];
  let arrows = 0;
  for (const file of files.filter(file => !file.startsWith("e2e/"))) {
    for (const [, specifier] of text(file).matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)) {
      const target = join(file, "..", specifier!);
      if (!/^(app|server-labs)\//.test(target)) continue;
      const [from, to] = [roomOf(file), roomOf(target)];
      if (from === to) continue;
      arrows++;
      const allowed = mayImport[from]?.includes(to) && (from !== "runtime" || runtimeMayLoad.test(target));
      if (!allowed) wrong.push(`${file} imports ${target}`);
    }
  }
  assert.ok(arrows > 300, `only ${arrows} imports between rooms were found`);
  assert.deepEqual(wrong, [], "Move what both need down, or let the higher room pass it in.");
});

/** Names that several files export because a convention says so: each is read by the convention, never by name. */
const conventions: Record<string, RegExp> = {
  /** A language's table of sentences; protocol/sentences.ts puts them together. */
  en: /^server-labs\/protocol\/sentences\/\w+\.ts$/,
  /** What a pane's folder gives; app/workbench/Panes.tsx finds it by the registry. */
  pane: /^app\/workbench\/panes\/\w+\/pane\.ts$/,
  /** poll(2) itself, in sys/, and the function of workbook/net that students import. */
  poll: /^server-labs\/runtime\/(net\/poll|sys\/syscalls)\.ts$/,
  /** The call itself, in sys/ or net/, and the function of workbook/tasks that lets other tasks run meanwhile. */
  connect: /^server-labs\/runtime\/(tasks\/sockets|sys\/syscalls)\.ts$/,
  recv: /^server-labs\/runtime\/(tasks\/sockets|sys\/syscalls)\.ts$/,
  send: /^server-labs\/runtime\/(tasks\/sockets|sys\/syscalls)\.ts$/,
  sleep: /^server-labs\/runtime\/(tasks\/wait|net\/sleep)\.ts$/,
};

/** The names that a file declares and exports; what a door passes on is declared elsewhere. */
function exportedNames(source: string): string[] {
  const declared = source.matchAll(
    /^export (?:default )?(?:declare )?(?:abstract )?(?:async )?(?:function\*?|class|const|let|interface|type|enum) (\w+)/gm,
  );
  const lists = source.matchAll(/^export (?:type )?\{([^}]*)\}(?! from)/gm);
  const listed = [...lists].flatMap(([, names]) =>
    names!.split(",").map(name => name.trim().split(/\s+/).at(-1)!),
  );
  return [...new Set([...[...declared].map(([, name]) => name!), ...listed.filter(name => name !== "")])];
}

test("one exported name has one meaning in the whole project", () => {
  const places = new Map<string, string[]>();
  for (const file of files.filter(file => /^(app|server-labs)\//.test(file)))
    for (const name of exportedNames(text(file)))
      if (!conventions[name]?.test(file)) places.set(name, [...(places.get(name) ?? []), file]);
  const twice = [...places].filter(([, where]) => where.length > 1);
  const wrong = twice.map(([name, where]) => `${name}: ${where.join(", ")}`);
  assert.deepEqual(
    wrong,
    [],
    "Each of these names has two meanings. Rename one of them, or let one file import the other.",
  );
});

/**
 * What each file of the lab server does on the disk. A program can change what lies in the workspace while the lab server
 * works there, so one file alone works there; every other one works where no program in a sandbox can.
 */
const onDisk: Record<string, string> = {
  "workspace/tree.ts": "the workspace",
  "lib/atomic-save.ts": "the path that it is given",
  "lib/source-text.ts": "a file of the book",
  "lib/find-program.ts": "the system",
  "lib/home.ts": "the home folder's name",
  "lib/package-root.ts": "the package",
  "book/book.ts": "the book",
  "book/fingerprint.ts": "the book",
  "book/hints.ts": "the book",
  "book/lab-folder.ts": "the book",
  "book/live-book.ts": "the book",
  "book/new/lesson.ts": "the book",
  "book/rivals.ts": "the book",
  "book/wording.ts": "the book",
  "service/browser.ts": "the workspace's own folder, in which no lab lies directly",
  "service/instance.ts": "the state folder",
  "service/problem-log.ts": "the state folder",
  "service/state.ts": "the state folder",
  "process/bubblewrap.ts": "the system",
  "process/cgroup.ts": "/proc, and the cgroups below its own",
  "process/module-graph.ts": "the build",
  "process/processes.ts": "/proc",
  "process/run-folder.ts": "the runs' folder in <tmp>",
  "process/sandbox-advice.ts": "the system",
  "process/sandbox-level.ts": "/proc",
  "process/sandbox-probe.ts": "its own folder in <tmp>",
  "process/sandbox.ts": "the package",
  "process/spare.ts": "the build, and the inodes of the lab's folder and of html in it",
  "kernel/descriptors.ts": "/proc",
  "kernel/facts.ts": "/proc",
  "kernel/ports.ts": "/proc",
  "kernel/registrations.ts": "/proc",
  "kernel/sample.ts": "/proc",
  "kernel/tables.ts": "/proc",
  "trace/memory.ts": "<tmp> and /dev/shm",
  "visits/visitor.ts": "the build",
  "runs/checker.ts": "the book, and the real path of the lab's folder",
  "runs/runs.ts": "the package",
  "http/static.ts": "the built page",
};
const importsFiles = /^import (?!type )[^;]*? from "node:fs(?:\/promises)?";/m;

test("one file works on the disk below the workspace, and no other file of the lab server", () => {
  const apart = ["runtime", "clients", "check", "bench", "start", "make-large-file", "app", "app/build"];
  const found = files
    .filter(file => file.startsWith("server-labs/") && !apart.includes(roomOf(file)))
    .filter(file => importsFiles.test(text(file)))
    .map(file => file.slice("server-labs/".length));
  assert.deepEqual(
    found.filter(file => onDisk[file] === undefined),
    [],
    "Work below the workspace by workspace/tree.ts; name what else a file works on in this table.",
  );
  assert.deepEqual(
    Object.keys(onDisk).filter(file => !found.includes(file)),
    [],
    "These do nothing on the disk any more: remove their lines.",
  );
  const saves = files.filter(
    file => /\/lib\/atomic-save\.ts"/.test(text(file)) && !file.endsWith("error.ts"),
  );
  assert.deepEqual(
    saves.filter(file => file.startsWith("server-labs/workspace/")).sort(),
    ["server-labs/workspace/tree.ts", "server-labs/workspace/workspace.ts"],
    "In the workspace only tree.ts saves; workspace.ts has the words of an error from there.",
  );
});

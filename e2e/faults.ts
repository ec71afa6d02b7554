// `npm run faults`. Attacks a real lab server as a hostile program and a hostile caller would, and prints a table of what was
// tried and what came of it: links, kills, fuzz, starts, floods. It exits with 1 when something was found.
// `-- --short` takes some 20 s and is a part of `npm test`; `-- --seed N` repeats a fuzz; `-- --only NAME` does one part, and
// `-- --level bubblewrap`, `off` or `namespace` one level.
// The short form judges nothing that takes longer on a slow machine; it prints the numbers all the same.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import WebSocket from "ws";

const { values } = parseArgs({
  options: {
    short: { type: "boolean" },
    seed: { type: "string" },
    only: { type: "string" },
    level: { type: "string" },
  },
});
const short = values.short === true;
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** What is done so often or so long: in the short form, and by hand. */
const amount = short
  ? { raceMs: 3_000, kills: 2, fuzzMs: 3_000, starts: 8, floodMs: 1_500 }
  : { raceMs: 20_000, kills: 200, fuzzMs: 60_000, starts: 500, floodMs: 5_000 };

type Level = "bubblewrap" | "namespace" | "off";
interface Row {
  tried: string;
  found: string;
  /** Null: it could not be tried on this machine. */
  good: boolean | null;
}

/** As root the lab server runs as an ordinary user, if that user may read the workbook. */
const nobody = 65_534;
const asNobody = process.getuid!() === 0 && (statSync(root).mode & 0o005) === 0o005;

interface LabServer {
  child: ChildProcess;
  port: number;
  token: string;
  /** The workspace. */
  work: string;
  folder: string;
  lab: string;
  level: string;
  close(): Promise<void>;
}

async function startLabServer(level: Level, folder = newFolder()): Promise<LabServer | null> {
  const [work, state] = [join(folder, "work"), join(folder, "state")];
  const child = spawn(process.execPath, ["dist/server-labs/main.js", "--no-open", "--port", "0"], {
    cwd: root,
    ...(asNobody ? { uid: nobody, gid: nobody } : {}),
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      WORKBOOK_HOME: work,
      WORKBOOK_STATE: state,
      WORKBOOK_SANDBOX: level,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", text => {
    said = (said + text).slice(-2_000);
  });
  const exited = once(child, "exit");
  const port = await Promise.race([
    exited.then(() => 0),
    new Promise<number>(resolve => {
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        const found = /127\.0\.0\.1:(\d+)/.exec(text)?.[1];
        if (found) resolve(Number(found));
      });
    }),
  ]);
  if (port === 0) {
    rmSync(folder, { recursive: true, force: true });
    if (/WORKBOOK_SANDBOX=\w+ cannot be done/.test(said)) return null;
    throw new Error(`The lab server did not start: ${said}`);
  }
  const token = readFileSync(join(state, "token"), "utf8").trim();
  const server: LabServer = {
    ...{ child, port, token, work, folder, lab: "", level },
    async close() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
  const { labs } = JSON.parse((await ask(server, "GET", "/api/labs")).text) as { labs: { lab: string }[] };
  server.lab = labs[0]!.lab;
  return server;
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "workbook-faults-"));
  // The other user owns it.
  if (asNobody) chown(folder);
  return folder;
}

function chown(folder: string): void {
  chownSync(folder, nobody, nobody);
}

const agent = new Agent({ keepAlive: true });

interface Answer {
  /** 0 where the connection broke. */
  status: number;
  text: string;
}

function ask(
  server: Pick<LabServer, "port" | "token">,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const { port, token } = server;
  return new Promise(resolve => {
    const broken = () => resolve({ status: 0, text: "" });
    const all = {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    };
    try {
      const sent = request({ host: "127.0.0.1", port, method, path, agent, headers: all }, answer => {
        let text = "";
        answer.setEncoding("utf8").on("data", chunk => {
          text += chunk;
        });
        answer.on("close", () => resolve({ status: answer.statusCode ?? 0, text }));
      });
      sent.setTimeout(10_000, () => sent.destroy());
      // The lab server closes a connection that was not used for some seconds; the request may be on its way then.
      sent.on("error", () => {
        if (sent.reusedSocket) resolve(ask(server, method, path, body, headers));
        else broken();
      });
      sent.end(typeof body === "string" ? body : body === undefined ? undefined : JSON.stringify(body));
    } catch {
      broken(); // a path or a header that Node itself does not send
    }
  });
}

/** Starts a program. @returns its run */
async function run(server: LabServer, text: string): Promise<string> {
  const answer = await ask(server, "POST", `/api/labs/${server.lab}/run`, { text, port: 0 });
  if (answer.status !== 201) throw new Error(`A program was refused: ${answer.status} ${answer.text}`);
  return (JSON.parse(answer.text) as { run: string }).run;
}

async function until(what: () => boolean | Promise<boolean>, ms: number): Promise<boolean> {
  const end = performance.now() + ms;
  while (performance.now() < end) {
    if (await what()) return true;
    await sleep(20);
  }
  return false;
}

const secret = "a private text that no program may see";

/** A program that flips what lies in its lab's folder between files and links to a folder outside. */
const flipper = (outside: string) => `
  import * as fs from "node:fs";
  const outside = ${JSON.stringify(outside)};
  const attempt = work => { try { work(); } catch {} };
  const link = (name, to) => { attempt(() => fs.symlinkSync(to, ".flip")); attempt(() => fs.renameSync(".flip", name)); };
  const file = name => { attempt(() => fs.writeFileSync(".flop", "mine")); attempt(() => fs.renameSync(".flop", name)); };
  console.log("flips");
  for (;;) {
    for (const name of ["server.ts", "notes.txt"]) { link(name, outside + "/" + name); file(name); }
    link(".history", outside);
    attempt(() => fs.renameSync("html", ".html-away")); link("html", outside);
    for (const name of fs.readdirSync(".")) if (name.endsWith(".tmp")) link(name, outside + "/server.ts");
    attempt(() => fs.linkSync(outside + "/notes.txt", "hard.txt"));
  }`;

async function links(server: LabServer): Promise<Row> {
  const outside = join(server.folder, "outside");
  mkdirSync(outside);
  for (let n = 100; n < 310; n++) writeFileSync(join(outside, `2001-01-01T00-00-00.${n}Z.ts`), secret);
  for (const name of ["server.ts", "notes.txt"]) writeFileSync(join(outside, name), secret, { mode: 0o644 });
  if (asNobody) {
    chown(outside);
    for (const name of readdirSync(outside)) chown(join(outside, name));
  }
  const picture = () =>
    readdirSync(outside)
      .map(
        name => `${name} ${statSync(join(outside, name)).mode} ${readFileSync(join(outside, name), "utf8")}`,
      )
      .join("\n");
  const before = picture();
  await run(server, flipper(outside));
  const base = `/api/labs/${server.lab}`;
  let [requests, read] = [0, 0];
  const end = performance.now() + amount.raceMs;
  for (let n = 0; performance.now() < end; n++) {
    const any = { "if-match": "*" };
    const reads = Array.from({ length: 16 }, (_, i) =>
      ask(server, "GET", `${base}/files/${i % 4 === 0 ? "notes.txt" : "server.ts"}`),
    );
    const answers = [
      ...(await Promise.all(reads)),
      await ask(server, "PUT", `${base}/files/server.ts`, { text: `// ${n}\n` }, any),
      await ask(server, "DELETE", `${base}/files/notes.txt`, undefined, any),
      n % 10 === 0 ? await ask(server, "POST", `${base}/reset`, {}) : await ask(server, "GET", base),
    ];
    requests += answers.length;
    read += answers.filter(({ text }) => text.includes(secret)).length;
  }
  const changed = picture() !== before;
  return {
    tried: `links and exchanged folders, ${requests} requests (${server.level})`,
    found: `${read} texts read outside, ${changed ? "files outside CHANGED" : "no file outside changed"}`,
    good: read === 0 && !changed,
  };
}

/** Pids of the processes whose command line has this mark. */
function marked(mark: string): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter(pid => {
      try {
        return pid > 0 && readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(mark);
      } catch {
        return false;
      }
    });
}

/** Kills lab servers whose program has a daemon that left its group, its session and its environment. */
async function kills(level: Level): Promise<Row | null> {
  // Without a sandbox and without a pid namespace the level's sentence says that a daemon may go on.
  const promised = level !== "off";
  let left = 0;
  for (let n = 0; n < amount.kills; n++) {
    const server = await startLabServer(level);
    if (!server) return null;
    const mark = `workbook-fault-${process.pid}-${n}-${Math.floor(random() * 1e9)}`;
    const daemon = `setInterval(() => {}, 1e6); "${mark}"`;
    await run(
      server,
      `import { spawn } from "node:child_process";
       spawn(process.execPath, ["-e", ${JSON.stringify(daemon)}], { detached: true, stdio: "ignore", env: {} }).unref();
       if (${n % 2}) process.on("SIGTERM", () => {});
       setInterval(() => {}, 1e6);`,
    );
    await until(() => marked(mark).length > 0, 10_000);
    await sleep(random() * 100);
    server.child.kill("SIGKILL");
    const gone = await until(() => marked(mark).length === 0, promised ? 5_000 : 500);
    if (!gone) left++;
    for (const pid of marked(mark)) process.kill(pid, "SIGKILL");
    await server.close();
  }
  return {
    tried: `${amount.kills} killed lab servers, each with a daemon (${level === "off" ? "plain" : level})`,
    found: `${left} daemons left${promised ? "" : ", as this level's sentence says"}`,
    good: left === 0 || !promised,
  };
}

/** mulberry32: small, and the same everywhere. */
let mulberry = seed >>> 0;
function random(): number {
  mulberry = (mulberry + 0x6d2b79f5) >>> 0;
  let t = mulberry;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
}
const one = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;

/** A value of a body that may be anything. */
function anything(runs: string[], depth = 0): unknown {
  const plain = [
    "",
    "server.ts",
    "*",
    -1,
    0,
    7,
    2 ** 53,
    1e308,
    true,
    null,
    "\ud800",
    "\0",
    "x".repeat(5_000),
  ];
  const deeper = [
    ...[() => one(runs), () => one(plain), () => [anything(runs, depth + 1), anything(runs, depth + 1)]],
    () => ({ [one(names)]: anything(runs, depth + 1), [one(names)]: anything(runs, depth + 1) }),
  ];
  return depth > 3 ? one(plain) : one(deeper)();
}
const names = [
  ...[
    "text",
    "port",
    "file",
    "only",
    "pace",
    "mode",
    "breakpoints",
    "step",
    "type",
    "lab",
    "run",
    "from",
    "seq",
  ],
  ...["everyMs", "kind", "call", "instead", "visit", "__proto__", "constructor", "toString", "count", "fd"],
];

async function fuzz(server: LabServer): Promise<Row> {
  const runs = ["0-0000000000", await run(server, "setInterval(() => {}, 1000); console.log('runs')")];
  const parts = [
    ...[
      "api",
      "labs",
      "runs",
      "files",
      "server.ts",
      "run",
      "check",
      "reset",
      "pace",
      "step",
      "events",
      "kernel",
    ],
    ...[
      "visits",
      ...server.lab.split("/"),
      "%00",
      "%2e%2e",
      "%ff",
      "..",
      "",
      "a b",
      "__proto__",
      "ws",
      "healthz",
      "?from=-1",
    ],
  ];
  const paths = [
    () =>
      `/api/labs/${server.lab}/${one(["run", "check", "reset", "files/server.ts", "files/a.txt", "files/%0a.ts"])}`,
    () =>
      `/api/runs/${one(runs)}/${one(["", "pace", "step", "events?from=1e9", "kernel", "visits", "visits/1"])}`,
    () => `/${Array.from({ length: 1 + Math.floor(random() * 6) }, () => one(parts)).join("/")}`,
  ];
  const bad: string[] = [];
  let requests = 0;
  let frames = 0;
  const end = performance.now() + amount.fuzzMs;
  const caller = async () => {
    while (performance.now() < end) {
      const [method, path] = [
        one(["GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS"]),
        one(paths)(),
      ];
      if (/events/.test(path) && method === "GET") continue; // it follows the run, and has no end
      const body = one([undefined, "{", "[]", "null", anything(runs)]);
      const headers = one<Record<string, string>>([
        {},
        ...[{ "if-match": one(["*", '""', "x", '"a", W/"b"']) }, { "content-type": "text/plain" }],
        ...[{ origin: "null" }, { host: "evil.test" }, { authorization: "Bearer x" }, { range: "bytes=9-1" }],
      ]);
      const { status, text } = await ask(server, method, path, body, headers);
      requests++;
      // A run that cannot start is 500 on purpose only where its process could not be made.
      if (status >= 500 && status !== 507)
        bad.push(`${method} ${path} ${JSON.stringify(body)}: ${status} ${text}`);
      const started = /"run":\s*"(\d+-[0-9a-f]+)"/.exec(text)?.[1];
      if (started) runs.push(started);
    }
  };
  const page = async () => {
    while (performance.now() < end) {
      const socket = new WebSocket(`ws://127.0.0.1:${server.port}/ws`, ["lab.v1", `token.${server.token}`]);
      socket.on("error", () => {});
      await once(socket, "open").catch(() => {});
      for (let n = 0; n < 20 && socket.readyState === WebSocket.OPEN; n++, frames++) {
        const type = one([
          "watch",
          "unwatch",
          "run",
          "check",
          "stop",
          "pace",
          "step",
          "drive",
          "sample",
          "ack",
          "visit",
        ]);
        const message = { type, lab: server.lab, run: one(runs), ...(anything(runs) as object) };
        socket.send(
          one<string | Buffer>([
            JSON.stringify(message),
            "{",
            Buffer.from([0xff, 0]),
            JSON.stringify({ type }),
          ]),
        );
      }
      await sleep(10);
      socket.terminate();
    }
  };
  await Promise.all([caller(), caller(), page()]);
  const alive = (await ask(server, "GET", "/healthz")).status === 200;
  const mistakes = existsSync(join(server.folder, "state", "problems.log"));
  for (const line of bad.slice(0, 5)) console.error(`  ${line.slice(0, 300)}`);
  return {
    tried: `${requests} requests and ${frames} frames of fuzz, seed ${seed} (${server.level})`,
    found: `${bad.length} × 500${mistakes ? ", and a log of mistakes" : ""}${alive ? "" : ", and it answers no more"}`,
    good: bad.length === 0 && alive && !mistakes,
  };
}

const descriptorsOf = ({ child }: LabServer) => readdirSync(`/proc/${child.pid}/fd`).length;
const megabytesOf = ({ child }: LabServer) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))![1]) / 1024;

/** What the lab server has used of a processor, in milliseconds; USER_HZ is 100. */
const processorMs = ({ child }: LabServer) => {
  const fields = readFileSync(`/proc/${child.pid}/stat`, "latin1").split(") ").at(-1)!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
};

async function starts(server: LabServer): Promise<Row> {
  const start = async () => {
    const id = await run(server, "console.log(1)");
    const ended = await until(
      async () => /"state":\s*"(?:exited|refused)"/.test((await ask(server, "GET", `/api/runs/${id}`)).text),
      20_000,
    );
    if (!ended) throw new Error(`The run ${id} has not ended.`);
  };
  // V8 lets the heap grow by some 50 MB in the first 600 starts, and no further: what grows after that is kept.
  for (let n = 0; n < (short ? 3 : 600); n++) await start();
  await sleep(300);
  const [descriptors, megabytes] = [descriptorsOf(server), megabytesOf(server)];
  for (let n = 0; n < amount.starts; n++) await start();
  await sleep(300);
  const [more, grown] = [descriptorsOf(server) - descriptors, Math.round(megabytesOf(server) - megabytes)];
  return {
    tried: `${amount.starts} starts${short ? "" : ", after 600"} (${server.level})`,
    found: `${more >= 0 ? "+" : ""}${more} descriptors, ${grown >= 0 ? "+" : ""}${grown} MB`,
    good: more <= 4 && (short || grown < 10),
  };
}

const floods: Record<string, string> = {
  nothing: "setInterval(() => {}, 1000);",
  output: `for (;;) process.stdout.write("flood ".repeat(2000) + "\\n");`,
  calls: `import { Socket } from "workbook/net";
    console.log("floods"); const socket = Socket.tcp4(); socket.setBlocking(false); for (;;) { try { socket.accept(); } catch {} }`,
  processes: `import { spawn } from "node:child_process"; console.log("floods");
    const next = () => { const child = spawn("/bin/true", { stdio: "ignore" }); child.on("error", () => setTimeout(next, 5)); child.on("exit", next); };
    for (let n = 0; n < 20; n++) next();`,
  files: `import * as fs from "node:fs"; console.log("floods");
    for (let n = 0; ; n = (n + 1) % 1000) { try { fs.writeFileSync(n + ".txt", ""); fs.unlinkSync(n + ".txt"); } catch { break; } }`,
};

async function flood(server: LabServer, name: string): Promise<Row> {
  await run(server, floods[name]!);
  await sleep(300);
  const took: number[] = [];
  const [cpu, since] = [processorMs(server), performance.now()];
  const end = performance.now() + amount.floodMs;
  while (performance.now() < end) {
    const began = performance.now();
    await ask(server, "GET", "/healthz");
    took.push(performance.now() - began);
    await sleep(20);
  }
  took.sort((a, b) => a - b);
  const share = Math.round(((processorMs(server) - cpu) / (performance.now() - since)) * 100);
  const at = (part: number) => Math.round(took[Math.min(took.length - 1, Math.floor(took.length * part))]!);
  return {
    tried: `healthz while a program floods with ${name}, ${took.length} times (${server.level})`,
    found: `p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, ${share} % of a processor, ${Math.round(megabytesOf(server))} MB`,
    good: short || at(0.95) < 50,
  };
}

/** @returns false: this machine does not have the level, and nothing was tried */
async function atLevel(level: Level, rows: (row: Row) => void): Promise<boolean> {
  const wanted = (name: string) => values.only === undefined || values.only === name;
  const server = await startLabServer(level);
  if (!server) {
    rows({ tried: `level ${level}`, found: "this machine does not have it", good: null });
    return false;
  }
  server.level = level === "off" ? "plain" : level;
  try {
    await sleep(short ? 500 : 5_000);
    const rest = Math.round(megabytesOf(server));
    rows({ tried: `at rest (${server.level})`, found: `${rest} MB`, good: short || rest < 100 });
    if (wanted("links")) rows(await links(server));
    if (wanted("starts")) rows(await starts(server));
    if (wanted("flood"))
      for (const name of short ? ["nothing", "output"] : Object.keys(floods)) rows(await flood(server, name));
    if (wanted("fuzz")) rows(await fuzz(server));
  } finally {
    await server.close();
  }
  const killed = wanted("kills") ? await kills(level) : null;
  if (killed) rows(killed);
  return true;
}

let failed = false;
const print = ({ tried, found, good }: Row) => {
  failed ||= good === false;
  const outcome = good === null ? "not tried" : good ? "held" : "FAULT";
  console.log(`${outcome.padEnd(9)}  ${tried.padEnd(72)}  ${found}`);
};
console.log(`As ${asNobody || process.getuid!() !== 0 ? "an ordinary user" : "root"}, seed ${seed}:`);
const atThis = (level: Level) => values.level === undefined || values.level === level;
const sandboxed = atThis("bubblewrap") && (await atLevel("bubblewrap", print));
// What no sandbox changes is done once; the short form has time for one level.
if (atThis("off") && (!short || !sandboxed)) await atLevel("off", print);
const killed = values.only === undefined || values.only === "kills";
const inNamespace = killed && atThis("namespace") ? await kills("namespace") : null;
if (inNamespace) print(inNamespace);
agent.destroy();
process.exitCode = failed ? 1 : 0;

// The real lab server in a home folder of its own: started, asked as curl asks, interrupted, killed, started again.
// It runs what is built (npm run build:server); npm test builds first.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { firstWords } from "./fixtures/first-words.ts";
import { temporaryFolder } from "./fixtures/test-lab-server.ts";
import { type ChallengeAnswer, type Event, type EventOf, type EventType, labServerText } from "./protocol.ts";

const main = fileURLToPath(new URL("../dist/server-labs/main.js", import.meta.url));
const lab = "non-blocking/polling-model";
const answering = `import { Socket } from "workbook/net";
const server: Socket = new Socket();
server.bind({ port: Number(process.argv[2]) });
server.listen();
console.log("open");
for (;;) {
  const { client } = server.accept()!;
  console.log("heard", client.recv(1024)!.length > 0);
  client.send("HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: 5\\r\\n\\r\\nhello");
  client.close();
}
`;

/** A student's machine, as far as the lab server sees it. */
function machine(t: TestContext) {
  const { folder: home, gone } = temporaryFolder();
  const children: ChildProcess[] = [];
  t.after(async () => {
    for (const child of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exit = once(child, "exit");
      child.kill("SIGKILL");
      await exit;
    }
    gone();
  });
  const state = join(home, ".local/state/socket-workbook");

  function launch(...args: string[]) {
    const env = { PATH: process.env.PATH, HOME: home, LANG: "C.UTF-8" };
    const child = spawn(process.execPath, [main, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
    children.push(child);
    let said = "";
    child.stderr.on("data", chunk => {
      said += chunk;
    });
    const ended = once(child, "close").then(([code]) => ({ code: code as number | null, said }));
    return { child, ended };
  }

  /** Starts it and waits for its link. */
  async function start(...args: string[]) {
    const { child, ended } = launch("--no-open", ...args);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const line = await Promise.race([
      lines.next().then(next => next.value as string),
      ended.then(end => `ended: ${end.said}`),
    ]);
    const link = /http:\/\/127\.0\.0\.1:\d+\/#t=[\w-]{32}/.exec(line)?.[0];
    assert.ok(link, `no link, but: ${line}`);
    const { origin } = new URL(link);
    const token = readFileSync(join(state, "token"), "utf8").trim();
    const ask = (method: string, path: string, body?: object, headers: Record<string, string> = {}) =>
      fetch(origin + path, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body ? { "content-type": "application/json" } : {}),
          ...headers,
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
    return { child, ended, link, origin, token, ask };
  }
  return { home, state, launch, start };
}

type LabServer = Awaited<ReturnType<ReturnType<typeof machine>["start"]>>;

/** Starts a program in the lab; its port and a reader of its events. */
async function run(server: LabServer, text: string) {
  const answer = await server.ask("POST", `/api/labs/${lab}/run`, { text, port: 0 });
  const started = (await answer.json()) as {
    run: string;
    port: number;
    address: string;
    events: string;
    problem?: string;
  };
  assert.equal(answer.status, 201, started.problem);
  return { ...started, events: eventsOf(await server.ask("GET", started.events)) };
}

/** Waits for an event that is as wanted; whatever comes before it is passed over. */
function eventsOf(answer: Response) {
  const seen: Event[] = [];
  const incoming = (async function* () {
    let rest = "";
    for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      for (const line of lines) yield JSON.parse(line) as Event;
    }
  })();
  return async function wait<T extends EventType>(
    type: T,
    wanted: (event: EventOf<T>) => boolean = () => true,
  ) {
    for (;;) {
      const { value, done } = await incoming.next();
      assert.ok(!done, `the run ended before ${type}; seen: ${JSON.stringify(seen)}`);
      seen.push(value);
      if (value.type === type && wanted(value as EventOf<T>)) return value as EventOf<T>;
    }
  };
}

/** Whether no socket listens there. (Binding would also find what TIME_WAIT remembers of a program that has ended.) */
const isFree = (port: number) =>
  new Promise<boolean>(resolve => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(false);
    });
    socket.once("error", () => resolve(true));
  });

test("a file is saved, run, reached, watched and stopped, as a shell does it", {
  timeout: 60_000,
}, async t => {
  const { home, start } = machine(t);
  const server = await start("--port", "0");
  const file = `/api/labs/${lab}/files/server.ts`;
  const { headers } = await server.ask("GET", file);
  const saved = await server.ask("PUT", file, { text: answering }, { "if-match": headers.get("etag")! });
  assert.equal(saved.status, 200);
  assert.equal(readFileSync(join(home, "socket-workbook", lab, "server.ts"), "utf8"), answering);

  const answer = await server.ask("POST", `/api/labs/${lab}/run`, { port: 0 });
  assert.equal(answer.status, 201);
  const started = (await answer.json()) as { run: string; port: number; address: string; events: string };
  const wait = eventsOf(await server.ask("GET", started.events));
  assert.equal((await wait("listening")).port, started.port);
  const reply = await fetch(started.address);
  assert.equal(await reply.text(), "hello");
  await wait("output", event => event.text.includes("heard true"));
  const stopped = await server.ask("DELETE", `/api/runs/${started.run}`);
  assert.equal(((await stopped.json()) as { state: string }).state, "exited");
  assert.ok(await isFree(started.port), "the port is free before 'stopped' is reported");
  assert.equal((await wait("exited")).stopped, true);
});

/** What the process has in memory, in megabytes; NaN where the kernel does not say so. */
function residentMegabytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

/** The command line of a process; "" when it has ended meanwhile. */
function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

test("the lab server takes less than 100 MB, also after runs: the compiler is a process of its own", {
  timeout: 60_000,
}, async t => {
  const server = await machine(t).start("--port", "0");
  const pid = server.child.pid!;
  if (Number.isNaN(residentMegabytes(pid))) return t.skip("this kernel does not report VmRSS");
  for (const word of ["one", "two", "three"]) {
    const { events: wait } = await run(server, `const word: string = "${word}";\nconsole.log(word);\n`);
    await wait("exited");
  }
  // With the compiler in it, it takes 110 MB and more; without, 75 to 85.
  const megabytes = residentMegabytes(pid);
  assert.ok(megabytes < 100, `${megabytes.toFixed(1)} MB`);
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
  const commands = children.map(child => commandOf(child));
  assert.equal(commands.filter(command => command.includes("compiler-main.js")).length, 1);
});

test("the token is in no argument and no environment, and a program in the sandbox cannot find it", {
  timeout: 60_000,
}, async t => {
  const { home, state, start } = machine(t);
  const server = await start("--port", "0");
  const searching = `import { readdirSync, readFileSync } from "node:fs";
const wanted = ${JSON.stringify(server.token.slice(0, 16))} + process.argv[2]!.slice(9) + ${JSON.stringify(server.token.slice(16))};
const found: string[] = [];
const look = (path: string) => { try { if (readFileSync(path, "latin1").includes(wanted)) found.push(path); } catch {} };
for (const pid of readdirSync("/proc")) if (/^\\d+$/.test(pid)) { look("/proc/" + pid + "/environ"); look("/proc/" + pid + "/cmdline"); }
for (const folder of ["/tmp", ${JSON.stringify(home)}, ${JSON.stringify(state)}])
  try { for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) if (!name.includes("node_modules")) look(folder + "/" + name); } catch {}
console.log("found: " + JSON.stringify(found));
setInterval(() => {}, 1000);
`;
  const { events, run: id } = await run(server, searching);
  const { sandbox } = await events("starting");
  const { text } = await events("output", event => event.text.includes("found:"));
  // While it runs, look from outside too.
  for (const pid of readdirSync("/proc").filter(name => /^\d+$/.test(name)))
    for (const kind of ["cmdline", "environ"]) {
      let content = "";
      try {
        content = readFileSync(`/proc/${pid}/${kind}`, "latin1");
      } catch {
        continue; // gone, or not ours to read
      }
      assert.ok(!content.includes(server.token), `/proc/${pid}/${kind}`);
    }
  await server.ask("DELETE", `/api/runs/${id}`);
  if (sandbox.level === "plain")
    t.diagnostic("no sandbox here: a program may read its owner's files, and the page says so");
  else assert.equal(text.trim(), "found: []");
  assert.equal(statSync(join(state, "token")).mode & 0o777, 0o600);
});

test("a second start prints the first one's link; the next start has the same token and port, and a new ticket", {
  timeout: 60_000,
}, async t => {
  const { launch, start } = machine(t);
  const first = await start();
  assert.ok(!first.link.includes(first.token), "the token would stay in the terminal's scrollback");
  const second = launch();
  assert.equal(await firstWords(second.child), first.link);
  const { code, said } = await second.ended;
  assert.equal(code, 0);
  assert.match(said, new RegExp(`running already \\(pid ${first.child.pid}\\)`));
  first.child.kill("SIGINT");
  assert.equal((await first.ended).code, 0);
  const third = await start();
  assert.equal(third.token, first.token);
  assert.equal(third.origin, first.origin);
  assert.notEqual(third.link, first.link);
  // The ticket that a page proves with is that of this start, whichever link the page was opened with.
  const challenge = `/healthz?nonce=${"0".repeat(32)}&origin=${third.origin}&key=ticket`;
  const { start: name, proof } = (await (await third.ask("GET", challenge)).json()) as ChallengeAnswer;
  const proofOf = (link: string) =>
    createHmac("sha256", new URL(link).hash.slice("#t=".length))
      .update(labServerText({ nonce: "0".repeat(32), origin: third.origin }, name))
      .digest("hex");
  assert.equal(proof, proofOf(third.link));
  assert.notEqual(proof, proofOf(first.link));
});

test("SIGTERM ends the runs, then the lab server", { timeout: 60_000 }, async t => {
  const { state, start } = machine(t);
  const server = await start("--port", "0");
  const { events, port } = await run(server, `process.on("SIGTERM", () => {});\n${answering}`);
  await events("listening");
  const began = performance.now();
  server.child.kill("SIGTERM");
  const { code, said } = await server.ended;
  assert.equal(code, 0);
  // A program that ignores SIGTERM has limits.graceMs; the rest takes an idle machine some 200 ms.
  assert.ok(performance.now() - began < 20_000);
  assert.ok(await isFree(port));
  assert.ok(!existsSync(join(state, "lock")));
  assert.doesNotMatch(said, /\n\s+at /, "no stack trace");
});

test("after SIGKILL its runs are gone, too, and it starts again over what it left", {
  timeout: 60_000,
}, async t => {
  const { start } = machine(t);
  const server = await start();
  const { events, port } = await run(server, answering);
  await events("listening");
  server.child.kill("SIGKILL");
  await server.ended;
  // No process reports that the kernel has ended the run: the test looks for it, and it must not take long.
  const deadline = performance.now() + 20_000;
  while (!(await isFree(port))) assert.ok(performance.now() < deadline, "the run outlived its lab server");
  const again = await start();
  assert.equal(again.origin, server.origin);
  assert.equal((await again.ask("GET", "/api/labs")).status, 200);
});

test("what it cannot start with is a sentence and exit code 1, never a stack trace", {
  timeout: 60_000,
}, async t => {
  const { home, launch } = machine(t);
  const fails = async (sentence: RegExp, ...args: string[]) => {
    const { code, said } = await launch("--no-open", ...args).ended;
    assert.equal(code, 1, said);
    assert.match(said, sentence);
    assert.doesNotMatch(said, /\n\s+at /);
  };
  await fails(/--port is "many"; a port is a number/, "--port", "many");
  await fails(/--colour/, "--colour");
  const lesson = join(home, "chapters/01-non-blocking/01-one-waiter");
  mkdirSync(lesson, { recursive: true });
  writeFileSync(join(home, "chapters/01-non-blocking/chapter.md"), "---\ntitle: T\nsummary: S\n---\n");
  writeFileSync(join(lesson, "lesson.md"), "---\ntitel: One waiter\n---\n");
  await fails(/lesson\.md:\d+:\d+: /, "--chapters", join(home, "chapters"));
  writeFileSync(join(home, "socket-workbook"), "a file in the workspace's place");
  await fails(/workspace .*socket-workbook cannot be used/);
});

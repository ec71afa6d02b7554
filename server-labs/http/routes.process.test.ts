// Routes: the HTTP API as curl uses it: files, runs, events, checks, and every way to ask wrongly.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text as textOf } from "node:stream/consumers";
import { beforeEach, test } from "node:test";
import {
  ask,
  bearer,
  jsonType as json,
  labId,
  openRequest,
  starterText,
  testLabServer,
  token,
} from "../fixtures/test-lab-server.ts";
import { type Event, limits, type RunBody } from "../protocol.ts";
import { routes } from "./routes.ts";

const labServer = testLabServer();
beforeEach(() => {
  labServer.runs.refuses = null;
});

const file = `/api/labs/${labId}/files/server.ts`;

interface Ask {
  headers?: Record<string, string>;
  body?: string | Buffer;
  token?: string | null;
}

function open(method: string, path: string, { headers = {}, body, token: said = token }: Ask = {}) {
  const authorization = said === null ? {} : { authorization: `Bearer ${said}` };
  return ask(labServer, { method, path, headers: { ...authorization, ...headers } }, body);
}

async function curl(method: string, path: string, ask: Ask = {}) {
  const answer = await open(method, path, ask);
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  const text = bytes.toString();
  const isJson = answer.headers["content-type"]?.startsWith("application/json") && text !== "";
  // biome-ignore lint/suspicious/noExplicitAny: the test looks into whatever came
  const body: any = isJson ? JSON.parse(text) : {};
  return { status: answer.statusCode, headers: answer.headers as IncomingHttpHeaders, text, bytes, body };
}

const post = (path: string, value: unknown = {}) =>
  curl("POST", path, { headers: json, body: typeof value === "string" ? value : JSON.stringify(value) });
const put = (text: string, ifMatch?: string) =>
  curl("PUT", file, {
    headers: { ...json, ...(ifMatch === undefined ? {} : { "if-match": ifMatch }) },
    body: JSON.stringify({ text }),
  });

test("lists labs without making a folder for each, shows one, and gives its file byte for byte", async () => {
  const list = await curl("GET", "/api/labs");
  assert.equal(list.status, 200);
  assert.deepEqual(
    list.body.labs.map((lab: { lab: string; port: number }) => [lab.lab, lab.port]),
    [[labId, 7890]],
  );
  assert.deepEqual(readdirSync(labServer.workspace.root).sort(), [
    "node_modules",
    "package.json",
    "tsconfig.json",
  ]);
  const lab = await curl("GET", `/api/labs/${labId}`);
  assert.equal(lab.body.files[0].path, join(labServer.workspace.root, labId, "server.ts"));
  assert.deepEqual(lab.body.files, list.body.labs[0].files, "opening it makes what the list foretold");
  const read = await curl("GET", file);
  assert.equal(read.text, starterText);
  assert.equal(read.headers.etag, lab.body.files[0].etag);
  assert.match(read.headers["content-type"]!, /text\/plain/);
  const again = await curl("GET", file, { headers: { "if-none-match": read.headers.etag! } });
  assert.equal(again.status, 304);
});

test("saves with the ETag that was read; without it 428, with an old one 412 and what is there", async () => {
  const { headers } = await curl("GET", file);
  const saved = await put("first\n", headers.etag);
  assert.equal(saved.status, 200);
  assert.equal(saved.headers.etag, saved.body.etag);
  const late = await put("second\n", headers.etag);
  assert.equal(late.status, 412);
  assert.deepEqual([late.body.text, late.body.etag], ["first\n", saved.body.etag]);
  assert.equal((await put("second\n")).status, 428);
  assert.equal((await put("first\n", headers.etag)).status, 200, "the same text again is no conflict");
  assert.equal((await put("third\n", "*")).status, 200);
  assert.equal((await curl("GET", file)).text, "third\n");
});

test("what a JSON string can hold comes back byte for byte, or is refused in a sentence", async () => {
  for (const text of [
    "\ufeffconst a = 1;\r\nconst b = 2;\r\n",
    "a\0b\u{1f600}\u2028",
    "",
    "x".repeat(limits.fileBytes),
  ]) {
    assert.equal((await put(text, "*")).status, 200);
    assert.deepEqual((await curl("GET", file)).bytes, Buffer.from(text));
  }
  const half = await curl("PUT", file, {
    headers: { ...json, "if-match": "*" },
    body: '{"text":"ok\\n\\ud800"}',
  });
  assert.equal(half.status, 422);
  assert.match(half.body.problem, /surrogate.*line 2/);
  const long = await put("é".repeat(limits.fileBytes / 2 + 1), "*");
  assert.equal(long.status, 422);
  const latin = await curl("PUT", file, {
    headers: { ...json, "if-match": "*" },
    body: Buffer.from('{"text":"\xe9"}', "latin1"),
  });
  assert.equal(latin.status, 400);
  assert.match(latin.body.problem, /UTF-8/);
});

test("reset gives the starter again and keeps what was there", async () => {
  await put("my work\n", "*");
  const reset = await post(`/api/labs/${labId}/reset`);
  assert.equal(reset.status, 200);
  assert.equal(reset.body.text, starterText);
  assert.equal(readFileSync(reset.body.kept, "utf8"), "my work\n");
  assert.equal((await curl("GET", file)).headers.etag, reset.body.etag);
});

test("starts a run: 201 and where to follow it; what ran is in the history", async () => {
  await put("as saved\n", "*");
  const saved = await post(`/api/labs/${labId}/run`);
  assert.equal(saved.status, 201);
  assert.equal(saved.body.address, "http://127.0.0.1:7890/");
  assert.equal(saved.body.events, `/api/runs/${saved.body.run}/events`);
  assert.equal(saved.headers.location, `/api/runs/${saved.body.run}`);
  const draft = await post(`/api/labs/${labId}/run`, { text: "as typed\n", port: 0 });
  assert.equal(draft.status, 201);
  assert.deepEqual(labServer.runs.asked.at(-1)?.body, { text: "as typed\n", port: 0 });
  const history = join(labServer.workspace.root, ".history", labId, "server.ts");
  const kept = readdirSync(history)
    .sort()
    .map(name => readFileSync(join(history, name), "utf8"));
  assert.deepEqual(kept.slice(-2), ["as saved\n", "as typed\n"]);
});

test("a run that is refused says why, with the fields of the event", async () => {
  for (const [reason, status] of [
    ["port-taken", 409],
    ["syntax", 422],
    ["cannot-start", 500],
  ] as const) {
    labServer.runs.refuses = reason;
    const answer = await post(`/api/labs/${labId}/run`);
    assert.equal(answer.status, status);
    assert.deepEqual(
      [answer.body.problem, answer.body.reason, answer.body.line],
      ["server.ts:3:1: It cannot run. Nothing was run.", reason, 3],
    );
  }
});

test("clients are sent against a program, and leave on the command, all or one", async () => {
  const { body } = await post(`/api/labs/${labId}/run`);
  const visits = `/api/runs/${body.run}/visits`;
  const begun = await post(visits, { kind: "split", at: [8] });
  assert.deepEqual([begun.status, begun.body.visit], [201, "v1"]);
  assert.deepEqual((await curl("DELETE", `${visits}/v1`)).body, { leaving: 1 });
  assert.equal((await curl("DELETE", visits)).status, 200);
  assert.deepEqual(labServer.runs.visits.asked, [{ kind: "split", at: [8] }, "v1", undefined]);
  for (const [bad, sentence] of [
    [{}, /kind/],
    [{ kind: "ghost" }, /kind/],
    [{ kind: "get", path: "no" }, /path begins with \//],
    [{ kind: "get", port: 22 }, /"port" that is not known here/],
    [{ kind: "burst", count: 1001 }, /count/],
  ] as const) {
    const answer = await post(visits, bad);
    assert.equal(answer.status, 400);
    assert.match(answer.body.problem, sentence);
  }
  assert.equal((await post("/api/runs/no-such/visits", { kind: "get" })).status, 404);
  const check = await labServer.runs.startCheck(labId, {});
  const refused = await post(`/api/runs/${check.id}/visits`, { kind: "get" });
  assert.equal(refused.status, 409);
  assert.match(refused.body.problem, /a check, which brings its own clients/);
  assert.equal(refused.body.code, "check-brings-clients");
});

test("events come as one JSON object a line, follow, and end with the run", async () => {
  const { body } = await post(`/api/labs/${labId}/run`);
  const { log } = labServer.runs.get(body.run)!;
  const output = (text: string, offset: number) =>
    log.append({ type: "output", stream: "stdout", offset, bytes: text.length, text });
  output("before\n", 0);
  const answer = await open("GET", body.events);
  assert.match(answer.headers["content-type"]!, /ndjson/);
  const lines = createInterface({ input: answer })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value as string) as Event;
  assert.equal((await next()).seq, 0);
  output("after\n", 7);
  assert.deepEqual(await next().then(event => event.type === "output" && event.text), "after\n");
  const stopped = await curl("DELETE", `/api/runs/${body.run}`);
  assert.deepEqual([stopped.status, stopped.body.state, stopped.body.sentence], [200, "exited", "stopped"]);
  assert.equal((await next()).type, "exited");
  assert.equal((await lines.next()).done, true);
  const rest = await curl("GET", `${body.events}?from=1`);
  assert.deepEqual(
    rest.text
      .trim()
      .split("\n")
      .map(line => JSON.parse(line).seq),
    [1, 2],
  );
});

test("events come as lines of text for a shell, by ?as=text or the Accept header", async () => {
  const { body } = await post(`/api/labs/${labId}/run`);
  const { log } = labServer.runs.get(body.run)!;
  log.append({ type: "output", stream: "stdout", offset: 0, bytes: 6, text: "a\nb \\\n" });
  log.append({ type: "listening", host: "127.0.0.1", port: 7890, url: "http://127.0.0.1:7890/" });
  await labServer.runs.get(body.run)!.stop();
  const text = await curl("GET", `${body.events}?as=text`);
  assert.match(text.headers["content-type"]!, /^text\/plain/);
  assert.deepEqual(
    text.text.split("\n").map(line => line.replace(/^ +\d+\.\d{3} {2}/, "")),
    ["stdout: a", "stdout: b \\", "listening on http://127.0.0.1:7890/", "exited: stopped", ""],
  );
  const accept = { accept: "text/plain" };
  assert.equal((await curl("GET", body.events, { headers: accept })).text, text.text);
  const both = await curl("GET", `${body.events}?as=json`, { headers: accept });
  assert.match(both.headers["content-type"]!, /ndjson/, "the query decides");
});

test("a body is read before the run is looked up, and its mistakes are answered first", async () => {
  const answer = await post("/api/runs/no-such/pace", { mode: "fast" });
  assert.deepEqual([answer.status, answer.body.code], [400, "unfit-value"]);
  assert.equal((await post("/api/runs/no-such/pace", {})).body.code, "unknown-run");
});

test("a file of one's own is made, read, renamed and removed with curl; one byte may become six as JSON", async () => {
  const own = `/api/labs/${labId}/files/greet.ts`;
  const text = "\u0001".repeat(limits.fileBytes);
  const made = await curl("PUT", own, {
    headers: { ...json, "if-match": '""' },
    body: JSON.stringify({ text }),
  });
  assert.equal(made.status, 200);
  assert.equal((await curl("GET", own)).text, text);
  const { files } = (await curl("GET", `/api/labs/${labId}`)).body;
  assert.deepEqual(
    files.map((one: { file: string }) => one.file),
    ["server.ts", "greet.ts"],
  );
  const named = await curl("POST", `${own}/rename`, {
    headers: { ...json, "if-match": made.body.etag },
    body: JSON.stringify({ to: "hello.ts" }),
  });
  assert.deepEqual([named.status, named.body], [200, made.body]);
  assert.equal((await curl("GET", own)).status, 404);
  const other = own.replace("greet", "hello");
  const removed = await curl("DELETE", other, { headers: { "if-match": made.body.etag } });
  assert.match(removed.body.kept, /\.history\/.+\/hello\.ts\//);
  assert.equal((await curl("GET", other)).status, 404);
});

test("HEAD has the headers of GET and no body; 405 names every method of the address", async () => {
  const head = await curl("HEAD", "/api/labs");
  assert.deepEqual([head.status, head.text], [200, ""]);
  const refused = await post(file);
  assert.deepEqual(
    [refused.status, refused.headers.allow, refused.body.allow],
    [405, "GET, PUT, DELETE", ["GET", "PUT", "DELETE"]],
  );
});

test("a caller that reads slowly gets a gap that counts what is missing; the lab server holds nothing for it", async () => {
  const { body } = await post(`/api/labs/${labId}/run`);
  const { log } = labServer.runs.get(body.run)!;
  const answer = await open("GET", body.events);
  answer.pause();
  const text = "x".repeat(16 * 1024);
  const count = 2000; // 32 MB: far beyond the ring and all buffers of a connection
  for (let i = 0; i < count; i++) {
    log.append({ type: "output", stream: "stdout", offset: i * text.length, bytes: text.length, text });
    if (i % 100 === 0) await new Promise(resolve => setImmediate(resolve));
  }
  await labServer.runs.get(body.run)!.stop();
  let shown = 0;
  let missing = 0;
  for await (const line of createInterface({ input: answer })) {
    const event = JSON.parse(line) as Event;
    if (event.type === "output") shown += event.bytes;
    if (event.type === "gap") missing += event.bytes;
  }
  assert.equal(shown + missing, count * text.length);
  assert.ok(missing > 0, "there was a gap");
});

test("one sample of the kernel's state; a problem when there is no process", async () => {
  const run = await labServer.runs.startProgram(labId, {});
  const sample = { doing: "asleep in epoll_wait(4)" };
  Object.assign(run, { kernel: { want: () => () => {}, once: async () => sample } });
  const got = await curl("GET", `/api/runs/${run.id}/kernel`);
  assert.deepEqual([got.status, got.body], [200, sample]);
  Object.assign(run, { kernel: { want: () => () => {}, once: async () => null } });
  const gone = await curl("GET", `/api/runs/${run.id}/kernel`);
  assert.equal(gone.status, 409);
  assert.match(gone.body.problem, /There is no process to ask the kernel about: the run is running\./);
  const check = await labServer.runs.startCheck(labId, {});
  assert.match((await curl("GET", `/api/runs/${check.id}/kernel`)).body.problem, /That run is a check/);
});

test("a check sends its events until it has ended", async () => {
  const answer = await open("POST", `/api/labs/${labId}/check`, {
    headers: json,
    body: '{"only":["answers"]}',
  });
  assert.equal(answer.statusCode, 200);
  const run = labServer.runs.current(labId).check!;
  run.log.append({ type: "check", id: "answers", title: "answers", state: "passed" });
  await run.stop();
  const types: string[] = [];
  for await (const line of createInterface({ input: answer })) types.push(JSON.parse(line).type);
  assert.deepEqual(types, ["check", "exited"]);
  const unknown = await post(`/api/labs/${labId}/check`, { only: ["answer"] });
  assert.equal(unknown.status, 400);
  assert.match(unknown.body.problem, /no check "answer".*Did you mean "answers"/);
});

test("a shell paces a run and steps through it; how it goes is in the run's summary and in its events", async () => {
  const { run, events } = (await post(`/api/labs/${labId}/run`)).body;
  const breakpoints = [{ name: "recv", fd: 7 }];
  const paused = await post(`/api/runs/${run}/pace`, { mode: "paused", breakpoints });
  assert.equal(paused.status, 200);
  const { mode, state, stop, driver, sentence } = paused.body;
  assert.deepEqual(
    [mode, state, stop.n, driver, sentence],
    ["paused", "stopped", 0, "a shell", "paused before call 0"],
  );
  const step = await post(`/api/runs/${run}/step`);
  assert.deepEqual(step.body.stop, { where: "before", n: 1, call: null, because: "step" });
  assert.deepEqual((await curl("GET", `/api/runs/${run}`)).body.pace, step.body);
  const slow = await post(`/api/runs/${run}/pace`, { mode: "slow", delayMs: 100 });
  assert.deepEqual([slow.body.state, slow.body.delayMs, slow.body.breakpoints], ["going", 100, breakpoints]);
  await curl("DELETE", `/api/runs/${run}`);
  const lines = (await curl("GET", events)).text.trim().split("\n");
  const states = lines
    .map(line => JSON.parse(line))
    .flatMap(event => (event.type === "pace" ? [event.state] : []));
  assert.equal(states.at(-1), "going");
  assert.ok(states.includes("stopped"));
});

test("a pace that is not possible is refused with its reason", async () => {
  const { run } = (await post(`/api/labs/${labId}/run`)).body;
  for (const [body, status, words] of [
    [{ mode: "fast" }, 400, /"mode"/],
    [{ delayMs: 0 }, 400, /"delayMs"/],
    [{ breakpoints: [{ name: "acept4" }] }, 400, /Did you mean "accept4"/],
    [{ breakpoints: [{ errno: "EAGIAN" }] }, 400, /Did you mean "EAGAIN"/],
    [{ breakpoints: Array(33).fill({}) }, 400, /"breakpoints"/],
  ] as const) {
    const refused = await post(`/api/runs/${run}/pace`, body);
    assert.equal(refused.status, status);
    assert.match(refused.body.problem, words);
  }
  labServer.runs.get(run)!.pacer!.drive("page 7");
  const watched = await post(`/api/runs/${run}/step`);
  assert.deepEqual([watched.status, watched.body.driver], [409, "page 7"]);
  assert.match(watched.body.problem, /^page 7 drives this run/);
  const taken = await post(`/api/runs/${run}/step`, { take: true });
  assert.deepEqual([taken.status, taken.body.driver], [200, "a shell"]);
  await curl("DELETE", `/api/runs/${run}`);
  const ended = await post(`/api/runs/${run}/step`);
  assert.equal(ended.status, 409);
  assert.match(ended.body.problem, /has ended/);
  await post(`/api/labs/${labId}/run`);
  const start = await post(`/api/labs/${labId}/run`, { pace: { breakpoints: [{ name: "acept4" }] } });
  assert.equal(start.status, 400);
});

test("a program that ends while the body of a pace is on its way has ended", async () => {
  for (const [way, body] of [
    ["pace", '{"mode":"paused"}'],
    ["step", "{}"],
  ]) {
    const { run } = (await post(`/api/labs/${labId}/run`)).body;
    const { status, text } = await new Promise<{ status?: number; text: Promise<string> }>(
      (resolve, reject) => {
        const request = openRequest(labServer, {
          method: "POST",
          path: `/api/runs/${run}/${way}`,
          headers: { ...json, ...bearer, expect: "100-continue" },
        });
        request.on("continue", async () => {
          await labServer.runs.get(run)!.stop();
          request.end(body);
        });
        request.on("response", answer => resolve({ status: answer.statusCode, text: textOf(answer) }));
        request.on("error", reject);
        request.flushHeaders();
      },
    );
    assert.match(await text, /This program has ended\. Start it again/);
    assert.equal(status, 409);
  }
});

test("a program that is gone before it could be driven was started all the same", async t => {
  const start = labServer.runs.startProgram.bind(labServer.runs);
  t.mock.method(labServer.runs, "startProgram", async (lab: string, body: RunBody) => {
    const run = await start(lab, body);
    run.pacer!.end();
    return run;
  });
  const started = await post(`/api/labs/${labId}/run`, { pace: { breakpoints: [{ name: "recv" }] } });
  assert.equal(started.status, 201, started.text);
});

test("every way to ask wrongly has its status, its code and a sentence", async () => {
  const say = async (status: number, pattern: RegExp, answer: ReturnType<typeof curl>) => {
    const { status: got, body } = await answer;
    assert.equal(got, status, body.problem);
    assert.match(body.problem, pattern);
    assert.match(body.code, /^[a-z0-9-]+$/);
  };
  await say(
    404,
    /Did you mean "non-blocking\/polling-model".*\/api\/labs/,
    curl("GET", "/api/labs/non-blocking/poling-model"),
  );
  await say(
    404,
    /no file "secret\.ts"; it has server\.ts/,
    curl("GET", `/api/labs/${labId}/files/secret.ts`),
  );
  await say(404, /no run "r999"/, curl("GET", "/api/runs/r999/events"));
  await say(404, /nothing at \/api\/nonsense/, curl("GET", "/api/nonsense"));
  await say(405, /POST is not for \/api\/labs; use GET/, post("/api/labs"));
  await say(405, /use GET, PUT, DELETE/, post(file));
  await say(409, /cannot be removed/, curl("DELETE", file));
  await say(422, /cannot be named "secret"/, curl("GET", `/api/labs/${labId}/files/secret`));
  await say(400, /not JSON: .*position 1/, post(`/api/labs/${labId}/run`, "{oops"));
  await say(400, /empty; \{\}/, post(`/api/labs/${labId}/run`, ""));
  await say(400, /field "porte" that is not known/, post(`/api/labs/${labId}/run`, { porte: 1 }));
  await say(400, /field "__proto__"/, post(`/api/labs/${labId}/run`, '{"__proto__":{"port":1}}'));
  await say(400, /"port"/, post(`/api/labs/${labId}/run`, { port: "7890" }));
  await say(400, /"port"/, post(`/api/labs/${labId}/run`, { port: 65536 }));
  await say(400, /not as it should be/, post(`/api/labs/${labId}/run`, "[]"));
  await say(400, /"text"/, curl("PUT", file, { headers: json, body: "{}" }));
  await say(413, /3211264/, post(`/api/labs/${labId}/run`, `{"text":"${"x".repeat(limits.messageBytes)}"}`));
  await say(415, /application\/json/, curl("POST", `/api/labs/${labId}/run`, { body: "{}" }));
  const started = (await post(`/api/labs/${labId}/run`)).body;
  await say(400, /\?from=0, not "abc"/, curl("GET", `${started.events}?from=abc`));
  await say(400, /from/, curl("GET", `${started.events}?from=-1`));
  await say(400, /\?as=text or \?as=json, not "html"/, curl("GET", `${started.events}?as=html`));
  await curl("DELETE", `/api/runs/${started.run}`);
});

test("a body without a length is cut off at the limit", async () => {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = openRequest(labServer, {
      method: "POST",
      path: `/api/labs/${labId}/run`,
      headers: { ...json, ...bearer, "transfer-encoding": "chunked" },
    });
    request.on("response", resolve);
    request.on("error", reject);
    for (let sent = 0; sent <= limits.messageBytes; sent += 65536) request.write(Buffer.alloc(65536, "x"));
  });
  assert.equal(answer.statusCode, 413);
  answer.destroy();
});

test("no route can be used without the token", async () => {
  for (const route of routes) {
    const { method } = route;
    const path = route.path.replace(":lab", labId).replace(":file", "server.ts").replace(":run", "r1");
    const headers = { ...json, "if-match": "*" };
    for (const said of [null, "wrong"]) {
      const { status } = await curl(method, path, {
        headers,
        body: method === "GET" ? undefined : "{}",
        token: said,
      });
      assert.ok(status === 401 || status === 429, `${method} ${path}: ${status}`);
    }
  }
  assert.equal((await curl("GET", "/healthz", { token: null })).status, 200);
});

test("a file that was removed outside is refused, and can be made anew", async () => {
  const path = join(labServer.workspace.root, labId, "server.ts");
  await put("here\n", "*");
  const { etag } = (await curl("GET", file)).headers;

  rmSync(path);
  const gone = await curl("GET", file);
  assert.equal(gone.status, 404);
  assert.match(gone.body.problem, /was removed/);
  const late = await put("again\n", etag);
  assert.equal(late.status, 412);
  assert.deepEqual([late.body.text, late.body.etag], [null, '""']);
  assert.equal((await put("again\n", late.body.etag)).status, 200);
  writeFileSync(path, Buffer.from([0x61, 0xff, 0x62]));
  const binary = await curl("GET", file);
  assert.equal(binary.status, 422);
  assert.match(binary.body.problem, /not UTF-8 text: look at byte 1/);
  assert.equal((await put("well again\n", "*")).status, 200);
});

// The HTTP API as curl uses it: files, runs, events, checks, and every way to ask wrongly.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, beforeEach, test } from "node:test";
import { routes } from "./api.ts";
import { type House, labId, openHouse, starterText, token } from "./fixtures/house.ts";
import { type Event, limits } from "./protocol.ts";

let house: House;
before(async () => {
  house = await openHouse();
});
after(async () => {
  await house.close();
  assert.deepEqual(house.unexpected, []);
});
beforeEach(() => {
  house.runs.refuses = null;
});

const file = `/api/labs/${labId}/files/server.ts`;
const json = { "content-type": "application/json" };

interface Ask {
  headers?: Record<string, string>;
  body?: string | Buffer;
  token?: string | null;
}

function open(method: string, path: string, { headers = {}, body, token: said = token }: Ask = {}) {
  return new Promise<IncomingMessage>((resolve, reject) => {
    const authorization = said === null ? {} : { authorization: `Bearer ${said}` };
    const request = httpRequest(
      {
        host: "127.0.0.1",
        port: house.port,
        method,
        path,
        headers: { ...authorization, ...headers },
        agent: false,
      },
      resolve,
    );
    request.on("error", reject);
    request.end(body);
  });
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
  assert.deepEqual(readdirSync(house.workspace.root).sort(), [
    "node_modules",
    "package.json",
    "tsconfig.json",
  ]);
  const lab = await curl("GET", `/api/labs/${labId}`);
  assert.equal(lab.body.files[0].path, join(house.workspace.root, labId, "server.ts"));
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
  assert.deepEqual(house.runs.asked.at(-1)?.body, { text: "as typed\n", port: 0 });
  const history = join(house.workspace.root, labId, ".history/server.ts");
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
    house.runs.refuses = reason;
    const answer = await post(`/api/labs/${labId}/run`);
    assert.equal(answer.status, status);
    assert.deepEqual(
      [answer.body.problem, answer.body.reason, answer.body.line],
      ["It cannot run.", reason, 3],
    );
  }
});

test("clients are sent against a program, and told to leave, all or one", async () => {
  const { body } = await post(`/api/labs/${labId}/run`);
  const visits = `/api/runs/${body.run}/visits`;
  const begun = await post(visits, { kind: "split", at: [8] });
  assert.deepEqual([begun.status, begun.body.visit], [201, "v1"]);
  assert.deepEqual((await curl("DELETE", `${visits}/v1`)).body, { leaving: 1 });
  assert.equal((await curl("DELETE", visits)).status, 200);
  assert.deepEqual(house.runs.visits.asked, [{ kind: "split", at: [8] }, "v1", undefined]);
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
  assert.equal((await post("/api/runs/nobody/visits", { kind: "get" })).status, 404);
  const check = await house.runs.startCheck(labId, {});
  const refused = await post(`/api/runs/${check.id}/visits`, { kind: "get" });
  assert.equal(refused.status, 409);
  assert.match(refused.body.problem, /a check, which brings its own clients/);
});

test("events come as one JSON object a line, follow, and end with the run", async () => {
  const { body } = await post(`/api/labs/${labId}/run`);
  const { log } = house.runs.get(body.run)!;
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

test("who reads slowly gets a gap that counts what is missing, and the lab server holds nothing for them", async () => {
  const { body } = await post(`/api/labs/${labId}/run`);
  const { log } = house.runs.get(body.run)!;
  const answer = await open("GET", body.events);
  answer.pause();
  const text = "x".repeat(16 * 1024);
  const count = 2000; // 32 MB: far beyond the ring and all buffers of a connection
  for (let i = 0; i < count; i++) {
    log.append({ type: "output", stream: "stdout", offset: i * text.length, bytes: text.length, text });
    if (i % 100 === 0) await new Promise(resolve => setImmediate(resolve));
  }
  await house.runs.get(body.run)!.stop();
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

test("one sample of the kernel's state; a sentence when there is nobody to ask about", async () => {
  const run = await house.runs.startProgram(labId, {});
  const sample = { doing: "asleep in epoll_wait(4)" };
  Object.assign(run, { kernel: { want: () => () => {}, once: async () => sample } });
  const got = await curl("GET", `/api/runs/${run.id}/kernel`);
  assert.deepEqual([got.status, got.body], [200, sample]);
  Object.assign(run, { kernel: { want: () => () => {}, once: async () => null } });
  const gone = await curl("GET", `/api/runs/${run.id}/kernel`);
  assert.equal(gone.status, 409);
  assert.match(gone.body.problem, /There is no process to ask the kernel about: running\./);
  const check = await house.runs.startCheck(labId, {});
  assert.match((await curl("GET", `/api/runs/${check.id}/kernel`)).body.problem, /That run is a check/);
});

test("a check tells its events until it has ended", async () => {
  const answer = await open("POST", `/api/labs/${labId}/check`, {
    headers: json,
    body: '{"only":["answers"]}',
  });
  assert.equal(answer.statusCode, 200);
  const run = house.runs.current(labId).check!;
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
  assert.deepEqual(step.body.stop, { where: "before", n: 1, because: "step" });
  assert.deepEqual((await curl("GET", `/api/runs/${run}`)).body.pace, step.body);
  const slow = await post(`/api/runs/${run}/pace`, { mode: "slow", delayMs: 100 });
  assert.deepEqual([slow.body.state, slow.body.delayMs, slow.body.breakpoints], ["going", 100, breakpoints]);
  await curl("DELETE", `/api/runs/${run}`);
  const told = (await curl("GET", events)).text.trim().split("\n");
  const states = told
    .map(line => JSON.parse(line))
    .flatMap(event => (event.type === "pace" ? [event.state] : []));
  assert.equal(states.at(-1), "going");
  assert.ok(states.includes("stopped"));
});

test("what cannot be paced is said in words", async () => {
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
  house.runs.get(run)!.pacer!.drive("page 7");
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

test("every way to ask wrongly has its status and a sentence", async () => {
  const say = async (status: number, pattern: RegExp, answer: ReturnType<typeof curl>) => {
    const { status: got, body } = await answer;
    assert.equal(got, status, body.problem);
    assert.match(body.problem, pattern);
  };
  await say(
    404,
    /Did you mean "non-blocking\/polling-model".*\/api\/labs/,
    curl("GET", "/api/labs/non-blocking/poling-model"),
  );
  await say(404, /no file "secret"; it has server\.ts/, curl("GET", `/api/labs/${labId}/files/secret`));
  await say(404, /no run "r999"/, curl("GET", "/api/runs/r999/events"));
  await say(404, /nothing at \/api\/nonsense/, curl("GET", "/api/nonsense"));
  await say(405, /POST is not for \/api\/labs; use GET/, post("/api/labs"));
  await say(405, /use GET, PUT/, curl("DELETE", file));
  await say(400, /not JSON: .*position 1/, post(`/api/labs/${labId}/run`, "{oops"));
  await say(400, /empty; \{\}/, post(`/api/labs/${labId}/run`, ""));
  await say(400, /field "porte" that is not known/, post(`/api/labs/${labId}/run`, { porte: 1 }));
  await say(400, /field "__proto__"/, post(`/api/labs/${labId}/run`, '{"__proto__":{"port":1}}'));
  await say(400, /"port"/, post(`/api/labs/${labId}/run`, { port: "7890" }));
  await say(400, /"port"/, post(`/api/labs/${labId}/run`, { port: 65536 }));
  await say(400, /not as it should be/, post(`/api/labs/${labId}/run`, "[]"));
  await say(400, /"text"/, curl("PUT", file, { headers: json, body: "{}" }));
  await say(413, /1048576/, post(`/api/labs/${labId}/run`, `{"text":"${"x".repeat(limits.messageBytes)}"}`));
  await say(415, /application\/json/, curl("POST", `/api/labs/${labId}/run`, { body: "{}" }));
  const started = (await post(`/api/labs/${labId}/run`)).body;
  await say(400, /\?from=0, not "abc"/, curl("GET", `${started.events}?from=abc`));
  await say(400, /from/, curl("GET", `${started.events}?from=-1`));
  await curl("DELETE", `/api/runs/${started.run}`);
});

test("a body without a length is cut off at the limit", async () => {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = httpRequest({
      host: "127.0.0.1",
      port: house.port,
      method: "POST",
      path: `/api/labs/${labId}/run`,
      headers: { ...json, authorization: `Bearer ${token}`, "transfer-encoding": "chunked" },
      agent: false,
    });
    request.on("response", resolve);
    request.on("error", reject);
    for (let sent = 0; sent <= limits.messageBytes; sent += 65536) request.write(Buffer.alloc(65536, "x"));
  });
  assert.equal(answer.statusCode, 413);
  answer.destroy();
});

test("no route can be used without the token", async () => {
  for (const { method, pattern } of routes) {
    const path = pattern
      .replace(":chapter/:lesson", labId)
      .replace(":file", "server.ts")
      .replace(":run", "r1");
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

test("an ETag-less file: deleted outside it is said, and can be made anew", async () => {
  const path = join(house.workspace.root, labId, "server.ts");
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

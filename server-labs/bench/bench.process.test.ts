// What of the bench can be tested without a clock: its arithmetic, its words, and that it counts right answers only.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { packageRoot } from "../lib/package-root.ts";
import { Site } from "./contestants.ts";
import { inTurns, ratios, spread } from "./figures.ts";
import { readBenchOptions } from "./options.ts";
import { type Expected, ReplyReader, understand } from "./reply.ts";
import { asText, type FigureRow, figureSentence, short } from "./report.ts";

test("the middle of some numbers, and the ends", () => {
  assert.deepEqual(spread([3, 1, 2]), { median: 2, min: 1, max: 3 });
  assert.deepEqual(spread([4, 1, 2, 3]), { median: 2.5, min: 1, max: 4 });
  assert.throws(() => spread([]), /nothing was measured/);
});

test("ratios are those of pairs, not of medians", () => {
  assert.equal(ratios([10, 200, 30], [10, 100, 10]).median, 2);
  assert.throws(() => ratios([1], [1, 2]), /cannot be paired/);
});

test("in turns, each round begins with another", async () => {
  const order: string[] = [];
  const measure = (name: string) => async () => order.push(name);
  const figures = await inTurns(3, [measure("a"), measure("b"), measure("c")]);
  assert.equal(order.join(""), "abcbcacab");
  assert.deepEqual(
    figures.map(one => one.length),
    [3, 3, 3],
  );
});

test("the table has the ratio first, and a target says whether it was reached", () => {
  const one = (median: number) => ({ median, min: median / 2, max: median * 2 });
  const rows: FigureRow[] = [
    {
      section: "small",
      what: "ours",
      against: "",
      ratio: null,
      figure: one(150_000),
      unit: "req/s",
      cpu: one(6.4),
    },
    { section: "small", what: "nginx", against: "ours", ratio: one(0.5), figure: one(75_000), unit: "req/s" },
  ];
  const targets = [{ what: "ours, of nginx", atLeast: 1.5, ratio: 2 }];
  const table = asText({ rows, targets, notes: ["wrk is not installed."] });
  assert.equal(
    table,
    `ratio     min-max  what   against         figure  CPU/request

small
    1              ours            150 000 req/s      6.40 µs
0.500  0.250-1.00  nginx  of ours   75 000 req/s

reached: ours, of nginx 2.00 (at least 1.5)

wrk is not installed.`,
  );
  assert.equal(
    figureSentence({ what: "x", atMost: 0.25, ratio: 0.3 }),
    "NOT reached: x 0.300 (at most 0.25)",
  );
  assert.equal(
    figureSentence({ what: "x", atLeast: 1, ratio: null, why: "no nginx" }),
    "not measured: x (at least 1): no nginx",
  );
  assert.deepEqual([0.0123, 1.5, 12.34, 123.4, 12345.6].map(short), [
    "0.012",
    "1.50",
    "12.3",
    "123",
    "12 346",
  ]);
});

test("options that make no sense are refused with a sentence", () => {
  assert.throws(
    () => readBenchOptions(["--only", "start,speed"]),
    /no section "speed"\. There is: start, requests/,
  );
  assert.throws(() => readBenchOptions(["--rounds", "none"]), /--rounds takes a number/);
  assert.throws(() => readBenchOptions(["--seconds", "0"]), /--seconds takes a number/);
  assert.equal(readBenchOptions(["--json"]).json, "");
  assert.equal(readBenchOptions(["--json", "--rounds", "2"]).json, "");
  assert.equal(readBenchOptions(["--json", "out.json"]).json, "out.json");
  assert.equal(readBenchOptions([]).json, null);
});

test("a program that is not installed is named, with the way to install it", async () => {
  const site = new Site();
  const { PATH } = process.env;
  process.env.PATH = site.folder; // an empty one, as far as programs go
  try {
    const { rivals, missing } = await site.rivals("nowhere.py", []);
    assert.deepEqual(
      rivals.map(rival => rival.name.split(",")[0]),
      ["our solution", "Node http", "Node http"],
    );
    assert.match(missing.join("\n"), /nginx is not installed and was not measured .*sudo apt install nginx/);
    assert.match(missing.join("\n"), /There is no nowhere\.py/);
    assert.match((await site.rivals(undefined, [])).missing.join("\n"), /with --python FILE/);
  } finally {
    process.env.PATH = PATH;
    site.remove();
  }
});

const body = Buffer.from("hello\n");
const whole = (head: string, content: Buffer | string = body) =>
  Buffer.concat([Buffer.from(head), Buffer.from(content)]);
const right = "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 6\r\n\r\n";

test("an answer is understood when it is whole, and refused when it is another one", () => {
  assert.deepEqual(understand(whole(right), body), { head: right.length, total: right.length + 6, body });
  assert.equal(understand(whole(right).subarray(0, -1), body), null);
  assert.equal(understand(Buffer.from("HTTP/1.1 20"), body), null);
  assert.match(String(understand(whole(right, "hellO\n"), body)), /something else/);
  assert.match(String(understand(whole(right, "hello\n!"), body)), /more than/);
  assert.match(
    String(understand(whole("HTTP/1.1 404 Not Found\r\n\r\n"), body)),
    /answers "HTTP\/1.1 404 Not Found"/,
  );
  assert.match(
    String(understand(whole("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), body)),
    /5 bytes of a file that has 6/,
  );
  assert.match(String(understand(whole("HTTP/1.1 200 OK\r\n\r\n"), body)), /no Content-Length/);
});

test("answers are counted in pieces of any size, also when the head changes; a wrong one is seen", () => {
  const expected = understand(whole(right), body) as Expected;
  const tagged = whole(right.replace("\r\n\r\n", '\r\nETag: "1"\r\n\r\n'));
  for (const size of [1, 7, 1000]) {
    const answers = new ReplyReader(expected);
    let count = 0;
    for (const one of [whole(right), whole(right), tagged, tagged, whole(right)]) {
      for (let at = 0; at < one.length; at += size) {
        const piece = one.subarray(at, at + size);
        const state = answers.add(piece, piece.length);
        assert.notEqual(state, -1);
        count += state;
      }
    }
    assert.equal(count, 5, `in pieces of ${size}`);
  }
  const wrong = whole(right, "hellO\n");
  assert.equal(new ReplyReader(expected).add(wrong, wrong.length), -1);
  const other = whole(right.replace("200", "500"));
  assert.equal(new ReplyReader(expected).add(other, other.length), -1);
});

const folder = mkdtempSync(join(tmpdir(), "socket-workbook-bench-test-"));
const servers: Server[] = [];
after(() => {
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true });
});

/** A server that answers every piece that it receives with the next of these, the last one for ever. */
async function answering(...answers: string[]): Promise<number> {
  let count = 0;
  const server = createServer(socket => {
    socket.on("error", () => {});
    socket.on("data", () => socket.write(answers[Math.min(count++, answers.length - 1)]!));
  });
  servers.push(server);
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as { port: number }).port;
}

async function generate(port: number): Promise<{ requests: number; wrong: string | null }> {
  const file = join(folder, "file");
  writeFileSync(file, body);
  const job = { port, target: "/file", file, connections: 3, seconds: 0.2, pids: [process.pid] };
  const load = join(packageRoot, "dist/server-labs/bench/load.js");
  const child = spawn(process.execPath, [load], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(`${JSON.stringify(job)}\n`);
  return JSON.parse(await text(child.stdout));
}

test("the generator counts right answers, and says what is wrong with a wrong one", async () => {
  const good = await generate(await answering(whole(right).toString()));
  assert.equal(good.wrong, null);
  assert.ok(good.requests > 0);
  const bad = await generate(await answering("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"));
  assert.deepEqual([bad.requests, bad.wrong], [0, 'it answers "HTTP/1.1 404 Not Found"']);
  const silent = await generate(await answering("HTTP/1.1 200 OK\r\n"));
  assert.match(String(silent.wrong), /has not answered/);
  const later = await generate(
    await answering(
      ...Array(10).fill(whole(right).toString()),
      whole(right.replace("200", "500")).toString(),
    ),
  );
  assert.equal(later.wrong, "one of its answers was wrong");
});

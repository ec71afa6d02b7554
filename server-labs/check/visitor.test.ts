// Each kind of visit against a server that does something with it: what the visitor says is what happened.
import assert from "node:assert/strict";
import { once } from "node:events";
import type { Server, Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { listen, ok, Visiting } from "./fixtures/visiting.ts";
import { tcpSockets } from "./proc.ts";

const servers: Server[] = [];
const sockets = new Set<Socket>();
let visitor: Visiting;

before(() => {
  visitor = new Visiting();
});
after(async () => {
  await visitor.end();
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
});

/** A server, its port, and the connections that it has. */
async function serve(
  visited: (socket: Socket) => void,
  reads = true,
): Promise<{ port: number; server: Server }> {
  const made = await listen(socket => {
    sockets.add(socket);
    visited(socket);
  }, reads);
  servers.push(made.server);
  return made;
}

/** Answers each request when it is whole; keeps what came in pieces. */
function http(pieces: string[] = []) {
  return (socket: Socket) => {
    let unread = "";
    socket.on("data", data => {
      pieces.push(String(data));
      unread += data;
      for (let end = unread.indexOf("\r\n\r\n"); end !== -1; end = unread.indexOf("\r\n\r\n")) {
        unread = unread.slice(end + 4);
        socket.write(ok);
      }
    });
    socket.on("end", () => socket.end());
  };
}

describe("one client", { concurrency: true }, () => {
  test("one GET: connected, sent, got, closed, and how long it took", async () => {
    const { port } = await serve(http());
    const visit = visitor.visit(port, "get");
    const done = await visitor.what(visit, "done");
    assert.match(done.sentence, /^answered 200 after [\d.]+ ms, 40 octets$/);
    const steps = visitor.steps(visit);
    assert.deepEqual(
      steps.map(step => step.what),
      ["connected", "sent", "got", "closed", "done"],
    );
    assert.equal(steps[1]!.text, `GET / HTTP/1.1\\r\\nHost: 127.0.0.1:${port}\\r\\n\\r\\n`);
    assert.equal(steps[2]!.bytes, 40);
    assert.ok(steps[1]!.clock <= steps[2]!.clock);
    assert.equal(new Set(steps.slice(0, 4).map(step => step.port)).size, 1);
  });

  test("a GET that nobody answers waits, and says so; it leaves when it is told to", async () => {
    const { port } = await serve(() => {});
    const visit = visitor.visit(port, "get");
    assert.match((await visitor.what(visit, "waits")).sentence, /^no answer for 1\.0 s: the client waits$/);
    visitor.tell({ type: "leave", visit });
    assert.equal((await visitor.what(visit, "done")).sentence, "left; nothing came");
    assert.match((await visitor.what(visit, "closed")).sentence, /FIN/);
  });

  test("an answer without an end: what is missing is said", async () => {
    const { port } = await serve(socket =>
      socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\n\r\nok")),
    );
    const visit = visitor.visit(port, "get");
    assert.match(
      (await visitor.what(visit, "waits")).sentence,
      /21 octets came.*no length of its body.*waits/,
    );
    visitor.tell({ type: "leave", visit });
    await visitor.what(visit, "done");
  });

  test("what is no HTTP is not called an answer", async () => {
    const { port } = await serve(socket => socket.on("data", data => socket.write(data)));
    const { sentence } = await visitor.what(visitor.visit(port, "get"), "done");
    assert.match(
      sentence,
      /^41 octets came that are no HTTP answer: a status line was due, and "GET \/ HTTP\/1\.1.*" came/,
    );
  });

  test("a long body is counted to its end", async () => {
    const bytes = 3_000_000;
    const { port } = await serve(socket => {
      socket.once("data", () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n`);
        socket.write(Buffer.alloc(bytes));
      });
    });
    const visit = visitor.visit(port, "get");
    assert.match((await visitor.what(visit, "done")).sentence, /^answered 200 .* 3,000,044 octets$/);
    const got = visitor.steps(visit).filter(step => step.what === "got");
    assert.equal(
      got.reduce((sum, step) => sum + step.bytes!, 0),
      bytes + 44,
    );
  });

  test("a silent client says nothing until the server closes, or it leaves", async () => {
    const heard: string[] = [];
    const { port } = await serve(http(heard));
    const visit = visitor.visit(port, "silent");
    assert.equal((await visitor.what(visit, "waits")).sentence, "connected, and says nothing");
    visitor.tell({ type: "leave", visit });
    assert.match((await visitor.what(visit, "done")).sentence, /^left; it was silent for/);
    assert.deepEqual(heard, []);
  });

  test("a server that closes ends a silent visit", async () => {
    const { port } = await serve(socket => void socket.end());
    const visit = visitor.visit(port, "silent");
    assert.equal(
      (await visitor.what(visit, "done")).sentence,
      "nothing came, and the server has closed the connection",
    );
    assert.ok(visitor.steps(visit).some(step => step.what === "ended"));
  });

  test("the next piece comes when the server has read the one before", async () => {
    const pieces: string[] = [];
    const { port } = await serve(http(pieces));
    const visit = visitor.visit(port, "split", { pieces: [3, 16] });
    assert.match((await visitor.what(visit, "done")).sentence, /^answered 200/);
    assert.deepEqual(pieces, ["GET", " / HTTP/1.1\r\n", `Host: 127.0.0.1:${port}\r\n\r\n`]);
    assert.ok(!visitor.steps(visit).some(step => step.what === "waits"));
  });

  test("a server that does not read gets the next piece all the same, and it is said", async () => {
    const accepted: Socket[] = [];
    const pieces: string[] = [];
    const { port } = await serve(socket => void accepted.push(socket), false);
    const visit = visitor.visit(port, "split", { pieces: [3] });
    assert.match((await visitor.what(visit, "waits")).sentence, /has not read piece 1 of 2 for 1\.0 s/);
    await visitor.step(visit, step => step.what === "sent" && step.text !== "GET");
    http(pieces)(accepted[0]!.resume());
    assert.match((await visitor.what(visit, "done")).sentence, /^answered 200/);
    assert.equal(pieces.length, 1, "both pieces lay there together");
  });

  test("octet by octet, and the answer", async () => {
    const { port } = await serve(http());
    const visit = visitor.visit(port, "drip");
    assert.match((await visitor.what(visit, "done")).sentence, /^answered 200/);
    const sent = visitor.steps(visit).filter(step => step.what === "sent");
    const octets = `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`.length;
    assert.equal(
      sent.reduce((sum, step) => sum + step.bytes!, 0),
      octets,
    );
    assert.ok(sent.length > 10);
  });

  test("pipelined: all answers, or how many of them", async () => {
    const all = await serve(http());
    const some = await serve(socket => socket.once("data", () => socket.end(ok + ok)));
    const first = visitor.visit(all.port, "pipeline", { count: 3 });
    const second = visitor.visit(some.port, "pipeline", { count: 3 });
    assert.match(
      (await visitor.what(first, "done")).sentence,
      /^3 of 3 answered \(200\) after .* 120 octets$/,
    );
    assert.match(
      (await visitor.what(second, "done")).sentence,
      /^2 of 3 answered \(200\) .*; the server has closed the connection$/,
    );
  });

  test("two answers to one request are told as two", async () => {
    const { port } = await serve(socket => socket.on("data", () => socket.write(ok)));
    const visit = visitor.visit(port, "split", { pieces: [8] });
    assert.equal(
      (await visitor.what(visit, "done")).sentence,
      "2 answers to one request (200, 200), 80 octets",
    );
  });

  test("a slow reader takes little at a time", async () => {
    const { port } = await serve(socket => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 6000\r\n\r\n");
        socket.write(Buffer.alloc(6000));
      });
    });
    const visit = visitor.visit(port, "slow-reader", { everyMs: 2 });
    assert.match((await visitor.what(visit, "done")).sentence, /^answered 200 .* 6,041 octets$/);
    const got = visitor.steps(visit).filter(step => step.what === "got");
    assert.ok(got.length >= 6 && got.every(step => step.bytes! <= 1024));
  });

  test("a half-close: the server reads the end, and its answer is still heard", async () => {
    const { port } = await serve(socket => {
      socket.resume().on("end", () => socket.end(ok));
    });
    const visit = visitor.visit(port, "half-close");
    assert.match((await visitor.what(visit, "done")).sentence, /^answered 200/);
    assert.match((await visitor.what(visit, "closed")).sentence, /FIN.*reads on/);
  });

  test("a reset leaves nothing of the connection; a FIN would leave the server's half", async () => {
    let end: () => void;
    const over = new Promise<void>(resolve => {
      end = resolve;
    });
    // Node may tell an RST that comes with data as an end; the kernel knows the difference.
    const { port } = await serve(
      socket =>
        void socket
          .resume()
          .on("end", () => end())
          .on("error", () => end()),
    );
    const visit = visitor.visit(port, "reset");
    const { port: own } = await visitor.what(visit, "connected");
    await visitor.what(visit, "done");
    await over;
    assert.ok(!tcpSockets().some(row => row.localPort === port && row.remotePort === own));
  });

  test("a server that resets is told as such", async () => {
    const { port } = await serve(socket => void socket.once("data", () => socket.resetAndDestroy()));
    const visit = visitor.visit(port, "get");
    assert.match((await visitor.what(visit, "done")).sentence, /broken \(ECONNRESET\)/);
    assert.match((await visitor.what(visit, "reset")).sentence, /cut the connection off/);
  });

  test("raw octets arrive as they are, and the connection stays", async () => {
    const octets: Buffer[] = [];
    const { port } = await serve(socket => {
      socket.on("data", data => {
        octets.push(data);
        socket.write("what?");
      });
    });
    const visit = visitor.visit(port, "raw", { sends: "\x00\xff\r\n" });
    const got = await visitor.what(visit, "got");
    assert.deepEqual(Buffer.concat(octets), Buffer.from([0, 255, 13, 10]));
    assert.equal(got.text, "what?");
    assert.match((await visitor.what(visit, "sent")).text!, /^\\x00\\xff\\r\\n$/);
    await visitor.what(visit, "waits");
    visitor.tell({ type: "leave", visit });
    assert.match((await visitor.what(visit, "done")).sentence, /^left; 5 octets came/);
  });

  test("nobody listens", async () => {
    const { port, server } = await serve(() => {});
    server.close();
    await once(server, "close");
    const visit = visitor.visit(port, "get");
    assert.equal((await visitor.what(visit, "done")).sentence, "not connected: ECONNREFUSED");
    assert.ok(visitor.steps(visit).some(step => step.what === "refused"));
    const crowd = visitor.visit(port, "burst", { count: 5 });
    assert.match((await visitor.what(crowd, "refused")).sentence, /^5 clients were refused/);
    await visitor.what(crowd, "done");
  });

  test("a server that sends without end is told in sums", async () => {
    const { port } = await serve(socket => {
      const more = () => {
        while (!socket.destroyed && socket.write(Buffer.alloc(64 * 1024)));
      };
      socket.once("data", more).on("drain", more);
    });
    const visit = visitor.visit(port, "raw", { sends: "go" });
    await visitor.step(visit, step => /in \d+ pieces until now/.test(step.sentence));
    assert.ok(visitor.steps(visit).length < 100, `${visitor.steps(visit).length} steps`);
    visitor.tell({ type: "leave", visit });
    await visitor.what(visit, "done");
  });
});

describe("many clients", () => {
  test("a burst that is answered: who, in which order, after how long", async () => {
    const { port } = await serve(http());
    const visit = visitor.visit(port, "burst", { count: 50 });
    // All of them in the same millisecond is one time, not two.
    assert.match(
      (await visitor.what(visit, "done")).sentence,
      /^50 of 50 were answered(, after [\d.]+ m?s to| after) [\d.]+ m?s$/,
    );
    const steps = visitor.steps(visit);
    assert.ok(steps.length < 20, "told in sums");
    assert.match(
      steps.findLast(step => step.what === "got")!.text!,
      /^client \d+: 200 after .* \(port \d+\)\n/,
    );
  });

  test("one of fifty: the verdict comes after a silence, and is revised when others follow", async () => {
    const waiting: Socket[] = [];
    const { port } = await serve(socket => {
      socket.once("data", () => {
        if (waiting.push(socket) === 1) socket.write(ok);
      });
    });
    const visit = visitor.visit(port, "burst", { count: 50 });
    const first = await visitor.what(visit, "waits");
    assert.match(first.sentence, /^1 of 50 was answered after .*; 49 still wait$/);
    for (const socket of waiting.slice(1, 3)) socket.write(ok);
    waiting[3]!.end();
    waiting[4]!.resetAndDestroy();
    await visitor.step(visit, step =>
      /^3 of 50 were answered, .*; 45 still wait; 1 was closed without an answer; 1 was cut off/.test(
        step.sentence,
      ),
    );
    for (const socket of waiting.slice(5)) socket.write(ok);
    assert.match((await visitor.what(visit, "done")).sentence, /^48 of 50 were answered/);
  });

  test("idle connections are held until they are told to leave; those that the server closes are counted", async () => {
    const held: Socket[] = [];
    let all: () => void;
    const accepted = new Promise<void>(resolve => {
      all = resolve;
    });
    const { port } = await serve(socket => {
      if (held.push(socket.resume()) === 200) all();
    });
    const visit = visitor.visit(port, "idle", { count: 200 });
    assert.match((await visitor.what(visit, "waits")).sentence, /^200 connections are open/);
    await accepted;
    for (const socket of held.slice(0, 12)) socket.end();
    await visitor.step(visit, step => step.sentence.endsWith("12 were closed by the server"));
    const ends = held.slice(12).map(socket => once(socket, "end"));
    visitor.tell({ type: "leave", visit });
    await Promise.all(ends);
    assert.equal((await visitor.what(visit, "done")).sentence, "left; 188 of 200 connections were open");
  });
});

test("nobody loses patience with a program that is held", async () => {
  const own = new Visiting();
  const accepted: Socket[] = [];
  const pieces: string[] = [];
  const { port } = await serve(socket => void accepted.push(socket), false);
  own.tell({ type: "held", held: "paused" });
  const split = own.visit(port, "split", { pieces: [3] });
  const get = own.visit(port, "get");
  assert.match((await own.what(split, "waits")).sentence, /the program is paused.*the next one waits/);
  // Said when the patience that a running program gets is over.
  assert.match((await own.what(get, "waits")).sentence, /the program is paused/);
  assert.equal(own.steps(split).filter(step => step.what === "sent").length, 1);
  for (const socket of accepted) http(pieces)(socket.resume());
  assert.match((await own.what(split, "done")).sentence, /^answered 200/);
  await own.what(get, "done");
  assert.ok(pieces.includes("GET"), "the first piece was read alone");
  await own.end();
});

test("it ends with whoever holds its stdin", async () => {
  const other = new Visiting();
  const { port } = await serve(() => {});
  await other.what(other.visit(port, "silent"), "waits");
  other.child.stdin!.end();
  const [code] = await once(other.child, "exit");
  assert.equal(code, 0);
});

test("it goes nowhere but to this machine", async () => {
  const other = new Visiting();
  other.visit(80, "get", { host: "10.0.0.1" as never });
  const [code] = await once(other.child, "exit");
  assert.notEqual(code, 0);
  assert.match(other.stderr, /no visits to 10\.0\.0\.1/);
});

// Visitor: each kind of visit against a server that does something with it; the reports are what happened.
import assert from "node:assert/strict";
import { once } from "node:events";
import type { Server, Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { listening } from "../fixtures/connected.ts";
import { sentence, visitLimits } from "../protocol.ts";
import { listen, ok, TestVisitor } from "./fixtures/visiting.ts";
import { tcpSockets } from "./sock-diag.ts";

const servers: Server[] = [];
const sockets = new Set<Socket>();
let visitor: TestVisitor;

before(() => {
  visitor = new TestVisitor();
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
    assert.match(await visitor.sentence(visit, "done"), /^answered 200 after [\d.]+ m?s, 40 bytes$/);
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

  test("a GET that gets no answer waits, and says so; it leaves on the command", async () => {
    const { port } = await serve(() => {});
    const visit = visitor.visit(port, "get");
    assert.match(await visitor.sentence(visit, "waits"), /^no answer for 1\.0 s: the client waits$/);
    visitor.send({ type: "leave", visit });
    assert.equal(await visitor.sentence(visit, "done"), "left; nothing came");
    assert.match(await visitor.sentence(visit, "closed"), /FIN/);
  });

  test("an answer without an end: what is missing is said", async () => {
    const { port } = await serve(socket =>
      socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\n\r\nok")),
    );
    const visit = visitor.visit(port, "get");
    assert.match(await visitor.sentence(visit, "waits"), /21 bytes came.*no length of its body.*waits/);
    visitor.send({ type: "leave", visit });
    await visitor.what(visit, "done");
  });

  test("bytes that are not HTTP are not called an answer", async () => {
    const { port } = await serve(socket => socket.on("data", data => socket.write(data)));
    assert.match(
      await visitor.sentence(visitor.visit(port, "get"), "done"),
      /^41 bytes came that are no HTTP answer: a status line was expected, and "GET \/ HTTP\/1\.1.*" came/,
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
    assert.match(await visitor.sentence(visit, "done"), /^answered 200 .* 3,000,044 bytes$/);
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
    assert.equal(await visitor.sentence(visit, "waits"), "connected, and says nothing");
    visitor.send({ type: "leave", visit });
    assert.match(await visitor.sentence(visit, "done"), /^left; it was silent for/);
    assert.deepEqual(heard, []);
  });

  test("a server that closes ends a silent visit", async () => {
    const { port } = await serve(socket => void socket.end());
    const visit = visitor.visit(port, "silent");
    assert.equal(
      await visitor.sentence(visit, "done"),
      "nothing came, and the server has closed the connection",
    );
    assert.ok(visitor.steps(visit).some(step => step.what === "ended"));
  });

  test("the next piece comes when the server has read the one before", async () => {
    const pieces: string[] = [];
    const { port } = await serve(http(pieces));
    const visit = visitor.visit(port, "split", { pieces: [3, 16] });
    assert.match(await visitor.sentence(visit, "done"), /^answered 200/);
    assert.deepEqual(pieces, ["GET", " / HTTP/1.1\r\n", `Host: 127.0.0.1:${port}\r\n\r\n`]);
    assert.ok(!visitor.steps(visit).some(step => step.what === "waits"));
  });

  test("a server that does not read gets the next piece all the same, and it is said", async () => {
    const accepted: Socket[] = [];
    const pieces: string[] = [];
    const { port } = await serve(socket => void accepted.push(socket), false);
    const visit = visitor.visit(port, "split", { pieces: [3] });
    assert.match(await visitor.sentence(visit, "waits"), /has not read piece 1 of 2 for 1\.0 s/);
    await visitor.step(visit, step => step.what === "sent" && step.text !== "GET");
    http(pieces)(accepted[0]!.resume());
    assert.match(await visitor.sentence(visit, "done"), /^answered 200/);
    assert.equal(pieces.length, 1, "both pieces lay there together");
  });

  test("byte by byte, and the answer", async () => {
    const { port } = await serve(http());
    const visit = visitor.visit(port, "drip");
    assert.match(await visitor.sentence(visit, "done"), /^answered 200/);
    const sent = visitor.steps(visit).filter(step => step.what === "sent");
    const bytes = `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`.length;
    assert.equal(
      sent.reduce((sum, step) => sum + step.bytes!, 0),
      bytes,
    );
    assert.ok(sent.length > 10);
  });

  test("pipelined: all answers, or how many of them", async () => {
    const all = await serve(http());
    const some = await serve(socket => socket.once("data", () => socket.end(ok + ok)));
    const first = visitor.visit(all.port, "pipeline", { count: 3 });
    const second = visitor.visit(some.port, "pipeline", { count: 3 });
    assert.match(await visitor.sentence(first, "done"), /^3 of 3 answered \(200\) after .* 120 bytes$/);
    assert.match(
      await visitor.sentence(second, "done"),
      /^2 of 3 answered \(200\) .*; the server has closed the connection$/,
    );
  });

  test("two answers to one request are reported as two", async () => {
    const { port } = await serve(socket => socket.on("data", () => socket.write(ok)));
    const visit = visitor.visit(port, "split", { pieces: [8] });
    assert.equal(await visitor.sentence(visit, "done"), "2 answers to one request (200, 200), 80 bytes");
  });

  test("a slow reader takes little at a time", async () => {
    const { port } = await serve(socket => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 6000\r\n\r\n");
        socket.write(Buffer.alloc(6000));
      });
    });
    const visit = visitor.visit(port, "slow-reader", { everyMs: 2 });
    assert.match(await visitor.sentence(visit, "done"), /^answered 200 .* 6,041 bytes$/);
    const got = visitor.steps(visit).filter(step => step.what === "got");
    assert.ok(got.length >= 6 && got.every(step => step.bytes! <= 1024));
  });

  test("a half-close: the server reads the end, and its answer is still heard", async () => {
    const { port } = await serve(socket => {
      socket.resume().on("end", () => socket.end(ok));
    });
    const visit = visitor.visit(port, "half-close");
    assert.match(await visitor.sentence(visit, "done"), /^answered 200/);
    assert.match(await visitor.sentence(visit, "closed"), /FIN.*reads on/);
  });

  test("a reset leaves nothing of the connection; a FIN would leave the server's half", async () => {
    let end: () => void;
    const over = new Promise<void>(resolve => {
      end = resolve;
    });
    // Node may report an RST that comes with data as an end; the kernel knows the difference.
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

  test("a server that resets is reported as one", async () => {
    const { port } = await serve(socket => void socket.once("data", () => socket.resetAndDestroy()));
    const visit = visitor.visit(port, "get");
    assert.match(await visitor.sentence(visit, "done"), /broken \(ECONNRESET\)/);
    assert.match(await visitor.sentence(visit, "reset"), /cut the connection off/);
  });

  test("raw bytes arrive as they are, and the connection stays", async () => {
    const pieces: Buffer[] = [];
    let server!: Socket;
    const { port } = await serve(socket => {
      server = socket;
      socket.on("data", data => {
        pieces.push(data);
        socket.write("what?");
      });
    });
    const visit = visitor.visit(port, "raw", { sends: "\x00\xff\r\n" });
    const got = await visitor.what(visit, "got");
    assert.deepEqual(Buffer.concat(pieces), Buffer.from([0, 255, 13, 10]));
    assert.equal(got.text, "what?");
    assert.match((await visitor.what(visit, "sent")).text!, /^\\x00\\xff\\r\\n$/);
    await visitor.what(visit, "waits");
    server.write("who?");
    await visitor.step(visit, ({ statement }) => /^9 bytes came/.test(sentence(statement)));
    visitor.send({ type: "leave", visit });
    assert.match(await visitor.sentence(visit, "done"), /^left; 9 bytes came/);
  });

  test("no socket listens", async () => {
    const { port, server } = await serve(() => {});
    server.close();
    await once(server, "close");
    const visit = visitor.visit(port, "get");
    assert.equal(await visitor.sentence(visit, "done"), "not connected: ECONNREFUSED");
    assert.ok(visitor.steps(visit).some(step => step.what === "refused"));
    const many = visitor.visit(port, "burst", { count: 5 });
    assert.match(await visitor.sentence(many, "refused"), /^5 clients were refused/);
    await visitor.what(many, "done");
  });

  test("a server that sends without end is reported in sums", async () => {
    const { port } = await serve(socket => {
      const more = () => {
        while (!socket.destroyed && socket.write(Buffer.alloc(64 * 1024)));
      };
      socket.once("data", more).on("drain", more);
    });
    const visit = visitor.visit(port, "raw", { sends: "go" });
    await visitor.step(visit, step => /in \d+ pieces until now/.test(sentence(step.statement)));
    assert.ok(visitor.steps(visit).length < 100, `${visitor.steps(visit).length} steps`);
    visitor.send({ type: "leave", visit });
    await visitor.what(visit, "done");
  });
});

describe("many clients", () => {
  test("a burst that is answered: who, in which order, after how long", async () => {
    const { port } = await serve(http());
    const visit = visitor.visit(port, "burst", { count: 50 });
    // All of them in the same millisecond is one time, not two.
    assert.match(
      await visitor.sentence(visit, "done"),
      /^50 of 50 were answered(, after [\d.]+ m?s to| after) [\d.]+ m?s$/,
    );
    const steps = visitor.steps(visit);
    assert.ok(steps.length < 20, "reported in sums");
    const { answers = [] } = steps.findLast(step => step.what === "got")!;
    assert.equal(answers.length, visitLimits.listedAnswers);
    for (const { client, status, ms, port } of answers)
      assert.ok(client >= 1 && client <= 50 && status === 200 && ms > 0 && port > 0);
  });

  test("one of fifty: the verdict comes after a silence, and is revised when others follow", async () => {
    const waiting: Socket[] = [];
    const { port } = await serve(socket => {
      socket.once("data", () => {
        if (waiting.push(socket) === 1) socket.write(ok);
      });
    });
    const visit = visitor.visit(port, "burst", { count: 50 });
    assert.match(await visitor.sentence(visit, "waits"), /^1 of 50 was answered after .*; 49 still wait$/);
    for (const socket of waiting.slice(1, 3)) socket.write(ok);
    waiting[3]!.end();
    waiting[4]!.resetAndDestroy();
    await visitor.step(visit, step =>
      /^3 of 50 were answered, .*; 45 still wait; 1 was closed without an answer; 1 was cut off/.test(
        sentence(step.statement),
      ),
    );
    for (const socket of waiting.slice(5)) socket.write(ok);
    assert.match(await visitor.sentence(visit, "done"), /^48 of 50 were answered/);
  });

  test("of a burst that leaves no client waits any more", async () => {
    const { port } = await serve(() => {});
    const visit = visitor.visit(port, "burst", { count: 3 });
    await visitor.what(visit, "sent");
    visitor.send({ type: "leave", visit });
    assert.equal(await visitor.sentence(visit, "done"), "left; 0 of 3 were answered; 3 had no answer yet");
  });

  test("a burst into a full accept queue: only who was let in has sent; the others follow as they are let in", async () => {
    const { listener, port } = listening();
    listener.listen(1); // two places
    listener.setBlocking(false);
    const visit = visitor.visit(port, "burst", { count: 5 });
    const first = await visitor.what(visit, "connected");
    assert.match(sentence(first.statement), /^2 of 5 clients connected .*; 3 are not let in/);
    assert.match(sentence((await visitor.what(visit, "sent")).statement), /^2 clients sent/);
    const accepted: { send(bytes: string): unknown; close(): void }[] = [];
    const accepting = setInterval(() => {
      const arrival = listener.accept();
      if (!arrival) return;
      arrival.client.send(ok);
      accepted.push(arrival.client);
    }, 5);
    assert.match(await visitor.sentence(visit, "done"), /^5 of 5 were answered/);
    clearInterval(accepting);
    const steps = visitor.steps(visit);
    const sums = (code: string) => steps.filter(({ statement }) => statement.code === code);
    const sent = sums("crowd-sent").map(({ statement }) => (statement as { clients: number }).clients);
    assert.equal(
      sent.reduce((a, b) => a + b, 0),
      5,
    );
    assert.ok(sent.length > 1);
    const last = sums("crowd-connected").at(-1)!;
    assert.match(sentence(last.statement), /^5 clients connected after/);
    assert.equal(new Set(last.ports!.filter(port => port > 0)).size, 5);
    for (const socket of [listener, ...accepted]) socket.close();
  });

  test("idle connections stay until the command to leave; those that the server closes are counted", async () => {
    const held: Socket[] = [];
    let all: () => void;
    const accepted = new Promise<void>(resolve => {
      all = resolve;
    });
    const { port } = await serve(socket => {
      if (held.push(socket.resume()) === 200) all();
    });
    const visit = visitor.visit(port, "idle", { count: 200 });
    assert.match(await visitor.sentence(visit, "waits"), /^200 connections are open/);
    await accepted;
    for (const socket of held.slice(0, 12)) socket.end();
    await visitor.step(visit, ({ statement }) => statement.code === "crowd-idle" && statement.closed === 12);
    const ends = held.slice(12).map(socket => once(socket, "end"));
    visitor.send({ type: "leave", visit });
    await Promise.all(ends);
    assert.equal(await visitor.sentence(visit, "done"), "left; 188 of 200 connections were open");
  });
});

test("no client loses patience with a program that is held", async () => {
  const own = new TestVisitor();
  const accepted: Socket[] = [];
  const pieces: string[] = [];
  const { port } = await serve(socket => void accepted.push(socket), false);
  own.send({ type: "held", held: "paused" });
  const split = own.visit(port, "split", { pieces: [3] });
  const get = own.visit(port, "get");
  assert.match(await own.sentence(split, "waits"), /the program is paused.*the next one waits/);
  // Reported when the patience that a running program gets is over.
  assert.match(await own.sentence(get, "waits"), /the program is paused/);
  assert.equal(own.steps(split).filter(step => step.what === "sent").length, 1);
  own.send({ type: "held", held: null });
  const goesOn = await own.step(
    get,
    ({ statement }) => statement.code === "client-waits" && statement.held === null,
  );
  assert.match(sentence(goesOn.statement), /^no answer for [\d.]+ s: the client waits$/);
  own.send({ type: "held", held: "paused" });
  for (const socket of accepted) http(pieces)(socket.resume());
  assert.match(await own.sentence(split, "done"), /^answered 200/);
  await own.what(get, "done");
  assert.ok(pieces.includes("GET"), "the first piece was read alone");
  await own.end();
});

test("it ends when its stdin is closed", async () => {
  const other = new TestVisitor();
  const { port } = await serve(() => {});
  await other.what(other.visit(port, "silent"), "waits");
  other.child.stdin!.end();
  const [code] = await once(other.child, "exit");
  assert.equal(code, 0);
});

test("it visits this machine only", async () => {
  const other = new TestVisitor();
  other.visit(80, "get", { host: "10.0.0.1" as never });
  const [code] = await once(other.child, "exit");
  assert.notEqual(code, 0);
  assert.match(other.stderr, /no visits to 10\.0\.0\.1/);
});

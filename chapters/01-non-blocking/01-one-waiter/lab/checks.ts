// What must be true of a server that serves one guest after another, by blocking calls or in any other way.
import { type Client, check, clock } from "workbook/check";

const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`;
const told = (target: string) => ({ status: 200, body: `you asked for ${target}\n` });

/** What is asked of the deadline, in milliseconds: nobody has less time to speak, and nobody takes more of the others'. */
const deadline = { least: 200, most: 1000 };
/** A deadline that is kept is kept late on a busy machine, by no more than this. */
const lateMs = 500;

check("next", "answers one client, closes, and answers the next", async t => {
  for (const target of ["/tea", "/cake", "/bill"]) {
    await t.exchange({
      about: `a client who asks for ${target}`,
      sends: get(target),
      wants: [told(target)],
      after: "close",
      because:
        "A client is done when it has its answer and its connection is closed; then it is the next one's turn: accept() again.",
      see: `curl -s http://127.0.0.1:{port}/tea; curl -i http://127.0.0.1:{port}/cake   # the first, and the next`,
    });
  }
});

check("restart", "can be started again as soon as it has served somebody", async t => {
  const { server, client, expect } = t;
  const guest = await client();
  guest.send(get("/tea"));
  expect(await guest.hears("you asked for /tea\n"), "The first client got no answer.").ok();
  // The one who closes first keeps the port in TIME_WAIT.
  await guest.closed();
  guest.close();
  const again = await server.restart();
  expect(again, "The server has served a client, and cannot be started again on its port.").ok({
    because:
      "It closed first, and so its end of that connection stays in TIME_WAIT for a minute, when the process is long gone: bind() then says EADDRINUSE, unless SO_REUSEADDR was set before it (socket(7)).",
    see: "curl -s http://127.0.0.1:{port}/tea; ss -tan 'sport = :{port}'   # TIME-WAIT",
  });
});

check("goes-on", "goes on when a client leaves without a word, is cut off, or talks nonsense", async t => {
  const { server, client, expect } = t;
  const rude: { who: string; does: (one: Client) => void; see: string }[] = [
    {
      who: "left without a word",
      does: one => one.close(),
      see: "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}'   # connects, and leaves at once",
    },
    {
      who: "was cut off",
      does: one => one.reset(),
      see: `node -e 'require("net").connect({port}, "127.0.0.1", function () { this.resetAndDestroy() })'   # an RST`,
    },
    {
      who: "said what is no request",
      does: one => one.send("hello\r\n\r\n"),
      see: "bash -c 'echo hello >/dev/tcp/127.0.0.1/{port}'",
    },
  ];
  for (const { who, does, see } of rude) {
    const one = await client();
    await server.accepts([one]);
    does(one);
    const next = await client();
    next.send(get("/tea"));
    expect(await next.hears("you asked for /tea\n"), `After a client who ${who} the next got no answer.`).ok({
      because:
        "What one client does is the end of its own conversation at most. Where it leaves, recv() gives an empty Buffer; where it is cut off, recv() throws a SyscallError; and what it says may be anything.",
      see,
    });
  }
});

check("deadline", "waits for a silent client 0.2 s at least, and not more than 1 s", async t => {
  const { server, client, expect, note } = t;
  // Who is the first to come is served at once: silent from here on is this one alone.
  const silent = await client();
  await server.accepts([silent]);
  const since = clock();
  const behind = await client();
  behind.send(get("/tea"));
  const most = deadline.most + lateMs;
  const answered = await behind.hears("you asked for /tea\n", { within: most });
  expect(answered, `One client says nothing, and the next had no answer after ${most} ms.`).ok({
    because:
      "The process sleeps in recv() for the one who is silent, and can do nothing for anybody else. recv() can be given a deadline: SO_RCVTIMEO (socket(7)); when it has passed, recv() gives null.",
    see: "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; sleep 9' &   # says nothing\ntime curl -s --max-time 8 http://127.0.0.1:{port}/tea",
  });
  note(`the next client has its answer ${Math.round(behind.heardAt - since)} ms after the silent one`);
  const gone = await silent.closed({ within: most });
  expect(gone, "The silent client's time is over, and its connection is still open.").ok({
    because:
      "Who has had the whole deadline and said nothing is sent away: close(). Otherwise each silent client keeps a descriptor for as long as it likes.",
    see: "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; sleep 9' & sleep 3; ss -tn 'sport = :{port}'   # nobody should be here any more",
  });

  // A busy machine may make our client slower than it means to be: then it tries again.
  for (let tries = 0; ; tries++) {
    const slow = await client();
    await server.accepts([slow]);
    const came = clock();
    await server.quiet(deadline.least * 0.9);
    slow.send(get("/cake"));
    const spoke = Math.round(clock() - came);
    const heard = await slow.hears("you asked for /cake\n");
    note(`a client who spoke after ${spoke} ms was ${heard ? "heard" : "not heard"}`);
    if (!heard && spoke > deadline.least && tries < 5) continue;
    expect(heard, `A client that needed ${spoke} ms to speak got no answer.`).ok({
      because:
        "A deadline that is too short sends honest clients away: what is lost on the way is sent again 0.2 s later at the earliest. A struct timeval is two 64-bit numbers: seconds, then microseconds.",
      see: "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; sleep 0.2; echo GET /cake >&3; cat <&3'",
    });
    break;
  }
});

check("sleeps", "sleeps while nobody is there", async t => {
  const { server, client, expect } = t;
  const first = await client();
  first.send(get("/tea"));
  expect(await first.hears("you asked for /tea\n"), "The first client got no answer.").ok();
  first.close();
  const { busy, calls, watch } = await server.idle(200);
  const restless = {
    because:
      "There is nothing to do until somebody comes, and accept() of a blocking listener sleeps until then: the kernel wakes the process. Nobody has to ask again and again.",
    see: "top -p $(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+')",
    at: watch?.calls.last ?? null,
  };
  expect(busy, "With nobody there, the server keeps a processor busy (1 is all of it).").atMost(
    0.3,
    restless,
  );
  expect(calls ?? 0, "With nobody there, the server makes one system call after another.").atMost(
    10,
    restless,
  );
});

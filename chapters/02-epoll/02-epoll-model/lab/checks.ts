// What must be true of a server that waits in epoll, however it is written: poll(2) would do. It accepts and reads all
// that comes, closes what has ended, and is asleep otherwise.
import { type Client, check, fc, grammar, leavingClients, silentClients, type Tools } from "workbook/check";

/** What the server does that does not accept all clients: the check `together` judges it. */
const breaks = { promise: "together", saying: "the server leaves clients in the accept queue" };

/**
 * Ten clients connect while the server is stopped, and each sends a word. The server accepts all ten, and prints each
 * word. Then 50 clients connect in the same way.
 */
check(
  "together",
  "accepts all clients that connect together, and prints what each sends",
  { judges: breaks.promise },
  async t => {
    const { server } = t;
    await server.stop();
    const ten = await t.clients(10);
    await welcomed(t, ten);
    await server.stop();
    await welcomed(t, await t.clients(50));
  },
);

/** These clients have connected while the server is stopped. It goes on, accepts each, and prints the word of each. */
async function welcomed(t: Tools, clients: readonly Client[]): Promise<void> {
  const { server, expect } = t;
  const words = clients.map(client => ({ client, word: t.generate(grammar.word(8, 12)) }));
  const from = server.output.bytes;
  for (const { client, word } of words) client.send(`${word}\n`);
  server.continue();
  expect(
    await server.accepts(clients),
    `${clients.length} clients connected in the same moment. Accepted of them:`,
  ).equal(clients.length, {
    because:
      "One event may mean many clients. With EPOLLET epoll_wait reports the listener once, one accept() takes one client, and the other clients wait until yet another client connects.",
    see: "P=$(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+'); kill -STOP $P\nbash -c 'for i in $(seq 10); do exec {fd}<>/dev/tcp/127.0.0.1/{port}; done; sleep 4' &\nsleep 1; kill -CONT $P; sleep 1; ss -tln 'sport = :{port}'   # Recv-Q: clients that still wait",
    breaks,
  });
  const unread: Client[] = [];
  for (const { client } of words) if (!(await server.reads(client))) unread.push(client);
  const stuck = server.stuck();
  expect(unread.length, "Clients that were accepted and have sent a word, which was not read:").equal(0, {
    because:
      stuck?.call === "accept4"
        ? "The server sleeps in accept(): the accept queue is empty, and the listener is blocking. So accept() does not return null, and no client that sends can wake it."
        : "A client may have sent its bytes before it was accepted. Level-triggered, epoll_wait reports them as soon as the client is registered.",
    at: stuck,
  });
  for (const { word } of words) {
    expect(await server.output.prints(word, { from }), `The server read “${word}”, and did not print it.`).ok(
      {
        because: "This server does one thing with what it reads: it prints it.",
      },
    );
  }
}

/**
 * A client sends 3,000 bytes at once, then 300,000, and waits. The server reads all. Then the client sends 3,000 more
 * and FIN while the server is stopped: the server reads these, too, and closes its socket.
 */
check("long-message", "reads a long message to its end, and then the end of the stream", async t => {
  const { server, client, expect } = t;
  const sender = await client();
  expect(await server.accepts([sender]), "The server has not accepted its only client.").equal(1);
  for (const bytes of [3000, 300_000]) {
    sender.send(Buffer.alloc(bytes, "all work and no play "));
    const read = await server.reads(sender);
    expect(
      read ? 0 : (server.socketOf(sender)?.recvQueue ?? 0),
      `A client has sent ${bytes} bytes, and waits. Bytes that the server has not read:`,
    ).equal(0, {
      because:
        "One recv(1024) takes 1024 bytes. With EPOLLET epoll_wait does not report the rest: it reports a client again only when something new arrives.",
      see: `bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; head -c 3000 /dev/zero >&3; sleep 1; ss -tn "sport = :{port}"'   # Recv-Q: bytes not read`,
    });
  }
  await server.stop();
  sender.send(Buffer.alloc(3000, "the end "));
  await sender.sent();
  sender.end();
  server.continue();
  const ended = await sender.closed();
  expect(ended, "A client sent 3000 bytes and FIN. How the server ended the connection:").equal("ended", {
    because:
      ended === "broken"
        ? "The server closed its socket with unread bytes in it, and then the kernel sends RST. Read first: the end of the stream comes behind the last byte."
        : "The end of the stream makes a client readable, too. It comes behind the last byte, so the server must read to there, and close.",
    see: `bash -c 'head -c 3000 /dev/zero >/dev/tcp/127.0.0.1/{port}; sleep 1; ss -tan "sport = :{port}"'   # CLOSE-WAIT: the server has not closed`,
  });
});

/**
 * Of 30 clients, which connected one after another, ten close, and ten reset their connections. The server closes these
 * 20 sockets, and still reads what the other ten send.
 */
check("leaving", "closes the sockets of clients that leave or reset, and of no others", async t => {
  const { server, expect } = t;
  const stay = await leavingClients.judgeLeaving(t, await t.oneByOne(30), {
    closed:
      "At the end of the stream recv() returns an empty Buffer. Until the server calls close(), the descriptor is lost.",
    reset:
      "events is a mask of several bits. After a reset it is EPOLLIN | EPOLLERR | EPOLLHUP, which is not equal to EPOLLIN. Test the bits with &, and call recv(): it throws ECONNRESET.",
  });
  for (const one of stay) one.send("still here\n");
  let read = 0;
  for (const one of stay) if (await server.reads(one)) read++;
  expect(read, "Other clients have left. Read of the ten that stay, and have sent:").equal(10, {
    because:
      "The end of one connection is the end of that one only. Unregister and close its socket, and no other.",
  });
});

/** Three clients connect. The listener and the server's sockets of these clients have the flag `O_NONBLOCK`. */
check("non-blocking", "makes its listener and the socket of each client non-blocking", async t => {
  const { server, expect } = t;
  const three = await t.oneByOne(3);
  expect(server.isBlocking("listener"), "The listener is blocking.").equal(false, {
    because:
      "A ready listener means that a client was there a moment ago. If another process has accepted it before you call, a blocking accept() sleeps, and no client that is connected can wake the server.",
    see: "P=$(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+'); grep flags /proc/$P/fdinfo/*   # 04000 is O_NONBLOCK",
  });
  const blocking = three.filter(client => server.isBlocking(client));
  expect(blocking.length, "Sockets of the three clients that are blocking:").equal(0, {
    because:
      "On Linux a socket that accept() returns is blocking, even if its listener is not. A recv() that finds nothing then sleeps for this client alone.",
    see: "P=$(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+'); grep flags /proc/$P/fdinfo/*   # 04000 is O_NONBLOCK",
  });
});

/**
 * The impossible check of chapter 1. 500 clients are silent: the server uses at most 2 % of a processor and wakes up at
 * most ten times in half a second. Then they send one after another, and no message waits longer than 10 ms.
 */
check(
  "impossible",
  "costs next to nothing while 500 clients are silent, and reads a message within 10 ms",
  async t => {
    const watch = t.server.traced ? t.server.watch() : null;
    const clients = await silentClients.crowd(t, 500, breaks);
    await silentClients.judgeCost(
      t,
      "No client sends, so epoll_wait has nothing to report. A server that is not asleep in it asks for something that is always ready, or limits its sleep.",
    );
    await silentClients.judgeWaits(t, watch, clients, { answers: false, afterSilence: true });
  },
);

/**
 * Hundreds of generated clients connect, send, leave and reset. The server reads what each has sent, keeps nothing of
 * those that have left (no socket, no memory), and is asleep while no client sends.
 */
check("conversations", "reads, closes and sleeps rightly in generated conversations", async t => {
  await t.conversations({
    says: fc
      .oneof(grammar.anyBytes(1, 40), grammar.longText(40, 6000))
      .map(bytes => ({ bytes, wants: null })),
    clients: 40,
    unfinished: false,
    idle: "sleeps",
    prints: false,
    because:
      "The server reads all bytes of each client, closes each connection that has ended, and sleeps in epoll_wait, in whatever order clients connect, send and leave.",
  });
});

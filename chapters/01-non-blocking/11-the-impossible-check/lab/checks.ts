// What a server must do for 500 clients, nearly all of them silent: cost next to nothing, and answer at once a client
// that sends. A loop that asks each client can have the one or the other; how the server is written is not asked.
import { check, echoes, fc, grammar, leavingClients, silentClients } from "workbook/check";

/**
 * 500 clients connect and send nothing. In half a second of silence the server uses at most 2 % of a
 * processor and wakes up at most ten times.
 */
check("rests", "uses under 2 % of a processor and hardly wakes up while 500 clients are silent", async t => {
  await silentClients.crowd(t);
  await silentClients.judgeCost(
    t,
    "Each turn asks every client, and 500 calls return EAGAIN. A longer rest makes that cheaper, and lets every client wait longer.",
  );
});

/**
 * 500 clients are connected and silent. One after another, in a random order, clients send `hello`, and none
 * of them may have to wait longer than 10 ms for its answer.
 */
check("answers-soon", "answers any of 500 silent clients within 10 ms", async t => {
  const watch = t.server.traced ? t.server.watch() : null;
  await silentClients.judgeWaits(t, watch, await silentClients.crowd(t), { answers: true });
});

/**
 * 50 clients are connected. Twice they all send a line while the server is stopped, and each client then
 * receives its own bytes back.
 */
check("everybody", "answers every client that sends, with its own bytes", async t => {
  const { server, client, clients, expect } = t;
  const first = await client();
  expect(await server.accepts([first]), "The server has not accepted the first client.").equal(1);
  const all = [first, ...(await clients(49))];
  expect(await server.accepts(all), "Number of the connected clients that the server has accepted.").equal(
    50,
    {
      because: "Wait for the listener, too: it is readable when a client waits in the accept queue.",
    },
  );
  const said = new Map(all.map(one => [one, ""]));
  for (const round of [1, 2]) {
    await server.stop();
    for (const one of all) {
      const word = `${one.name}, word ${round}\n`;
      said.set(one, said.get(one) + word);
      one.send(word);
    }
    server.continue();
    expect(
      await echoes.countEchoed(t, said),
      "50 clients sent in the same moment: number of clients that got an answer.",
    ).equal(50, {
      because:
        "After one wake-up many clients may be ready: read from all of them, or let the next call report them again. And a client that has connected since the last call must be on the list.",
      see: "bash -c 'for i in 1 2 3; do exec 3<>/dev/tcp/127.0.0.1/{port}; echo hello $i >&3; timeout 1 cat <&3; done'",
    });
  }
  echoes.judgeEchoes(t, said);
});

/**
 * Ten of 30 clients close, and ten more reset their connections. The server closes these 20 sockets, and
 * still answers the other ten clients.
 */
check("leaving", "closes the sockets of clients that leave or reset, and of no others", async t => {
  const { server, expect } = t;
  const all = await t.clients(30);
  expect(await server.accepts(all), "Number of the connected clients that the server has accepted.").equal(
    30,
  );
  const stay = await leavingClients.judgeLeaving(t, all, {
    closed:
      "recv() gave an empty Buffer: the end of the stream. Until the server calls close(), its descriptor is lost; and a socket at its end is ready for ever.",
    reset:
      "After a reset the descriptor is ready, too, and events holds more than POLLIN: POLLERR and POLLHUP. Call recv(): it throws ECONNRESET.",
  });
  const said = new Map(stay.map(one => [one, "still here\n"]));
  for (const [one, words] of said) one.send(words);
  expect(
    await echoes.countEchoed(t, said),
    "After other clients had left: number of the remaining ten clients that got an answer.",
  ).equal(10, {
    because:
      "A failure on one connection ends that connection only. The server goes on for all other clients.",
  });
});

/**
 * Generated clients, up to 40 in one conversation, send bytes, leave or reset. Each receives its own bytes
 * back, in order, and the server sleeps while no client sends.
 */
check("conversations", "keeps every promise in generated conversations", async t => {
  await t.conversations({
    says: fc
      .oneof(grammar.anyBytes(1, 40), grammar.longText(40, 3000))
      .map(bytes => ({ bytes, wants: bytes })),
    clients: 40,
    unfinished: false,
    idle: "sleeps",
    because:
      "Each client gets its own bytes back, in order. The server closes the sockets of clients that have left, and sleeps while no bytes arrive.",
  });
});

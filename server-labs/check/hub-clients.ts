// Hub clients. Clients of a server that runs a task for each: they take names, hear each other, sing, add, and ask how many
// tasks there are. Two labs have this server, once on generators and once on async functions.
import fc from "fast-check";
import type { Client } from "../clients.ts";
import * as grammar from "./conversations/grammar.ts";
import type { ClientScript } from "./conversations/script.ts";
import type { Why } from "./outcome.ts";
import type { Tools } from "./tools.ts";

/** The lab's port, as bash opens it. */
export const tcp = "/dev/tcp/127.0.0.1/{port}";
/** An answer of 10 MB: more than the kernel holds for a client that does not read. */
const las = 5_000_000;
export const song = "la".repeat(las);
/** Mei asks for it, and reads nothing. */
export const meiSings = `exec 3<>${tcp}; echo "I am Mei" >&3; read -u 3; echo "sing ${las}" >&3; sleep 1`;
export const top =
  "top -bn1 -p $(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+') | tail -1   # the ninth column: % of a processor";

export const newWord = (t: Tools) => t.generate(grammar.word(6, 12));
export const heard = (client: Client) => client.received.toString("latin1");

/** This client sends a line, and gets this answer and nothing else. */
export async function says(
  t: Tools,
  client: Client,
  line: string,
  wanted: string,
  what: string,
  why: Why,
): Promise<void> {
  const from = client.receivedBytes;
  const answer = () => heard(client).slice(from);
  client.send(`${line}\n`);
  await t.comesTrue(() => answer().endsWith("\n") || client.over);
  t.expect(answer(), `${what} ${client.name} has sent “${line}”. The answer:`).equal(`${wanted}\n`, why);
}

/** Each of these clients sends a line, and gets it back. */
export async function served(t: Tools, clients: readonly Client[], what: string, why: Why): Promise<void> {
  for (const client of clients) {
    const line = newWord(t);
    await says(t, client, line, line, what, why);
  }
}

/** The server counts so many tasks of clients. A task that has been woken may be about to end, so the client asks again. */
export async function countsTasks(
  t: Tools,
  client: Client,
  tasks: number,
  what: string,
  why: Why,
): Promise<void> {
  for (let tries = 0; tries < 3; tries++) {
    const start = client.receivedBytes;
    client.send("tasks\n");
    await t.comesTrue(() => heard(client).endsWith("\n") && client.receivedBytes > start);
    if (heard(client).slice(start) === `${tasks}\n`) return;
  }
  await says(t, client, "tasks", String(tasks), what, why);
}

/**
 * A client with a name that does not read its long answer: its task waits until the socket is writable.
 * @param why what its first line needs
 */
export async function namedSlowReader(t: Tools, name: string, why: Why): Promise<Client> {
  const client = await t.client({ receiveBuffer: 64 * 1024 });
  await says(t, client, `I am ${name}`, `hello ${name}`, "A new client:", why);
  client.setReading(false);
  client.send(`sing ${las}\n`);
  await t.comesTrue(() => client.over || (t.server.socketOf(client)?.sendQueue ?? 0) > 0);
  t.expect(await t.server.fills([client]), "Bytes of a long answer that wait in the kernel:").atLeast(1, {
    because: "The server sends what fits. Then the task of this client waits for EPOLLOUT.",
  });
  return client;
}

/** A slow reader reads on, and gets all of this. */
export async function readsOn(t: Tools, mei: Client, wanted: string): Promise<void> {
  mei.setReading(true);
  await t.comesTrue(() => mei.over || mei.receivedBytes >= wanted.length);
  const what = "A client that did not read its long answer reads on.";
  t.expect(mei.receivedBytes, `${what} Bytes that it has got:`).equal(wanted.length, {
    because:
      "A task that waits for EPOLLOUT goes on when the kernel has room again. Two tasks may wait for one descriptor, one for each direction.",
  });
  t.expect(heard(mei) === wanted, `${what} It has got its answers, in order.`).ok();
}

/** While no task can go on, the server sleeps. */
export async function restsNow(t: Tools, when: string, why: Why): Promise<void> {
  const { busy, sleeps: wakeUps, watch } = await t.server.idle(200);
  const at = watch?.calls.last ?? null;
  t.expect(Math.round(busy * 100), `${when} Processor time that the server uses (%):`).atMost(20, {
    ...why,
    at,
  });
  t.expect(wakeUps, `${when} Wake-ups in 200 ms:`).atMost(3, { ...why, at });
}

/** The error in words that a task gets which would be the second to wait. */
export const errorAnswer = /^error: \S+ .*\n$/s;

/** This client wants to hear another, for whose line a task waits already: it gets an error. */
export async function isRefused(
  t: Tools,
  client: Client,
  name: string,
  what: string,
  why: Why,
): Promise<void> {
  const from = client.receivedBytes;
  const own = t.server.ownTime();
  client.send(`hear ${name}\n`);
  // A hub that never sleeps has had its time by then.
  await t.comesTrue(() => client.receivedBytes > from || client.over || own.spent.ran > 500);
  const answer = heard(client).slice(from);
  t.expect(answer, `${what} The answer to “hear ${name}”:`).contains(errorAnswer, why);
}

/** What such clients say in generated conversations, with what must come back. */
export const sayings = {
  lines: fc
    .oneof(grammar.visibleAscii(0, 40, "\n"), grammar.longText(1, 2000), grammar.utf8(1, 20))
    // "x": no line is a command.
    .map(line => `x${line.replaceAll("\n", "")}`)
    .map(line => ({ bytes: `${line}\n`, wants: `${line}\n` })),
  /** No two clients have the same, and a server that keeps them is seen by its memory. */
  names: (times: number) =>
    grammar
      .word(16, 20)
      .map(name => name.repeat(times))
      .map(name => ({ bytes: `I am ${name}\n`, wants: `hello ${name}\n` })),
  sums: fc
    .array(fc.nat({ max: 1e9 }), { minLength: 1, maxLength: 5 })
    .map(all => ({ bytes: `sum ${all.join(" ")}\n`, wants: `${all.reduce((a, b) => a + b, 0)}\n` })),
  nameless: grammar.word(21, 24).map(name => ({ bytes: `hear ${name}\n`, wants: `no ${name}\n` })),
  errors: grammar
    .word(4, 8)
    // "x": no word is a number, as "0xaa" is.
    .map(no => ({ bytes: `sum 1 x${no}\n`, wants: null, after: "close" as const })),
};

/** A close() with unread bytes would be a reset: the line with an error is the last of its client. */
export const endsWithError = ({ messages }: ClientScript) =>
  messages.slice(0, -1).every(({ after }) => after === undefined);

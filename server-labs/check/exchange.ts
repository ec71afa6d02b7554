// What a client sends, and which answers must come back, in which order, and nothing else: judged octet by octet,
// and where it is not so, said with what was sent, what came, and the place where it went wrong.
import type { Tools } from "./check.ts";
import type { Client } from "./client.ts";
import { before, came, commandFor, difference, missing } from "./exchange-words.ts";
import { CheckFailure, type Why } from "./failure.ts";
import { type Answer, type Fault, type More, readAnswer } from "./http.ts";
import { count, grouped, quoted } from "./journal.ts";
import { nothingMore, silentMs } from "./nothing-more.ts";
import { patience } from "./wait.ts";

/** An answer as it must be: its status, or one of several, and perhaps what else. */
export interface Wanted {
  status: number | readonly number[];
  /** The body, to the octet. */
  body?: string | Uint8Array;
  /** What the head must hold, by the names of its fields in small letters. */
  head?: Record<string, RegExp>;
  /** The method of the request that it answers: "GET" unless told. To HEAD no body comes. */
  to?: string;
}

export interface Exchange extends Why {
  /** What is tried: "a request in two pieces". */
  about: string;
  /** What the client sends, one character an octet; each piece when the server has read the one before. */
  sends: string | readonly string[];
  /** The answers, in order. */
  wants: readonly (Wanted | number)[];
  /** What then becomes of the connection; "any" (unless told) is not judged. "open": nothing more comes. */
  after?: "open" | "close" | "any";
  /** Who speaks; a new client unless told. */
  client?: Client;
  /** Milliseconds without an octet of the answer. */
  within?: number;
}

/** What must not come has no event to wait for: it gets this long, in milliseconds. */
const afterwardsMs = 20;

/** Makes one exchange. @throws CheckFailure when something else comes back */
export async function exchange(tools: Tools, wish: Exchange): Promise<Answer[]> {
  const { note } = tools;
  const client = wish.client ?? (await tools.client());
  note(`${client.name}: ${wish.about}`);
  const pieces = typeof wish.sends === "string" ? [wish.sends] : wish.sends;
  await speak(tools, client, pieces);
  const fail = (summary: string, why: Why = {}): never => {
    note(`${client.name} has got ${came(client.received)}`);
    // A client who has said something before is another story than these octets alone.
    const { because, see = wish.client ? undefined : commandFor(pieces), at } = wish;
    throw new CheckFailure(`${capital(wish.about)}: ${summary}`, { because, see, at, ...why });
  };

  const hopeless = nothingMore(tools, client);
  const answers: Answer[] = [];
  for (const [i, want] of wish.wants.entries()) {
    const wanted = typeof want === "number" ? { status: want } : want;
    const which = wish.wants.length === 1 ? "the answer" : `answer ${i + 1} of ${wish.wants.length}`;
    let seen: Fault | More | null = null;
    const answer = await client.takes(
      (octets, over) => {
        const read = readAnswer(octets, wanted.to ?? "GET", over);
        if ("status" in read) return read;
        seen = read;
        // A fault ends the search; nothing is taken.
        return "fault" in read ? { ...read, length: 0 } : read;
      },
      { within: wish.within ?? patience, stop: hopeless },
    );
    if (answer === null || "fault" in answer) {
      // A reader that has said how much it needs was not asked again since: what has come by now is more.
      const read = answer === null ? readAnswer(client.left, wanted.to ?? "GET", client.over) : null;
      if (read && !("status" in read)) seen = read;
      const end = before(answers);
      if (end !== null && client.left.length > 0) note(end);
      fail(missing(client, which, seen));
    }
    answers.push(judged(answer as Answer, wanted, { which, number: i + 1, wants: wish.wants }, fail));
  }
  await ending(tools, client, wish, answers, fail);
  return answers;
}

/** Sends piece after piece; a server that has closed, or stands still, is told no more. */
async function speak({ server, until }: Tools, client: Client, pieces: readonly string[]): Promise<void> {
  for (const [i, piece] of pieces.entries()) {
    if (client.over) return;
    client.send(Buffer.from(piece, "latin1"));
    if (i === pieces.length - 1) return;
    await until(() => client.over || server.hasRead(client) || server.stuck(silentMs), 1000);
  }
}

function judged(
  answer: Answer,
  wanted: Wanted,
  { which, number, wants }: { which: string; number: number; wants: Exchange["wants"] },
  fail: (summary: string, why?: Why) => never,
): Answer {
  const allowed = [wanted.status].flat();
  if (!allowed.includes(answer.status)) {
    fail(`${which} has the status ${answer.status}.`, {
      expected: allowed.join(" or "),
      actual: quoted(answer.head.split("\r\n")[0] ?? ""),
    });
  }
  for (const [name, pattern] of Object.entries(wanted.head ?? {})) {
    const value = answer.fields.get(name);
    if (value !== undefined && pattern.test(value)) continue;
    const written = name.replace(/(^|-)\w/g, letter => letter.toUpperCase());
    fail(`${which} ${value === undefined ? `has no ${written}` : `says ${written}: ${value}`}.`, {
      expected: `${written}: something like ${pattern}`,
      actual: quoted(answer.head, 400),
    });
  }
  if (wanted.body !== undefined) {
    const body = Buffer.from(wanted.body as string);
    if (!answer.body.equals(body)) {
      const of = wants.findIndex(one => typeof one !== "number" && isBody(one, answer.body)) + 1;
      const { summary, ...values } = difference(answer.body, body, which);
      fail(of > number ? `${which} is the one to request ${of}, which came later.` : summary, values);
    }
  }
  return answer;
}

async function ending(
  tools: Tools,
  client: Client,
  wish: Exchange,
  answers: readonly Answer[],
  fail: (summary: string, why?: Why) => never,
): Promise<void> {
  const { server, until } = tools;
  if (wish.after === "close") {
    const hopeless = nothingMore(tools, client);
    await until(() => client.over || hopeless(), wish.within ?? patience);
    if (!client.over) fail("all is answered, and the server did not close the connection.");
  }
  if (wish.after === "open") {
    await until(() => client.over || server.hasRead(client), 1000);
    await server.quiet(afterwardsMs);
    if (client.over)
      fail(
        client.state === "broken"
          ? `the server broke the connection off (${client.trouble}), which should stay open.`
          : "the server closed the connection, which should stay open.",
      );
  }
  // What follows an answer unasked is taken for the next answer by every client that keeps its connection.
  if (wish.after && wish.after !== "any" && client.left.length > 0) {
    const [octets, at] = [count(client.left.length, "octet"), grouped(client.taken)];
    const end = before(answers);
    if (end !== null) tools.note(end);
    fail(
      answers.length === 0
        ? `the server spoke before a whole request had come: ${quoted(client.left, 60)}.`
        : `${octets} came too many behind the last answer, at octet ${at} of what came: ${quoted(client.left, 60)}.`,
    );
  }
}

function isBody({ body }: Wanted, octets: Buffer): boolean {
  return body !== undefined && octets.equals(Buffer.from(body as string));
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

// Exchange. What a client sends, and which answers must come back, in which order, and no other bytes. A failure quotes
// what was sent, what came, and the byte at which it went wrong.

import {
  type Answer,
  type Client,
  defaultWaitMs,
  type FramingFault,
  type PartialAnswer,
  quoted,
  readAnswer,
  throttle,
} from "../clients.ts";
import { clock } from "../lib/clock.ts";
import { count, grouped } from "../protocol.ts";
import { type BrokenPromise, CheckFailure, type Why } from "./outcome.ts";
import type { Server } from "./server.ts";

/** A value of a field, to the letter; or a pattern for it, and what a failure says of it instead of the pattern. */
type FieldValue = string | RegExp | { like: RegExp; words: string };

/** An answer as it must be. */
export interface WantedAnswer {
  /** The status, or one of several. */
  status: number | readonly number[];
  /** The body, byte for byte. */
  body?: string | Uint8Array;
  /** What the head must contain, by the names of its fields in small letters. */
  head?: Record<string, FieldValue>;
  /** What those fields must be that need not be there. */
  ifThere?: Record<string, FieldValue>;
  /** The fields that must not be there, by their names in small letters. */
  absent?: readonly string[];
  /** The method of the request that it answers; "GET" by default. An answer to HEAD has no body. */
  to?: string;
}

export interface Exchange extends Why {
  /** The cause when the connection breaks before an answer is whole; `because` otherwise. */
  ifReset?: string;
  /** What the client tries: "a request in two pieces". */
  about: string;
  /** What the client sends, one character for each byte. It sends a piece when the server has read the piece before. */
  sends: string | readonly string[];
  /** The answers, in order. A number means an answer with that status. */
  wants: readonly (WantedAnswer | number)[];
  /**
   * What the server does with the connection afterwards: "open" demands that it stays open, and that no more bytes come;
   * "close" that the server closes it; "any", the default, demands nothing.
   */
  after?: "open" | "close" | "any";
  /** The client that sends; a new client by default. */
  client?: Client;
  /** The new client sends its first piece as it connects: for a server that limits how long it waits for that. */
  sendsAtOnce?: boolean;
  /** Milliseconds without a byte of the answer; 5000 by default. */
  within?: number;
}

/** The part of a check's tools that an exchange needs. */
export interface ExchangeTools {
  server: Server;
  client(options?: { sends?: Uint8Array }): Promise<Client>;
  note(sentence: string): void;
  until<T>(probe: () => T | null | undefined | false, withinMs: number): Promise<T | null>;
}

type Fail = (summary: string, why?: Why) => never;

/** Milliseconds that an exchange waits for bytes that must not come. */
const afterwardsMs = 20;
/** A server that has read everything and sleeps for so long sends no more, in milliseconds. */
const silentMs = 300;
/** A server that polls sends no more when it has looked, found nothing and rested so many times. */
const silentRests = 4;
/** Milliseconds to wait until the server has read what was sent. */
const readWithinMs = 1000;

/** Makes one exchange. @throws CheckFailure when other bytes come back */
export async function makeExchange(tools: ExchangeTools, exchange: Exchange): Promise<Answer[]> {
  const { note } = tools;
  const pieces = typeof exchange.sends === "string" ? [exchange.sends] : exchange.sends;
  const [first = ""] = pieces;
  const atOnce = exchange.sendsAtOnce === true;
  const client =
    exchange.client ?? (await tools.client(atOnce ? { sends: Buffer.from(first, "latin1") } : {}));
  note(`${client.name}: ${exchange.about}`);
  await send(tools, client, pieces, atOnce ? 1 : 0);
  const fail: Fail = (summary, why = {}) => {
    note(`${client.name} has received ${excerptOf(client.received)}`);
    // The command repeats this exchange only: it would not show what an earlier exchange of the same client has caused.
    const { because, see = exchange.client ? undefined : commandFor(pieces), at, labRule } = exchange;
    throw new CheckFailure(`${capital(exchange.about)}: ${summary}`, { because, see, at, labRule, ...why });
  };
  const answers = await receive(tools, client, exchange, fail);
  await judgeEnd(tools, client, exchange, answers, fail);
  return answers;
}

/** Fails a check that needs this connection open after an answer, if the server has closed it. @throws CheckFailure */
export function demandOpen(client: Client): void {
  if (!client.over) return;
  throw new CheckFailure(`${client.name}: the server closed the connection, which should stay open.`, {
    breaks: persistence,
  });
}

const persistence: BrokenPromise = {
  promise: "persistence",
  saying: "the server closes a connection that should stay open for the next request",
};

/**
 * Has the server closed the connection behind a whole answer, though the client had asked for another, or has not asked
 * for the end? HTTP allows it; only a lab that promises the next answer on the same connection does not.
 */
function closedUnasked(client: Client, { after, sends }: Exchange): Why {
  const sent = [sends].flat().join("");
  const behindAnAnswer = client.over && client.parsedBytes > 0 && client.unparsed.length === 0;
  const asked = after === "close" || /HTTP\/1\.0\r\n|^connection:.*\bclose\b/im.test(sent);
  return behindAnAnswer && !asked ? { breaks: persistence } : {};
}

/** Sends piece after piece; it ends early when the server has closed the connection, or is stuck. */
async function send(
  { server, until }: ExchangeTools,
  client: Client,
  pieces: readonly string[],
  sent: number,
): Promise<void> {
  for (const [i, piece] of pieces.entries()) {
    if (client.over) return;
    if (i >= sent) client.send(Buffer.from(piece, "latin1"));
    if (i === pieces.length - 1) return;
    await until(() => client.over || server.hasRead(client) || server.stuck(silentMs), readWithinMs);
  }
}

/** Receives the answers one after another, and judges each. */
async function receive(
  tools: ExchangeTools,
  client: Client,
  exchange: Exchange,
  fail: Fail,
): Promise<Answer[]> {
  const stop = silence(tools, client);
  const answers: Answer[] = [];
  for (const [i, want] of exchange.wants.entries()) {
    const wanted = typeof want === "number" ? { status: want } : want;
    const which = exchange.wants.length === 1 ? "the answer" : `answer ${i + 1} of ${exchange.wants.length}`;
    let seen: FramingFault | PartialAnswer | null = null;
    const answer = await client.parses(
      (bytes, over) => {
        const read = readAnswer(bytes, wanted.to ?? "GET", over);
        if ("status" in read) return read;
        seen = read;
        // A fault ends the search; the bytes stay unconsumed.
        return "fault" in read ? { ...read, length: 0 } : read;
      },
      { within: exchange.within ?? defaultWaitMs, stop },
    );
    if (answer === null || "fault" in answer) {
      // The parser was not called again while bytes were missing: what has come since then counts too.
      const read = answer === null ? readAnswer(client.unparsed, wanted.to ?? "GET", client.over) : null;
      if (read && !("status" in read)) seen = read;
      const end = lengthNote(answers);
      if (end !== null && client.unparsed.length > 0) tools.note(end);
      const { ifReset } = exchange;
      const cause = ifReset !== undefined && client.state === "broken" ? { because: ifReset } : {};
      fail(missing(client, which, seen), { ...closedUnasked(client, exchange), ...cause });
    }
    answers.push(judge(answer as Answer, wanted, { which, number: i + 1, wants: exchange.wants }, fail));
  }
  return answers;
}

/**
 * A probe: true when it is useless to wait longer for bytes of this server. For 300 ms no byte has come, and the server
 * was in one call all that time, which only another event can end; or it has read everything, and has rested again and
 * again since; or it has run for too long. The call that it was in earlier is no sign, because the client may just have
 * sent. The number of turns is no sign either: a server that answers step by step makes many, and a busy machine may
 * stop it in the middle.
 */
function silence({ server }: ExchangeTools, client: Client): () => boolean {
  const start = () => ({
    bytes: client.receivedBytes,
    at: clock(),
    watch: server.traced ? server.watch() : null,
    exhausted: server.exhaustion(),
    /** The server's sleeps at the first look. */
    sleeps: null as number | null,
  });
  let quiet = start();
  const rested = throttle(20, () => {
    if (quiet.watch === null) return false;
    if (quiet.watch.calls.rests.length > silentRests) return true;
    // A server may rest in a call that is not traced; the kernel counts that sleep.
    quiet.sleeps ??= server.sleepCount;
    return quiet.watch.calls.turns.length > silentRests && server.sleepCount - quiet.sleeps > silentRests;
  });
  return () => {
    if (client.receivedBytes !== quiet.bytes) quiet = start();
    if (clock() - quiet.at < silentMs) return false;
    if (quiet.exhausted()) return true;
    return server.stuck(silentMs) !== null || (server.hasRead(client) && rested() === true);
  };
}

function judge(
  answer: Answer,
  wanted: WantedAnswer,
  { which, number, wants }: { which: string; number: number; wants: Exchange["wants"] },
  fail: Fail,
): Answer {
  const wrong = headDifference(answer, wanted, which);
  if (wrong) {
    const { summary, ...values } = wrong;
    fail(summary, values);
  }
  if (wanted.body !== undefined) {
    const body = bodyBytes(wanted.body);
    if (!answer.body.equals(body)) {
      const of = wants.findIndex(one => typeof one !== "number" && isBody(one, answer.body)) + 1;
      const { summary, ...values } = bodyDifference(answer.body, body, which);
      fail(of > number ? `${which} is the answer to request ${of}, which came later.` : summary, values);
    }
  }
  return answer;
}

/** Judges what the server does after the last answer. */
async function judgeEnd(
  tools: ExchangeTools,
  client: Client,
  exchange: Exchange,
  answers: readonly Answer[],
  fail: Fail,
): Promise<void> {
  const { server, until } = tools;
  if (exchange.after === "close") {
    const silent = silence(tools, client);
    await until(() => client.over || silent(), exchange.within ?? defaultWaitMs);
    // A busy machine may have delayed this process after its last read: that it is over has the last word.
    await until(() => client.over, 0);
    if (!client.over) fail("the server has answered everything, and did not close the connection.");
  }
  if (exchange.after === "open") {
    await until(() => client.over || server.hasRead(client), readWithinMs);
    await server.wait(afterwardsMs);
    if (client.over)
      fail(
        client.state === "broken"
          ? `the server reset the connection (${client.trouble}), which should stay open.`
          : "the server closed the connection, which should stay open.",
        closedUnasked(client, exchange),
      );
  }
  // A client that keeps its connection takes bytes behind an answer for the beginning of the next answer.
  if (exchange.after && exchange.after !== "any" && client.unparsed.length > 0) {
    const { unparsed } = client;
    const end = lengthNote(answers);
    if (end !== null) tools.note(end);
    fail(
      answers.length === 0
        ? `the server answered before a whole request had come: ${quoted(unparsed, 60)}.`
        : `${count(unparsed.length, "byte")} too many came behind the last answer, at byte ${grouped(client.parsedBytes)} of what came: ${quoted(unparsed, 60)}.`,
    );
  }
}

/** A wanted body as bytes; a string is UTF-8. */
export function bodyBytes(body: string | Uint8Array): Buffer {
  return typeof body === "string"
    ? Buffer.from(body)
    : Buffer.from(body.buffer, body.byteOffset, body.length);
}

function isBody({ body }: WantedAnswer, bytes: Buffer): boolean {
  return body !== undefined && bytes.equals(bodyBytes(body));
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** The sentence for an answer that did not come, came in part, or is wrong. @param which "the answer", "answer 2 of 3" */
function missing(client: Client, which: string, seen: FramingFault | PartialAnswer | null): string {
  if (seen && "fault" in seen) {
    const at = grouped(client.parsedBytes + seen.at);
    return `${which} is wrong at byte ${at} of what came: ${seen.fault} should be there, and it is ${seen.found}.`;
  }
  const { state, trouble } = client;
  if (seen === null || client.unparsed.length === 0) {
    if (state === "ended") return `the server closed the connection, and ${which} had not come.`;
    if (state === "broken") return `the server reset the connection (${trouble}), and ${which} had not come.`;
    return `${which} did not come.`;
  }
  const part = `only a part of ${which} came: ${seen.has}`;
  if (state === "ended") return `${part}; then the server closed the connection.`;
  if (state === "broken") return `${part}; then the server reset the connection (${trouble}).`;
  return `${part}.`;
}

/** A note on the length of the answers so far, which decides where the next answer must begin. */
function lengthNote(answers: readonly Answer[]): string | null {
  const last = answers.at(-1);
  const length = last?.fields.get("content-length");
  if (!last || length === undefined) return null;
  const end = answers.reduce((sum, answer) => sum + answer.length, 0);
  return `answer ${answers.length} has Content-Length: ${length}, and so ends at byte ${grouped(end)}`;
}

/** Bytes that an excerpt shows in front of the first difference and behind it. */
const around = { before: 12, behind: 28 } as const;

/** What is wrong with an answer, as a sentence about `which`, and both values. */
interface Difference {
  summary: string;
  expected: string;
  actual: string;
}

/** The first difference between a head and the wanted head, in the status or in a field; null: there is no difference. */
export function headDifference(
  { status, head, fields }: Pick<Answer, "status" | "head" | "fields">,
  wanted: WantedAnswer,
  which: string,
): Difference | null {
  const allowed = [wanted.status].flat();
  if (!allowed.includes(status))
    return {
      summary: `${which} has the status ${status}.`,
      expected: allowed.join(" or "),
      actual: quoted(head.split("\r\n")[0] ?? ""),
    };
  const required = Object.entries(wanted.head ?? {});
  const optional = Object.entries(wanted.ifThere ?? {}).filter(([name]) => fields.has(name));
  const excess = (wanted.absent ?? []).filter(name => fields.has(name)).map(name => [name, null] as const);
  for (const [name, wantedValue] of [...required, ...optional, ...excess]) {
    const value = fields.get(name);
    if (value !== undefined && wantedValue !== null && isLike(value, wantedValue)) continue;
    const written = name.replace(/(^|-)\w/g, letter => letter.toUpperCase());
    return {
      summary: `${which} ${value === undefined ? `has no ${written}` : `has ${written}: ${value}`}.`,
      expected: wantedValue === null ? `no ${written}` : `${written}: ${inWords(wantedValue)}`,
      actual: quoted(head, 400),
    };
  }
  return null;
}

function isLike(value: string, wanted: FieldValue): boolean {
  if (typeof wanted === "string") return value === wanted;
  return (wanted instanceof RegExp ? wanted : wanted.like).test(value);
}

function inWords(wanted: FieldValue): string {
  if (typeof wanted === "string") return wanted;
  return wanted instanceof RegExp ? `something like ${wanted}` : wanted.words;
}

/** How a body differs from the wanted body: the first byte that differs, and both texts around it. */
export function bodyDifference(came: Buffer, wanted: Buffer, which: string): Difference {
  let at = 0;
  while (at < came.length && at < wanted.length && came[at] === wanted[at]) at++;
  const [has, should] = [count(came.length, "byte"), grouped(wanted.length)];
  const summary =
    at === came.length
      ? `the body of ${which} ends too early: it has ${has} of ${should}.`
      : at === wanted.length
        ? `the body of ${which} is too long: it has ${has} instead of ${should}.`
        : `the body of ${which} differs from byte ${grouped(at)} on (the first is byte 0)${came.length === wanted.length ? "" : `, and has ${has} instead of ${should}`}.`;
  return { summary, expected: excerpt(wanted, at), actual: excerpt(came, at) };
}

function excerpt(bytes: Buffer, at: number): string {
  const from = Math.max(0, at - around.before);
  const to = Math.min(bytes.length, at + around.behind);
  const place = from > 0 || to < bytes.length ? ` (bytes ${grouped(from)} to ${grouped(to)})` : "";
  return `${from > 0 ? "… " : ""}${quoted(bytes.subarray(from, to))}${to < bytes.length ? " …" : ""}${place}`;
}

/** What came, as a quotation: of a long answer the head only. */
function excerptOf(bytes: Buffer): string {
  if (bytes.length === 0) return "nothing";
  const head = bytes.indexOf("\r\n\r\n") + 4;
  if (bytes.length <= 1000 || head > 500) return quoted(bytes, 400);
  return `${quoted(bytes.subarray(0, head), 400)} and ${count(bytes.length - head, "byte")} behind it`;
}

/**
 * A shell command that sends the same bytes; undefined when the command would be too long to type. Bash opens the
 * connection by itself. The command uses `env printf`, because bash's own printf makes one write(2) for each line, and
 * so cuts what the check has sent in one piece.
 */
export function commandFor(pieces: readonly string[]): string | undefined {
  const all = pieces.join("");
  if (all === "" || pieces.length > 4 || all.length > 400) return undefined;
  const words = pieces.map(piece => `env printf "${escaped(piece)}" >&3`).join("; sleep 0.2; ");
  return `bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; ${words}; timeout 2 cat <&3'`;
}

/** For printf in double quotes in single quotes: a character with a meaning in any of them becomes an octal number. */
function escaped(text: string): string {
  return text.replace(/[^ -~]|["'\\%$`]/g, char => {
    if (char === "\r") return "\\r";
    if (char === "\n") return "\\n";
    if (char === "%") return "%%";
    return `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`;
  });
}

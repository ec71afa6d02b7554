// Hearing. Compares what has come for one client of a conversation with what must come, answer by answer.
import { type Answer, type Client, quoted, readAnswer } from "../../clients.ts";
import { count } from "../../protocol.ts";
import { bodyBytes, bodyDifference, headDifference, type WantedAnswer } from "../exchange.ts";
import type { ClientMessage } from "./script.ts";

/** A promise that a conversation has shown to be broken: a sentence that begins with the client, and both values. */
export interface Broken {
  summary: string;
  expected?: string;
  actual?: string;
  because?: string;
  /** The client that has seen it; null when the whole server has broken it. */
  client: number | null;
  /** How often the conversation has to be held, one time after another, before it shows. */
  times?: number;
  /** Only many conversations together show it: no smaller ones are looked for. */
  isOfMany?: true;
}

/** "waiting": what has come is right so far, and something is missing. */
export type Heard = "right" | "waiting" | Omit<Broken, "client">;

export class Hearing {
  readonly #client: Client;
  #wants: readonly ClientMessage[];
  /** Messages answered so far. */
  #answered = 0;
  /** Where the next answer begins, and how many bytes must be there before it is worth a look. */
  #at = 0;
  #need = 0;
  /** The server must have ended the connection when all answers have come. */
  #ends: boolean;
  /** What has come is not judged: only the end is. */
  readonly #onlyEnds: boolean;

  /** @param judges "answers", "answers and end", or "end": which of them are judged */
  constructor(
    client: Client,
    wants: readonly ClientMessage[],
    judges: "answers" | "answers and end" | "end",
  ) {
    this.#client = client;
    this.#wants = judges === "end" ? [] : wants;
    this.#onlyEnds = judges === "end";
    this.#ends = judges !== "answers" || wants.at(-1)?.after === "close";
  }

  /** One message more, and what must come for it. */
  expect(message: ClientMessage): void {
    this.#wants = [...this.#wants, message];
    this.#ends = message.after === "close";
    this.#need = 0;
  }

  /** Judges what has come so far. */
  look(): Heard {
    const { over } = this.#client;
    if (this.#onlyEnds) return over ? "right" : "waiting";
    while (this.#answered < this.#wants.length) {
      if (this.#client.receivedBytes < this.#need && !over) return "waiting";
      const heard = this.#next(this.#wants[this.#answered]!, over);
      if (heard !== "right") return heard;
      this.#answered++;
    }
    if (this.#wants.at(-1)?.after === "any") return "right";
    return this.#behind(over);
  }

  /** What is missing, when nothing more comes. */
  missing(): Omit<Broken, "client"> {
    const { name, over } = this.#client;
    if (this.#answered >= this.#wants.length)
      return { summary: `${name} has all that it must get, and the server does not end the connection.` };
    const wanted = this.#wants[this.#answered]!.wants;
    const rest = this.#client.received.subarray(this.#at);
    const came = rest.length === 0 ? "nothing" : quoted(rest);
    const which = this.#which();
    return {
      summary: over
        ? `${name}: the server ended the connection, and ${which} had not come.`
        : `${name} waits for ${which}, and ${rest.length === 0 ? "nothing comes" : "the end of it does not come"}.`,
      expected: wantedText(wanted),
      actual: over ? `${came}, and then the end of the connection` : came,
    };
  }

  #next({ wants }: ClientMessage, over: boolean): Heard {
    if (wants === null) return "right";
    if (typeof wants === "string") return this.#bytes(Buffer.from(wants, "latin1"), over);
    const bytes = this.#client.received;
    const read = readAnswer(bytes, wants.to ?? "GET", over, this.#at);
    if ("need" in read) {
      this.#need = read.need;
      return over ? this.missing() : "waiting";
    }
    const { name } = this.#client;
    if ("fault" in read)
      return {
        summary: `${name}: ${this.#which()} is wrong at byte ${read.at} of what came: ${read.fault} should be there.`,
        expected: wantedText(wants),
        actual: quoted(bytes.subarray(this.#at)),
      };
    const wrong = differs(read, wants, this.#which());
    if (wrong) return { ...wrong, summary: `${name}: ${wrong.summary}` };
    this.#at = read.length;
    this.#need = 0;
    return "right";
  }

  #bytes(wanted: Buffer, over: boolean): Heard {
    const came = this.#client.received.subarray(this.#at, this.#at + wanted.length);
    const whole = came.length === wanted.length;
    if (!came.equals(wanted.subarray(0, came.length)))
      return {
        summary: `${this.#client.name} got other bytes than it must get.`,
        expected: quoted(wanted),
        actual: quoted(this.#client.received.subarray(this.#at)),
      };
    if (!whole) {
      this.#need = this.#at + wanted.length;
      return over ? this.missing() : "waiting";
    }
    this.#at += wanted.length;
    this.#need = 0;
    return "right";
  }

  /** All answers have come: is the connection as it must be, and came nothing else? */
  #behind(over: boolean): Heard {
    const { name, receivedBytes, received, state, trouble } = this.#client;
    if (receivedBytes > this.#at) {
      const rest = received.subarray(this.#at);
      return {
        summary: `${name} got ${count(rest.length, "byte")} for which it has not asked.`,
        expected: this.#answered === 0 ? "nothing: no whole request has come" : "nothing more",
        actual: quoted(rest),
      };
    }
    if (this.#ends) return over ? "right" : "waiting";
    if (!over || state === "closed") return "right";
    const how = trouble === null ? "closed" : `broke (${trouble})`;
    return {
      summary: `${name}: the server ${how} the connection, which must stay open.`,
    };
  }

  #which(): string {
    const { length } = this.#wants;
    return length === 1 ? "the answer" : `answer ${this.#answered + 1} of ${length}`;
  }
}

function differs(
  answer: Pick<Answer, "status" | "head" | "fields" | "body">,
  wanted: WantedAnswer,
  which: string,
): Omit<Broken, "client"> | null {
  const wrong = headDifference(answer, wanted, which);
  if (wrong || wanted.body === undefined) return wrong;
  const body = bodyBytes(wanted.body);
  if (answer.body.equals(body)) return null;
  return bodyDifference(answer.body, body, which);
}

function wantedText(wants: ClientMessage["wants"]): string {
  if (wants === null) return "nothing";
  if (typeof wants === "string") return quoted(Buffer.from(wants, "latin1"));
  const status = [wants.status].flat().join(" or ");
  return wants.body === undefined
    ? `status ${status}`
    : `status ${status} and ${quoted(bodyBytes(wants.body))}`;
}

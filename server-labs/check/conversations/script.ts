// ClientScript. What one client of a generated conversation does, and the fast-check arbitrary that generates such scripts.
import fc from "fast-check";
import type { WantedAnswer } from "../exchange.ts";

/** What a client says at once, and what the server must send back for it. */
export interface ClientMessage {
  /** One character for each byte. */
  bytes: string;
  /** The HTTP answer, or these very bytes (one character for each); null: nothing. */
  wants: WantedAnswer | string | null;
  /**
   * What the server does with the connection behind its answer: "open", the default; "close", and whatever the client
   * has sent behind this message is not answered; "any": nothing behind it is judged.
   */
  after?: "open" | "close" | "any";
}

/** What a client does when it has sent its messages. */
export type ClientEnd =
  /** It has its answers, sees other clients go, says its last message, and has the answer to that too. */
  | "stays"
  /** It closes when it has its answers. */
  | "closes"
  /** It sends FIN at once, and reads on: shutdown(2). */
  | "half-closes"
  /** It closes at once, and waits for no answer. */
  | "leaves"
  /** It sends RST at once. */
  | "is cut off";

export interface ClientScript {
  messages: readonly ClientMessage[];
  /** Where the stream is cut into pieces, each as a part of its length in ten-thousandths. */
  cuts: readonly number[];
  /** Bytes of the last message that the client does not send. */
  unfinished: number;
  end: ClientEnd;
  /** Rounds that pass before the client connects. */
  late: number;
  /** False: the client reads nothing until all clients have sent everything. */
  reads: boolean;
}

/** What clients may do in a lab. */
export interface Behaviour {
  /** Generates one message; `fc` of "workbook/check" has the arbitraries. */
  says: fc.Arbitrary<ClientMessage>;
  /** Messages of one client at most; 3 by default. */
  messages?: number;
  /** Cuts of one client's stream at most; 5 by default. 0: what a client says arrives in one piece. */
  cuts?: number;
  /** What clients may do at the end; everything by default. */
  ends?: readonly ClientEnd[];
  /** A client may stop in the middle of a message; true by default. */
  unfinished?: boolean;
  /** A client may read late; false by default. */
  readsLate?: boolean;
  /** Which of these clients may come; all by default. */
  only?: (client: ClientScript) => boolean;
}

const allEnds: readonly ClientEnd[] = ["closes", "stays", "leaves", "is cut off", "half-closes"];

/** Generates scripts: from the simplest, to which a failure is shrunk, to those with everything at once. */
export function scripts(behaviour: Behaviour): fc.Arbitrary<ClientScript> {
  const {
    says,
    messages = 3,
    cuts = 5,
    ends = allEnds,
    unfinished = true,
    readsLate = false,
    only,
  } = behaviour;
  const all: fc.Arbitrary<ClientScript> = fc.record({
    messages: fc.array(says, { minLength: 0, maxLength: messages, size: "max" }),
    cuts: fc.array(fc.integer({ min: 1, max: 9999 }), { maxLength: cuts, size: "max" }),
    unfinished: unfinished
      ? fc.oneof(
          { arbitrary: fc.constant(0), weight: 4 },
          { arbitrary: fc.integer({ min: 1, max: 12 }), weight: 1 },
        )
      : fc.constant(0),
    end: fc.constantFrom(...ends),
    late: fc.nat(4),
    reads: readsLate
      ? fc.oneof({ arbitrary: fc.constant(true), weight: 2 }, { arbitrary: fc.constant(false), weight: 1 })
      : fc.constant(true),
  });
  return only ? all.filter(only) : all;
}

/** What a client sends in the two acts of a conversation, and what must come back in each. */
export interface Parts {
  pieces: string[];
  wants: ClientMessage[];
  /** Of a client that stays: what it says when others have gone. */
  lastWord: ClientMessage | null;
}

/** The parts of a script: the same script has the same parts. */
export function actsOf({ messages, cuts, unfinished, end }: ClientScript): Parts {
  const closing = messages.findIndex(({ after }) => after === "close" || after === "any");
  const speaksAgain = end === "stays" && closing === -1 && messages.length > 1;
  const first = speaksAgain ? messages.slice(0, -1) : [...messages];
  const all = first.map(({ bytes }) => bytes).join("");
  const last = first.at(-1);
  const left = speaksAgain || last === undefined ? 0 : Math.min(unfinished, last.bytes.length);
  const stream = all.slice(0, all.length - left);
  const whole = left > 0 ? first.slice(0, -1) : first;
  const wants = closing === -1 ? whole : whole.slice(0, closing + 1);
  // A server may refuse what it has not read to its end: the beginning may show that it is not a request.
  if (left > 0 && last !== undefined && isRefused(last)) wants.push({ bytes: "", wants: null, after: "any" });
  return { pieces: cut(stream, cuts), wants, lastWord: speaksAgain ? messages.at(-1)! : null };
}

/** Only errors answer this message, and the connection need not go on. */
function isRefused({ wants, after = "open" }: ClientMessage): boolean {
  if (wants === null || typeof wants === "string" || after === "open") return false;
  return [wants.status].flat().every(status => status >= 400);
}

function cut(stream: string, cuts: readonly number[]): string[] {
  const places = cuts.map(part => Math.floor((stream.length * part) / 10_000));
  const all = [...new Set([0, ...places, stream.length])].sort((a, b) => a - b);
  return all.slice(1).map((to, i) => stream.slice(all[i], to));
}

// Generated conversations. A check describes what clients may do and what must come back; fast-check makes hundreds of
// clients of it, who talk to one running server. The first broken promise is shrunk to the smallest conversation.
import fc from "fast-check";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { count, grouped } from "../../protocol.ts";
import { commandFor } from "../exchange.ts";
import { CheckFailure } from "../outcome.ts";
import { type Conversation, type ConversationTools, holdConversation } from "./conversation.ts";
import { Drift } from "./drift.ts";
import type { Broken } from "./hearing.ts";
import { type PromiseOptions, Promises } from "./promises.ts";
import { actsOf, type Behaviour, type ClientScript, scripts } from "./script.ts";
import { type FailingSeries, type Hold, shrink } from "./shrink.ts";

/** What a check says of its conversations. */
export interface Conversations extends Behaviour, PromiseOptions {
  /** Why the promise is made, for a failure that has no cause of its own. */
  because: string;
  /** How many conversations are held, one after another; 12 by default. */
  times?: number;
  /** Clients of one conversation at most; 24 by default. */
  clients?: number;
  /** Clients may do everything in one moment, while the server is stopped; true by default. */
  together?: boolean;
}

/** The seed of a run, and the command that makes the same run again. */
export interface Seed {
  seed: number;
  command: string;
  /** False: a failure is not shrunk, because no person reads it. */
  shrinks?: boolean;
}

export const defaultSeed: Seed = { seed: 1, command: "npm run check -- LAB --seed 1" };

/** A failure is shrunk for five seconds: a busy machine makes few tries in that time, and gets some more. */
const shrinking = { ms: 5000, tries: 12 };
/** Idleness is measured at so many moments of a server's life. */
const measurements = 12;
/** What grows is measured after this part of the conversations: by then a server has opened and compiled what it needs. */
const settledIn = 1 / 3;
/** So often it must have grown, each time while as many clients came and left: V8 compiled 200 KB in the first three. */
const growths = 5;

/** Holds conversations until one breaks a promise. @throws CheckFailure with the smallest conversation that does */
export async function converse(
  around: ConversationTools,
  { seed, command, shrinks = true }: Seed,
  options: Conversations,
): Promise<void> {
  const { journal } = around;
  const series = new Series(around, seed, options);
  const broken = await series.next();
  const place = `${count(series.held.length, "conversation")} with ${grouped(series.clients)} clients (seed ${seed})`;
  if (broken === null) {
    journal.clear();
    journal.note(place);
    return;
  }
  const lines = [...journal.lines(), ...around.server.lastWords()];
  const run = { command, place };
  if (!shrinks || broken.isOfMany)
    throw failureOf({ conversations: series.held, broken, smallest: null }, lines, options, run);
  const hold = holdAfresh(around, series.arbitrary, options, broken.times ?? 1);
  const shrunk = await shrink(series.held, series.arbitrary, hold, shrinking);
  // Once more, so that the server is in the state of which the failure speaks, and the journal is of these conversations.
  const again = shrunk && (await hold(shrunk.conversations));
  if (again) throw failureOf({ ...again, smallest: shrunk.smallest }, journal.lines(), options, run);
  // It may need those before it; or a busy machine was at fault, and then it does not happen twice.
  await around.server.startAfresh();
  const second = new Series(around, seed, options);
  const twice = await second.next();
  if (twice === null) return;
  throw failureOf({ conversations: second.held, broken: twice, smallest: null }, lines, options, run);
}

/** The conversations of one seed, one after another, on one server. */
class Series {
  readonly arbitrary: fc.Arbitrary<ClientScript>;
  /** The conversations so far, and their clients. */
  readonly held: Conversation[] = [];
  clients = 0;
  readonly #around: ConversationTools;
  readonly #random: fc.Random;
  readonly #options: Conversations;

  constructor(around: ConversationTools, seed: number, options: Conversations) {
    this.#around = around;
    this.#options = options;
    this.#random = new fc.Random(xoroshiro128plus(seed));
    this.arbitrary = scripts(options);
  }

  /** Holds them until one breaks a promise. @returns which; null: none does */
  async next(): Promise<Broken | null> {
    const { times = 12 } = this.#options;
    const promises = new Promises(this.#around.server, this.#options, measurements);
    await warmUp(this.#around, this.arbitrary, promises);
    const drift = new Drift(this.#around);
    const first = Math.round(times * settledIn);
    const broken = await this.#hold(first, promises);
    if (broken) return broken;
    await drift.measure(this.clients);
    for (let tries = 0; tries < growths; tries++) {
      const found = await this.#hold(times - first, promises);
      if (found) return found;
      await drift.measure(this.clients);
      if (drift.growth === null) return null;
    }
    return drift.growth;
  }

  /** Holds so many more. */
  async #hold(times: number, promises: Promises): Promise<Broken | null> {
    for (let i = 0; i < times; i++) {
      const conversation = generated(this.arbitrary, this.#random, this.#options);
      this.held.push(conversation);
      this.clients += conversation.clients.length;
      this.#around.journal.clear();
      const broken = await holdConversation(conversation, this.#around, promises);
      if (broken) return broken;
    }
    return null;
  }
}

/** The more conversations have been held, the more clients hold one: what a single client shows is found first. */
function generated(
  arbitrary: fc.Arbitrary<ClientScript>,
  random: fc.Random,
  options: Conversations,
): Conversation {
  const { clients = 24, together = true } = options;
  const number = random.nextInt(Math.min(2, clients), clients);
  return {
    clients: Array.from({ length: number }, () => arbitrary.generate(random, undefined)),
    together: together && random.nextInt(0, 2) === 0,
  };
}

/** One client is served before anything is compared: a program opens some things when it first needs them. */
async function warmUp(
  around: ConversationTools,
  arbitrary: fc.Arbitrary<ClientScript>,
  promises: Promises,
): Promise<void> {
  const random = new fc.Random(xoroshiro128plus(1));
  for (let tries = 0; tries < 100; tries++) {
    const client = arbitrary.generate(random, undefined);
    const { end, messages, unfinished } = client.value;
    if (end !== "closes" || messages.length === 0 || unfinished > 0) continue;
    await holdConversation({ clients: [client], together: false }, around, promises);
    break;
  }
  await promises.start();
}

/** Makes a function that holds conversations on a server without a past, each series of them so many `times`. */
function holdAfresh(
  around: ConversationTools,
  arbitrary: fc.Arbitrary<ClientScript>,
  options: Conversations,
  times: number,
): Hold {
  // A server that has kept its promises so far is fresh enough: to start another takes a quarter of a second.
  let promises: Promises | null = null;
  return async conversations => {
    if (promises === null) {
      await around.server.startAfresh();
      promises = new Promises(around.server, options, Number.POSITIVE_INFINITY);
      await warmUp(around, arbitrary, promises);
    }
    around.journal.clear();
    let before = 0;
    for (const conversation of Array.from({ length: times }, () => conversations).flat()) {
      const broken = await holdConversation(conversation, around, promises, before);
      before += conversation.clients.length;
      if (broken === null) continue;
      promises = null;
      return { conversations, broken };
    }
    return null;
  };
}

/** @param smallest null: alone, the conversation breaks no promise */
function failureOf(
  { conversations, broken, smallest }: FailingSeries & { smallest: boolean | null },
  lines: readonly string[],
  options: Conversations,
  { command, place }: { command: string; place: string },
): CheckFailure {
  const { summary, client: _, times = 1, isOfMany = false, ...values } = broken;
  const alone = smallest !== null;
  let opening =
    "The end of the conversations: only after all those before it does your server break its promise.";
  if (alone)
    opening = `The smallest conversation${smallest ? "" : " that was found"} in which your server breaks its promise:`;
  else if (isOfMany) opening = "All conversations together show it. The last of them:";
  return new CheckFailure(summary, {
    because: options.because,
    ...values,
    evidence: [
      opening,
      ...(alone && times > 1 ? [`(the same, held ${times} times)`] : []),
      ...lines,
      `found after ${place}`,
    ],
    see: [alone ? simpleCommand(conversations) : undefined, `${command}   # the same conversations again`]
      .filter(one => one !== undefined)
      .join("\n"),
  });
}

/** A shell command for one client that only speaks: a shell cannot half-close. */
function simpleCommand(conversations: readonly Conversation[]): string | undefined {
  const [only, ...others] = conversations.flatMap(({ clients }) => clients);
  if (!only || others.length > 0) return undefined;
  const { end } = only.value;
  if (end !== "stays" && end !== "closes") return undefined;
  const { pieces } = actsOf(only.value);
  return commandFor(pieces);
}

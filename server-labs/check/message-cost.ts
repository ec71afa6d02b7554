// Message cost. What a message costs a server that holds many silent clients: the descriptors that it asks about, or,
// where its calls cannot be seen, its processor time beside the same without them.
import type { Client } from "../clients.ts";
import type { CallRecord } from "../protocol.ts";
import type { Why } from "./outcome.ts";
import { crowd } from "./silent-clients.ts";
import type { Tools } from "./tools.ts";

/** Where no calls can be seen: so many times the processor time of a message may rise. */
const mostTimes = 2;
/** The least of so many measures counts: a run-time system that collects garbage raises one, and not each. */
const mostMeasures = 4;

export interface MessageCost {
  /** The number of clients that are connected and send nothing. */
  silent: number;
  /** One client sends so many messages, each after the answer to the one before. */
  converse: (client: Client) => Promise<void>;
  messages: number;
  /** "message", "line": what a client of the lab sends. */
  word: string;
  /** The number of descriptors that the server may ask about for one message. */
  most: number;
  /** @param dearest the call that asked about most; null where calls cannot be seen */
  because: (dearest: CallRecord | null) => string;
  see: string;
}

/** Fails the check if a message costs the server more when many other clients are silent. */
export async function judge(t: Tools, cost: MessageCost): Promise<void> {
  const [speaker] = (await crowd(t, 1)) as [Client];
  if (t.server.traced) await judgeCalls(t, speaker, cost);
  else await judgeTime(t, speaker, cost);
}

async function judgeCalls(t: Tools, speaker: Client, cost: MessageCost): Promise<void> {
  const { silent, messages, converse, word, most, because, see } = cost;
  await crowd(t, silent);
  await converse(speaker);
  const calls = await t.server.trace({ during: () => converse(speaker) });
  const total = calls.list.reduce((sum, call) => sum + asked(call), 0) + calls.missed;
  const dearest = calls.list.reduce<CallRecord | null>(
    (top, call) => (top === null || asked(call) > asked(top) ? call : top),
    null,
  );
  const why: Why = { because: because(dearest), see, at: dearest };
  t.expect(
    Math.round(total / messages),
    `Descriptors that the server asks about for one ${word}, with ${silent} silent clients.`,
  ).atMost(most, why);
}

async function judgeTime(t: Tools, speaker: Client, cost: MessageCost): Promise<void> {
  await timeOfMessage(t, speaker, cost); // the first ones also pay for compilers and caches
  const alone = await timeOfMessage(t, speaker, cost);
  await crowd(t, cost.silent);
  let times = Number.POSITIVE_INFINITY;
  for (let measure = 0; measure < mostMeasures && times > mostTimes; measure++)
    times = Math.min(times, (await timeOfMessage(t, speaker, cost)) / alone);
  t.expect(
    Number(times.toFixed(1)),
    `Processor time of a ${cost.word} among ${cost.silent} silent clients, divided by that without them.`,
  ).atMost(mostTimes, { because: cost.because(null), see: cost.see });
}

/** Of how many descriptors this call speaks to the kernel. */
function asked({ call, args, returned }: CallRecord): number {
  if (call === "poll") return Number(args[1]);
  return call === "epoll_wait" ? Math.max(1, returned) : 1;
}

/** The processor time that the server spends on a message, in microseconds: the best of some rounds. */
async function timeOfMessage(t: Tools, client: Client, { converse, messages }: MessageCost): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const own = t.server.ownTime();
    await converse(client);
    best = Math.min(best, (own.spent.ran * 1000) / messages);
  }
  return best;
}

// Delayed parts. Finds small answers whose second part waited for the client's acknowledgement of the first: the kernel's record
// of both segments shows it, whatever the machine does meanwhile.
import { type Client, type ClientOptions, readAnswer } from "../clients.ts";
import { demandOpen, type ExchangeTools } from "./exchange.ts";
import { CheckFailure } from "./outcome.ts";

/** A client acknowledges late, after some 40 ms; without a wait an answer is there in less than this, in milliseconds. */
const delayedMs = 25;

interface DelayedPartsTools extends ExchangeTools {
  client(options?: ClientOptions): Promise<Client>;
}

/** Sends requests one after another, on a new connection if the server closes one. @returns how many answers were delayed */
export async function countDelayedParts(
  { client, until, note }: DelayedPartsTools,
  requests: readonly string[],
): Promise<number> {
  let asks = await client({ acknowledgesLate: true });
  const waits: number[] = [];
  for (const request of requests) {
    if (asks.over) asks = await client({ acknowledgesLate: true });
    const before = asks.receivedBytes;
    const { segments } = asks.delivery();
    asks.send(request);
    if ((await until(() => asks.receivedBytes > before, 5000)) === null) {
      demandOpen(asks);
      throw new CheckFailure(`${asks.name} sent a request for a small answer, and got no answer.`);
    }
    // A wrong length is for other checks to judge: an answer is as long as its head says.
    const whole = () => !("need" in readAnswer(asks.received.subarray(before), "GET", asks.over));
    if ((await until(whole, 1000)) === null)
      throw new CheckFailure("An answer began, and its end did not arrive within a second.");
    const last = asks.delivery();
    // An answer in one segment has no second part that could wait.
    waits.push(last.segments - segments < 2 ? 0 : last.afterSending);
  }
  note(
    `from the request to the last segment of an answer in several: ${waits.join(", ")} ms (0: one segment)`,
  );
  return waits.filter(ms => ms >= delayedMs).length;
}

// Shrinking. Makes conversations that break a promise smaller, as long as they still break one: first fewer of them, then
// fewer clients, and then, by fast-check, simpler scripts.
import type fc from "fast-check";
import type { Conversation } from "./conversation.ts";
import type { Broken } from "./hearing.ts";
import type { ClientScript } from "./script.ts";

/** Conversations that are held one after another on one server; the last of them breaks a promise. */
export interface FailingSeries {
  conversations: readonly Conversation[];
  broken: Broken;
}

/** Holds conversations on a server without a past. @returns those up to the one that broke a promise; null: none did */
export type Hold = (conversations: readonly Conversation[]) => Promise<FailingSeries | null>;

/**
 * Shrinks conversations.
 * @param limits `ms`: for so long others are tried; `tries`: but at least so many, within three times as long
 * @returns null when even all of them together break no promise once more
 */
export async function shrink(
  all: readonly Conversation[],
  arbitrary: fc.Arbitrary<ClientScript>,
  hold: Hold,
  limits: { ms: number; tries: number },
): Promise<(FailingSeries & { smallest: boolean }) | null> {
  const began = performance.now();
  let tries = 0;
  const isOver = () => {
    const ms = performance.now() - began;
    return ms > 3 * limits.ms || (ms > limits.ms && tries > limits.tries);
  };
  let found: FailingSeries | null = null;
  // Most need only themselves; some need what a client of the conversation before them has left behind.
  for (let last = 1; found === null; last *= 2) {
    found = await hold(all.slice(-last));
    if (last >= all.length) break;
  }
  if (found === null) return null;
  for (let better = true; better; ) {
    better = false;
    for (const smaller of smallerOnes(found, arbitrary)) {
      if (isOver()) return { ...found, smallest: false };
      tries++;
      const now = await hold(smaller);
      if (now === null) continue;
      found = now;
      better = true;
      break;
    }
  }
  return { ...found, smallest: true };
}

/** Smaller ones, the smallest first. */
function* smallerOnes(
  { conversations, broken }: FailingSeries,
  arbitrary: fc.Arbitrary<ClientScript>,
): Generator<Conversation[]> {
  if (conversations.length > 1) {
    for (const i of conversations.keys()) yield conversations.toSpliced(i, 1);
  }
  for (const [i, { clients, together }] of conversations.entries()) {
    const instead = (changed: Partial<Conversation>) =>
      conversations.with(i, { clients, together, ...changed });
    const seen = i === conversations.length - 1 ? clients[(broken.client ?? 0) - 1] : undefined;
    if (seen && clients.length > 1) yield instead({ clients: [seen] });
    for (let size = clients.length >> 1; size > 0; size >>= 1) {
      for (let from = 0; from < clients.length; from += size)
        yield instead({ clients: clients.toSpliced(from, size) });
    }
    if (together) yield instead({ together: false });
    for (const [j, client] of clients.entries()) {
      for (const simpler of arbitrary.shrink(client.value_, client.context))
        yield instead({ clients: clients.with(j, simpler) });
    }
  }
}

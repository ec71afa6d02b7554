// When a client need not wait any longer for an answer: what does not come has no event, but a server that will not send
// it shows signs.
import { clock } from "./calls.ts";
import type { Tools } from "./check.ts";
import type { Client } from "./client.ts";
import { every } from "./wait.ts";

/** A server that has read everything and sleeps for so long has no more to say, in milliseconds. */
export const silentMs = 300;

/** A server that looks again and again has no more to say when it has found nothing, and rested, so many times. */
const silentRests = 4;

/**
 * True when there is no more to be waited for: nothing has come for a while, and all that time the server has been in a
 * call which only somebody else can end; or it has read everything, and has rested again and again since; or it works and
 * works, and nothing comes of it. (In which call it was before is no sign: we may just have spoken. Nor are turns: one
 * that answers step by step makes many of them, and a busy machine may stop it in their midst.)
 */
export function nothingMore({ server }: Tools, client: Client): () => boolean {
  const begin = () => ({
    bytes: client.receivedBytes,
    at: clock(),
    watch: server.traced ? server.watch() : null,
    tired: server.tired(),
    /** How often it had gone to sleep when somebody first asked. */
    sleeps: null as number | null,
  });
  let silence = begin();
  const rested = every(20, () => {
    if (silence.watch === null) return false;
    if (silence.watch.calls.rests.length > silentRests) return true;
    // Whoever rests in a call that is not traced is seen to sleep.
    silence.sleeps ??= server.sleeps;
    return silence.watch.calls.turns.length > silentRests && server.sleeps - silence.sleeps > silentRests;
  });
  return () => {
    if (client.receivedBytes !== silence.bytes) silence = begin();
    if (clock() - silence.at < silentMs) return false;
    if (silence.tired()) return true;
    return server.stuck(silentMs) !== null || (server.hasRead(client) && rested() === true);
  };
}

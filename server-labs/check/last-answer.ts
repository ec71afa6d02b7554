// Last answer. Whether the answer behind which a server ends a connection arrives, and FIN behind it, also while the client
// still sends: the lingering close of RFC 9112, 9.6. A busy machine may use up the time for which a server lingers, so a
// client that was late does not count.
import type { Client } from "../clients.ts";
import type { WantedAnswer } from "./exchange.ts";
import type { Why } from "./outcome.ts";
import type { Tools } from "./tools.ts";

/** The server still holds the descriptor of this client's connection. */
export const holdsSocketOf = ({ server }: Tools, client: Client): boolean =>
  (server.socketOf(client)?.inode ?? 0) !== 0;

/** Waits until an answer has arrived in the kernel of a client that does not read. */
export async function untilAnswered(t: Tools, client: Client): Promise<void> {
  const came = await t.until(() => client.over || client.delivery().segments > 0, 3000);
  t.expect(came, "A client has sent all that its answer needs, and no answer came.").ok();
}

/** This client has sent all that it wants to send: it receives this answer, and then FIN and not RST. */
export async function receivesLast(
  t: Tools,
  client: Client,
  wanted: WantedAnswer,
  what: string,
  why: Why,
): Promise<void> {
  // A server that has just been continued may need a while before it runs again.
  await t.until(() => client.over || client.receivedBytes > 0, 2000);
  await t.exchange({ about: what, client, sends: [], wants: [wanted], after: "close", ...why });
  await t.until(() => client.over, 3000);
  t.expect(client.state, `${what}: how the connection ended for the client.`).equal("ended", why);
}

export interface LateReader {
  /** How long the server lingers, in milliseconds. */
  lingerMs: number;
  wanted: WantedAnswer;
  what: string;
  why: Why;
  /** Connects and sends: the client, which has not read, and the milliseconds from its first byte to its last. */
  sends: () => Promise<[client: Client, after: number]>;
}

/**
 * A client that has not read yet has sent all: it ends its direction, reads, and receives its answer and the end of the
 * stream. If it was late, it is another client's turn.
 */
export async function receivesInTime(
  t: Tools,
  { lingerMs, wanted, what, why, sends }: LateReader,
): Promise<void> {
  for (let tries = 0; tries < 8; tries++) {
    const [client, after] = await sends();
    const all = () => t.server.hasRead(client) || (client.unsent === 0 && !holdsSocketOf(t, client));
    await t.until(() => client.over || all(), 3000);
    if (!client.over) client.end();
    client.setReading(true);
    await t.until(() => client.over, 1500);
    if (client.state === "ended" || after < 0.7 * lingerMs) return receivesLast(t, client, wanted, what, why);
  }
  t.tooBusy(`${what}, while the server waits for its end`);
}

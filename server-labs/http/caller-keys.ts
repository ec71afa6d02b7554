// Caller keys. With what callers prove themselves to the lab server, and with what it proves itself to them.
// A shell sends the token. A page sends no key: the lab server proves first that it knows the page's key, and the page
// then sends an HMAC that is good for one start and one origin (protocol/proof.ts).
//
// It stops another user's program that took the port while the lab server was away, over HTTP and WebSocket: that program
// can prove nothing, so an open page sends it nothing; what it catches in the moment in which the lab server ends is a
// bearer of a start that is over; and an answer that it relays from a lab server on another port names another origin.
// It does not stop a program that a person loads the page from: a script of that program runs at our origin and reads what
// the browser stores there. Only TLS with a known certificate would. Nor does it protect a shell that sends the token to
// the port of a lab server that has ended.
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import {
  type Challenge,
  type ChallengeAnswer,
  labServerText,
  type PageKey,
  pageText,
  parsePageBearer,
  ticketId,
} from "../protocol.ts";

/** A page gets a new key with each load; one that was not open for so many days needs the printed link. */
const daysOfPageKey = 30;
const dayMs = 24 * 60 * 60 * 1000;

export class CallerKeys {
  /** For the printed link: good as long as this lab server runs. */
  readonly ticket = randomBytes(24).toString("base64url");
  readonly #start = randomBytes(16).toString("base64url");
  readonly #token: string;
  readonly #origins: ReadonlySet<string>;
  readonly #today: () => number;

  /**
   * @param token the shell's, of which the pages' keys are made: they survive a restart, and end with the token
   * @param origins at which a browser sees the page
   * @param now wall clock, milliseconds
   */
  constructor(token: string, origins: ReadonlySet<string>, now: () => number = Date.now) {
    this.#token = token;
    this.#origins = origins;
    this.#today = () => Math.floor(now() / dayMs);
  }

  /** A page's key, made today. */
  newPageKey(): PageKey {
    const id = String(this.#today());
    return { id, key: this.#keyOf(id)! };
  }

  /** The proof that this lab server knows a key; null when it does not know it, or is not at that origin. */
  prove({ nonce, origin, key: id }: Challenge): ChallengeAnswer | null {
    const key = this.#keyOf(id);
    if (key === null || !this.#origins.has(origin) || !/^[\w-]{16,64}$/.test(nonce)) return null;
    return { start: this.#start, proof: hmac(key, labServerText({ nonce, origin }, this.#start)) };
  }

  /** Whether this is the token, or the bearer of a page for this start. */
  accepts(bearer: string): boolean {
    return equal(bearer, this.#token) || this.#isPage(bearer);
  }

  #isPage(bearer: string): boolean {
    const page = parsePageBearer(bearer);
    const key = page && this.#keyOf(page.key);
    if (!page || !key) return false;
    return [...this.#origins].some(origin => equal(page.mac, hmac(key, pageText(origin, this.#start))));
  }

  #keyOf(id: string): string | null {
    if (id === ticketId) return this.ticket;
    // The clock may have been set back since: a day that is still to come is as far away as one that has passed.
    if (!/^\d{1,7}$/.test(id) || Math.abs(this.#today() - Number(id)) > daysOfPageKey) return null;
    return createHmac("sha256", this.#token).update(`socket-workbook page key\n${id}`).digest("base64url");
  }
}

const hmac = (key: string, text: string) => createHmac("sha256", key).update(text).digest("hex");
const sha256 = (text: string) => createHash("sha256").update(text).digest();
/** Takes the same time whatever the texts hold, and however long they are. */
const equal = (one: string, other: string) => timingSafeEqual(sha256(one), sha256(other));

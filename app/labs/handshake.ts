// Handshake. Proves that the program at this address is the student's lab server before the page sends it anything.
// Measured before: a listener of another user on the port of a lab server that had ended got the token of an open page
// ten times in six seconds. What it stops and what not is in server-labs/http/caller-keys.ts.
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import {
  type ChallengeAnswer,
  challengePath,
  labServerText,
  type PageKey,
  pageBearer,
  pageKeyPath,
  pageText,
  ticketId,
} from "../../server-labs/protocol.ts";
import type { KeyRing } from "./key-ring.ts";

/** away: no lab server answers · locked: no key · old-link, unproven: what answers does not know the ticket, or the page's key. */
export type Unproven = "away" | "locked" | "old-link" | "unproven";
/** What the page sends to the lab server that is proven, or why it sends nothing. */
export type Admission = { bearer: string } | { refused: Unproven };

/** What it needs of the world; a test gives its own. */
export interface HandshakeEnvironment {
  fetch: typeof fetch;
  /** The page's own: "http://127.0.0.1:7800". */
  origin: string;
  keys: KeyRing;
  /** Random bytes in hexadecimal, 32 digits. */
  nonce(): string;
}

/** Milliseconds for the answer to a challenge: a lab server on a busy machine answers late. */
const answerMs = 15_000;

export class Handshake {
  readonly #environment: HandshakeEnvironment;
  #admission: Promise<Admission> | null = null;

  constructor(environment: HandshakeEnvironment) {
    this.#environment = environment;
  }

  /** The bearer for the lab server that was proven last; else asks the program that answers now. Never rejects. */
  admit(): Promise<Admission> {
    if (this.#admission) return this.#admission;
    const admission = this.#prove();
    this.#admission = admission;
    void admission.then(result => {
      if ("refused" in result && this.#admission === admission) this.#admission = null;
    });
    return admission;
  }

  /** Another program may answer from now on: the connection has ended, or the bearer was refused. */
  forget(): void {
    this.#admission = null;
  }

  async #prove(): Promise<Admission> {
    const { keys, origin } = this.#environment;
    let refused: Unproven | null = null;
    for (const key of keys.keys) {
      const start = await this.#challenge(key);
      if (start === "away") return { refused: "away" };
      if (start !== "unproven") {
        const bearer = pageBearer(key.id, hmacOf(key, pageText(origin, start.name)));
        void this.#renewKey(bearer);
        return { bearer };
      }
      keys.reject(key);
      refused ??= key.id === ticketId ? "old-link" : "unproven";
    }
    return { refused: refused ?? "locked" };
  }

  /** The name of the lab server's start, if the program that answers knows the key. */
  async #challenge(key: PageKey): Promise<{ name: string } | "away" | "unproven"> {
    const { origin } = this.#environment;
    const nonce = this.#environment.nonce();
    let answer: Partial<ChallengeAnswer> | null;
    try {
      const query = new URLSearchParams({ nonce, origin, key: key.id });
      const signal = AbortSignal.timeout(answerMs);
      const address = `${challengePath}?${query}`;
      const response = await this.#environment.fetch(address, { cache: "no-store", signal });
      // A proxy (Vite's, in development) answers 5xx for a lab server that is not there.
      if (response.status >= 500) return "away";
      answer = (await response.json()) as typeof answer;
    } catch (error) {
      // Where no program answers, or none in time, fetch rejects; what is not JSON is the answer of another program.
      return error instanceof SyntaxError ? "unproven" : "away";
    }
    const start = answer?.start;
    const proven =
      typeof start === "string" && answer?.proof === hmacOf(key, labServerText({ nonce, origin }, start));
    return proven ? { name: start } : "unproven";
  }

  /** Fetches the key for the next load; until it comes, the one that was proven will do. */
  async #renewKey(bearer: string): Promise<void> {
    const { fetch, keys } = this.#environment;
    try {
      const headers = { authorization: `Bearer ${bearer}` };
      const answer = await fetch(pageKeyPath, { headers, cache: "no-store" });
      if (answer.ok) keys.keep((await answer.json()) as PageKey);
    } catch {
      // The lab server has gone; the next handshake asks again.
    }
  }
}

const hmacOf = (key: PageKey, text: string): string =>
  bytesToHex(hmac(sha256, utf8ToBytes(key.key), utf8ToBytes(text)));

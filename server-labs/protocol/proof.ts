// Proof. The texts under which the page and the lab server write an HMAC, so that a key itself is never sent.
// Each side has its own HMAC-SHA-256: Node's in the lab server, a library's in the page, which may have no crypto.subtle.

/** A key that the page and the lab server both know. */
export interface PageKey {
  /** `ticketId`, or the day on which the lab server made the key, in days since 1970. */
  id: string;
  key: string;
}

/** The id of the key in a printed link, which is good for one start of the lab server. */
export const ticketId = "ticket";

/** What the page asks of the program that answers at its address, as the query of `challengePath`. */
export interface Challenge {
  /** 16 random bytes or more, in base64url. */
  nonce: string;
  /** The page's own: "http://127.0.0.1:7800". */
  origin: string;
  /** The id of the key. */
  key: string;
}

/** What the lab server answers to a challenge. */
export interface ChallengeAnswer {
  /** A name of this start of the lab server, which no other start has. */
  start: string;
  /** The HMAC of labServerText(), in hexadecimal. */
  proof: string;
}

export const challengePath = "/healthz";
/** Where a page that has been let in gets the key for its next load. */
export const pageKeyPath = "/api/page-key";

/** What the lab server signs. With the origin in it, an answer for one port is of no use on another. */
export const labServerText = ({ nonce, origin }: Omit<Challenge, "key">, start: string): string =>
  ["socket-workbook lab server", origin, start, nonce].join("\n");

/** What the page signs. */
export const pageText = (origin: string, start: string): string =>
  ["socket-workbook page", origin, start].join("\n");

/** The page's bearer for one start of the lab server. @param mac the HMAC of pageText(), in hexadecimal */
export const pageBearer = (key: string, mac: string): string => `page.${key}.${mac}`;

/** The key's id and the HMAC of a page's bearer; null for what is not one. */
export function parsePageBearer(text: string): { key: string; mac: string } | null {
  const match = /^page\.([a-z0-9]{1,12})\.([0-9a-f]{64})$/.exec(text);
  return match && { key: match[1]!, mac: match[2]! };
}

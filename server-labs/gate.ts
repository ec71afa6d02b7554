// Who may call. Every request and every upgrade passes `Gate.check` before anything else looks at it; what it
// refuses, it refuses in a sentence with the next step. The rules assume that a hostile page is open in the
// same browser, that its name may be rebound to this machine, and that other people have accounts here.
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { type Passed, parse } from "./gate/address.ts";
import { policyHeaders } from "./gate/policy.ts";
import { limits, subprotocol } from "./protocol.ts";

export type { Passed };

/** Turned away: an HTTP status and a sentence. */
export interface Refused {
  status: number;
  problem: string;
  headers?: Record<string, string>;
}

export type Verdict = ({ passed: true } & Passed) | ({ passed: false } & Refused);

/** Wrong tokens that are answered with 401 within a minute; then it is 429 until the minute is over. */
const wrongTokensPerMinute = 20;

export class Gate {
  readonly #hosts: Set<string>;
  readonly #origins: Set<string>;
  readonly #token: Buffer;
  readonly #tokenFile: string;
  readonly #now: () => number;
  #wrong = { since: Number.NEGATIVE_INFINITY, count: 0 };

  /**
   * @param port the port that the lab server listens on
   * @param token what a caller has to know
   * @param tokenFile where a person finds it, for the sentence of 401
   * @param now milliseconds, monotonic
   */
  constructor(options: { port: number; token: string; tokenFile: string; now?: () => number }) {
    const names = ["127.0.0.1", "localhost", "[::1]"];
    // A browser leaves the port away when it is 80: then the header is the bare name.
    const hosts = names.map(name => (options.port === 80 ? name : `${name}:${options.port}`));
    this.#hosts = new Set(hosts);
    this.#origins = new Set(hosts.map(host => `http://${host}`));
    this.#token = sha256(options.token);
    this.#tokenFile = options.tokenFile;
    this.#now = options.now ?? (() => performance.now());
  }

  /**
   * Decides about one request, or one upgrade to WebSocket. Never throws, whatever the headers hold.
   * Host → 421, address → 400/404, Origin and Sec-Fetch-Site → 403, token → 401/429, body → 415/413.
   */
  check(request: IncomingMessage, kind: "request" | "upgrade"): Verdict {
    const { headers, method = "" } = request;
    // Node keeps the first of two Host headers and hides the second: a proxy may have believed the other one.
    const hosts = request.rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === "host");
    if (hosts.length !== 1 || !this.#hosts.has(headers.host?.toLowerCase() ?? "")) {
      return refused(
        421,
        `This lab server answers to ${[...this.#hosts].join(", ")} only, not to ${quote(headers.host)}. Open the link that it printed when it started.`,
      );
    }
    const address = parse(request.url ?? "");
    if (!address) {
      return refused(
        400,
        `The address ${quote(request.url)} is not in its plain form. Write it as in http://${headers.host}/api/labs.`,
      );
    }
    const reading = method === "GET" || method === "HEAD";
    const api =
      address.segments[0] === "api" || address.segments[0] === "ws" || kind === "upgrade" || !reading;

    if (kind === "upgrade" && (address.path !== "/ws" || headers.upgrade?.toLowerCase() !== "websocket")) {
      return refused(
        404,
        "Only a WebSocket can be opened here, and only at /ws. With curl: leave --http2 away.",
      );
    }
    if (headers.origin !== undefined && !this.#origins.has(headers.origin)) {
      return refused(
        403,
        `A page from ${quote(headers.origin)} may not use this lab server. Only its own page may, and a shell.`,
      );
    }
    if (!mayCome(request, reading, api)) {
      return refused(
        403,
        "Another web page asked for this, and other pages may not. Open the link that the lab server printed.",
      );
    }
    // The page itself, its scripts and pictures, and "are you alive" hold no secret.
    if (api) {
      const token = kind === "upgrade" ? tokenOfUpgrade(request) : bearer(headers.authorization);
      if (token === undefined || !timingSafeEqual(sha256(token), this.#token)) {
        return this.#wrongToken(token, kind, headers.host!);
      }
    }
    return bodyRefused(request) ?? { passed: true, ...address };
  }

  /** The headers of every answer, also of a refusal: what a browser must not do with it. */
  headers(request?: IncomingMessage): Record<string, string> {
    const host = request?.headers.host?.toLowerCase() ?? "";
    return policyHeaders(this.#hosts.has(host) ? host : null);
  }

  #wrongToken(token: string | undefined, kind: "request" | "upgrade", host: string): Verdict {
    const where = `The token is in ${this.#tokenFile}`;
    const how =
      kind === "upgrade"
        ? `${where}; a WebSocket says it as the subprotocol "${subprotocol.tokenPrefix}<token>" beside "${subprotocol.version}".`
        : `${where}: curl -H "Authorization: Bearer $(cat ${shellWord(this.#tokenFile)})" http://${host}/api/labs`;
    const headers = { "WWW-Authenticate": 'Bearer realm="lab server"' };
    if (token === undefined) return { ...refused(401, `This needs the token. ${how}`), headers };
    const now = this.#now();
    if (now - this.#wrong.since >= 60_000) this.#wrong = { since: now, count: 0 };
    this.#wrong.count++;
    if (this.#wrong.count <= wrongTokensPerMinute)
      return { ...refused(401, `This token is not the right one. ${how}`), headers };
    const seconds = Math.max(1, Math.ceil((this.#wrong.since + 60_000 - now) / 1000));
    const sentence = `Too many wrong tokens; the next may be tried in ${seconds} s. The right one works at any time. ${how}`;
    return { ...refused(429, sentence), headers: { "Retry-After": String(seconds) } };
  }
}

const refused = (status: number, problem: string) => ({ passed: false as const, status, problem });
const sha256 = (text: string) => createHash("sha256").update(text).digest();

/** What the browser itself says of where a request comes from. Programs other than browsers do not say it. */
function mayCome(request: IncomingMessage, reading: boolean, api: boolean): boolean {
  const site = request.headers["sec-fetch-site"];
  if (site === undefined || site === "same-origin") return true;
  const topLevel =
    request.headers["sec-fetch-mode"] === "navigate" && request.headers["sec-fetch-dest"] === "document";
  // "none" is a person: the address bar, a bookmark. From another site only the page itself may be opened.
  return reading && topLevel && (!api || site === "none");
}

function bearer(header: string | undefined): string | undefined {
  return header === undefined ? undefined : (/^Bearer +(\S+)$/i.exec(header)?.[1] ?? "");
}

/** A browser cannot put headers on a WebSocket, so the token rides among the subprotocols, never in the URL. */
function tokenOfUpgrade(request: IncomingMessage): string | undefined {
  const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",").map(name => name.trim());
  if (!offered.includes(subprotocol.version)) return undefined;
  return offered
    .find(name => name.startsWith(subprotocol.tokenPrefix))
    ?.slice(subprotocol.tokenPrefix.length);
}

function bodyRefused({ method, headers }: IncomingMessage): Verdict | null {
  const length = Number(headers["content-length"] ?? 0);
  const hasBody = length > 0 || headers["transfer-encoding"] !== undefined;
  const changes = method === "POST" || method === "PUT" || method === "PATCH";
  const json = /^application\/json\s*(;|$)/i.test(headers["content-type"] ?? "");
  if ((changes || hasBody) && (!json || headers["content-encoding"] !== undefined)) {
    return refused(415, `A body must be plain JSON: curl -H "Content-Type: application/json" -d '{}' …`);
  }
  if (length > limits.messageBytes) {
    return refused(413, `The body has ${length} bytes; at most ${limits.messageBytes} are taken.`);
  }
  return null;
}

/** One word for a shell, whatever is in it: a home folder may have a space or a quote in its name. */
function shellWord(text: string): string {
  return /^[\w/.+@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** A header or address as it may stand in a sentence: short, and in one line. */
function quote(text: string | undefined): string {
  if (text === undefined) return "no name at all";
  const plain = JSON.stringify(text);
  return plain.length > 80 ? `${plain.slice(0, 79)}…"` : plain;
}

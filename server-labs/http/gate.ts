// Gate. Decides which requests and upgrades the lab server answers, and what a browser must not do with an answer.
// Every request passes `Gate.check` before any other code looks at it. The rules assume that a hostile page is open in
// the same browser, that its name may be rebound to this machine, and that other people have accounts here.
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { limits, type ProblemStatement, subprotocol } from "../protocol.ts";
import { CallerKeys } from "./caller-keys.ts";

/** A request that was let in: its address, decoded. A router looks at these segments only, never at the raw URL again. */
export interface Passed {
  path: string;
  segments: string[];
  query: URLSearchParams;
}

export type Verdict = ({ passed: true } & Passed) | { passed: false; statement: ProblemStatement };
type Kind = "request" | "upgrade";

/** Wrong tokens that get 401 within a minute; more of them get 429 until the minute is over. */
const wrongTokensPerMinute = 20;

export class Gate {
  readonly keys: CallerKeys;
  readonly #hosts: Set<string>;
  readonly #origins: Set<string>;
  readonly #tokenFile: string;
  readonly #now: () => number;
  #wrong = { since: Number.NEGATIVE_INFINITY, count: 0 };

  /**
   * @param port the port that the lab server listens on
   * @param token what a shell must know; a page's key is made of it
   * @param origins further addresses of this lab server, as a browser sees them through a forwarded port
   * @param tokenFile where a person finds it, for the sentence of 401
   * @param now milliseconds, monotonic
   */
  constructor(options: {
    port: number;
    token: string;
    tokenFile: string;
    origins?: readonly string[];
    now?: () => number;
  }) {
    const names = ["127.0.0.1", "localhost", "[::1]"];
    // A browser leaves the port away when it is 80: then the header is the bare name.
    const hosts = names.map(name => (options.port === 80 ? name : `${name}:${options.port}`));
    const further = (options.origins ?? []).map(origin => new URL(origin));
    this.#hosts = new Set([...hosts, ...further.map(({ host }) => host)]);
    this.#origins = new Set([...hosts.map(host => `http://${host}`), ...further.map(({ origin }) => origin)]);
    this.keys = new CallerKeys(options.token, this.#origins);
    this.#tokenFile = options.tokenFile;
    this.#now = options.now ?? (() => performance.now());
  }

  /**
   * Decides about one request, or one upgrade to WebSocket. Never throws, whatever the headers hold.
   * In this order: Host, address, Origin and Sec-Fetch-Site, token, body.
   */
  check(request: IncomingMessage, kind: Kind): Verdict {
    const verdict = this.checkCaller(request, kind);
    if (!verdict.passed) return verdict;
    const token = isOpen(request, kind, verdict) ? null : this.#wrongToken(request, kind);
    const statement = token ?? unfitBody(request);
    return statement ? refused(statement) : verdict;
  }

  /** Decides by Host, address, Origin and Sec-Fetch-Site alone: whether a request can be of our own page, or of a shell. */
  checkCaller(request: IncomingMessage, kind: Kind): Verdict {
    const host = request.headers.host ?? "";
    const wrongHost = this.#wrongHost(request);
    if (wrongHost) return refused(wrongHost);
    const address = parseAddress(request.url ?? "");
    if (!address) return refused({ code: "odd-address", address: shortened(request.url ?? ""), host });
    const foreign = this.#foreign(request, kind, address);
    return foreign ? refused(foreign) : { passed: true, ...address };
  }

  /** The headers of every answer, also of a refusal: what a browser must not do with it. */
  headers(request?: IncomingMessage): Record<string, string> {
    const host = request?.headers.host?.toLowerCase() ?? "";
    // Only a host of ours: the text of a header must not write our policy.
    const scheme = this.#origins.has(`https://${host}`) ? "wss" : "ws";
    const socket = this.#hosts.has(host) ? ` ${scheme}://${host}` : "";
    return { ...securityHeaders, "Content-Security-Policy": policy(socket) };
  }

  #wrongHost({ headers, rawHeaders }: IncomingMessage): ProblemStatement | null {
    // Node keeps the first of two Host headers and hides the second: a proxy may have believed the other one.
    const hosts = rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === "host");
    if (hosts.length === 1 && this.#hosts.has(headers.host?.toLowerCase() ?? "")) return null;
    const host = headers.host === undefined ? null : shortened(headers.host);
    return { code: "wrong-host", host, hosts: [...this.#hosts] };
  }

  /** Why a web page may not make this request: only our own page may, and programs that are not browsers. */
  #foreign(request: IncomingMessage, kind: Kind, address: Passed): ProblemStatement | null {
    const { headers } = request;
    if (kind === "upgrade" && (address.path !== "/ws" || headers.upgrade?.toLowerCase() !== "websocket"))
      return { code: "no-websocket-here" };
    if (headers.origin !== undefined && !this.#origins.has(headers.origin))
      return { code: "foreign-origin", origin: shortened(headers.origin) };
    return mayCome(request, isOpen(request, kind, address)) ? null : { code: "foreign-page" };
  }

  #wrongToken({ headers }: IncomingMessage, kind: Kind): ProblemStatement | null {
    const token = kind === "upgrade" ? tokenOfUpgrade(headers) : bearer(headers.authorization);
    const way = kind === "upgrade" ? "websocket" : "http";
    const help = { tokenFile: this.#tokenFile, host: headers.host!, way } as const;
    if (token === undefined) return { code: "token-missing", ...help };
    if (this.keys.accepts(token)) return null;
    const now = this.#now();
    if (now - this.#wrong.since >= 60_000) this.#wrong = { since: now, count: 0 };
    this.#wrong.count++;
    if (this.#wrong.count <= wrongTokensPerMinute) return { code: "token-wrong", ...help };
    const seconds = Math.max(1, Math.ceil((this.#wrong.since + 60_000 - now) / 1000));
    return { code: "too-many-wrong-tokens", ...help, seconds };
  }
}

const refused = (statement: ProblemStatement) => ({ passed: false as const, statement });
/** A header or an address as a parameter of a statement: it may be as long as the headers may. */
const shortened = (text: string) => text.slice(0, 100);

const reads = ({ method }: IncomingMessage) => method === "GET" || method === "HEAD";

/** The page itself, its scripts and pictures, and "are you alive" hold no secret: they need no token. */
function isOpen(request: IncomingMessage, kind: Kind, { segments: [first] }: Passed): boolean {
  return kind === "request" && reads(request) && first !== "api" && first !== "ws";
}

/** What the browser itself says of where a request comes from. Programs other than browsers do not say it. */
function mayCome(request: IncomingMessage, open: boolean): boolean {
  const site = request.headers["sec-fetch-site"];
  if (site === undefined || site === "same-origin") return true;
  const topLevel =
    request.headers["sec-fetch-mode"] === "navigate" && request.headers["sec-fetch-dest"] === "document";
  // "none" is a person: the address bar, a bookmark. From another site only the page itself may be opened.
  return reads(request) && topLevel && (open || site === "none");
}

function bearer(header: string | undefined): string | undefined {
  return header === undefined ? undefined : (/^Bearer +(\S+)$/i.exec(header)?.[1] ?? "");
}

/** A browser cannot put headers on a WebSocket, so the token rides among the subprotocols, never in the URL. */
function tokenOfUpgrade(headers: IncomingHttpHeaders): string | undefined {
  const offered = (headers["sec-websocket-protocol"] ?? "").split(",").map(name => name.trim());
  if (!offered.includes(subprotocol.version)) return undefined;
  return offered
    .find(name => name.startsWith(subprotocol.tokenPrefix))
    ?.slice(subprotocol.tokenPrefix.length);
}

function unfitBody({ method, headers }: IncomingMessage): ProblemStatement | null {
  const length = Number(headers["content-length"] ?? 0);
  const hasBody = length > 0 || headers["transfer-encoding"] !== undefined;
  const changes = method === "POST" || method === "PUT" || method === "PATCH";
  const json = /^application\/json\s*(;|$)/i.test(headers["content-type"] ?? "");
  if ((changes || hasBody) && (!json || headers["content-encoding"] !== undefined))
    return { code: "body-not-plain-json" };
  if (length > limits.messageBytes)
    return { code: "body-too-long", bytes: length, limit: limits.messageBytes };
  return null;
}

/**
 * The address, if it is written in the one form that cannot be read in two ways; else null. What the gate compares is
 * what the router looks up.
 */
function parseAddress(target: string): Passed | null {
  if (!target.startsWith("/") || target.startsWith("//") || target.includes("#")) return null;
  try {
    const url = new URL(target, "http://lab");
    // Whatever URL had to mend ("/a/../b", "/a\b", a raw space) is not what it was compared with.
    if (url.pathname !== target.split("?", 1)[0]) return null;
    const segments = url.pathname.slice(1).split("/").map(decodeURIComponent);
    if (segments.some(segment => /[/\\\0]/.test(segment) || segment === "." || segment === "..")) return null;
    return { path: url.pathname, segments, query: url.searchParams };
  } catch {
    return null; // "%zz" cannot be decoded
  }
}

const securityHeaders = {
  "X-Content-Type-Options": "nosniff",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Frame-Options": "DENY",
};

function policy(socket: string): string {
  return [
    "default-src 'self'",
    // Monaco and xterm write style elements; Monaco starts its workers from blobs and its icons are data.
    "style-src 'self' 'unsafe-inline'",
    "worker-src 'self' blob:",
    "font-src 'self' data:",
    "img-src 'self' data:",
    `connect-src 'self'${socket}`,
    "object-src 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join("; ");
}

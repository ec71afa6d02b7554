// Documents. Finds the file that a target names, as in chapter 2: names, versions, and descriptors that clients share.
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readlinkSync,
  readSync,
  realpathSync,
  type Stats,
  statSync,
} from "node:fs";

const limits = {
  /** A file up to this size stays in memory for a moment, with at most so many others; a larger one is streamed. */
  cachedFile: 64 * 1024,
  documents: 250,
  /** Descriptors kept in reserve, so that connected clients get files even when no other client can connect. */
  spares: 4,
};

/** One version of a file. A changed file is a new Document; a client that is receiving the old one keeps that. */
export class Document {
  readonly target: string;
  readonly path: string;
  readonly stat: Stats;
  /** Its lines of an answer's head. */
  readonly fields: string;
  readonly etag: string;
  /** The content of a small file, */
  bytes: Buffer | null = null;
  /** or the descriptor of a large one, shared by all clients that are receiving it. */
  fd = -1;
  /** Clients that are receiving it. Each adds one, and calls `release` in the end. */
  holders = 0;
  /** The turn of the hub in which it was last compared with the file. */
  seenIn = 0;
  /** The whole answer to the common request, head and body in one; the server may keep it here. */
  reply: Buffer | null = null;

  constructor(target: string, path: string, stat: Stats) {
    this.target = target;
    this.path = path;
    this.stat = stat;
    this.etag = `"${stat.ino.toString(36)}-${stat.size.toString(36)}-${Math.round(stat.ctimeMs * 1000).toString(36)}"`;
    const type = types[/\.(\w+)$/.exec(path)?.[1]?.toLowerCase() ?? ""] ?? "application/octet-stream";
    this.fields = `Content-Type: ${type}\r\n${settled(stat) ? `ETag: ${this.etag}\r\n` : ""}`;
  }
}

const types: Record<string, string> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  jpg: "image/jpeg",
  js: "text/javascript; charset=utf-8",
  json: "application/json",
  mp4: "video/mp4",
  pdf: "application/pdf",
  png: "image/png",
  svg: "image/svg+xml",
  txt: "text/plain; charset=utf-8",
  webp: "image/webp",
  woff2: "font/woff2",
};

let root = "";
/** Documents by their targets, each for at most a second: see `forgetDocuments`. */
const documents = new Map<string, Document>();

/** Opens the document root, without links in its path: each served file must be below it. @throws when it does not exist */
export function openRoot(folder: string): string {
  root = realpathSync(folder);
  while (spares.length < limits.spares) holdSpare();
  return root;
}

/**
 * The document that a target names; null: it is a folder. It calls stat() for each request, so that an edited file is
 * served edited at once. With one exception: in a busy turn a hundred clients ask for one file, and one stat() is enough
 * for all requests that had begun to arrive before this turn.
 * @param turn the turn of the hub, if the request had begun to arrive before it; 0: it may have come later
 * @throws BadTarget when the target names no file; an error with a `code` such as ENOENT, EACCES or EMFILE
 */
export function find(target: string, turn = 0): Document | null {
  const known = documents.get(target);
  if (known !== undefined && turn !== 0 && known.seenIn === turn) return known;
  const path = known?.path ?? pathOf(target);
  const stat = statSync(path); // follows links, and compares the inode behind them
  if (known !== undefined && sameVersion(known.stat, stat)) {
    known.seenIn = turn;
    return known;
  }
  documents.delete(target);
  if (stat.isDirectory() && inside(realpathSync(path))) return null;
  // Opening a FIFO can wait for ever, and opening a device can do anything: neither is a document.
  if (!stat.isFile()) throw noFile;
  return load(target, path);
}

/** Whether a path without links is the root or below it. */
function inside(path: string): boolean {
  return `${path}/`.startsWith(`${root}/`);
}

/** No program can set the time of change (ctime), as it can the time of modification. */
function sameVersion(a: Stats, b: Stats): boolean {
  return a.ctimeMs === b.ctimeMs && a.size === b.size && a.ino === b.ino && a.dev === b.dev;
}

/** Time stamps are coarse: a file that changed a moment ago can change again without a new stamp. */
function settled(stat: Stats): boolean {
  return Date.now() - stat.ctimeMs > 1000;
}

function load(target: string, path: string): Document {
  const fd = openFile(path);
  let keep = false;
  try {
    const stat = fstatSync(fd);
    // The path of the descriptor, not of the name: it is right even if another program changes a link meanwhile.
    const real = readlinkSync(`/proc/self/fd/${fd}`);
    if (!stat.isFile() || !inside(real)) throw noFile;
    const document = new Document(target, path, stat);
    keep = stat.size > limits.cachedFile;
    if (keep) document.fd = fd;
    else document.bytes = readAll(fd, stat.size);
    if (keep || settled(stat)) {
      if (documents.size >= limits.documents) forgetDocuments();
      documents.set(target, document);
    }
    return document;
  } finally {
    if (!keep) closeFile(fd);
  }
}

/** The content; less than `size` if the file has become shorter a moment ago. */
function readAll(fd: number, size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  let length = 0;
  for (let got = -1; got !== 0 && length < size; length += got)
    got = readSync(fd, bytes, length, size - length, length);
  return bytes.subarray(0, length);
}

/** Empties the cache; call it once a second. A document that is being sent stays, without the answer that it keeps. */
export function forgetDocuments(): void {
  for (const document of documents.values()) {
    if (document.holders === 0) documents.delete(document.target);
    document.reply = null;
  }
}

/** One holder less; after the last one it closes a large file. */
export function release(document: Document): void {
  if (--document.holders > 0 || document.fd === -1) return;
  if (documents.get(document.target) === document) documents.delete(document.target);
  closeFile(document.fd);
  document.fd = -1;
}

/** Descriptors in reserve, for files, when clients have taken all others. */
const spares: number[] = [];

function openFile(path: string): number {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
  try {
    return openSync(path, flags);
  } catch (error) {
    const spare = (error as NodeJS.ErrnoException).code === "EMFILE" ? spares.pop() : undefined;
    if (spare === undefined) throw error;
    closeSync(spare);
    return openSync(path, flags);
  }
}

/** A spare gets the number that becomes free, so this open does not fail. */
function closeFile(fd: number): void {
  closeSync(fd);
  if (spares.length < limits.spares) holdSpare();
}

function holdSpare(): void {
  spares.push(openSync("/dev/null", constants.O_RDONLY));
}

/** A target that is no name of a file in any form of HTTP: the request is malformed. */
export class BadTarget extends Error {}

const noFile = Object.assign(new Error("no such document"), { code: "ENOENT" });

/** A host as `Host` and a target may name it: a name or an address, and perhaps a port. */
export const hostRule = /^(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._~!$&'()*+,;=%-]*)(:\d*)?$/;

/** The path of the file that this target names. */
function pathOf(target: string): string {
  const names = resolve(parseTarget(target).path);
  return `${root}/${names.join("/")}${names.at(-1) === "" ? "index.html" : ""}`;
}

/** The address, with a slash at its end, of the folder that this target names. */
export function withSlash(target: string): string {
  const { path, query } = parseTarget(target);
  const names = resolve(path);
  if (names.at(-1) === "") throw noFile; // it has the slash: a folder by the name of index.html
  // Encoded again: so no CR LF gets into the head, and no "//host" becomes the address of another server.
  return `/${names.map(encodeURIComponent).join("/")}/${query}`;
}

/** Of the four forms of RFC 9112 3.2 two name a file: "/path?query", and the same after "http://host". */
function parseTarget(target: string): { path: string; query: string } {
  const absolute = /^http:\/\/([^/?:][^/?]*)(.*)$/i.exec(target);
  if (absolute !== null && !hostRule.test(absolute[1]!)) throw new BadTarget("The target names no host.");
  const local = absolute === null ? target : absolute[2]!.replace(/^(?!\/)/, "/");
  if (local[0] !== "/" || local.includes("#")) throw new BadTarget("The target is no path and no http URL.");
  const question = local.indexOf("?");
  if (question === -1) return { path: local, query: "" };
  return { path: local.slice(0, question), query: local.slice(question) };
}

/**
 * The names on the way from the root to the file; the last is "" for a folder.
 *
 * Cut at slashes, then decode, then remove dots, each once: %2e%2e is "..", %2f is part of a name (which no file can
 * have), %252e is the name "%2e". Above the root is the root: RFC 3986 5.2.4.
 */
function resolve(path: string): string[] {
  const names: string[] = [];
  let name = "";
  for (const segment of path.split("/")) {
    name = segment.includes("%") ? decode(segment) : segment;
    if (name === "..") names.pop();
    else if (name !== "." && name !== "") names.push(name);
  }
  if (name === "" || name === "." || name === "..") names.push("");
  return names;
}

function decode(segment: string): string {
  let name: string;
  try {
    name = decodeURIComponent(segment);
  } catch {
    throw new BadTarget("The target is not UTF-8 in percent-encoding.");
  }
  if (/[/\0]/.test(name)) throw noFile;
  return name;
}

// What lies on the shelves of the teahouse, and what its guests always say and expect.
import type { Wanted } from "../exchange.ts";
import type { Files } from "../site.ts";

/** Octets in which no two places look alike, so that a piece that is lost, doubled or moved is seen. */
export function octets(length: number): Buffer {
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i + 1, 2654435761);
  return Buffer.from(words.buffer, 0, length);
}

export const page = "<h1>The teahouse</h1>\n";
export const menu = "green tea 3\n";
export const picture: Buffer = octets(104_824);

const secret = "this lies outside the document root\n";

/** What lies in the folder in which the server runs. The secrets are beside the document root, and not in it. */
export const files: Files = {
  "secret.txt": secret,
  "html.old/secret.txt": secret,
  "html/index.html": page,
  "html/menu.txt": menu,
  "html/你好.html": "你好\n",
  "html/green tea.txt": "a space\n",
  "html/sub/menu.txt": "below\n",
  "html/empty.txt": "",
  "html/teahouse.png": picture,
};

/** The same, and things with a name that are no files, or lie elsewhere. */
export const strange: Files = {
  ...files,
  "html/fifo": { fifo: true },
  "html/zero": { link: "/dev/zero" },
  "html/out.txt": { link: "../secret.txt" },
  "html/up": { link: ".." },
};

export const host = "Host: localhost\r\n";
/** A whole request. @param fields more header lines, each with its CRLF */
export const get = (target: string, fields = "", version = "HTTP/1.1"): string =>
  `GET ${target} ${version}\r\n${host}${fields}\r\n`;
export const theMenu: Wanted = { status: 200, body: menu };
export const thePage: Wanted = { status: 200, body: page };
/** Not there, forbidden, or somewhere else: anything but the file. */
export const notServed: Wanted = { status: [301, 302, 307, 308, 400, 403, 404] };

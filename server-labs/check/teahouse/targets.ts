// Which file a target names, and which it must not: paths that climb, names that are encoded, things that are no files.
import type { Exchange } from "../exchange.ts";
import { get, notServed, theMenu } from "./site.ts";

/** Targets that lead out of the document root, and one that only seems to. RFC 3986, 5.2.4. */
export const climbs: readonly Exchange[] = [
  ...[
    "/../secret.txt",
    "/sub/../../secret.txt",
    "//../secret.txt",
    "/sub/./.././../secret.txt",
    "/../html.old/secret.txt",
    "/%2e%2e/secret.txt",
    "/..%2fsecret.txt",
    "/sub/%2E%2E/%2e%2e/secret.txt",
    "/%252e%252e/secret.txt",
    "/%2e%2e/html.old/secret.txt",
  ].map(path => ({ about: path, sends: get(path), wants: [notServed] })),
  { about: "/sub/../menu.txt", sends: get("/sub/../menu.txt"), wants: [theMenu], after: "open" },
];

/** Names as a browser writes them. RFC 3986, 2.1; RFC 9112, 3.2. */
export const names: readonly Exchange[] = [
  {
    about: "/你好.html, as a browser sends it",
    sends: get("/%E4%BD%A0%E5%A5%BD.html"),
    wants: [{ status: 200, body: "你好\n" }],
    after: "open",
  },
  {
    about: "a name with a space",
    sends: get("/green%20tea.txt"),
    wants: [{ status: 200, body: "a space\n" }],
  },
  { about: "/menu%2Etxt", sends: get("/menu%2Etxt"), wants: [theMenu] },
  { about: "a query", sends: get("/menu.txt?x=1&y=/../z"), wants: [theMenu] },
  {
    about: "an octet of 0 in the name",
    sends: get("/menu.txt%00.html"),
    wants: [{ status: [400, 404] }],
  },
  { about: "octets that are no UTF-8", sends: get("/%ff%fe"), wants: [{ status: [400, 404] }] },
  { about: "a % without digits", sends: get("/%zz"), wants: [{ status: [400, 404] }] },
  {
    about: "an http URL as target",
    sends: get("http://localhost/menu.txt"),
    wants: [theMenu],
    because: "A server must accept a whole URL in place of the path (RFC 9112, 3.2.2).",
  },
];

/** What has a name in the folder, and is no file of it. Needs the files of `strange`. */
export const noFiles: readonly Exchange[] = [
  { about: "a folder", sends: get("/sub"), wants: [notServed] },
  {
    about: "a FIFO that nobody writes to",
    sends: get("/fifo"),
    wants: [notServed],
    because:
      "open() of a FIFO waits for somebody who writes into it (fifo(7)): one request, and the server is gone for everybody.",
    see: "mkfifo html/fifo; curl --max-time 2 http://127.0.0.1:{port}/fifo; curl --max-time 2 http://127.0.0.1:{port}/menu.txt; rm html/fifo",
  },
  { about: "a device", sends: get("/zero"), wants: [notServed] },
  { about: "a link to a file outside", sends: get("/out.txt"), wants: [notServed] },
  { about: "a file behind a link to a folder outside", sends: get("/up/secret.txt"), wants: [notServed] },
  { about: "a file after all that", sends: get("/menu.txt"), wants: [theMenu], after: "open" },
];

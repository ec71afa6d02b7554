// Static files. The built page: its own addresses (/, /non-blocking/polling-model) are all index.html.
// The browser keeps hashed assets for good and asks for everything else each time; compressed files are sent as they are.
import { existsSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import sirv from "sirv";
import { Refusal } from "../lib/refusal.ts";
import type { Passed } from "./gate.ts";
import { answerPage, wantsDocument } from "./plain-page.ts";

export type ServePage = (passed: Passed, request: IncomingMessage, response: ServerResponse) => void;

/** @param folder dist/app, which may be missing or be built anew at any time */
export function servePage(folder: string): ServePage {
  // "dev" looks on the disk at each request: the page may be built again while the lab server runs.
  const files = sirv(folder, {
    dev: true,
    etag: true,
    brotli: true,
    gzip: true,
    setHeaders(response, path) {
      response.setHeader(
        "Cache-Control",
        path.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
      );
    },
  });
  return (passed, request, response) => {
    if (request.method !== "GET" && request.method !== "HEAD")
      throw new Refusal({
        code: "method-not-allowed",
        method: request.method ?? "",
        path: passed.path,
        allow: ["GET", "HEAD"],
      });
    if (!existsSync(join(folder, "index.html"))) return notBuilt(response);
    // sirv takes a range as it comes, and createReadStream throws on one that ends before it begins.
    delete request.headers.range;
    files(request, response, () => {
      if (!isNavigation(passed.path, request)) throw new Refusal({ code: "no-such-page", path: passed.path });
      request.url = "/index.html";
      files(request, response, () => notBuilt(response));
    });
  };
}

/** A person opens an address of the book; a script that asks for a file that is no longer there does not navigate. */
function isNavigation(path: string, request: IncomingMessage): boolean {
  return !path.startsWith("/assets/") && wantsDocument(request);
}

function notBuilt(response: ServerResponse): void {
  const paragraph =
    "The lab server runs, but the page itself is missing or is being built right now. In the workbook's folder, run <code>npm start</code> (it builds what is missing), or <code>npm run build</code>, and load this page again.";
  answerPage(response, 503, { title: "The page is not built", paragraph }, { "Retry-After": "2" });
}

// The built page. Its own addresses (/, /non-blocking/polling-model) are all index.html; hashed assets are kept
// by the browser for good; everything else is asked again each time, and compressed files are sent as they are.
import { existsSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import sirv from "sirv";
import { Refusal } from "./answers.ts";
import type { Passed } from "./gate.ts";

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
      throw new Refusal(405, `${request.method} is not for ${passed.path}; use GET.`, {
        headers: { Allow: "GET, HEAD" },
      });
    if (!existsSync(join(folder, "index.html"))) return notBuilt(response);
    // sirv takes a range as it comes, and createReadStream throws on one that ends before it begins.
    delete request.headers.range;
    files(request, response, () => {
      if (!isNavigation(passed.path, request))
        throw new Refusal(
          404,
          `There is nothing at ${passed.path}. The page is at /, the API begins at /api/labs.`,
        );
      request.url = "/index.html";
      files(request, response, () => notBuilt(response));
    });
  };
}

/** Somebody opens an address of the book, rather than a script asking for a file that is no longer there. */
function isNavigation(path: string, { headers }: IncomingMessage): boolean {
  if (path.startsWith("/assets/")) return false;
  return headers["sec-fetch-dest"] === "document" || (headers.accept ?? "").includes("text/html");
}

function notBuilt(response: ServerResponse): void {
  response.writeHead(503, {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Retry-After": "2",
  });
  response.end(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>The Socket Workbook</title>
<style>body { font: 1.125rem/1.6 Georgia, serif; max-width: 34em; margin: 15vh auto; padding: 0 1em; color-scheme: light dark }</style>
<h1>The page is not built</h1>
<p>The lab server runs, but the page itself is missing or is being built right now. In the workbook's folder, run
<code>npm start</code> (it builds what is missing), or <code>npm run build</code>, and load this page again.</p>
</html>
`);
}

// Plain page. A page of one heading and one paragraph, for a person whose browser cannot have the built page.
import type { IncomingMessage, ServerResponse } from "node:http";

/** A person opens an address: the browser asks for a document, or takes HTML before all else. */
export function wantsDocument({ headers }: IncomingMessage): boolean {
  return headers["sec-fetch-dest"] === "document" || (headers.accept ?? "").includes("text/html");
}

/**
 * Answers with a page.
 * @param paragraph HTML; whatever comes from outside must have passed escapeHtml()
 */
export function answerPage(
  response: ServerResponse,
  status: number,
  { title, paragraph }: { title: string; paragraph: string },
  headers: Record<string, string> = {},
): void {
  const body = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>The Socket Workbook</title>
<style>body { font: 1.125rem/1.6 Georgia, serif; max-width: 34em; margin: 15vh auto; padding: 0 1em; color-scheme: light dark; overflow-wrap: anywhere }</style>
<h1>${title}</h1>
<p>${paragraph}</p>
</html>
`;
  response.writeHead(status, {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Length": Buffer.byteLength(body),
    "Cache-Control": "no-store",
    ...headers,
  });
  response.end(body);
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`);
}

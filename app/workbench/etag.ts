// Text ETag. The ETag that the lab server gives to a text (server-labs/lib/source-text.ts), made in the browser.
// `crypto.subtle` would do, but a browser has it only on https and localhost, and not behind a plain-http proxy.
import { sha256 } from "@noble/hashes/sha2.js";

/** @returns the SHA-256 of the text's UTF-8 bytes in base64url, in quotes */
export function textEtag(text: string): string {
  const base64 = btoa(String.fromCharCode(...sha256(new TextEncoder().encode(text))));
  return `"${base64.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}"`;
}

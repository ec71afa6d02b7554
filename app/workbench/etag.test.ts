// The ETag of a text in the page is the lab server's ETag of the same text.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { textEtag } from "./etag.ts";

const texts = [
  "",
  "a",
  "const x = 1;\r\n",
  "\ufeffwith a byte order mark",
  "Tee 🍵, 茶",
  "x".repeat(300_000),
];

test("page and lab server give a text the same name, also in a browser without crypto.subtle", t => {
  const real = Object.getOwnPropertyDescriptor(globalThis, "crypto")!;
  t.after(() => Object.defineProperty(globalThis, "crypto", real));
  Object.defineProperty(globalThis, "crypto", { value: {}, configurable: true });
  for (const text of texts)
    assert.equal(textEtag(text), `"${createHash("sha256").update(text).digest("base64url")}"`);
});

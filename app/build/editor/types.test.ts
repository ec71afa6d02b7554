// Links of hovers: the declarations of workbook/net lead to the reference, and stay what they were otherwise.
import assert from "node:assert/strict";
import { test } from "node:test";
import { withReferences } from "./types.ts";

test("a doc comment ends in a link to the reference, before its tags", () => {
  const declarations = `export declare class Socket {
    #private;
    /** Its number. */
    readonly fd: number;
    /**
     * Receives bytes: recv(2).
     * @param size the most
     */
    recv(size: number): Buffer | null;
    /** Not in the reference. */
    other(): void;
}
/** IPv4. */
export declare const AF_INET = 2;
`;
  const linked = withReferences(declarations);
  assert.match(linked, /\/\*\* Its number\.\n \*\n \* \[In the reference\]\(\/reference#socket-fd\)\n \*\//);
  assert.match(
    linked,
    /recv\(2\)\.\n \*\n \* \[In the reference\]\(\/reference#socket-recv\)\n\s+\* @param size/,
  );
  assert.match(linked, /reference#af_inet/);
  assert.match(linked, /\/\*\* Not in the reference\. \*\//);
  const code = (text: string) => text.replaceAll(/\/\*\*[\s\S]*?\*\//g, "");
  assert.equal(code(linked), code(declarations));
});

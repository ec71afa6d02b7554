// Call cards and the reference: what the doc comments of workbook/net and the table of calls say, and that all of it is there.
import assert from "node:assert/strict";
import { test } from "node:test";
import { callRows } from "../../../server-labs/protocol.ts";
import { shortSignature } from "./call-card.ts";
import { docsOf, netDocs } from "./net-docs.ts";

const source = `
/** One end. See socket(2). */
export class Socket {
  /** Its number. */
  readonly fd: number;
  #secret = 1;

  /**
   * Makes one: socket(2).
   * @param domain AF_INET; or a
   *   second line
   * @throws SyscallError EMFILE when no descriptor is left
   */
  constructor(
    domain: number | { fd: number } = AF_INET,
  ) {
    this.fd = 1;
  }

  /**
   * Reads an option: getsockopt(2).
   * @returns the value
   * @throws SyscallError EPIPE when it is closed, ECONNRESET when it was reset; TypeError for a wrong one
   */
  getOption(level: number): number;
  getOption(level: number, size: number): Buffer;
  getOption(level: number, size?: number): number | Buffer {
    return 1;
  }

  /** Not for labs. */
  #hidden(): { a: number } | null {
    return null;
  }
}

/** What it waits for: poll(2). */
export const poll = 1;
`;

test("a doc comment becomes a signature, words, arguments, errors and the call behind it", () => {
  const docs = docsOf(source);
  assert.deepEqual(
    docs.map(doc => doc.name),
    ["Socket", "Socket.fd", "new Socket", "Socket.getOption", "poll"],
  );
  const [, , made, option, constant] = docs;
  assert.equal(made!.signature, "new Socket(\n  domain: number | { fd: number } = AF_INET,\n)");
  assert.equal(made!.call, "socket");
  assert.deepEqual(made!.parameters, [{ name: "domain", text: "AF_INET; or a second line" }]);
  assert.equal(
    option!.signature,
    "socket.getOption(level: number): number\nsocket.getOption(level: number, size: number): Buffer",
  );
  assert.equal(option!.returns, "the value");
  assert.deepEqual(option!.errors, [
    { code: "EPIPE", text: "when it is closed" },
    { code: "ECONNRESET", text: "when it was reset" },
    { code: "", text: "TypeError for a wrong one" },
  ]);
  assert.equal(constant!.call, null);
});

test("everything that workbook/net exports is explained, and each function names its system call", async () => {
  const docs = netDocs();
  const net = await import("../../../server-labs/runtime/net.ts");
  for (const name of Object.keys(net))
    assert.ok(
      docs.some(doc => doc.name === name && doc.text !== ""),
      `${name} has no doc comment`,
    );
  for (const doc of docs.filter(({ kind }) => kind === "function")) {
    assert.ok(doc.call && callRows[doc.call].signature, `${doc.name} names no traced call`);
    for (const parameter of doc.parameters)
      assert.match(doc.signature, new RegExp(`\\b${parameter.name}\\b`), `${doc.name} has this parameter`);
  }
  const anchors = docs.map(doc => doc.anchor);
  assert.equal(new Set(anchors).size, anchors.length, "each has an anchor of its own");
});

test("a short signature has names and default values, and no types of parameters", () => {
  const short: [signature: string, short: string][] = [
    ["socket.recv(size: number, flags = 0): Buffer | null", "socket.recv(size, flags = 0): Buffer | null"],
    ["poll(of: readonly { fd: number; events: number }[], ms = -1): Ready[]", "poll(of, ms = -1): Ready[]"],
    ["new Socket(\n  domain: number | { fd: number } = AF_INET,\n)", "new Socket(domain = AF_INET)"],
    ["get(a: number): number\nget(a: number, size?: number): Buffer", "get(a): number\nget(a, size): Buffer"],
    ["sleep(): void", "sleep(): void"],
  ];
  for (const [signature, expected] of short) assert.equal(shortSignature(signature), expected);
});

test("the short signature of every function fits one line of a card", () => {
  const lines = netDocs()
    .filter(({ kind }) => kind === "function")
    .flatMap(({ signature }) => shortSignature(signature).split("\n"));
  assert.ok(lines.length > 20);
  assert.deepEqual(
    lines.filter(line => line.length > 70),
    [],
  );
});

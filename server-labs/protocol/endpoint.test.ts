import assert from "node:assert/strict";
import { test } from "node:test";
import { formatEndpoint, parseEndpoint } from "./endpoint.ts";

test("a formatted endpoint is parsed back, with brackets around an IPv6 address", () => {
  const endpoints: [string, number, string][] = [
    ["127.0.0.1", 7890, "127.0.0.1:7890"],
    ["::1", 80, "[::1]:80"],
    ["::ffff:10.0.0.1", 65_535, "[::ffff:10.0.0.1]:65535"],
    ["localhost", 0, "localhost:0"],
  ];
  for (const [host, port, text] of endpoints) {
    assert.equal(formatEndpoint(host, port), text);
    assert.deepEqual(parseEndpoint(text), { host, port });
  }
});

test("a text that is not an endpoint is null", () => {
  for (const text of ["", "7890", ":80", "::1:80", "[::1]", "[]:80", "a:65536", "a:-1", "a:b", "a:1 "])
    assert.equal(parseEndpoint(text), null, text);
});

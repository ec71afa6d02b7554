import assert from "node:assert/strict";
import { test } from "node:test";
import { readOptions } from "./options.ts";
import { proxyAdvice } from "./proxy-advice.ts";

const origins = (...args: string[]) => readOptions(args, {}, "/workbook").origins;

test("--origin names the address of a forwarded port, and may be repeated", () => {
  assert.deepEqual(origins(), []);
  assert.deepEqual(origins("--origin", "http://localhost:8000/", "--origin", "https://a-7800.example.dev"), [
    "http://localhost:8000",
    "https://a-7800.example.dev",
  ]);
  for (const wrong of ["localhost:8000", "http://localhost:8000/page", "ftp://x", "*"])
    assert.throws(
      () => origins("--origin", wrong),
      /takes an address such as http:\/\/localhost:8000, without a path/,
    );
});

test("where the shell names a proxy, curl must be told to leave this machine out", () => {
  assert.equal(proxyAdvice({}), null);
  assert.equal(proxyAdvice({ HTTP_PROXY: "http://proxy:3128" }), null, "curl does not read it");
  assert.equal(proxyAdvice({ http_proxy: "http://proxy:3128", no_proxy: "localhost, 127.0.0.1" }), null);
  assert.equal(proxyAdvice({ ALL_PROXY: "socks5://proxy", NO_PROXY: "*" }), null);
  assert.match(
    proxyAdvice({ http_proxy: "http://proxy:3128", no_proxy: "campus.example" }) ?? "",
    /^http_proxy is set, .*export no_proxy=campus\.example,127\.0\.0\.1,localhost$/,
  );
});

// The failure of each kind of wrong answer, as golden files: a student learns HTTP from these sentences.
import { test } from "node:test";
import type { Exchange } from "./exchange.ts";
import { assertGolden, checkFixture } from "./fixtures/check-fixture.ts";

const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
const tea = { status: 200, body: "green tea 3\n" };
const page = { status: 200, body: "<h1>\n" };
const because = "One sentence names the cause.";

const mistakes: [string, Partial<Exchange> & { target: string }][] = [
  ["a wrong status", { target: "/status", wants: [{ status: [200, 304] }] }],
  ["a missing field", { target: "/field", wants: [{ ...tea, head: { "content-type": /text\/plain/ } }] }],
  [
    "a field of another value",
    {
      target: "/field",
      wants: [{ ...tea, head: { "content-length": { like: /^\d{3}$/, words: "three digits" } } }],
    },
  ],
  ["a field too many", { target: "/field", wants: [{ ...tea, absent: ["content-length"] }] }],
  ["a body that differs", { target: "/body", wants: [tea] }],
  ["a body that ends too early", { target: "/short", wants: [tea] }],
  ["too many bytes", { target: "/too-many", wants: [{ ...tea, body: "green tea" }], after: "open" }],
  ["too many bytes before the next answer", { target: "/too-many", wants: [200, 200] }],
  ["half an answer", { target: "/half", wants: [tea] }],
  ["half an answer and the end", { target: "/half-and-close", wants: [tea] }],
  ["the end instead of an answer", { target: "/close", wants: [tea] }],
  ["a connection that stays open", { target: "/stay", wants: [tea], after: "close" }],
  ["a connection that does not stay", { target: "/leave", wants: [tea], after: "open" }],
  ["nothing at all", { target: "/nothing", wants: [tea] }],
  ["answers in another order", { target: "/order", wants: [tea, page], sends: get("/order") + get("/") }],
];
for (const [name, { target, ...rest }] of mistakes) {
  test(name, async () => {
    const outcome = await checkFixture("answers-wrongly.ts", async ({ exchange }) => {
      await exchange({ about: name, sends: get(target), wants: [], because, ...rest });
    });
    assertGolden(outcome, `exchange/${name.replaceAll(" ", "-")}`);
  });
}

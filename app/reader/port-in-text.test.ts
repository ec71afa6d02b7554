// The port of the run in a lesson's text.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Element, Root, Text } from "hast";
import { withRunPort } from "./port-in-text.ts";

const text = (value: string): Text => ({ type: "text", value });
const element = (tagName: string, properties: Element["properties"], ...children: Element["children"]) =>
  ({ type: "element", tagName, properties, children }) satisfies Element;
const root = (...children: Element["children"]): Root => ({ type: "root", children });

test("a command is shown and copied with the port of the run, and an address leads to it", () => {
  const tree = root(
    element(
      "lesson-command",
      { command: "curl http://127.0.0.1:7890/" },
      text("curl http://127.0.0.1:7890/"),
    ),
    element("a", { href: "http://127.0.0.1:7890/nothing" }, text("127.0.0.1:7890")),
    element("lesson-code", { lang: "http", text: "Host: 127.0.0.1:7890" }, text("Host: 127.0.0.1:7890")),
    element("p", {}, text("It listens on port 7890.")),
  );
  const run = withRunPort(tree, 7890, 7891);
  assert.doesNotMatch(JSON.stringify(run), /7890/);
  assert.deepEqual(JSON.parse(JSON.stringify(run).replaceAll("7891", "7890")), tree);
});

test("the listing of a program and other numbers stay as they are", () => {
  const tree = root(
    element("lesson-code", { lang: "ts", text: "listen(7890)" }, text("listen(7890)")),
    element("p", { id: "port-7890" }, text("17890, 78901, 7,890, 7890.5 and 7890,5")),
  );
  assert.deepEqual(withRunPort(tree, 7890, 7891), tree);
});

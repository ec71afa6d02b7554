// A failure as the page shows it: whatever a server or its clients wrote in it, no character of it turns or hides words.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as React from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { FailureView } from "./Failure.tsx";

// The loader of the tests compiles JSX to calls of a global React.
Object.assign(globalThis, { React });

const hostile = `\u202e\x1b[8m\u0000\u2066${"\u0301".repeat(5000)}`;

test("each text of a failure is shown with what a page would obey as its notation", () => {
  const failure = {
    summary: `summary ${hostile}`,
    evidence: [`evidence ${hostile}`],
    expected: `expected ${hostile}`,
    actual: `actual ${hostile}`,
    because: `because ${hostile}`,
    see: `see ${hostile}`,
  };
  const view = React.createElement(FailureView, { failure, labPort: 7890, port: 7891, before: () => null });
  const html = renderToStaticMarkup(view);
  for (const name of Object.keys(failure)) assert.ok(html.includes(`${name} \\u202e␛[8m␀\\u2066`), name);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
  assert.doesNotMatch(html, /[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/);
  assert.doesNotMatch(html, /\p{M}{4}/u);
});

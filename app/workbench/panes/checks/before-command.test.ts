// Before a command: Run, Run again or Stop, as the program and the command need it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { beforeCommand, type Texts } from "./before-command.ts";

const text = (etag: string | null, modules: Record<string, string> = {}): Texts => ({ etag, modules });
const said = (command: string, program: (Texts & { live: boolean }) | null, checked: Texts | null) =>
  beforeCommand(command, { program, port: 7890, checked })?.split(":")[0] ?? null;

test("a command that asks the program needs it to run, with the text that was checked", () => {
  const ask = "curl --max-time 5 http://127.0.0.1:7890/";
  const live = (texts: Texts) => ({ live: true, ...texts });
  assert.equal(said(ask, null, text('"a"')), "Press Run first");
  assert.equal(said(ask, { live: false, ...text('"a"') }, text('"a"')), "Press Run first");
  assert.equal(said(ask, live(text('"a"')), text('"a"')), null);
  assert.equal(said(ask, live(text('"old"')), text('"a"')), "Press Run again first");
  assert.equal(
    said(ask, live(text('"a"', { "m.ts": '"1"' })), text('"a"', { "m.ts": '"2"' })),
    "Press Run again first",
  );
  assert.equal(said(ask, live(text('"a"')), null), null, "what is not known is not claimed");
  assert.equal(said(ask, live(text(null)), text('"a"')), null);
});

test("a command that starts a server of its own needs the port", () => {
  const start = "cd lab; timeout 5 npx tsx server.ts 7890 | wc -l";
  assert.equal(said(start, { live: true, ...text('"a"') }, text('"a"')), "Press Stop first");
  assert.equal(said(start, { live: false, ...text('"a"') }, text('"a"')), null);
  assert.equal(said(start, null, text('"a"')), null);
});

test("a command without the port needs nothing", () => {
  assert.equal(said("ls -l html", null, text('"a"')), null);
  assert.equal(said("head -c 17890 html/large.bin", null, text('"a"')), null);
});

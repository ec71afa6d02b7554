// The Output pane: what a client writes into the log harms no word that follows, everything shown can be copied, and a
// stack trace leads to its line.
import { allOutput, client, expect, openLesson, run, stop, test } from "./student.ts";

/** Logs each line that a client sends, as it came. */
const logs = `import { Socket } from "workbook/net";
const listener = new Socket();
listener.setOption(1, 2, 1);
listener.bind({ host: "127.0.0.1", port: 7890 });
listener.listen(16);
for (;;) {
  const { client } = listener.accept()!;
  console.log(\`GET \${client.recv(4096)}\`);
  client.close();
}
`;

const throws = `const answers = new Map<string, string>();
console.log("before");

function answer(target: string) {
    throw new Error(\`no answer to \${target}\`);
}
answer("/tea");
console.log(answers);
`;

test("nothing that a client sends hides what the program logs afterwards", async ({ page, student }) => {
  student.writes(logs);
  await openLesson(page, student);
  await run(page);
  await expect(page.getByText("listening on 7890").first()).toBeVisible();
  for (const bytes of [
    "\x1bP",
    "\x1b(0",
    "\x1b[8m",
    "\x1b[2;3r\x1b[H",
    "\x1b]0;",
    "\x1b[2000000000L",
    "\x1b_",
    "\u009d",
  ]) {
    const guest = await client(`${bytes}\n`);
    guest.leave();
  }
  await client(`last\n`).then(guest => guest.leave());
  const output = page.getByRole("tabpanel", { name: "Output", exact: true });
  await expect(output).toContainText("GET last");
  await stop(page);
  await expect(output).toContainText("stopped");
  const all = await allOutput(page);
  for (const words of [
    "GET ␛P\n",
    "GET ␛(0\n",
    "GET ␛[8m\n",
    "GET ␛[2000000000L\n",
    "GET \\u009d\n",
    "GET last\n",
  ])
    expect(all).toContain(words);
});

test("of 10,000 lines all are copied, and the pane says what the screen keeps", async ({ page, student }) => {
  student.writes('for (let i = 1; i <= 10_000; i++) console.log("line", i);\n');
  await openLesson(page, student);
  await run(page);
  const output = page.getByRole("tabpanel", { name: "Output", exact: true });
  await expect(output).toContainText("line 10000");
  await expect(output).toContainText("The screen keeps the newest 5,000 lines");
  const lines = (await allOutput(page)).split("\n").filter(line => line.startsWith("line "));
  expect(lines).toEqual(Array.from({ length: 10_000 }, (_, i) => `line ${i + 1}`));
});

test("a stack trace leads to its line and column, by pointer and by keyboard", async ({ page, student }) => {
  student.writes(throws);
  await openLesson(page, student);
  await run(page);
  const output = page.getByRole("tabpanel", { name: "Output", exact: true });
  await expect(output).toContainText("no answer to /tea");
  const line = page.locator(".monaco-editor .line-numbers.active-line-number");

  await output.getByRole("button", { name: "Show server.ts:5" }).press("Enter");
  await expect(line).toHaveText("5");
  await page.keyboard.type("_");
  await expect.poll(() => student.reads()).toContain("    throw _new Error");
  await page.keyboard.press("Control+z");

  // The link has the whole path; xterm looks for links when the pointer has come to rest in a cell.
  const row = (await output.locator(".xterm-rows > div").filter({ hasText: "server.ts:7:1" }).boundingBox())!;
  const place = [row.x + 200, row.y + row.height / 2] as const;
  await page.mouse.move(place[0] - 40, place[1]);
  await page.mouse.move(...place);
  await expect(output.locator(".xterm-cursor-pointer")).toBeVisible();
  await page.mouse.click(...place);
  await expect(line).toHaveText("7");
});

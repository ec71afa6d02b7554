// What the Syscalls pane says of a running server: who is meant, what repeats, what one asks for, which line it was.
import { lines, polls } from "./polls.ts";
import { client, expect, labPort, markedLine, openLesson, run, showPane, stop, test } from "./student.ts";

/** Makes many calls at once, and then waits for a client. */
const hurries = polls.replace(
  "while (true) {",
  `for (let i = 0; i < 200_000; i++) listener.accept();
listener.setBlocking(true);
while (true) {`,
);

test("a connection has a name: its fd and its peer, from accept4 on", async ({ page, student }) => {
  student.writes(polls);
  await openLesson(page, student);
  await run(page);
  await expect(page.getByText(`listening on ${labPort}`).first()).toBeVisible();
  const guest = await client("hello");
  await showPane(page, "Syscalls");
  const pane = page.getByRole("tabpanel", { name: "Syscalls", exact: true });
  const row = (words: string | RegExp) => pane.getByRole("treeitem").filter({ hasText: words }).first();
  await page.getByLabel("Filter the calls").fill(`:${guest.port}`);
  await page.keyboard.press("Tab");
  await expect(row("accept4")).toContainText(`from 127.0.0.1:${guest.port}`);
  const fd = /= (\d+) from/.exec((await row("accept4").textContent())!)![1];
  await expect(row(/recv.*hello/)).toContainText(`recv(${fd} :${guest.port}, 1024)`);
  await expect(row("EAGAIN")).toContainText("-1 EAGAIN would block");
  // The list of words lies over the rows: it goes when a word was chosen.
  await page.getByLabel("Filter the calls").fill("acc");
  await page.locator(".suggestion", { hasText: "accept4" }).click();
  await expect(page.getByLabel("Filter the calls")).toHaveValue("accept4 ");
  await expect(page.locator(".suggestion")).toHaveCount(0);
  guest.leave();
  await stop(page);
});

test("a loop that finds nothing is one line that counts; it unfolds, and folds again", async ({
  page,
  student,
}) => {
  student.writes(polls);
  await openLesson(page, student);
  await run(page);
  await showPane(page, "Syscalls");
  const pane = page.getByRole("tabpanel", { name: "Syscalls", exact: true });
  const turns = pane.getByRole("treeitem", { expanded: false }).filter({ hasText: /×[\d,]+ turns/ });
  await expect(turns.first()).toContainText(/accept4|nanosleep/);
  const count = async () =>
    Number(/×([\d,]+) turns/.exec((await turns.first().textContent())!)![1]!.replace(",", ""));
  const before = await count();
  await expect.poll(count).toBeGreaterThan(before);
  await stop(page);
  await expect(page.getByText("stopped").first()).toBeVisible();
  const made = await count();

  await turns.first().click();
  const open = pane.getByRole("treeitem", { expanded: true });
  await expect(open).toContainText(`×${made.toLocaleString("en")} turns`);
  const inside = pane.locator("[aria-level='2']");
  await expect(inside.first()).toContainText(/accept4|nanosleep/);
  await page.getByRole("tree").press("ArrowLeft");
  await expect(inside).toHaveCount(0);
  await page.getByRole("tree").press("ArrowRight");
  await expect(inside.first()).toBeVisible();
});

test("asks for a call, an error and a peer, by word, by list and by click", async ({ page, student }) => {
  student.writes(polls);
  await openLesson(page, student);
  await run(page);
  await expect(page.getByText(`listening on ${labPort}`).first()).toBeVisible();
  const [first, second] = [await client("one"), await client("two")];
  await showPane(page, "Syscalls");
  const pane = page.getByRole("tabpanel", { name: "Syscalls", exact: true });
  await expect(pane).toContainText("recv");
  await stop(page);
  await expect(page.getByText("stopped").first()).toBeVisible();

  await page.getByRole("tree").focus();
  await page.keyboard.press("/");
  const field = page.getByLabel("Filter the calls");
  await expect(field).toBeFocused();
  await page.keyboard.type("recv EAG");
  await expect(page.getByRole("option", { name: "EAGAIN" })).toBeVisible();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(field).toHaveValue("recv EAGAIN ");
  const rows = pane.getByRole("treeitem");
  await expect(rows.first()).toContainText("recv");
  await expect(pane).not.toContainText("accept4");
  await expect(pane.getByText(/^[\d,]+ of [\d,]+ calls$/)).toBeVisible();

  await pane.getByRole("button", { name: "Clear", exact: true }).click();
  await field.fill("accept4 ready");
  await expect(rows).toHaveCount(2);
  await rows.nth(1).getByText(`127.0.0.1:${second.port}`).click();
  await field.fill(`127.0.0.1:${second.port}`);
  await expect(pane).toContainText('"two"');
  await expect(pane).not.toContainText('"one"');

  await field.fill("send");
  await expect(pane).toContainText("No call that is shown one by one matches “send”.");
  await pane.getByRole("button", { name: "Clear the filter" }).click();
  await expect(field).toHaveValue("");
  first.leave();
  second.leave();
});

test("of two hundred thousand calls all are counted, and the filter says what it cannot see", async ({
  page,
  student,
}) => {
  student.writes(hurries);
  await openLesson(page, student);
  await run(page);
  await showPane(page, "Syscalls");
  const pane = page.getByRole("tabpanel", { name: "Syscalls", exact: true });
  await expect(pane.getByRole("treeitem").last()).toContainText("asleep");
  await expect(pane).toContainText(/EAGAIN.*×/);
  await page.getByLabel("Filter the calls").fill("-nothing");
  const sentence = pane.getByText(/only counted/);
  const [shown, total, counted] = (await sentence.locator("..").textContent())!
    .match(/\d[\d,]*/g)!
    .map(number => Number(number.replaceAll(",", "")));
  expect(total).toBeGreaterThan(200_000);
  expect(shown! + counted!).toBe(total);
  await stop(page);
});

test("a call leads to its line, and the line of the latest call is marked while that text runs", async ({
  page,
  student,
}) => {
  student.writes(polls.replace("sleep(10)", "sleep(60_000)"));
  await openLesson(page, student);
  await run(page);
  await expect.poll(() => markedLine(page, "latest")).toBe(lines.sleep);
  await showPane(page, "Syscalls");
  await page.getByLabel("Filter the calls").fill("accept4");
  await page.getByText(`:${lines.accept}`, { exact: true }).click();
  await expect(page.locator(".monaco-editor .line-numbers.active-line-number")).toHaveText(
    String(lines.accept),
  );

  // A click anywhere in the row does the same; the time is no word that the filter could ask for.
  await page.getByLabel("Filter the calls").fill("listen");
  await page.getByRole("treeitem").filter({ hasText: "listen(" }).locator(".syscall-time").click();
  await expect(page.locator(".monaco-editor .line-numbers.active-line-number")).toHaveText(
    String(lines.listen),
  );

  await page.keyboard.type("/");
  await expect.poll(() => markedLine(page, "latest")).toBe(null);
  await page.keyboard.press("Control+z");
  await expect.poll(() => markedLine(page, "latest")).toBe(lines.sleep);
  await stop(page);
  await expect.poll(() => markedLine(page, "latest")).toBe(null);
});

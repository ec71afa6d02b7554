// What a newcomer does in the first hour, in the order in which it is done.
import {
  allOutput,
  expect,
  labPort,
  lesson,
  openLesson,
  portIsFree,
  run,
  showPane,
  stop,
  test,
} from "./student.ts";

test("reads the contents, opens a lesson, and finds its lab beside it", async ({ page, student }) => {
  await page.goto(student.link());
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Socket Workbook");
  expect(page.url()).not.toContain("#t=");
  await page.locator(`a[href="${lesson}"]`).first().click();
  await expect(page).toHaveURL(new RegExp(`${lesson}$`));
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page.getByRole("button", { name: "Run", exact: true })).toBeVisible();
  await expect(page.getByRole("button", { name: "Check", exact: true })).toBeVisible();
  for (const name of ["Output", "Syscalls", "Checks"]) {
    await expect(page.getByRole("tab", { name, exact: true })).toBeVisible();
  }
  await expect(page.locator(".monaco-editor .view-lines")).toContainText("workbook/net");
  // Only the text scrolls: the page itself, with its bar and its lab, has nowhere to go.
  const tooTall = await page.evaluate(() => document.documentElement.scrollHeight - window.innerHeight);
  expect(tooTall).toBe(0);
});

test("runs the server, reaches it with curl, sees it arrive, stops it", async ({ page, student }) => {
  await openLesson(page, student);
  await run(page);
  await expect(page.getByText(`listening on ${labPort}`).first()).toBeVisible();
  await student.curl();
  await expect.poll(() => allOutput(page)).toContain("GET / HTTP/1.1");
  await showPane(page, "Syscalls");
  const syscalls = page.getByRole("tabpanel", { name: "Syscalls", exact: true });
  await expect(syscalls).toContainText("accept4");
  await expect(syscalls).toContainText("EAGAIN");
  await stop(page);
  await expect(page.getByText("stopped").first()).toBeVisible();
  await expect(page.getByRole("button", { name: "Run", exact: true })).toBeVisible();
  await portIsFree();
});

test("reloads the page in mid-run and loses nothing", async ({ page, student }) => {
  await openLesson(page, student);
  await run(page);
  await expect(page.getByText(`listening on ${labPort}`).first()).toBeVisible();
  await student.curl();
  await expect.poll(() => allOutput(page)).toContain("GET / HTTP/1.1");
  const before = await allOutput(page);
  await page.reload();
  await expect(page.getByText(`listening on ${labPort}`).first()).toBeVisible();
  await expect.poll(() => allOutput(page)).toContain(before.trimEnd());
  await stop(page);
  await portIsFree();
});

test("runs by Ctrl+Enter what was just typed, and keeps it over a reload", async ({ page, student }) => {
  await openLesson(page, student);
  const editor = page.locator(".monaco-editor").first();
  await editor.locator(".view-lines").click();
  await page.keyboard.press("Control+Home");
  await page.keyboard.type('console.log("typed by hand");\n');
  await page.keyboard.press("Control+Enter");
  const output = page.getByRole("tabpanel", { name: "Output", exact: true });
  await expect(output).toContainText("typed by hand");
  await expect.poll(() => student.reads()).toContain('console.log("typed by hand");');
  await page.reload();
  await expect(editor.locator(".view-lines")).toContainText('console.log("typed by hand")');
  await stop(page);
});

test("checks the starter and is told what is wrong, in sentences", async ({ page, student }) => {
  await openLesson(page, student);
  await page.getByRole("button", { name: "Check", exact: true }).click();
  const checks = page.getByRole("tabpanel", { name: "Checks", exact: true });
  await expect(checks.getByText(/\d+ of \d+ (checks )?pass/)).toBeVisible({ timeout: 60_000 });
  await expect(checks.getByText("failed").first()).toBeVisible();
});

test("guesses, and sees which answer was right", async ({ page, student }) => {
  await openLesson(page, student);
  const question = page.getByRole("region", { name: "How far does that client get?" });
  const options = question.locator(".option");
  await expect(question.locator(".verdict")).toHaveCount(0);
  await options.filter({ hasText: "it cannot connect" }).click();
  await expect(options.filter({ hasText: "it cannot connect" })).toContainText("✕ not so");
  await expect(options.filter({ hasText: "connects, sends, and waits" })).toContainText("✓ so it is");
  await expect(question.locator(".verdict")).toHaveCount(2);
  await options.filter({ hasText: "connects, sends, and waits" }).click();
  await expect(question.locator(".verdict")).toHaveText("✓ so it is");
  await question.getByRole("button", { name: "Guess again" }).click();
  await expect(question.locator(".verdict")).toHaveCount(0);
});

test("two tabs see the same run", async ({ page, student, context }) => {
  await openLesson(page, student);
  const other = await context.newPage();
  await other.goto(student.link(lesson));
  await expect(other.getByRole("button", { name: "Run", exact: true })).toBeVisible();
  await run(page);
  await expect(other.getByText(`listening on ${labPort}`).first()).toBeVisible();
  await stop(other);
  await expect(page.getByRole("button", { name: "Run", exact: true })).toBeVisible();
  await portIsFree();
});

// A student who wants to see it happen: pauses the server, steps it call by call while clients go on, lets it run to a
// breakpoint, slows it down, and watches from a second tab.
import type { Page } from "@playwright/test";
import { lines, polls } from "./polls.ts";
import {
  client,
  expect,
  labPort,
  lesson,
  markedLine,
  openLesson,
  portIsFree,
  run,
  type Student,
  showPane,
  stop,
  test,
} from "./student.ts";

const bar = (page: Page) => page.getByRole("toolbar", { name: "Pace of the program" });
const button = (page: Page, name: string) => bar(page).getByRole("button", { name, exact: true });
const says = (page: Page, words: string | RegExp) =>
  expect(bar(page).getByRole("status")).toContainText(words);

async function runPaused(page: Page, student: Student) {
  student.writes(polls);
  await openLesson(page, student);
  await page.getByRole("button", { name: "Run paused", exact: true }).click();
  await says(page, "paused before socket(");
}

async function listens(page: Page, student: Student) {
  student.writes(polls);
  await openLesson(page, student);
  await run(page);
  await expect(page.getByText(`listening on ${labPort}`).first()).toBeVisible();
  await says(page, "runs at full speed");
}

async function addBreakpoint(page: Page, words: string) {
  await button(page, "Breakpoints").click();
  await page.getByLabel("Breakpoint: a call, an error, a descriptor").fill(words);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: `Remove ${words}` })).toBeVisible();
  await page.keyboard.press("Escape");
}

test("starts paused, and steps before and after each call, with the line that it is at", async ({
  page,
  student,
}) => {
  await runPaused(page, student);
  await expect.poll(() => markedLine(page, "waits")).toBe(lines.socket);
  await showPane(page, "Syscalls");
  const here = page.locator(".at-stop");
  await expect(here).toContainText(/socket.*paused before/);
  await button(page, "Step").click();
  await says(page, /paused after socket\(.* = \d+/);
  await expect(here).toContainText(/socket.*paused after/);
  await button(page, "Step").click();
  await says(page, "paused before setsockopt(");
  await expect.poll(() => markedLine(page, "waits")).toBe(lines.setOption);
  await button(page, "Next call").click();
  await says(page, "paused before bind(");
  await page.locator(".monaco-editor .view-lines").click();
  await page.keyboard.press("F10");
  await says(page, "paused before listen(");
  await page.keyboard.press("F9");
  await says(page, "paused after listen(");
  await page.keyboard.press("F8");
  await says(page, "runs at full speed");
  await expect(page.getByText(`listening on ${labPort}`).first()).toBeVisible();
  await expect.poll(() => markedLine(page, "waits")).toBe(null);
  await stop(page);
  await portIsFree();
});

test("pauses a running server; clients go on and are found waiting", async ({ page, student }) => {
  await listens(page, student);
  await button(page, "Pause").click();
  await says(page, /paused (before|after)/);
  const guest = await client("hello");
  await addBreakpoint(page, "recv");
  await button(page, "Continue").click();
  await says(page, /paused before recv\(/);
  await says(page, "breakpoint");
  await showPane(page, "Syscalls");
  await expect(page.locator(".at-stop")).toContainText(`:${guest.port}`);
  await expect.poll(() => markedLine(page, "waits")).toBe(lines.recv);
  await button(page, "Step").click();
  await says(page, /paused after recv\(.* = 5 "hello"/);
  guest.leave();
  await stop(page);
  await portIsFree();
});

test("stops at an error: the breakpoint on EAGAIN waits after the call that would block", async ({
  page,
  student,
}) => {
  await listens(page, student);
  await addBreakpoint(page, "accept4 EAGAIN");
  await says(page, /paused after accept4\(.*EAGAIN/);
  await showPane(page, "Syscalls");
  await expect(page.locator(".at-stop")).toContainText(/accept4.*EAGAIN.*paused after/);
  await button(page, "Continue").click();
  await says(page, /paused after accept4\(/);
  await page.getByRole("button", { name: /^Breakpoints/ }).click();
  await expect(page.getByRole("listitem").filter({ hasText: "accept4 EAGAIN" })).toContainText(
    "it waits here",
  );
  await page.getByRole("button", { name: "Remove accept4 EAGAIN" }).click();
  await page.keyboard.press("Escape");
  await button(page, "Continue").click();
  await says(page, "runs at full speed");

  await page.getByRole("button", { name: /^Breakpoints/ }).click();
  await page.getByLabel("Breakpoint: a call, an error, a descriptor").fill("Recv!");
  await page.keyboard.press("Enter");
  await expect(page.getByText("is no call, no error and no descriptor")).toBeVisible();
  await page.keyboard.press("Escape");
  await stop(page);
});

test("goes in slow motion, and pause keeps the speed", async ({ page, student }) => {
  await runPaused(page, student);
  const speed = bar(page).getByRole("combobox", { name: "Speed" });
  await speed.selectOption("200 ms a call");
  await says(page, "paused before socket(");
  await button(page, "Continue").click();
  await says(page, "waits 200 ms before each call");
  await showPane(page, "Syscalls");
  const rows = page.getByRole("tabpanel", { name: "Syscalls", exact: true }).getByRole("treeitem");
  await expect(rows.last()).toContainText("slow motion");
  await button(page, "Pause").click();
  await says(page, "paused before");
  await expect(speed).toHaveValue("200");
  await speed.selectOption("full speed");
  await button(page, "Continue").click();
  await expect(page.getByText(`listening on ${labPort}`).first()).toBeVisible();
  await says(page, "runs at full speed");
  await stop(page);
});

test("a second tab watches, and takes over; a reload finds the program where it waits", async ({
  page,
  student,
  context,
}) => {
  await runPaused(page, student);
  const other = await context.newPage();
  await other.goto(student.link(lesson));
  await says(other, "paused before socket(");
  await expect(bar(other)).toContainText("another tab drives");
  await expect(button(other, "Step")).toBeDisabled();
  await button(page, "Next call").click();
  await says(other, "paused before setsockopt(");

  await bar(other).getByRole("button", { name: "Take over" }).click();
  await expect(button(other, "Step")).toBeEnabled();
  await expect(button(page, "Step")).toBeDisabled();
  await button(other, "Next call").click();
  await says(page, "paused before bind(");
  await other.close();
  await expect(button(page, "Step")).toBeEnabled();

  await page.reload();
  await says(page, "paused before bind(");
  await expect.poll(() => markedLine(page, "waits")).toBe(5);
  await button(page, "Continue").click();
  await expect(page.getByText(`listening on ${labPort}`).first()).toBeVisible();
  await stop(page);
  await portIsFree();
});

test("a paused program can be stopped, and its end is said", async ({ page, student }) => {
  await listens(page, student);
  await page.keyboard.press("F8");
  await says(page, /paused (before|after)/);
  await stop(page);
  await expect(page.getByRole("button", { name: "Run", exact: true })).toBeVisible();
  await expect(page.getByText(/The program ended while paused/)).toBeVisible();
  await expect(bar(page)).toHaveCount(0);
  await portIsFree();
});

test("with the lab server away nobody can drive, and the bar says so", async ({ page, student }) => {
  await runPaused(page, student);
  await student.endLabServer("SIGKILL");
  await expect(button(page, "Step")).toBeDisabled();
  await says(page, "The lab server is away");
});
